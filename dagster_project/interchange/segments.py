"""SQL that writes elements, segments and interchanges as text.

Belongs here: what the standard says of separators, empty elements, envelopes and counts. Does not: claims, payments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.database import literal

# ISA15. What is written for tests must not be adjudicated by whoever receives it.
PRODUCTION, TEST = "P", "T"
HOUSE = "CLAIMHOUSE"


def text(cell: str) -> str:
    """A value without what would end its element: the four separators and line ends."""
    return f"translate(cast({cell} as varchar), '*~:^' || chr(10) || chr(13), '')"


def words(cell: str) -> str:
    """Names and addresses in the letters that every receiver must take."""
    return f"regexp_replace(upper(strip_accents({text(cell)})), '[^ -~]', '', 'g')"


def number(cell: str) -> str:
    """An amount or quantity with no more decimals than it needs; it comes as a decimal."""
    return f"rtrim(rtrim(cast({cell} as varchar), '0'), '.')"


def day(cell: str) -> str:
    return f"strftime({cell}, '%Y%m%d')"


def segment(tag: str, *elements: str) -> str:
    """One segment; each element is SQL, and those at its end that are empty are left out."""
    return f"rtrim(concat_ws('*', '{tag}', {_each(elements)}), '*') || '~'"


def composite(*components: str) -> str:
    return f"rtrim(concat_ws(':', {_each(components)}), ':')"


def _each(parts: Sequence[str]) -> str:
    return ", ".join(f"coalesce({part}, '')" for part in parts)


def when(condition: str, *segments: str) -> str:
    """Segments that stand there only where the condition holds."""
    return f"case when {condition} then {' || '.join(segments)} else '' end"


def together(*segments: str) -> str:
    return " || ".join(segments)


def period(qualifier: str, first: str, last: str) -> str:
    """A DTP of one day or of several."""
    several = segment("DTP", f"'{qualifier}'", "'RD8'", f"{day(first)} || '-' || {day(last)}")
    one = segment("DTP", f"'{qualifier}'", "'D8'", day(first))
    return f"case when {last} > {first} then {several} when {first} is not null then {one} else '' end"


def write_interchange(
    con: duckdb.DuckDBPyConnection, path: Path, code: str, parts: str, created: str, control_number: int = 1
) -> None:
    """Writes one interchange to a file."""
    rows = interchange_sql(code, parts, created, control_number)
    con.execute(
        f"copy ({rows}) to {literal(str(path))} (format csv, header false, delimiter '\x01', quote '', escape '')"
    )


def interchange_sql(code: str, parts: str, created: str, control_number: int = 1, usage: str = PRODUCTION) -> str:
    """The segments of one interchange in their order, from the table `parts` (version, transaction, place, part).

    A transaction's rows come in the order of place; its first begins with ST, and SE follows the last. `part` is one
    or more whole segments. Groups hold what is of one version. `code` is GS01; `created` is SQL of the moment of writing.
    """
    count_of_segments = "length(part) - length(replace(part, '~', ''))"
    isa = (
        f"'ISA*00*          *00*          *ZZ*{HOUSE:<15}*ZZ*{'RECEIVER':<15}*' || strftime({created}, '%y%m%d*%H%M') "
        f"|| '*^*00501*{control_number:09}*0*{usage}*:~'"
    )
    gs = segment("GS", f"'{code}'", f"'{HOUSE}'", "'RECEIVER'", day(created), f"strftime({created}, '%H%M')",
                 "cast(group_number as varchar)", "'X'", "version")  # fmt: skip
    last = "9223372036854775807"
    return f"""
        with numbered as (
            select *, dense_rank() over (order by version) as group_number from {parts}
        ),
        transactions as (
            select group_number, version, transaction, sum({count_of_segments}) + 1 as segment_count
            from numbered group by all
        ),
        groups as (
            select group_number, any_value(version) as version, count(*) as transaction_count
            from transactions group by group_number
        )
        select part from (
            select 0 as group_number, 0 as transaction, 0 as place, {isa} as part
            union all
            select group_number, 0, 0, {gs} from groups
            union all
            select group_number, transaction, place, part from numbered
            union all
            select group_number, transaction, {last},
                'SE*' || segment_count || '*' || lpad(transaction::varchar, 4, '0') || '~' from transactions
            union all
            select group_number, {last}, 0, 'GE*' || transaction_count || '*' || group_number || '~' from groups
            union all
            select {last}, 0, 0, 'IEA*' || count(*) || '*{control_number:09}~' from groups
        ) as written
        order by group_number, transaction, place"""
