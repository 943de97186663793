"""What every room says to DuckDB alike: text as SQL, and the two databases that others may be writing, opened to read.

Belongs here: what would stand in each room otherwise. Does not: any query.
"""

from __future__ import annotations

import duckdb

from dagster_project.settings import Settings


class NotReadable(Exception):
    """The warehouse is there and cannot be read now. The message says why."""


def literal(text: str) -> str:
    """A SQL string. Used for names, paths, patterns and codes; never for a value of a row, never for a key."""
    return "'" + text.replace("'", "''") + "'"


def open_published(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The published marts, the same to the end though another publication takes their place meanwhile."""
    return duckdb.connect(str(settings.published_marts.resolve()), read_only=True)


def open_warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The warehouse, which nobody can write as long as it is open. Raises NotReadable."""
    try:
        return duckdb.connect(str(settings.warehouse), read_only=True)
    except duckdb.Error as error:
        is_locked = "lock" in str(error).lower()
        raise NotReadable(f"the warehouse {'is being written' if is_locked else 'cannot be opened'}") from None
