"""Reads one X12 file for one feed, as sources/read.py reads a file of lines.

Belongs here: where cells and damage come from. Does not: typing and judging cells, which is the same for all files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from dagster_project.sources.read import PLACES, ROWS, Builder, Problem, Reading, make_rows
from dagster_project.sources.unpack import blocks
from dagster_project.sources.x12.cells import (
    FILE,
    HEADS,
    NUMBERS,
    READ,
    SEGMENTS,
    VOUCHED_UNITS,
    cell_name,
    take_segments,
)
from dagster_project.sources.x12.envelopes import (
    DAMAGE,
    REASONS,
    TRANSACTIONS,
    find_damage,
    find_transactions,
    notes_on,
    notes_on_answers,
)
from dagster_project.sources.x12.parts import parts
from dagster_project.sources.x12.records import RECORDS
from dagster_project.sources.x12.segments import PART
from dagster_project.sources.x12.signed import find_signed

BYTES = 512  # of DuckDB's memory that a part has for each of its segments
# From how many bytes on what was freed is given back at once. DuckDB's allocator keeps up to 128 MiB for each thread, of blocks that a
# long file scatters: 2.4 million claims of 837 took 1,226 MiB beside a limit of 512 MB. Files of a few segments gain nothing by it.
LARGE = 8 << 20


def read_x12(con: duckdb.DuckDBPyConnection, reading: Reading, part: int | None = None) -> list[Problem]:
    """Makes the table ROWS, in which a row's line is the number of its segment, and PLACES."""
    if reading.path.stat().st_size > LARGE:
        con.execute("set allocator_flush_threshold = '1MB'; set allocator_bulk_deallocation_flush_threshold = '1MB'")
    builder = _X12Builder(reading)
    taken = take_segments(con, blocks(reading.path), builder.record, part or _part_of(con))
    find_transactions(con)
    problems = make_rows(con, builder, _statements(con, builder, taken.begins))
    set_aside = ", ".join(str(number) for number, problem in enumerate(problems, 1) if problem.outcome == "set_aside")
    con.execute(f"""
        create or replace temp table {PLACES} as
        select segment_number as line, interchange as interchange_number, transaction as transaction_number
        from {READ} where segment_number in (select line from {ROWS} where problem in ({set_aside}))
    """)
    notes = notes_on_answers(con) if builder.record.kind == 277 else []
    if reading.is_leading:
        notes += notes_on(con, taken.loose_bytes, {record.kind for record in RECORDS.values()})
    problems += [Problem("noted", None, note) for note in notes]
    con.execute(f"drop view {SEGMENTS}; drop view {FILE}")
    for table in (READ, HEADS, NUMBERS, TRANSACTIONS, DAMAGE, VOUCHED_UNITS):
        con.execute(f"drop table {table}")
    return problems


def _part_of(con: duckdb.DuckDBPyConnection) -> int:
    """How many segments are read at once with the memory at hand, which as many files share as there are cores."""
    ((limit, threads),) = con.execute(
        "select parse_formatted_bytes(current_setting('memory_limit')), current_setting('threads')"
    ).fetchall()
    return int(min(max(limit // (BYTES * threads), 1), PART))


def _statements(con: duckdb.DuckDBPyConnection, builder: _X12Builder, begins: Sequence[int]) -> Iterator[str]:
    """What gives the rows of each part, when all that they need is there."""
    for lines in parts(con, begins, builder.record):
        builder.lines_read = lines
        find_damage(con, builder.record.kind)
        if builder.record.kind == 837:
            find_signed(con)
        yield builder.statement()


class _X12Builder(Builder):
    flags = (*Builder.flags, "damage")
    damages = REASONS

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.record = RECORDS[reading.layout.x12 or ""]
        self.lines_read = (0, 0)

    def _cells(self) -> str:
        records = self.record.statement(self.reading.header)
        return (
            "select records.* exclude unit, damage.reason_code as damage "
            f"from ({records}) as records left join {DAMAGE} as damage using (unit) "
            f"where line between {self.lines_read[0]} and {self.lines_read[1]}"
        )

    def _cell(self, column: str) -> str:
        return cell_name(column)

    def _parts(self) -> str:
        return "select *, false as is_footer, false as is_open, false as is_uneven from cells"
