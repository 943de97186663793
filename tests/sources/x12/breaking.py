"""Breaking files of X12, and reading them in a way that loses and doubles nothing unseen.

Belongs here: what is done to a file, and what is asked of every reading whatever the file. Does not: tests.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
from hypothesis import strategies as st

from dagster_project.sources.contracts import Contract, load_contracts
from dagster_project.sources.layouts import X12
from dagster_project.sources.read import ROWS, Reading
from dagster_project.sources.x12.count import count_x12
from dagster_project.sources.x12.read import read_x12
from dagster_project.sources.x12.records import RECORDS

CONTRACTS = {
    kind: [
        contract
        for contract in load_contracts().values()
        if X12 in contract.layouts and RECORDS[contract.layouts[X12].x12 or ""].kind == kind
    ]
    for kind in (837, 835, 834, 271, 277, 999)
}


@dataclass(frozen=True)
class Told:
    """What the reader made of a file for one feed."""

    rows: int
    amount: Decimal
    accepted: int


def read(path: Path, contract: Contract) -> Told:
    """Reads a file, and holds what was read against the second count and against itself."""
    layout = contract.layouts[X12]
    reading = Reading(
        path, False, False, contract, layout, tuple(layout.source_columns()), 0, "", "f", None, dt.date(2026, 6, 1)
    )
    with duckdb.connect() as con:
        problems = read_x12(con, reading)
        rows, places, amount, accepted, least, most = con.execute(
            f"select count(*), count(distinct (line, part)), coalesce(sum(amount), 0), count(*) filter (where problem = 0), "
            f"coalesce(min(problem), 0), coalesce(max(problem), 0) from {ROWS}"
        ).fetchall()[0]
    count = count_x12(path, layout.x12 or "")
    assert (rows, amount) == (count.row_count, count.amount if contract.amount else 0)
    assert rows == places and least >= 0 and most <= len(problems)
    return Told(rows, amount, accepted)


@dataclass(frozen=True)
class Edit:
    """One thing done to a file. Places are parts of ten thousand."""

    name: str
    place: int
    other: int

    def made(self, data: bytes, end: bytes = b"~") -> bytes:
        segments = data.split(end)
        first, second = (number * len(segments) // 10_000 for number in (self.place, self.other))
        if self.name == "drop":
            del segments[first]
        elif self.name == "repeat":
            segments.insert(second, segments[first])
        elif self.name == "swap":
            segments[first], segments[second] = segments[second], segments[first]
        elif self.name == "turn":
            segments[min(first, second) : max(first, second)] = segments[min(first, second) : max(first, second)][::-1]
        elif self.name == "cut":
            return data[: self.place * len(data) // 10_000]
        elif self.name == "overwrite":
            place = self.place * len(data) // 10_000
            return data[:place] + MARKS[self.other % len(MARKS)] + data[place + 1 :]
        return end.join(segments)


MARKS = [bytes([mark]) for mark in b"~*:^A9-. \n\x00\xff"]
PLACES = st.integers(0, 9_999)
EDITS = st.builds(Edit, st.sampled_from(["drop", "repeat", "swap", "turn", "cut", "overwrite"]), PLACES, PLACES)


def broken(data: bytes, edits: list[Edit], end: bytes = b"~") -> bytes:
    for edit in edits:
        data = edit.made(data, end) or data
    return data
