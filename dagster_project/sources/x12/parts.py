"""A file in parts: however large it is, what is made at once is made of so many segments, and a part gives the rows of the whole.

Belongs here: what a part needs beside its own segments. Does not: where one may begin (segments.py), which segments others hang
on (each record says so), rows.

No unit is cut. What it hangs on may stand in an earlier part or, as the heads of a transaction, in a later one: such segments
are laid beside the part under their own numbers, so that a statement over the file is one over a part, and rows of them are the
business of the part that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from dagster_project.sources.x12.cells import HEADS, READ, SEGMENTS, Record, with_elements

BESIDE = "x12_beside"  # what a part needs of others
NEXT = "x12_next"  # what the next one will


def parts(con: duckdb.DuckDBPyConnection, begins: Sequence[int], record: Record) -> Iterator[tuple[int, int]]:
    """Makes SEGMENTS one part after the other; gives the numbers of its first and last segment."""
    con.execute(f"create or replace temp table {NEXT} as from {READ} limit 0")
    for first, behind in zip(begins, [*begins[1:], 1 << 62], strict=True):
        own = f"(from {READ} where segment_number between {first} and {behind - 1})"
        least, most, transaction, group, interchange = con.execute(f"""
            select coalesce(min(transaction) filter (where transaction > 0), 0), coalesce(max(transaction), 0),
                {", ".join(f"coalesce(arg_max({column}, segment_number), 0)" for column in ("transaction", "functional_group", "interchange"))}
            from {own}""").fetchall()[0]
        con.execute(f"""
            create or replace temp table {BESIDE} as from {NEXT} union all
            from {HEADS} where transaction between {least} and {most} and segment_number not between {first} and {behind - 1}""")
        con.execute(f"create or replace temp view {SEGMENTS} as {with_elements(f'({own} union all from {BESIDE})')}")
        yield first, behind - 1
        above = f"or transaction = {transaction} and segment_number in ({record.above})" if record.above else ""
        con.execute(f"""
            create or replace temp table {NEXT} as select * exclude e from {SEGMENTS}
            where tag = 'ISA' and interchange = {interchange} or tag = 'GS' and functional_group = {group} {above}""")
    con.execute(f"drop table {BESIDE}; drop table {NEXT}")
