"""The lake's tables: names, columns, places, and writing them so that a reader never sees half a file.

Belongs here: Arrow schemas of what is recorded about loads, paths, atomic writing, the zero-row files.
Does not: reading landed files, deciding anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract
from dagster_project.sources.derived import SOURCES, derived_folder, derived_schema

SCHEMA_FILE = "_schema.parquet"
AMOUNT = pa.decimal128(38, 10)
_DUCKDB_TO_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
}

# name → (grain, columns: (name, type, about)). Every one of them is a dbt source and explained there by these words.
TABLES: dict[str, tuple[str, list[tuple[str, pa.DataType, str]]]] = {
    "loads": (
        "One row per load: a landed file read for one feed.",
        [
            ("load_id", pa.string(), "the load; the same file, content and feed always get the same id"),
            ("feed", pa.string(), "feed"),
            ("layout", pa.string(), "layout that the file's header showed"),
            ("data_source", pa.string(), "who sent it"),
            ("file_name", pa.string(), "file, relative to landing"),
            ("batch_id", pa.string(), "file name without folders and extensions"),
            ("content_hash", pa.string(), "SHA-256 of the unpacked bytes"),
            ("byte_count", pa.int64(), "bytes of the landed file"),
            ("encoding", pa.string(), "utf-8, or utf-8 with cp1252 bytes"),
            ("load_number", pa.int32(), "1, 2, … per feed and file name; a later one supersedes"),
            (
                "loaded_at",
                pa.timestamp("us"),
                "when its feed was read (UTC); files read in one go are a microsecond apart, in the order of their names",
            ),
            ("status", pa.string(), "read, or set_aside as a whole"),
            ("reason_code", pa.string(), "why it was set aside as a whole"),
            ("rows_read", pa.int64(), "rows the reader saw"),
            ("rows_accepted", pa.int64(), "rows in the lake, counted in the written file"),
            ("rows_set_aside", pa.int64(), "rows in quarantine"),
            ("rows_excluded", pa.int64(), "rows left out by a named exclusion"),
            ("amount_read", AMOUNT, "sum of the feed's amount over rows read"),
            ("amount_accepted", AMOUNT, "the same over rows in the lake"),
            ("amount_set_aside", AMOUNT, "the same over rows in quarantine; 0 for an amount that cannot be read"),
            ("amount_excluded", AMOUNT, "the same over rows excluded"),
            ("raw_row_count", pa.int64(), "rows counted from the bytes, without the reader"),
            ("raw_amount", AMOUNT, "the amount summed from the bytes, without the reader"),
            ("control_row_count", pa.int64(), "lines with data the sender says the file has"),
            (
                "control_amount",
                AMOUNT,
                "the amount the sender says the file has; blank where the layout has no such amount",
            ),
            (
                "control_matches",
                pa.bool_(),
                "whether the sender's totals are the file's: its lines with data, and its amount; blank where none came",
            ),
            (
                "is_conserved",
                pa.bool_(),
                "read = accepted + set aside + excluded = raw in rows and amount, and no total of the sender is broken",
            ),
            ("first_month", pa.date32(), "first month of the accepted rows"),
            ("last_month", pa.date32(), "last month of the accepted rows"),
            ("key_version", pa.string(), "version of the token key"),
            ("seconds", pa.float64(), "how long it took"),
        ],
    ),
    "load_outcomes": (
        "One row per load, outcome, column and reason.",
        [
            ("load_id", pa.string(), "the load"),
            ("feed", pa.string(), "feed"),
            ("outcome", pa.string(), "accepted, set_aside, excluded, or noted (of the file, about no row)"),
            ("column_name", pa.string(), "first broken column of the rows set aside"),
            ("reason_code", pa.string(), "why set aside, the exclusion's name, or what is noted"),
            ("row_count", pa.int64(), "rows"),
            ("amount", AMOUNT, "sum of the feed's amount"),
        ],
    ),
    "admissions": (
        "One row per load that was judged as a whole.",
        [
            ("load_id", pa.string(), "the load"),
            ("feed", pa.string(), "feed"),
            ("verdict", pa.string(), "admitted, held, or accepted by a person"),
            ("judged_at", pa.timestamp("us"), "when (UTC)"),
            ("failed_expectation_count", pa.int64(), "expectations that failed"),
            ("accepted_by", pa.string(), "who accepted a held load"),
            ("accept_reason", pa.string(), "why"),
        ],
    ),
    "quality": (
        "One row per check and run.",
        [
            ("run_id", pa.string(), "run"),
            ("checked_at", pa.timestamp("us"), "when (UTC)"),
            ("checker", pa.string(), "great_expectations, dbt or dagster"),
            ("asset", pa.string(), "what was checked, as layer/name"),
            ("check_name", pa.string(), "check"),
            ("data_source", pa.string(), "source, where a check is of one"),
            ("load_id", pa.string(), "load, where a check is of one"),
            ("verdict", pa.string(), "pass, fail, error or no_data; no data is not a pass"),
            ("is_blocking", pa.bool_(), "whether a failure stops what comes after"),
            ("failed_count", pa.int64(), "rows or values that failed"),
            ("checked_count", pa.int64(), "rows or values checked"),
            ("note", pa.string(), "a word of explanation; never a value of a row"),
        ],
    ),
    "ledger_acceptances": (
        "One row per ledger cell that a person accepted.",
        [
            ("posting_month", pa.date32(), "month"),
            ("entity_code", pa.string(), "entity"),
            ("payer_id", pa.string(), "payer"),
            ("line_of_business", pa.string(), "market"),
            ("account_code", pa.string(), "account"),
            ("data_source", pa.string(), "who sent the ledger"),
            ("difference_amount", pa.decimal128(18, 2), "difference that was accepted"),
            ("accepted_by", pa.string(), "who"),
            ("reason", pa.string(), "why"),
            ("accepted_at", pa.timestamp("us"), "when (UTC)"),
        ],
    ),
}

QUARANTINE = pa.schema(
    [
        ("load_id", pa.string()),
        ("feed", pa.string()),
        ("file_name", pa.string()),
        ("source_line_number", pa.int64()),
        ("source_part_number", pa.int32()),
        ("column_name", pa.string()),
        ("reason_code", pa.string()),
        ("interchange_number", pa.int64()),  # of X12: which of the file's, from 1; 0 outside
        ("transaction_number", pa.int64()),
    ]
)

INVENTORY = pa.schema(
    [
        ("file_name", pa.string()),
        ("byte_count", pa.int64()),
        ("modified_ns", pa.int64()),
        ("content_hash", pa.string()),
        ("format", pa.string()),
        ("feeds", pa.list_(pa.string())),
        ("data_source", pa.string()),
        ("delimiter", pa.string()),
        ("header_line_number", pa.int64()),
        ("unread_columns", pa.list_(pa.string())),
        ("encoding", pa.string()),
        ("packing", pa.string()),
        ("is_clean", pa.bool_()),
        ("state", pa.string()),
        ("reason_code", pa.string()),
        ("explanation", pa.string()),
        ("rules_hash", pa.string()),
    ]
)


def schema(table: str) -> pa.Schema:
    """The Arrow schema of one of TABLES."""
    return pa.schema([(name, type_) for name, type_, _ in TABLES[table][1]])


def raw_schema(contract: Contract) -> pa.Schema:
    """The Arrow schema of a feed in the lake."""
    return pa.schema([(column.name, _arrow_type(column.type)) for column in contract.lake_columns()])


def _arrow_type(duckdb_type: str) -> pa.DataType:
    if duckdb_type.startswith("DECIMAL"):
        digits, decimals = duckdb_type.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return pa.decimal128(int(digits), int(decimals))
    return _DUCKDB_TO_ARROW[duckdb_type]


def record_files(settings: Settings, table: str, feed: str | None = None) -> list[str]:
    """Files of one of the lake's own tables: all, or (a load's file begins with its feed) those of one feed."""
    folder = settings.lake / table
    return [
        str(folder / SCHEMA_FILE),
        *map(str, sorted(folder.glob(f"{feed}-*.parquet" if feed else "[!_.]*.parquet"))),
    ]


def write_atomically(table: pa.Table, path: Path) -> None:
    """Writes under another name, then renames: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)


