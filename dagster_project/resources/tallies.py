"""What the lake says of itself: loads, rows, dollars, verdicts, by feed; for asset metadata, checks and the terminal.

Belongs here: questions to lake/loads, lake/admissions and lake/quality that need no warehouse.
Does not: values of rows, writing anything.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import duckdb

from dagster_project.settings import Settings
from dagster_project.sources.lake import record_files

# paid_amount, amount_accepted, amount: dollars. Averages, amounts per member and running totals are dollars too, but
# their sum is none.
MONEY = re.compile(r"(?<![a-z])amount(?![a-z])")
NOT_SUMMED = {"average", "cumulative", "pmpm", "usual"}

# The newest load of each file of each feed: earlier ones of the same name are superseded, and counted apart.
LATEST = """
    select loads.*, coalesce(admissions.verdict, 'not judged') as verdict
    from read_parquet($loads, union_by_name = true) as loads
    left join read_parquet($admissions, union_by_name = true) as admissions using (load_id)
    qualify row_number() over (partition by loads.feed, loads.file_name order by load_number desc) = 1
"""


@dataclass(frozen=True)
class FeedTally:
    """One feed's newest loads, added up. Amounts are those of the contract's `amount` column, None if it has none."""

    feed: str
    file_count: int
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_excluded: int
    amount_read: Decimal | None
    amount_accepted: Decimal | None
    amount_set_aside: Decimal | None
    amount_excluded: Decimal | None
    byte_count: int
    seconds: float
    set_aside_file_count: int
    held_load_count: int
    unconserved_load_count: int


@dataclass(frozen=True)
class LoadState:
    """One load that does not count towards the marts, and why."""

    load_id: str
    feed: str
    file_name: str
    status: str
    verdict: str
    is_conserved: bool
    reason_code: str | None
    rows_read: int


Told = tuple[tuple[FeedTally, ...], tuple[LoadState, ...]]


def feed_tallies(settings: Settings, feed: str | None = None) -> list[FeedTally]:
    """Every feed that a file has been read or set aside for, or the one asked for."""
    return list(_told(settings, feed)[0])


def waiting_loads(settings: Settings, feed: str | None = None) -> list[LoadState]:
    """Newest loads that do not count: set aside whole, held by the suite, or not conserved."""
    return list(_told(settings, feed)[1])


def _told(settings: Settings, feed: str | None) -> Told:
    if not (settings.lake / "loads" / "_schema.parquet").exists():
        return (), ()
    files = (record_files(settings, table, feed) for table in ("loads", "admissions"))
    loads, admissions = (tuple((path, Path(path).stat().st_mtime_ns) for path in paths) for paths in files)
    return _ask(settings.threads, loads, admissions)


@lru_cache(maxsize=64)
def _ask(threads: int, loads: tuple[tuple[str, int], ...], admissions: tuple[tuple[str, int], ...]) -> Told:
    """What these records, files with their times, tell. A run asks six times of each feed, mostly of the same ones."""
    tallies = f"""
        select
            feed, count(*),
            {_whole("rows_read")}, {_whole("rows_accepted")}, {_whole("rows_set_aside")}, {_whole("rows_excluded")},
            sum(amount_read), sum(amount_accepted), sum(amount_set_aside), sum(amount_excluded),
            {_whole("byte_count")}, coalesce(sum(seconds), 0),
            count(*) filter (status = 'set_aside'), count(*) filter (verdict = 'held'),
            count(*) filter (not is_conserved and status = 'read')
        from latest
        group by feed order by feed
    """
    waiting = """
        select
            load_id, feed, file_name, status, verdict, coalesce(is_conserved, true), reason_code, coalesce(rows_read, 0)
        from latest
        where status = 'set_aside' or verdict in ('held', 'error') or not is_conserved
        order by feed, file_name
    """
    files = {"loads": [path for path, _ in loads], "admissions": [path for path, _ in admissions]}
    with duckdb.connect(config={"threads": threads}) as con:
        con.execute(f"create temp table latest as {LATEST}", files)
        return (
            tuple(FeedTally(*row) for row in con.execute(tallies).fetchall()),
            tuple(LoadState(*row) for row in con.execute(waiting).fetchall()),
        )


def _whole(column: str) -> str:
    return f"cast(coalesce(sum({column}), 0) as bigint)"


def lake_counts(settings: Settings, table: str) -> dict[str, float]:
    """Rows, dollars, files and bytes of one of the lake's own tables, and the seconds that counting them took."""
    started = time.monotonic()
    files = sorted((settings.lake / table).glob("*.parquet"))
    counted: dict[str, float] = {"dagster/row_count": 0}
    if files:
        with duckdb.connect(config={"threads": settings.threads}) as con:
            # The newest file has the newest columns; those an older one lacks are blank.
            con.read_parquet([str(file) for file in files], union_by_name=True).create_view("counted")
            counted = count_table(con, "counted")
    return {
        **counted,
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": round(time.monotonic() - started, 3),
    }


def count_table(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, float]:
    """Rows, and the sum of each column that is money, in one scan."""
    columns = [name for name, kind, *_ in con.execute(f"describe {relation}").fetchall() if is_money(name, kind)]
    sums = "".join(f", sum({name})" for name in columns)
    rows, *amounts = con.execute(f"select count(*){sums} from {relation}").fetchone() or (0,)
    named = {MONEY.sub("dollars", name): amount for name, amount in zip(columns, amounts, strict=True)}
    return {"dagster/row_count": rows, **_floats(named)}


def is_money(column: str, kind: str) -> bool:
    """Whether a column is dollars by its name (docs/naming.md), and such that a sum of it means something."""
    return kind.startswith("DECIMAL") and bool(MONEY.search(column)) and not NOT_SUMMED & set(column.split("_"))


def dollars(**amounts: Decimal | None) -> dict[str, float]:
    """Amounts as the UI plots them, without those that there are none of."""
    return _floats({f"dollars_{name}": amount for name, amount in amounts.items()})


def _floats(amounts: Mapping[str, Decimal | None]) -> dict[str, float]:
    return {name: float(amount) for name, amount in amounts.items() if amount is not None}
