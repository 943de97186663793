"""The `claimhouse` verbs: may call every room, and nothing calls it.

Belongs here: what a person types and sees. Does not: work; each verb asks a library and prints its answer.
A verb imports what it needs when it is called, so that `claimhouse --help` is there at once.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from dagster_project.cli.terminal import DONE, FAULT, SET_ASIDE, WRONG_USE, complain

EPILOG = (
    f"Exit codes: {DONE} done, {SET_ASIDE} input set aside, held or blocked, {WRONG_USE} wrong use, {FAULT} our fault."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    sys.exit(call(sys.argv[1:] if arguments is None else arguments))


def call(arguments: Sequence[str]) -> int:
    """Runs one verb and returns its exit code; whatever goes wrong is told in a sentence, not a traceback."""
    import typer

    from dagster_project.cli.terminal import Problem
    from dagster_project.settings import SettingsError

    # Typer shows only this child of the error that every wrong use is.
    wrong_use: Any = typer.BadParameter.__bases__[0]
    try:
        code = typer.main.get_command(build())(
            [*arguments] or ["--help"], standalone_mode=False, prog_name="claimhouse"
        )
        return code if isinstance(code, int) and arguments else DONE if arguments else WRONG_USE
    except Problem as problem:
        complain(problem.message, problem.todo)
        return problem.exit_code
    except wrong_use as error:
        where = error.ctx.command_path if error.ctx else "claimhouse"
        complain(error.format_message(), f"See: {where} --help")
        return WRONG_USE
    except SettingsError as error:
        complain(str(error), "Settings are CLAIMHOUSE_… variables; dagster_project/settings.py lists them.")
        return WRONG_USE
    except _told_by_libraries() as error:
        complain(*_in_its_words(error))
        return WRONG_USE
    except (typer.Abort, KeyboardInterrupt):
        complain("stopped", "Nothing half-made is visible; the same command starts again where it can.")
        return FAULT
    except Exception as error:
        if "--debug" in arguments:
            raise
        complain(*_our_fault(error))
        return FAULT


def _told_by_libraries() -> tuple[type[Exception], ...]:
    """Errors whose message is written for a person. Asked for when something went wrong, so that help stays quick."""
    from dagster_project.privacy.keys import KeyProblem
    from dagster_project.sources.contracts import ContractError

    return KeyProblem, ContractError


def _in_its_words(error: Exception) -> tuple[str, str]:
    """A key's message says what to do itself; a contract's says what is wrong, and a page says what is right."""
    from dagster_project.privacy.keys import KeyProblem

    return str(error), "" if isinstance(error, KeyProblem) else "What a contract may say: docs/add-a-layout.md"


def build() -> Any:
    """The command line with all its verbs."""
    import typer

    from dagster_project.cli import claim, data, drg, pipeline, price, reconcile, tables

    app = typer.Typer(
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of a fault of ours.")] = False,
    ) -> None:
        """A warehouse of healthcare claims: raw files in; counted, tokenised, reconciled, published marts out."""

    verbs: dict[str, Callable[..., Any]] = {
        "run": pipeline.run,
        "ui": pipeline.ui,
        "demo-data": data.demo_data,
        "load": data.load,
        "status": pipeline.status,
        "reconcile": reconcile.reconcile,
        "claim": claim.claim,
        "publish": pipeline.publish,
        "describe": tables.describe,
    }
    for name, verb in verbs.items():
        app.command(name)(verb)
    app.add_typer(
        price.group(),
        name="price",
        help="What to pay each provider for each procedure: solve, compare, frontier, explain, check.",
    )
    app.add_typer(
        drg.group(),
        name="drg",
        help="Medicare's inpatient payment by DRG, where it lies below and above what is expected: report.",
    )
    return app


def _our_fault(error: Exception) -> tuple[str, str]:
    """The kind of error and the place in our code; its message may hold a value of a row, and is left out."""
    frames = []
    trace = error.__traceback__
    while trace:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    ours = [frame for frame in frames if "/site-packages/" not in frame[0] and "/cli/" not in frame[0]] or frames
    path, line = ours[-1]
    place = "/".join(path.split("/")[-2:])
    return (
        f"{type(error).__name__} at {place}:{line}. This is our fault, not yours.",
        "The same command with --debug before the verb shows where. It may show values of rows: look before sharing.",
    )
