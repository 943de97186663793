"""A check too dear for all rows of a large house looks at a part of them, and at each in its turn."""

from __future__ import annotations

import duckdb
from macro_results import result_of

ROWS = 1_000


def keys_looked_at(con: duckdb.DuckDBPyConnection, build: int, most: int) -> set[str]:
    con.execute("update intermediate.built set build_number = $1", [build])
    which = result_of(
        f"part_in_turn('claims', 'claim_key', {most})", "keys.sql", con, execute=True, load_relation=lambda name: name
    )
    return {key for (key,) in con.execute(f"select claim_key from claims where {which}").fetchall()}


def test_every_key_of_a_large_table_is_looked_at_once_in_sixteen_builds_and_of_a_small_one_in_each() -> None:
    with duckdb.connect() as con:
        con.execute(f"create table claims as select md5(range::varchar) as claim_key from range({ROWS})")
        con.execute(
            "create schema intermediate; create table intermediate.built as select 'fct_claim' as model, 0 as build_number"
        )
        parts = [keys_looked_at(con, build, most=ROWS - 1) for build in range(5, 21)]
        assert all(parts) and sum(map(len, parts)) == len(set().union(*parts)) == ROWS
        assert len(keys_looked_at(con, 1, most=ROWS)) == ROWS
