"""Writes the catalogue of bad files into docs/reliability.md: `python -m tests.faults.page`.

Belongs here: one table between two marks. Does not: the rest of the page, which people write.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.bad_files import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- bad files: written by python -m tests.faults.page -->", "<!-- end of bad files -->"


def table() -> str:
    """One row per kind, in the order of the catalogue."""
    rows = ["| | when | what happens |", "|---|---|---|"]
    group = ""
    for kind in KINDS:
        told = kind.outcome.told() + (f". Not seen: {kind.unseen}" if kind.unseen else "")
        rows.append(f"| {kind.group if kind.group != group else ''} | {kind.name} | {told} |".replace("|  |", "| |"))
        group = kind.group
    return "\n".join([BEGIN, *rows, END])


def write() -> None:
    """The page with the table of today."""
    content = PAGE.read_text()
    before, _, rest = content.partition(BEGIN)
    PAGE.write_text(before + table() + rest.partition(END)[2])


if __name__ == "__main__":
    write()
