"""A tiny warehouse with a manifest, for tests of publishing that need no pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.settings import Settings

MARTS = {"fct_claim": "One row per claim.", "dim_payer": "One row per payer."}


def make_warehouse(settings: Settings, claims: int = 1_000) -> Path:
    """Two marts and the active loads; returns the path of a dbt manifest that tells of them."""
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    (settings.lake / "loads").mkdir(parents=True, exist_ok=True)
    loads = pa.table({"load_id": ["a-1", "b-1"], "key_version": ["1", "2"]})
    pq.write_table(loads, settings.lake / "loads" / "loads.parquet")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("""
            create schema marts; create schema intermediate; create schema staging;
            create table intermediate.int_lake__active_loads as select 'a-1' as load_id;
            create table staging.stg_secret as select 'not for analysts' as note;
            create table marts.dim_payer as select 'ACME' as payer_id, 7::uinteger as rank;
        """)
        write_claims(con, claims)
    manifest = settings.dbt_target / "manifest.json"
    columns = {"claim_key": {"description": "Surrogate key."}, "paid_amount": {"description": "Paid, it's exact."}}
    nodes = {f"model.claimhouse.{name}": node(name, about, columns) for name, about in MARTS.items()}
    nodes["model.claimhouse.fct_claim"]["config"] = {"enabled": True, "meta": {"month": "claim_start_month"}}
    nodes["model.claimhouse.stg_secret"] = {**node("stg_secret", "", {}), "schema": "staging", "tags": []}
    manifest.write_text(json.dumps({"nodes": nodes}))
    return manifest


def write_claims(con: duckdb.DuckDBPyConnection, claims: int) -> None:
    con.execute(f"""
        create or replace table marts.fct_claim as
        select
            range as claim_key, cast(range / 100 as decimal(18, 2)) as paid_amount,
            case when range % 10 < 9 then date '2025-01-01' + to_months(cast(range % 10 as integer)) end::date as claim_start_month,
            timestamp '2025-01-01 12:00:00' as loaded_at
        from range({claims})
    """)


def node(name: str, description: str, columns: dict[str, dict[str, str]]) -> dict[str, object]:
    return {
        "resource_type": "model", "name": name, "alias": name, "schema": "marts", "tags": ["published"],
        "config": {"enabled": True},
        "description": description, "columns": columns,
    }  # fmt: skip
