"""What a run made and how a home stands, on the terminal.

Belongs here: tables and sentences for a person. Does not: asking for what they say (summary.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dagster_project.cli.summary import LARGEST, LedgerLine, LeftFile, RunSummary, Status
from dagster_project.cli.terminal import console, table
from dagster_project.resources.tallies import FeedTally, LoadState
from dagster_project.settings import Settings

SHOWN = 12


def show_run(settings: Settings, told: RunSummary) -> None:
    show_feeds(told.feeds)
    show_waiting(told.waiting_loads, told.set_aside_files)
    show_noted(told.noted_files)
    show_left(settings, told.left_files)
    show_ledger(told.ledger)
    table(f"The {LARGEST} largest marts", ["mart", "rows"], told.largest_marts.items())
    show_failures(told)
    show_publication(settings, told)


def show_status(settings: Settings, told: Status) -> None:
    console().print(f"[bold]{told.home}[/bold]\n")
    show_feeds(told.feeds)
    show_waiting(told.waiting_loads, told.set_aside_files)
    show_noted(told.noted_files)
    show_left(settings, told.left_files)
    if told.failing_checks:
        rows = [list(check.values()) for check in told.failing_checks[:SHOWN]]
        table("Checks that fail", ["asset", "check", "verdict", "failed", "note"], rows, left=3)
    if told.overdue:
        rows = [list(due.values()) for due in told.overdue[:SHOWN]]
        table("Overdue by the calendar of expected files", ["source", "feed", "month", "due", "state"], rows, left=5)
    table(
        "Last runs",
        ["run", "job", "status", "started (UTC)", "seconds"],
        [list(run.values()) for run in told.runs],
        left=4,
    )
    _show_published(settings, told.publication)


def show_feeds(feeds: Sequence[FeedTally]) -> None:
    columns = [
        "feed",
        "files",
        "rows read",
        "accepted",
        "set aside",
        "excluded",
        "USD read",
        "USD accepted",
        "USD set aside",
        "USD excluded",
    ]
    rows = [
        [feed.feed, feed.file_count, feed.rows_read, feed.rows_accepted, feed.rows_set_aside, feed.rows_excluded,
         _cents(feed.amount_read), _cents(feed.amount_accepted), _cents(feed.amount_set_aside),
         _cents(feed.amount_excluded)]
        for feed in feeds
    ]  # fmt: skip
    table("What was read (read = accepted + set aside + excluded, to the cent)", columns, rows)


def show_waiting(loads: Sequence[LoadState], files: Sequence[dict[str, Any]]) -> None:
    if files:
        table(
            "Files set aside whole",
            ["file", "reason", "what to do"],
            [[file["file_name"], file["reason_code"], " ".join(file["explanation"].split())] for file in files[:SHOWN]],
            left=3,
            whole=True,
        )
    told = {file["file_name"] for file in files}
    loads = [load for load in loads if load.file_name not in told]
    if loads:
        rows = [[load.load_id, load.feed, load.file_name, _why(load)] for load in loads[:SHOWN]]
        table("Loads that wait", ["load", "feed", "file", "why"], rows, left=4, whole=True)
    if any(load.verdict == "held" for load in loads):
        console().print("Accept a held one:  claimhouse load --accept LOAD_ID --by NAME --reason WHY\n", markup=False)


def show_noted(files: Sequence[dict[str, Any]]) -> None:
    if files:
        table(
            "Noted of files that were read (docs/x12.md)",
            ["file", "note"],
            [[file["file_name"], ", ".join(file["notes"])] for file in files[:SHOWN]],
            left=2,
            whole=True,
        )


def show_left(settings: Settings, files: Sequence[LeftFile]) -> None:
    """Which files are not in it, and when another run would take them."""
    if not files:
        return
    names = ", ".join(file.file_name for file in files[:SHOWN]) + (", …" if len(files) > SHOWN else "")
    after = max(file.whole_at for file in files).astimezone() + dt.timedelta(seconds=1)
    console().print(
        f"{len(files)} file{'s' * (len(files) > 1)} left unread: younger than {settings.quiet_seconds:g} seconds "
        f"(CLAIMHOUSE_QUIET_SECONDS), so perhaps still being written: {names}\n"
        f"Run again after {after:%H:%M:%S}:  claimhouse run\n",
        markup=False,
        soft_wrap=True,
    )


def show_ledger(lines: Sequence[LedgerLine]) -> None:
    columns = [
        "entity",
        "account",
        "cells",
        "warehouse USD",
        "ledger USD",
        "difference",
        "tied",
        "explained",
        "in tolerance",
        "accepted",
        "blocking",
    ]
    rows = [
        [line.entity_code, line.account_code, line.cell_count,
         line.warehouse_amount, line.ledger_amount, line.difference_amount,
         line.tied, line.explained, line.within_tolerance, line.accepted, line.blocking]
        for line in lines
    ]  # fmt: skip
    table("The finance ledger, all months (one month:  claimhouse reconcile --month YYYY-MM)", columns, rows, left=2)


def show_failures(told: RunSummary) -> None:
    from dagster_project.resources.launch import NO_SPACE

    out = console()
    for check in told.failed_checks:
        word = "blocks" if check.is_blocking else "warns"
        out.print(f"Check {check.check} of {check.asset} fails and {word}. {check.about}".rstrip(), markup=False)
    for step in told.failed_steps:
        if step.error == NO_SPACE:
            out.print(f"Step {step.step} stopped: {NO_SPACE}. Free some space and run again; nothing is half done.")
        elif not step.is_gate:
            out.print(
                f"Step {step.step} fell over: {step.error}. The UI shows its log: claimhouse ui, run {told.run_id}",
                markup=False,
            )
    if told.failed_checks or told.failed_steps:
        out.print()


def show_publication(settings: Settings, told: RunSummary) -> None:
    if not told.is_success:
        stays = (
            f"the last good publication stays: {told.publication['publication_id']}"
            if told.publication
            else "nothing is published yet"
        )
        console().print(f"Nothing new was published; {stays}.\n", markup=False)
    _show_published(settings, told.publication)


def _show_published(settings: Settings, publication: dict[str, Any] | None) -> None:
    out = console()
    if publication is None:
        out.print("Nothing is published yet.")
        return
    out.print(f"[bold]Published[/bold] {publication['publication_id']}, {len(publication['rows'])} marts")
    for about, how in (
        ("DuckDB", f"duckdb -readonly {settings.published_marts}"),
        ("pandas", f'duckdb.connect("{settings.published_marts}", read_only=True).sql("from mart_pmpm").df()'),
        ("Delta, Power BI", f"{settings.published}/delta/<mart>"),
        ("manifest", f"{settings.published}/manifest.json"),
    ):
        out.print(f"  {about:<16} {how}", markup=False, soft_wrap=True)


def _why(load: LoadState) -> str:
    if load.status == "set_aside":
        return f"set aside: {load.reason_code}"
    return "held by its checks" if load.is_conserved else "rows or dollars do not add up"


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("0.01"))
