"""Measures a load as a whole: counts per load, column, rule and allowed code, taken by DuckDB from its Parquet file.

Belongs here: what is counted, and keeping the counts (lake/profiles/), so that a later load is compared without reading
earlier ones again. Does not: limits, verdicts, any value of a row (codes that the contract itself lists excepted).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.database import literal
from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract, LakeColumn
from dagster_project.sources.lake import write_atomically

# One row per load, measure, subject (a column or a rule) and label (an allowed code). Counts are whole, dollars exact.
PROFILE_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("measure", pa.string()),
        ("subject", pa.string()),
        ("label", pa.string()),
        ("number", pa.int64()),
        ("amount", pa.decimal128(38, 10)),
    ]
)


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection in memory, within the limits of the settings."""
    con = duckdb.connect(":memory:")
    con.execute(f"set memory_limit = '{settings.memory_limit}'")
    con.execute(f"set threads = {settings.threads}")
    con.execute("set enable_progress_bar = false")
    return con


def profile_path(settings: Settings, load_id: str) -> Path:
    return settings.lake / "profiles" / f"{load_id}.parquet"


def profile_loads(
    con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, load_ids: Sequence[str]
) -> set[str]:
    """Count these loads and write lake/profiles/<load_id>.parquet for each, empty where a load has no rows.

    Returns the names of rules whose SQL the feed's rows cannot answer: an error of the contract, never a pass.
    """
    files = [path for path in (_lake_file(settings, contract.feed, load_id) for load_id in load_ids) if path.exists()]
    unusable: set[str] = set()
    counted = PROFILE_SCHEMA.empty_table()
    if files:
        unusable = _count(con, contract, _with_schema(files))
        counted = con.execute("from counted order by all").to_arrow_table().cast(PROFILE_SCHEMA)
    for load_id in load_ids:
        write_atomically(counted.filter(pc.equal(counted["load_id"], load_id)), profile_path(settings, load_id))
    return unusable


def _count(con: duckdb.DuckDBPyConnection, contract: Contract, files: list[Path]) -> set[str]:
    """Table `counted`, in the columns of PROFILE_SCHEMA; returns the rules that cannot be run."""
    con.execute(f"create or replace temp view lake_rows as {_read(files)}")
    columns = [column for column in contract.lake_columns() if column.source]
    rules = {name: rule.holds for name, rule in contract.suite.rules.items()}
    try:
        _count_rows(con, contract, columns, rules)
    except duckdb.Error:
        # One of the rules: each alone, over all rows, since some SQL breaks on a value only.
        rules = {name: holds for name, holds in rules.items() if _can_run(con, holds)}
        _count_rows(con, contract, columns, rules)
    for column in columns:
        if column.allowed:
            _count_codes(con, column)
    return contract.suite.rules.keys() - rules.keys()


def _count_rows(
    con: duckdb.DuckDBPyConnection, contract: Contract, columns: list[LakeColumn], rules: dict[str, str]
) -> None:
    """Everything but codes, in one pass; the counts are named measure|subject and then turned into rows."""
    dollars = [column.name for column in columns if column.type == "DECIMAL(18,2)"]
    counts = ['count(*) as "rows|"']
    counts += [f'count({_name(column.name)}) as "filled|{column.name}"' for column in columns]
    counts += [f'count(*) filter ({_name(column)} <> 0) as "nonzero|{column}"' for column in dollars]
    counts += [f'count(*) filter ({_name(column)} < 0) as "negative|{column}"' for column in dollars]
    counts += [f'count(*) filter (not ({holds})) as "broken|{rule}"' for rule, holds in rules.items()]
    counts += [f'count(*) filter (({holds}) is not null) as "judged|{rule}"' for rule, holds in rules.items()]
    if contract.month:
        # Days since 1970 of the middle row, so that a file of another month or year shows.
        day = f"datediff('day', date '1970-01-01', cast({_name(contract.month)} as date))"
        counts.append(f'cast(median({day}) as bigint) as "middle_day|{contract.month}"')
    sums = [f'cast(coalesce(sum(abs({_name(column)})), 0) as decimal(38, 10)) as "size|{column}"' for column in dollars]

    con.execute(f"""
        create or replace temp table wide as
        select load_id, {", ".join(counts + sums)} from lake_rows group by load_id
    """)
    con.execute(r"""
        create or replace temp table counted as
        with long as (
            unpivot (select * exclude (load_id), load_id from wide)
            on columns('^(rows|filled|nonzero|negative|broken|judged|middle_day)\|')
            into name measured value number
        )
        select load_id, split_part(measured, '|', 1) as measure, nullif(split_part(measured, '|', 2), '') as subject,
            cast(null as varchar) as label, cast(number as bigint) as number, cast(null as decimal(38, 10)) as amount
        from long
    """)
    if sums:
        con.execute(r"""
            insert into counted
            with long as (
                unpivot (select load_id, columns('^size\|') from wide)
                on columns('^size\|') into name measured value amount
            )
            select load_id, 'size', split_part(measured, '|', 2), null, null, amount from long
        """)


def _count_codes(con: duckdb.DuckDBPyConnection, column: LakeColumn) -> None:
    """Rows per code, for columns whose every value the contract lists: those codes are its own words, nobody's data."""
    name, labels = _name(column.name), ", ".join(literal(label) for label in column.allowed)
    con.execute(f"""
        insert into counted
        select load_id, 'value', {literal(column.name)}, if({name} in ({labels}), {name}, 'other') as code, count(*), null
        from lake_rows where {name} is not null
        group by load_id, code
    """)


def _can_run(con: duckdb.DuckDBPyConnection, holds: str) -> bool:
    try:
        con.execute(f"select count(*) filter (not ({holds})) from lake_rows")
    except duckdb.Error:
        return False
    return True


def _lake_file(settings: Settings, feed: str, load_id: str) -> Path:
    return settings.lake / "raw" / feed / f"{load_id}.parquet"


def _with_schema(files: list[Path]) -> list[Path]:
    """The feed's zero-row file goes along: a column that an older file lacks is then empty instead of an error."""
    schema = files[0].parent / "_schema.parquet"
    return [*files, schema] if schema.exists() else files


def _read(files: Sequence[Path]) -> str:
    return f"select * from read_parquet([{', '.join(literal(str(path)) for path in files)}], union_by_name = true)"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
