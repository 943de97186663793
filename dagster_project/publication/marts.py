"""Which marts are published, what their columns mean, and a fingerprint of what each holds.

Belongs here: reading dbt's manifest and the warehouse. Does not: writing files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

PUBLISHED = "published"


class PublicationError(RuntimeError):
    """Nothing was published; the message says why and what to do."""


@dataclass(frozen=True)
class Mart:
    """One table to publish: where the warehouse has it, and what the project says of it."""

    name: str
    relation: str
    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Content:
    """What a mart holds: its rows, its columns, and a fingerprint that moves when a value, type or description does."""

    row_count: int
    column_types: Mapping[str, str]
    fingerprint: str


def published_marts(manifest_path: Path) -> list[Mart]:
    """The models with the tag `published`, by name."""
    manifest = json.loads(manifest_path.read_text())
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and PUBLISHED in node["tags"] and node["config"].get("enabled", True)
    ]
    return [_mart(node) for node in sorted(nodes, key=lambda node: str(node["name"]))]


def read_content(con: duckdb.DuckDBPyConnection, mart: Mart, relation: str) -> Content:
    """Counted and hashed in one scan, in any order of rows.

    Raises PublicationError when the warehouse has no such table: a mart must not vanish from what is published.
    """
    try:
        types = {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}
    except duckdb.CatalogException as error:
        raise PublicationError(f"{mart.name} is not in the warehouse; build it first: claimhouse run") from error
    columns = ", ".join(f'"{name}"' for name in types)
    # A sum is blind to the order of rows, and unlike an exclusive or not to a row that is there twice.
    row = con.execute(f"select count(*), sum(hash({columns})) from {relation}").fetchone()
    assert row is not None
    told = json.dumps([row[0], str(row[1]), types, mart.description, dict(mart.columns)], sort_keys=True)
    return Content(row[0], types, hashlib.sha256(told.encode()).hexdigest())


def _mart(node: Mapping[str, Any]) -> Mart:
    columns = {name: str(column.get("description") or "") for name, column in node["columns"].items()}
    relation = ".".join(f'"{part}"' for part in (node["schema"], node["alias"]))
    return Mart(node["name"], relation, str(node.get("description") or "").strip(), columns)
