"""A lake with files placed in landing and read, and a way to ask it. For tests on real files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.privacy.keys import load_key
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import (
    LoadAudit,
    load_feed,
    place,
    prepare_lake,
    take_inventory,
)


class LoadedLake:
    """Files placed in landing and read; `one` and `all` ask the lake, with a view per feed."""

    def __init__(self, home: Path, files: Iterable[Path], feeds: Iterable[str] | None = None) -> None:
        self.settings = Settings(home=home, quiet_seconds=0)
        self.contracts = load_contracts()
        self.placed = place(files, self.settings, self.contracts)
        prepare_lake(self.settings, self.contracts)
        self.inventory = take_inventory(self.settings, self.contracts)
        key = load_key(self.settings, environ={})
        self.audits: list[LoadAudit] = []
        for feed in feeds or dict.fromkeys(feed for item in self.inventory for feed in item.feeds):
            self.audits += load_feed(feed, self.settings, self.contracts, key)
        self.con = duckdb.connect()
        for feed in self.contracts:
            files_of_feed = self.settings.lake / "raw" / feed / "*.parquet"
            self.con.execute(f"create view \"{feed}\" as from read_parquet('{files_of_feed}', union_by_name = true)")
        for table in ("loads", "load_outcomes"):
            files_of_table = self.settings.lake / table / "*.parquet"
            self.con.execute(f"create view {table} as from read_parquet('{files_of_table}', union_by_name = true)")

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def one(self, sql: str) -> tuple[Any, ...]:
        (row,) = self.all(sql)
        return row

    def excluded(self, feed: str, reason_code: str) -> tuple[Any, ...]:
        """Rows and dollars that a named exclusion left out."""
        return self.one(
            f"select sum(row_count)::bigint, sum(amount)::decimal(18, 2) from load_outcomes "
            f"where feed = '{feed}' and outcome = 'excluded' and reason_code = '{reason_code}'"
        )
