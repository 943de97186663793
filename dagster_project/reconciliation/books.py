"""Opens the reconciled books: what is published, or the warehouse where it is newer than what is published.

Belongs here: which file is read, and saying so. Does not: what is read from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.database import NotReadable, open_published, open_warehouse
from dagster_project.settings import Settings

TABLE = "fct_ledger_reconciliation"


class ReconciliationError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class Books:
    """An open, read-only database with the finance marts, and where it stands."""

    con: duckdb.DuckDBPyConnection
    schema: str
    origin: str

    def rows(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Rows of a query in which `{marts}` stands for the schema of the marts."""
        return self.con.execute(sql.replace("{marts}", self.schema), parameters).fetchall()


@contextmanager
def open_books(settings: Settings, *, warehouse: bool = False) -> Iterator[Books]:
    """The published marts, unless the warehouse is newer: a refused publication is seen in the warehouse alone.

    `warehouse` asks for the warehouse whatever is published. It is open only as long as the caller needs it, since dbt
    cannot write while anyone reads it. Raises ReconciliationError where neither can be read.
    """
    published = settings.published_marts
    is_newer = settings.warehouse.exists() and (
        not published.exists() or settings.warehouse.stat().st_mtime > published.stat().st_mtime
    )
    refusal = None
    if warehouse or is_newer:
        try:
            con = open_warehouse(settings)
        except NotReadable as error:
            refusal = str(error)
        else:
            with con:
                yield _checked(Books(con, "marts", "warehouse, not published yet" if is_newer else "warehouse"))
            return
    if warehouse or not published.exists():
        raise ReconciliationError(
            (refusal or "nothing is published and there is no warehouse")
            + ("; try again when the run is done" if refusal else "; run: claimhouse run")
        )
    warning = f" ({refusal}; a later state may exist)" if refusal else ""
    origin = f"published as {published.resolve().parent.name}{warning}"
    with open_published(settings) as con:
        yield _checked(Books(con, "main", origin))


def _checked(books: Books) -> Books:
    found = books.con.execute(
        "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?", [books.schema, TABLE]
    ).fetchone()
    if not found or not found[0]:
        raise ReconciliationError("the ledger is not reconciled yet; run: claimhouse run")
    return books
