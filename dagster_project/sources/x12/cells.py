"""The table of a file's segments, and how a kind of row is told from it.

Belongs here: what claims and payments have in common. Does not: which element is which cell (claims.py, payments.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.sources.amounts import amount_text, decimal
from dagster_project.sources.x12.segments import Flags, Numbers, Segments, is_tag, of_kind

SEGMENTS = "x12_segments"
VOUCHED_UNITS = "x12_vouched"  # unit: claims whose ids are our own tokens, as their signature shows


# Segments of the guides that no cell, count or balance is read from: in the invented world's files one in five of an 837. They
# are numbered like all others, and held nowhere; what no guide knows is no such segment.
UNREAD = {
    837: ("N3", "N4", "PER", "PRV", "CUR", "PAT", "PWK", "CN1", "K3", "NTE", "CR1", "CR2", "CR3", "CRC", "OI", "MIA", "MOA")
    + ("SV5", "SVD", "CAS", "LIN", "CTP", "LQ", "FRM", "MEA", "QTY", "PS1"),
    835: ("N3", "N4", "PER", "CUR", "RDM", "TS3", "TS2", "MIA", "MOA", "AMT", "QTY"),
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One kind of row: the transaction it is read from, its columns, and where they come from.

    Its statement gives line (number of the segment that the row is named after), part (which of several rows on that
    segment), unit, and the cells asked for in their order, under names of their own; one that is not there is NULL.
    """

    kind: int
    cells: Mapping[str, str]
    source: str
    line: str = "segment_number"
    # Its rows are segments of these tags, which are of no claim: no claim is looked at.
    stands_apart: tuple[str, ...] = ()
    part: str = "1"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.cells)

    def statement(self, columns: Sequence[str]) -> str:
        cells = "".join(
            f", nullif(cast({self.cells[column]} as varchar), '') as {cell_name(column)}" for column in columns
        )
        return f"select {self.line} as line, {self.part} as part, unit{cells} from {self.source}"


def cell_name(column: str) -> str:
    """What a cell is called in a statement: LINE and the row's own line are two."""
    return f'"cell {column}"'


def take_segments(con: duckdb.DuckDBPyConnection, blocks: Iterable[bytes], record: Record | None = None) -> int:
    """Makes the table SEGMENTS, and VOUCHED_UNITS, which nothing is in until somebody looks (signed.py); returns how many bytes belong to no whole segment."""
    segments = Segments(blocks, _kept_for(record))
    reader = segments.reader()  # noqa: F841 (DuckDB reads it by its name)
    con.execute(f"create or replace temp table {SEGMENTS}_read as select * from reader")
    con.execute(
        f"create or replace temp view {SEGMENTS} as select *, string_split(text, chr(29)) as e from {SEGMENTS}_read"
    )
    con.execute(f"create or replace temp table {VOUCHED_UNITS} (unit bigint)")
    return segments.loose_bytes


def _kept_for(record: Record | None) -> Callable[[Numbers, Numbers, Numbers], Flags]:
    def keeps(kind: Numbers, tags: Numbers, unit: Numbers) -> Flags:
        if record and record.stands_apart:
            return (unit == 0) | is_tag(tags, *record.stands_apart)
        return ~of_kind(kind, tags, UNREAD)

    return keeps


def elements(prefix: str, of: str, numbers: Iterable[int]) -> dict[str, str]:
    """`CLP01: clp[2]`: the tag itself is the first of a segment's elements."""
    return {f"{prefix}{number:02}": f"{of}[{number + 1}]" for number in numbers}


def firsts(condition: str, **elements: int) -> str:
    """Elements of the first segment of a group for which something holds, under these names; 1 is the first behind the tag.

    Single elements of these segments alone, since splitting all and carrying them through joins costs several times as much.
    """
    return ", ".join(
        f"arg_min_null(nullif((case when {condition} then string_split(text, chr(29)) end)[{number + 1}], ''), segment_number) "
        f"filter (where {condition}) as {called}"
        for called, number in elements.items()
    )


def first(condition: str, called: str) -> str:
    """The first segment of a group for which something holds. No other is split: `e` of the view would split all."""
    return (
        f"min_by(case when {condition} then string_split(text, chr(29)) end, segment_number) "
        f"filter (where {condition}) as {called}"
    )


def component(cell: str, number: int) -> str:
    return f"string_split({cell}, chr(31))[{number}]"


def dependent(insured: str, born: str, given: str) -> str:
    """Whoever is not insured himself has no number of his own: the insured's, his day of birth and his given name are his.

    NULL where any of them is not said: half an id would make one person of all who share it.
    """
    return (
        f"case when {insured} <> '' and {born} <> '' and {given} <> '' "
        f"then concat_ws('|', {insured}, {born}, upper({given})) end"
    )


def dated(cell: str) -> str:
    """A day as the standard writes it (CCYYMMDD), NULL where the cell is none."""
    return f"case when try_strptime({cell}, '%Y%m%d') is not null then {cell} end"


# An amount as the standard writes it: no commas, no exponents, no sign but a minus in front.
AMOUNT = "-?([0-9]{1,18}([.][0-9]{0,10})?|[.][0-9]{1,10})"


def exact(cell: str) -> str:
    """An amount for a sum. What is no amount counts nothing here, and its row is set aside for itself."""
    return f"case when regexp_full_match({cell}, '{AMOUNT}') then {decimal(cell, 38, 10)} else 0 end"


def amount(cell: str) -> str:
    """An amount as sent, or a sign that no amount is read from."""
    return f"case when nullif({cell}, '') is null or regexp_full_match({cell}, '{AMOUNT}') then {cell} else '?' end"


def written(amount: str) -> str:
    """As a sender would write it, with no more decimals than it has."""
    return f"rtrim(rtrim({amount_text(amount)}, '0'), '.')"
