"""How the command line speaks: exit codes, problems told in two lines, tables, progress bars, JSON.

Belongs here: form. Does not: what any verb has to say.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

DONE, FAULT, WRONG_USE, SET_ASIDE = 0, 1, 2, 3


class Problem(Exception):
    """Something a person can act on: what happened and where, what to do, and whose turn it is (exit code)."""

    def __init__(self, message: str, todo: str = "", exit_code: int = WRONG_USE) -> None:
        super().__init__(message)
        self.message, self.todo, self.exit_code = message, todo, exit_code


def complain(message: str, todo: str = "") -> None:
    """`claimhouse: what happened` and, on the next line, what to do."""
    print(f"claimhouse: {message}" + (f"\n  {todo}" if todo else ""), file=sys.stderr)


def show_json(value: Any) -> None:
    print(json.dumps(_plain(value), indent=1))


def console(width: int | None = None) -> Console:
    """Where results go. Wide enough for a table when the output is no terminal."""
    from rich.console import Console

    return Console(highlight=False, width=width or (None if sys.stdout.isatty() else 140))


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    left: int | Set[int] = 1,
    whole: bool = False,
) -> None:
    """Numbers to the right, the first `left` columns (or those at these places) to the left. `whole`: as wide as it must be, so that no name of a
    file is cut in two."""
    from rich.table import Table

    at_left = range(left) if isinstance(left, int) else left
    made = Table(header_style="bold", box=None, pad_edge=False)
    for position, column in enumerate(columns):
        made.add_column(column, justify="left" if position in at_left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(number(cell) for cell in row))
    out = console()
    if title:
        out.print(f"[bold]{title}[/bold]")
    if whole:
        out = console(max(out.width, out.measure(made, options=out.options.update(max_width=10_000)).maximum))
    out.print(made)
    out.print()


def number(value: object) -> str:
    """Dollars with cents, counts with commas, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


@contextmanager
def bars() -> Iterator[Progress]:
    """Progress bars on a copy of the error stream, since steps of a run have the original taken from them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with os.fdopen(os.dup(2), "w") as stream:
        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"),
        )
        with Progress(*columns, console=Console(file=stream, highlight=False)) as progress:
            yield progress


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value
