"""Verbs that bring files: `demo-data` invents them, `load` takes them in or accepts a held load.

Belongs here: options and words. Does not: inventing (synthetic/), recognising (sources/), accepting (expectations/).
"""

from collections.abc import Iterator
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE, Problem, bars, complain, show_json, table
from dagster_project.settings import Settings, load_settings

DEFAULT_MEMBERS, DEFAULT_MONTHS, DEFAULT_SEED = 2_000, 24, 1
ACCEPT = "claimhouse load --accept LOAD_ID --by NAME --reason WHY"

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class FileFormat(StrEnum):
    flat = "flat"
    x12 = "x12"


def demo_data(
    members: Annotated[int, typer.Option(min=10, help="People of the invented world.")] = DEFAULT_MEMBERS,
    seed: Annotated[int, typer.Option(help="The same seed writes the same files.")] = DEFAULT_SEED,
    months: Annotated[int, typer.Option(min=3, max=120, help="Months from January 2024.")] = DEFAULT_MONTHS,
    ledger_error: Annotated[
        bool, typer.Option("--ledger-error", help="Plant faults in the ledger that block publication.")
    ] = False,
    file_format: Annotated[
        FileFormat,
        typer.Option(
            "--format",
            help="How claims, their acknowledgements and remittances are written; other feeds are flat files.",
        ),
    ] = FileFormat.flat,
    as_json: AsJson = False,
) -> None:
    """Write demonstration files into the landing folder: an invented world, dirt included."""
    settings = load_settings()
    if has_files(settings):
        raise Problem(
            f"{settings.landing} holds files already, and an invented world is not mixed with another or with real files",
            f"Name an empty home (CLAIMHOUSE_HOME=FOLDER claimhouse demo-data), or move {settings.home} aside",
        )
    rows = write_demo_files(settings, members, seed, months, ledger_error, file_format)
    if as_json:
        show_json({"landing": settings.landing, "rows": rows})
    else:
        table(f"Written to {settings.landing}", ["feed", "rows"], sorted(rows.items()))


def has_files(settings: Settings) -> bool:
    """Whether anything lies in landing."""
    return settings.landing.exists() and any(path.is_file() for path in settings.landing.rglob("*"))


def write_demo_files(
    settings: Settings,
    members: int,
    seed: int,
    months: int,
    ledger_error: bool = False,
    file_format: FileFormat = FileFormat.flat,
) -> dict[str, int]:
    """Invents the world with a progress bar; returns rows per feed."""
    from dagster_project.sources.inventory import DEMO
    from dagster_project.sources.loads import quieten
    from dagster_project.sources.unpack import scratch_folder
    from dagster_project.synthetic import generate, last_day
    from expectations.calendar import expect_until

    with bars() as progress:
        task = progress.add_task("Inventing a world", total=None, now="")

        def tell(stage: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None, now=stage)

        with scratch_folder(settings) as scratch:
            as_x12 = file_format == FileFormat.x12
            rows = generate(
                settings.landing,
                settings.answers,
                members,
                seed,
                months,
                ledger_error,
                tell,
                scratch=scratch,
                as_x12=as_x12,
            )
        expect_until(settings, DEMO, last_day(months), f"claimhouse demo-data: a world of {months} months")
        for path in settings.landing.rglob("*"):
            if path.is_file():
                quieten(path, settings.quiet_seconds)
        progress.update(task, now=f"{sum(rows.values()):,} rows")
    return rows


def load(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH…", help="Files or folders to take in; they are copied.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Who sent them, where the layout does not say.")] = None,
    layout: Annotated[str | None, typer.Option(help="Their layout, where the header does not say.")] = None,
    period: Annotated[str | None, typer.Option(help="The year they are about, where no column says.")] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="LOAD_ID", help="Accept a load that its checks hold back.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who accepts it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is acceptable.")] = None,
    as_json: AsJson = False,
) -> int:
    """Take files into the landing folder and say what they are; or accept a held load by name."""
    settings = load_settings()
    if accept:
        return _accept(settings, accept, by, reason, as_json)
    if not paths:
        raise Problem("nothing to load: name a file, or a held load", f"claimhouse load FILE…   or   {ACCEPT}")
    return _take_in(settings, paths, source, layout, period, as_json)


def _accept(settings: Settings, load_id: str, by: str | None, reason: str | None, as_json: bool) -> int:
    from expectations.judge import AcceptError, accept_load

    try:
        admission = accept_load(settings, load_id, by or "", reason or "")
    except AcceptError as error:
        raise Problem(str(error), ACCEPT) from error
    if as_json:
        show_json(admission)
    else:
        print(f"Load {load_id} of {admission.feed} is accepted by {admission.accepted_by}. Next: claimhouse run")
    return DONE


def _take_in(
    settings: Settings, paths: list[Path], source: str | None, layout: str | None, period: str | None, as_json: bool
) -> int:
    """Each file by itself: one that no layout fits is named and stays where it is, the others go on."""
    from dagster_project.sources.contracts import load_contracts
    from dagster_project.sources.loads import SourceNeeded, UnrecognisedFile, UnusableWord, check_words, place

    contracts = load_contracts()
    try:
        check_words(contracts, source, layout, period)
    except UnusableWord as error:
        raise Problem(str(error), "See: claimhouse load --help") from error
    if missing := [path for path in paths if not path.exists()]:
        raise Problem(f"{missing[0]} is not there", "Name files or folders that are: claimhouse load FILE…")
    files = list(_files(paths))
    if not files:
        raise Problem(f"there is no file in {paths[0]}", "Name files or folders with files: claimhouse load FILE…")
    placed = []
    refused: list[UnrecognisedFile] = []
    with bars() if len(files) > 1 else nullcontext() as progress:
        task = progress.add_task("Taking in", total=len(files), now="") if progress else None
        for path in files:
            try:
                placed += place([path], settings, contracts, source=source, layout=layout, period=period)
            except UnrecognisedFile as error:
                refused.append(error)
            if progress and task is not None:
                progress.update(task, advance=1, now=path.name)
    for one in refused:
        complain(one.message, one.todo)
    if as_json:
        show_json(placed)
    elif placed:
        rows = [
            [one.path, ", ".join(one.feeds), one.layout, f"version {one.version}" if one.version > 1 else ""]
            for one in placed
        ]
        table(f"Copied to {settings.landing}", ["file", "feed", "layout", ""], rows, left=4, whole=True)
        print("Next: claimhouse run")
    if any(isinstance(one, SourceNeeded) for one in refused):
        return WRONG_USE
    return SET_ASIDE if refused else DONE


def _files(paths: list[Path]) -> Iterator[Path]:
    """Files as named, and those in folders; control files go with the file they are about."""
    for path in paths:
        if path.is_dir():
            inside = (one for one in sorted(path.rglob("*")) if one.is_file())
            yield from (one for one in inside if one.suffix != ".ctl" and not one.name.startswith("."))
        else:
            yield path
