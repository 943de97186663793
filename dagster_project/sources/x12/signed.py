"""Which claims of a file are ours, written with tokens: the mark asks, the signature answers.

Belongs here: where an 837 has mark and signature. Does not: how they are made (privacy/marks.py).
"""

from __future__ import annotations

import duckdb

from dagster_project.database import literal
from dagster_project.privacy.marks import MARK, signature_sql
from dagster_project.privacy.tokens import PADS
from dagster_project.sources.x12.cells import SEGMENTS, VOUCHED_UNITS, first


def find_signed(con: duckdb.DuckDBPyConnection) -> None:
    """Fills the table VOUCHED_UNITS, as far as SEGMENTS go. Needs the key only where a transaction bears the mark."""
    marked = f"(select transaction from {SEGMENTS} where kind = 837 and tag = 'BHT' and e[4] = {literal(MARK)})"
    con.execute(f"delete from {VOUCHED_UNITS}")
    if not con.execute(f"select 1 from {marked} limit 1").fetchall():
        return
    made = signature_sql(
        claim="clm[2]", member="insured[10]", control="control[3]", authorization="allowed[3]", lines="lines"
    )
    con.execute(f"""
        insert into {VOUCHED_UNITS}
        select claim.unit from (
            select unit, any_value(level) as level, {first("tag = 'CLM'", "clm")},
                {first("tag = 'REF' and line = 0 and qualifier = 'F8'", "control")},
                {first("tag = 'REF' and line = 0 and qualifier = 'G1'", "allowed")},
                {first("tag = 'REF' and line = 0 and qualifier = 'D9'", "signature")},
                string_agg(line || ':' || e[3], ',' order by segment_number) filter (where tag = 'REF' and line > 0 and qualifier = '6R') as lines
            from {SEGMENTS} where unit > 0 and transaction in {marked} group by unit
        ) as claim
        left join (
            select level, {first("tag = 'NM1' and qualifier = 'IL'", "insured")}
            from {SEGMENTS} where unit = 0 and level > 0 and transaction in {marked} group by level
        ) as levels on claim.level = levels.level, {PADS}
        where signature[3] = {made}""")