def unfinished_path(path: Path) -> Path:
    """Where a file is written before it gets its name; no reader's pattern matches it."""
    return path.with_name(f".{path.name}.{os.getpid()}.unfinished")


def write_rows(rows: Iterable[Mapping[str, Any]], schema_: pa.Schema, path: Path) -> None:
    """A few records (loads, verdicts; never rows of a feed) as one Parquet file."""
    write_atomically(pa.Table.from_pylist(list(rows), schema=schema_), path)


def prepare_lake(settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """All folders and zero-row files, so that whoever reads the lake finds every table, however empty."""
    for contract in contracts.values():
        _write_schema(raw_schema(contract), settings.lake / "raw" / contract.feed / SCHEMA_FILE)
    for table in TABLES:
        _write_schema(schema(table), settings.lake / table / SCHEMA_FILE)
    for source, of in SOURCES.items():
        for table in of.tables:
            _write_schema(derived_schema(source, table), derived_folder(settings, source, table) / SCHEMA_FILE)
    _write_schema(QUARANTINE, settings.quarantine / SCHEMA_FILE)
    settings.landing.mkdir(parents=True, exist_ok=True)


def _write_schema(schema_: pa.Schema, path: Path) -> None:
    if not path.exists() or pq.read_schema(path) != schema_:
        write_atomically(schema_.empty_table(), path)
