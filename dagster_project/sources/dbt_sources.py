"""Writes dbt_project/models/_sources.yml from the contracts: `python -m dagster_project.sources.dbt_sources`.

Belongs here: what dbt must know of the lake (tables, columns, words, where the files are).
Does not: models, tests of models. A test says that the file is what this module writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dagster_project.settings import DBT_PROJECT
from dagster_project.sources.contracts import Contract, load_contracts
from dagster_project.sources.derived import SOURCES, Columns
from dagster_project.sources.lake import TABLES

TARGET = DBT_PROJECT / "models" / "_sources.yml"
HEADING = "# Written from the contracts by `python -m dagster_project.sources.dbt_sources`. Do not edit.\n"
_ARROW_TO_DUCKDB = {
    "string": "varchar",
    "int64": "bigint",
    "int32": "integer",
    "bool": "boolean",
    "double": "double",
    "date32[day]": "date",
    "timestamp[us]": "timestamp",
}


def render(contracts: Mapping[str, Contract]) -> str:
    """The whole file."""
    raw = [_raw_table(contract) for _, contract in sorted(contracts.items())]
    lake = [_own_table("lake", name, grain, columns, name) for name, (grain, columns) in TABLES.items()]
    derived = [
        {
            "name": source,
            "description": of.about,
            "tables": [
                _own_table(of.layer, name, grain, columns, f"{source}/{name}")
                for name, (grain, columns) in of.tables.items()
            ],
        }
        for source, of in SOURCES.items()
    ]
    sources = [
        {
            "name": "raw",
            "description": "Feeds as read by contract: identities treated, broken rows set aside.",
            "tables": raw,
        },
        {"name": "lake", "description": "What is known about loads and checks.", "tables": lake},
        *derived,
    ]
    text = yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=118)
    return HEADING + text


def write(contracts: Mapping[str, Contract], target: Path = TARGET) -> None:
    target.write_text(render(contracts), encoding="utf-8")


def _table(schema: str, name: str, description: str, files: str) -> dict[str, Any]:
    location = 'read_parquet(\'{{ env_var("CLAIMHOUSE_HOME") }}/lake/' + files + "/*.parquet', union_by_name = true)"
    return {
        "name": name,
        "description": description,
        "config": {"meta": {"dagster": {"asset_key": [schema, name]}}, "external_location": location},
    }


def _raw_table(contract: Contract) -> dict[str, Any]:
    # The reader sets aside what breaks the contract; the key alone is looked at again, so that dbt would notice a
    # reader that does not.
    key = {contract.lake_name(column) for column in contract.key if contract.columns[column].required}
    columns: list[dict[str, str]] = []
    for column in contract.lake_columns():
        words = column.about + (f" (one of: {', '.join(column.allowed)})" if column.allowed else "")
        columns.append({"name": column.name, "data_type": column.type.lower(), "description": words})
    table = _table("raw", contract.feed, f"{contract.grain} {contract.about}", f"raw/{contract.feed}")
    filled = [column["name"] for column in columns if column["name"] in key]
    tests = {"data_tests": [{"filled": {"arguments": {"columns": filled}}}]} if filled else {}
    return {**table, **tests, "columns": columns}


def _own_table(layer: str, name: str, grain: str, columns: Columns, folder: str) -> dict[str, Any]:
    """A table that no contract describes: what is known about loads, and what Python made of the marts."""
    return {
        **_table(layer, name, grain, folder),
        "columns": [
            {
                "name": column,
                "data_type": _ARROW_TO_DUCKDB.get(str(type_), str(type_).replace("decimal128", "decimal")),
                "description": about,
            }
            for column, type_, about in columns
        ],
    }


if __name__ == "__main__":
    write(load_contracts())
