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

from dagster_project.database import literal
from dagster_project.publication.marts import NO_MONTH, Content, Mart, part_of, rows_of

# Beyond this share of changed rows a new DuckDB file is written: it takes less time than a copy, and has no holes.
WORTH_COPYING = 0.5
PART = "part_of_mart"  # beside a mart's own columns while its files are written


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

    Where most is as it was, the file is a copy of the previous one in which rows that went are deleted and rows that came
    are inserted; a mart of which most changed is written again, and so is the whole file where most of it did.
    """
    patches = {}
    if previous is not None:
        con.execute(f"attach {literal(str(previous))} as previous (read_only)")
        patches = _patches(con, marts, contents, warehouse, before)
        con.execute("detach previous")
    again = [content.row_count for name, content in contents.items() if name not in patches]
    rows = sum(again) + sum(patches.values())
    if previous is None or rows > WORTH_COPYING * sum(content.row_count for content in contents.values()):
        before, patches = {}, {}
    else:
        shutil.copyfile(previous, path)
    con.execute(f"attach {literal(str(path))} as target")
    try:
        for name in before.keys() - marts.keys():
            con.execute(f'drop table target.main."{name}"')
        for name, mart in marts.items():
            target, source = f'target.main."{name}"', f"{warehouse}.{mart.relation}"
            if patches.get(name):
                con.execute(f"delete from {target} where rowid in (select place from {_gone(name)})")
                con.execute(f"insert into {target} from {source} where rowid in (select place from {_come(name)})")
            elif name not in patches:
                con.execute(f"create or replace table {target} as from {source}")
            _comment(con, mart, contents[name].column_types)
        con.execute("checkpoint target")
    finally:
        con.execute("detach target")


def _patches(
    con: duckdb.DuckDBPyConnection,
    marts: Mapping[str, Mart],
    contents: Mapping[str, Content],
    warehouse: str,
    before: Mapping[str, Before],
) -> dict[str, int]:
    """How many rows of each mart went or came since the previous publication; which ones stands in temporary tables.

    Marts that are new, have other columns, or changed for the most part are left out: they are written again.
    """
    found = {}
    for name, mart in marts.items():
        content, known = contents[name], before.get(name)
        if known is None or known.column_types != content.column_types:
            continue
        found[name] = 0
        if changed := changed_parts(content, known):
            columns = ", ".join(f'"{column}"' for column in content.column_types)
            for side, relation in (("was", f'previous.main."{name}"'), ("is_now", f"{warehouse}.{mart.relation}")):
                con.execute(
                    f"create or replace temp table {side} as "
                    f"select rowid as place, hash({columns}) as told from {relation} where {rows_of(mart, changed)}"
                )
            for table, of, other in ((_gone(name), "was", "is_now"), (_come(name), "is_now", "was")):
                con.execute(
                    f"create or replace temp table {table} as select place, told from {of} "
                    f"where not exists (select 1 from {other} where {other}.told = {of}.told)"
                )
                found[name] += _tell(con, table)[0]
            # Rows are told apart by hashes. Of several rows alike that are there one more time or less none went or came, and the
            # sums, by which parts are told apart, do not come out.
            was, is_now, gone, come = (_tell(con, table) for table in ("was", "is_now", _gone(name), _come(name)))
            adds_up = all(
                old - went + came == new for old, went, came, new in zip(was, gone, come, is_now, strict=True)
            )
            con.execute("drop table was; drop table is_now")
            if not adds_up or not 0 < found[name] <= WORTH_COPYING * content.row_count:
                del found[name]
    return found


def _gone(name: str) -> str:
    return f'"gone {name}"'


def _come(name: str) -> str:
    return f'"come {name}"'


def _tell(con: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    """How many rows, and the sum of their hashes."""
    rows, total = con.execute(f"select count(*), coalesce(sum(told), 0) from {table}").fetchall()[0]
    return int(rows), int(total)


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
    files = {name: folder / f"{name}-{part.fingerprint[:16]}.parquet" for name, part in content.parts.items()}
    for name, file in files.items():
        kept = previous / file.name if previous else None
        if kept is not None and name not in changed and kept.exists():
            os.link(kept, file)
    _write_parquet(con, {name: file for name, file in files.items() if not file.exists()}, mart, fields, warehouse)
    actions = [_action(file, mart, name, content.parts[name].row_count) for name, file in files.items()]
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
    con.execute(f'comment on table target.main."{mart.name}" is {literal(mart.description)}')
    for name in columns:
        meaning = mart.columns.get(name)
        con.execute(
            f'comment on column target.main."{mart.name}"."{name}" is {literal(meaning) if meaning else "null"}'
        )


def _fields(con: duckdb.DuckDBPyConnection, mart: Mart, warehouse: str) -> list[pa.Field]:
    reader = con.execute(f"from {warehouse}.{mart.relation} limit 0").to_arrow_reader(1)
    return [_delta_field(field, mart.columns.get(field.name, "")) for field in reader.schema]


def _write_parquet(
    con: duckdb.DuckDBPyConnection, files: Mapping[str, Path], mart: Mart, fields: list[pa.Field], warehouse: str
) -> None:
    """The files of these parts, in one pass over the mart: a pass for each month took three times as long."""
    if not files:
        return
    columns = ", ".join(f'"{field.name}"::{_parquet_type(field.type)} as "{field.name}"' for field in fields)
    source = f"from {warehouse}.{mart.relation} where {rows_of(mart, set(files))}"
    # Level 1: a quarter less work than the default 3 for files a twenty-fifth larger.
    form = "format parquet, compression zstd, compression_level 1"
    if mart.month is None:  # a file even where there is no row: a partition without rows would get none
        (only,) = files.values()
        con.execute(f"copy (select {columns} {source}) to {literal(str(only))} ({form})")
        return
    written = next(iter(files.values())).parent / ".parts"
    # A file that is closed because too many are open would be followed by a second one of the same part.
    con.execute(f"set partitioned_write_max_open_files = {len(files) + 1}")
    con.execute(
        f"copy (select {columns}, {part_of(mart)} as {PART} {source}) to {literal(str(written))} "
        f"({form}, partition_by ({PART}), write_partition_columns false)"
    )
    for name, file in files.items():
        (only,) = (written / f"{PART}={name}").iterdir()
        only.replace(file)
    shutil.rmtree(written)


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
