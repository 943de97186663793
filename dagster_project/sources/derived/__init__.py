"""Tables that Python makes of the marts, writes into the lake, and dbt reads again: answers of models and of optimization.

Belongs here: their grain, columns, types and words, one module for each source of dbt. Does not: making them (defs/,
resources/), what dbt makes of them (dbt_project/).

A table is the folder `lake/<source>/<table>`: as many Parquet files as its makers like, and one without rows that has the
schema, so that dbt finds a table where nothing has been answered yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from dagster_project.settings import Settings
from dagster_project.sources.derived import opportunity, pricing

Columns = list[tuple[str, pa.DataType, str]]


class Derived(NamedTuple):
    """One source of dbt: its words, the layer of its assets' keys, and its tables (name → grain and columns)."""

    about: str
    layer: str
    tables: dict[str, tuple[str, Columns]]


SOURCES: dict[str, Derived] = {
    "pricing": Derived(pricing.ABOUT, "pricing", pricing.TABLES),
    "opportunity": Derived(opportunity.ABOUT, "ml", opportunity.TABLES),
}


def derived_schema(source: str, table: str) -> pa.Schema:
    """The Arrow schema of a table. Raises KeyError for one that is not declared."""
    return pa.schema([(name, type_) for name, type_, _ in SOURCES[source].tables[table][1]])


def derived_folder(settings: Settings, source: str, table: str) -> Path:
    """Where the table's files lie."""
    return settings.lake / source / table
