"""Dagster's SQLite store of events, with its files kept open.

Belongs here: how the store's files are opened. Does not: what is stored, or where anything else of Dagster's lies.

Dagster opens and closes a file for each event, and SQLite moves all it wrote to its place whenever the last one closes: a
run of this house tells 1,400 events, and waited longer for them than for DuckDB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.event import listen

KEPT = 8  # files: that of all runs together, and those of the runs last asked about
WAIT_SECONDS = 60  # for another process that writes


class KeptOpenEvents(SqliteEventLogStorage):
    """Named in the `dagster.yaml` of a home (resources/home.py)."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptOpenEvents:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.pop(shard, None) or self._open(shard)
            self._engines[shard] = engine
            while len(self._engines) > KEPT:
                self._engines.pop(next(iter(self._engines))).dispose()
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(event)
        # Whoever follows the run in the UI waits for this file to change; what is written lies beside it for a while.
        os.utime(self.path_for_shard(event.run_id))

    def _open(self, shard: str) -> Engine:
        engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": WAIT_SECONDS})
        listen(engine, "connect", _trust_the_system)
        return engine

    def dispose(self) -> None:
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()


def _trust_the_system(connection: Any, _: Any) -> None:
    """Of a write-ahead log a killed process loses nothing so; a machine that loses its power may lose the last events."""
    connection.execute("pragma synchronous = normal")
