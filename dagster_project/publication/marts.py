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

from dagster_project.database import literal

PUBLISHED = "published"


class PublicationError(RuntimeError):
    """Nothing was published; the message says why and what to do."""


WHOLE = "whole"  # the part of a mart that is not partitioned
NO_MONTH = "no-month"  # the part of rows whose month is unknown


@dataclass(frozen=True)
class Mart:
    """One table to publish: where the warehouse has it, what the project says of it, and the month that parts it."""

    name: str
    relation: str
    description: str
    columns: Mapping[str, str]
    month: str | None = None


@dataclass(frozen=True)
class Part:
    """The rows of one month, or a whole mart without months; the fingerprint moves when a value or a type does."""

    row_count: int
    fingerprint: str


@dataclass(frozen=True)
class Content:
    """What a mart holds: its rows, its columns, its parts, and a fingerprint that also moves when a description does."""

    row_count: int
    column_types: Mapping[str, str]
    fingerprint: str
    parts: Mapping[str, Part]


def published_marts(manifest_path: Path) -> list[Mart]:
    """The models with the tag `published`, by name."""
    manifest = json.loads(manifest_path.read_text())
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and PUBLISHED in node["tags"] and node["config"].get("enabled", True)
    ]
    return [_mart(node) for node in sorted(nodes, key=lambda node: str(node["name"]))]


def read_content(
    con: duckdb.DuckDBPyConnection, mart: Mart, relation: str, known: Mapping[str, Any] | None = None
) -> Content:
    """Counted and hashed part by part in one scan, in any order of rows; or what a manifest says of it, where the caller knows
    that no row changed since.

    Raises PublicationError when the warehouse has no such table: a mart must not vanish from what is published.
    """
    try:
        types = {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}
    except duckdb.CatalogException as error:
        raise PublicationError(f"{mart.name} is not in the warehouse; build it first: claimhouse run") from error
    if mart.month is not None and mart.month not in types:
        raise PublicationError(f"{mart.name} has no column {mart.month}, by which its model says it is parted")
    if known is not None and known["columns"] == types:
        parts = {name: Part(**part) for name, part in known["parts"].items()}
    else:
        parts = parts_of(con, mart, relation, types)
    told = [[part.fingerprint for part in parts.values()], types, mart.description, dict(mart.columns), mart.month]
    return Content(sum(part.row_count for part in parts.values()), types, _sha256(told), parts)


def made_from(con: duckdb.DuckDBPyConnection, warehouse: str) -> dict[str, str]:
    """By table of the warehouse, a hash of the loads that came and went until its rows last changed, and of the rules that made
    them: the same in two publications, the same rows. A table of which that cannot be said (dbt_project/macros/keeping.sql)
    has none."""
    try:
        rows = con.execute(
            f"select built.model, built.rules, built.changed_build, sum(hash(changes))::varchar from {warehouse}.intermediate.built "
            f"left join {warehouse}.intermediate.int_lake__changed_loads as changes on changes.build_number <= built.changed_build "
            "where built.changed_build is not null group by all"
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):  # a warehouse from before this was remembered
        return {}
    return {model: _sha256(told) for model, *told in rows}


def parts_of(
    con: duckdb.DuckDBPyConnection,
    mart: Mart,
    relation: str,
    column_types: Mapping[str, str],
    only: set[str] | None = None,
) -> dict[str, Part]:
    """Rows and fingerprint of each part, or of some, of a table that holds the mart."""
    which = "" if only is None else f"where {rows_of(mart, only)}"
    columns = ", ".join(f'"{name}"' for name in column_types)
    # A sum is blind to the order of rows, and unlike an exclusive or not to a row that is there twice.
    counted = con.execute(
        f"select {part_of(mart)} as part, count(*), sum(hash({columns})) from {relation} {which} group by all order by all"
    ).fetchall()
    return {part: Part(rows, _sha256([rows, str(total), dict(column_types)])) for part, rows, total in counted}


def part_of(mart: Mart) -> str:
    """The name of a row's part, as an expression: the first day of its month."""
    return f"coalesce(\"{mart.month}\"::varchar, '{NO_MONTH}')" if mart.month else f"'{WHOLE}'"


def rows_of(mart: Mart, parts: set[str]) -> str:
    """The rows of these parts, as a condition that DuckDB can check against what it knows of a block."""
    if mart.month is None:
        return "true"
    months = ", ".join(f"date {literal(part)}" for part in sorted(parts - {NO_MONTH}))
    conditions = [f'"{mart.month}" in ({months})'] if months else []
    conditions += [f'"{mart.month}" is null'] if NO_MONTH in parts else []
    return f"({' or '.join(conditions) or 'false'})"


def _sha256(told: object) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _mart(node: Mapping[str, Any]) -> Mart:
    columns = {name: str(column.get("description") or "") for name, column in node["columns"].items()}
    relation = ".".join(f'"{part}"' for part in (node["schema"], node["alias"]))
    month = (node["config"].get("meta") or {}).get("month")
    return Mart(node["name"], relation, str(node.get("description") or "").strip(), columns, month)
