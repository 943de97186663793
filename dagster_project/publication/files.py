"""Writes the marts as one DuckDB file and as Delta tables, in bounded memory.

Belongs here: the two forms in which marts are published. Does not: when and where they become visible (publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import write_deltalake

from dagster_project.publication.marts import Mart

ROWS_PER_BATCH = 65_536


def write_duckdb(con: duckdb.DuckDBPyConnection, path: Path, marts: Mapping[str, Mart], warehouse: str) -> None:
    """All marts into one new file, with what each table and column means as its comment."""
    con.execute(f"attach {_text(str(path))} as target")
    try:
        for mart in marts.values():
            con.execute(f'create table target.main."{mart.name}" as from {warehouse}.{mart.relation}')
            con.execute(f'comment on table target.main."{mart.name}" is {_text(mart.description)}')
            present = {name for name, *_ in con.execute(f'describe target.main."{mart.name}"').fetchall()}
            for name, meaning in mart.columns.items():
                if meaning and name in present:
                    con.execute(f'comment on column target.main."{mart.name}"."{name}" is {_text(meaning)}')
        con.execute("checkpoint target")
    finally:
        con.execute("detach target")


def write_delta(con: duckdb.DuckDBPyConnection, folder: Path, mart: Mart, warehouse: str) -> None:
    """One mart as a Delta table of one version, streamed: a batch is in memory, never the table."""
    reader = con.execute(f"from {warehouse}.{mart.relation}").to_arrow_reader(ROWS_PER_BATCH)
    schema = pa.schema([_delta_field(field, mart.columns.get(field.name, "")) for field in reader.schema])
    stream = pa.RecordBatchReader.from_batches(schema, _cast(reader, schema))
    write_deltalake(folder, stream, name=mart.name, description=mart.description[:4000])


def _cast(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        yield batch.cast(schema)


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


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
