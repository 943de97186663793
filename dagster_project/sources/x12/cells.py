"""The tables of a file's segments, and how a kind of row is told from them.

Belongs here: what claims and payments have in common. Does not: which element is which cell (claims.py, payments.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.sources.amounts import amount_text, decimal
from dagster_project.sources.x12.segments import PART, Flags, Numbers, Segments, is_tag, of_kind

READ = "x12_read"  # the file's segments, in their order
FILE = "x12_file"  # the same, with their elements (e): for what is small of each, or the whole of it is made
SEGMENTS = "x12_segments"  # likewise, those of the part that is read, and what it needs of others (parts.py)
HEADS = "x12_heads"  # what a transaction says once for all its units, wherever in it that stands
NUMBERS = "x12_numbers"  # line, part, number: rows that are counted through more than a part, from the second on
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
    # Conditions: of what fulfils one, the first segment of a transaction is at hand with each of its units.
    heads: tuple[str, ...] = ()
    # Numbers of segments of SEGMENTS on which units behind them may hang.
    above: str = ""
    # Rows of NUMBERS, of which those with the number 1 may be.
    numbers: str = ""

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


def take_segments(
    con: duckdb.DuckDBPyConnection, blocks: Iterable[bytes], record: Record | None = None, part: int = PART
) -> Segments:
    """Makes the tables of a file, and VOUCHED_UNITS, which nothing is in until somebody looks (signed.py).

    SEGMENTS is the whole file until it is read in parts (parts.py). What is grouped here has states of a fixed size alone,
    which DuckDB takes to disk: lists and long texts it does not.
    """
    segments = Segments(blocks, _kept_for(record), part)
    reader = segments.reader()  # noqa: F841 (DuckDB reads it by its name)
    con.execute(f"create or replace temp table {READ} as select * from reader")
    for view in (FILE, SEGMENTS):
        con.execute(f"create or replace temp view {view} as {with_elements(READ)}")
    con.execute(f"create or replace temp table {VOUCHED_UNITS} (unit bigint)")
    heads = ", ".join(f"min(segment_number) filter (where {condition})" for condition in record.heads) if record else ""
    con.execute(f"""
        create or replace temp table {HEADS} as
        from {READ} semi join (
            select unnest([{heads or "0"}]) as segment_number
            from {READ} where kind = {record.kind if record else 0} and transaction > 0 group by transaction
        ) using (segment_number)""")
    numbers = record.numbers if record and record.numbers else "select 0 as line, 0 as part, 0 as number"
    con.execute(f"create or replace temp table {NUMBERS} as from ({numbers}) where number > 1")
    return segments


def with_elements(segments: str) -> str:
    return f"select *, string_split(text, chr(29)) as e from {segments}"


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
