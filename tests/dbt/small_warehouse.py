"""A warehouse of its own for tests of dbt_project: files landed, read, admitted and built in a home of its own.

Belongs here: driving reader and dbt. Does not: assertions about what was built, how a file is read or judged.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from pathlib import Path

import duckdb

from dagster_project.privacy.keys import load_key
from dagster_project.resources.dbt import DBT
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import load_everything


class Warehouse:
    """A home with landed files: `load` reads and admits them, `dbt` builds, `rows` asks the warehouse."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, quiet_seconds=0)
        self.contracts = load_contracts()

    def load(self) -> None:
        """Reads everything new and admits every load: what a suite would say of so small a world is not asked here."""
        load_everything(self.settings, self.contracts, load_key(self.settings, environ={}))
        lake = self.settings.lake
        file = lake / "admissions" / f"tests_{dt.datetime.now().timestamp()}.parquet"
        duckdb.execute(
            f"""copy (
                select loads.load_id, loads.feed, 'admitted' as verdict, now()::timestamp as judged_at,
                    0::bigint as failed_expectation_count, null::varchar as accepted_by, null::varchar as accept_reason
                from read_parquet('{lake}/loads/*.parquet', union_by_name = true) as loads
                anti join read_parquet('{lake}/admissions/*.parquet', union_by_name = true) as known using (load_id)
            ) to '{file}' (format parquet)"""
        )

    def dbt(self, *arguments: str) -> None:
        environment = {**os.environ, **self.settings.environment()}
        done = subprocess.run(
            [DBT, *arguments, "--project-dir", str(DBT_PROJECT)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as con:
            return con.execute(sql).fetchall()
