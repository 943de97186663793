"""Writes the marts as one DuckDB file and as Delta tables, in bounded memory; months that did not change are kept.

Belongs here: the two forms in which marts are published. Does not: when and where they become visible (publish).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from dagster_project.publication.marts import NO_MONTH, WHOLE, Content, Mart

# Beyond this share of changed rows a new DuckDB file is written: it takes less time than a copy, and has no holes.
WORTH_COPYING = 0.5


@dataclass(frozen=True)
class Before:
    """A mart in the previous publication: its column types and the fingerprints of its parts."""

    column_types: Mapping[str, str]
    parts: Mapping[str, str]


def write_duckdb(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    marts: Mapping[str, Mart],
    contents: Mapping[str, Content],
    warehouse: str,
    previous: Path | None,
    before: Mapping[str, Before],
) -> None:
    """All marts in one file, with what each table and column means as its comment.

    Where most is as it was, the file is a copy of the previous one in which changed months and marts are written again.
    """
    changed = {name: changed_parts(content, before.get(name)) for name, content in contents.items()}
    rows = sum(
        contents[name].parts[part].row_count
        for name, parts in changed.items()
        for part in parts
        if part in contents[name].parts
    )
    if previous is None or rows > WORTH_COPYING * sum(content.row_count for content in contents.values()):
        before = {}
    else:
        shutil.copyfile(previous, path)
    con.execute(f"attach {_text(str(path))} as target")
    try:
        for name in before.keys() - marts.keys():
            con.execute(f'drop table target.main."{name}"')
        for name, mart in marts.items():
            known = before.get(name)
            if known is None or WHOLE in changed[name] or known.column_types != contents[name].column_types:
                con.execute(f'create or replace table target.main."{name}" as from {warehouse}.{mart.relation}')
            elif changed[name]:
                months = _months(mart, changed[name])
                con.execute(f'delete from target.main."{name}" where {months}')
                con.execute(f'insert into target.main."{name}" from {warehouse}.{mart.relation} where {months}')
            _comment(con, mart, contents[name].column_types)
        con.execute("checkpoint target")
    finally:
        con.execute("detach target")


def write_delta(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    mart: Mart,
    content: Content,
    warehouse: str,
    previous: Path | None,
    before: Before | None,
) -> None:
    """One mart as a Delta table of one version and a Parquet file a month; those of unchanged months are linked."""
    folder.mkdir(parents=True)
    fields = _fields(con, mart, warehouse)
    changed = changed_parts(content, before if previous else None)
    actions = []
    for name, part in content.parts.items():
        file = folder / f"{name}-{part.fingerprint[:16]}.parquet"
        kept = previous / file.name if previous else None
        if kept is not None and name not in changed and kept.exists():
            os.link(kept, file)
        else:
            _write_parquet(con, file, mart, fields, name, warehouse)
        actions.append(_action(file, mart, name, part.row_count))
    create_table_with_add_actions(
        str(folder),
        Schema.from_arrow(pa.schema(fields)),
        actions,
        mode="error",
        name=mart.name,
        description=mart.description[:4000],
    )


def changed_parts(content: Content, before: Before | None) -> set[str]:
    """The parts that are new, gone or not as they were; all of them where the columns are others."""
    if before is None or before.column_types != content.column_types:
        return set(content.parts)
    now = {name: part.fingerprint for name, part in content.parts.items()}
    return {name for name in now.keys() | before.parts.keys() if now.get(name) != before.parts.get(name)}


def _comment(con: duckdb.DuckDBPyConnection, mart: Mart, columns: Iterable[str]) -> None:
    con.execute(f'comment on table target.main."{mart.name}" is {_text(mart.description)}')
    for name in columns:
        meaning = mart.columns.get(name)
        con.execute(f'comment on column target.main."{mart.name}"."{name}" is {_text(meaning) if meaning else "null"}')


def _fields(con: duckdb.DuckDBPyConnection, mart: Mart, warehouse: str) -> list[pa.Field]:
    reader = con.execute(f"from {warehouse}.{mart.relation} limit 0").to_arrow_reader(1)
    return [_delta_field(field, mart.columns.get(field.name, "")) for field in reader.schema]


def _write_parquet(
    con: duckdb.DuckDBPyConnection, file: Path, mart: Mart, fields: list[pa.Field], part: str, warehouse: str
) -> None:
    columns = ", ".join(f'"{field.name}"::{_parquet_type(field.type)} as "{field.name}"' for field in fields)
    con.execute(
        f"copy (select {columns} from {warehouse}.{mart.relation} where {_months(mart, {part})}) "
        f"to {_text(str(file))} (format parquet, compression zstd)"
    )


def _months(mart: Mart, parts: set[str]) -> str:
    """The rows of these parts, as a condition that DuckDB can check against what it knows of a block."""
    if mart.month is None:
        return "true"
    months = ", ".join(f"date {_text(part)}" for part in sorted(parts - {NO_MONTH}))
    conditions = [f'"{mart.month}" in ({months})'] if months else []
    conditions += [f'"{mart.month}" is null'] if NO_MONTH in parts else []
    return f"({' or '.join(conditions)})"


def _action(file: Path, mart: Mart, part: str, rows: int) -> AddAction:
    """What Delta's log says of a file: readers count rows and skip months by it."""
    bounds = {mart.month: part} if mart.month and part != NO_MONTH else {}
    stats = {"numRecords": rows, "minValues": bounds, "maxValues": bounds, "nullCount": {}}
    size = file.stat().st_size
    return AddAction(file.name, size, {}, int(time.time() * 1000), True, json.dumps(stats))


def _delta_field(field: pa.Field, meaning: str) -> pa.Field:
    """Types that every reader of Delta knows: no unsigned numbers, and times as UTC instants (ours are UTC)."""
    kind = field.type
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", tz="UTC")
    elif pa.types.is_uint64(kind):
        kind = pa.decimal128(20, 0)
    elif pa.types.is_unsigned_integer(kind):
        kind = pa.int64()
    elif pa.types.is_dictionary(kind):
        kind = pa.string()
    return pa.field(field.name, kind, metadata={"comment": meaning} if meaning else None)


def _parquet_type(kind: pa.DataType) -> str:
    """The DuckDB type whose Parquet form is this one."""
    if pa.types.is_timestamp(kind):
        return "timestamptz"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    names = {
        pa.string(): "varchar", pa.large_string(): "varchar", pa.string_view(): "varchar", pa.date32(): "date",
        pa.bool_(): "boolean", pa.float64(): "double", pa.float32(): "float", pa.int64(): "bigint",
        pa.int32(): "integer", pa.int16(): "smallint", pa.int8(): "tinyint", pa.binary(): "blob",
    }  # fmt: skip
    return names[kind]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
