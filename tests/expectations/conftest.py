"""A small lake written by hand: monthly loads of remittances, one of which a test bends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.contracts import CONTRACTS, Contract, load_contract
from dagster_project.sources.lake import prepare_lake, schema, write_rows

# A month of ordinary remittances: 400 rows, a tenth refused, some reversed, all cells balanced.
ORDINARY = """
    select 'R' || line as remittance_id, '1_' || md5({month} || line) as claim_token,
        '1_' || md5('m' || line % 90) as member_token,
        0::bigint as claim_line_number, 1::bigint as adjudication_number,
        'PAYER' || line % 4 as payer_id, 'commercial' as line_of_business,
        case when line % 10 = 0 then '4' when line % 25 = 1 then '22' else '1' end as claim_status_code,
        {month}::date + (line % 27)::integer as paid_date, {month}::date as adjudicated_date,
        250.00 as charge_amount, 20.00 as copayment_amount,
        case when line % 10 = 0 then 0 when line % 25 = 1 then -90 else 90 + line % 40 end as paid_amount,
        paid_amount + 20 as allowed_amount
    from range(1, {rows} + 1) as lines(line)
"""


class Lake:
    """Writes loads as the reader would."""

    def __init__(self, home: Path, contracts: dict[str, Contract]) -> None:
        self.settings = Settings(home=home)
        self.contracts = contracts
        self.con = duckdb.connect()
        prepare_lake(self.settings, contracts)

    def write(self, folder: str, name: str, sql: str) -> Path:
        path = self.settings.lake / folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.con.execute(f"copy ({sql}) to '{path}' (format parquet)")
        return path

    def load(self, month: str, rows: int = 400, change: str = "", base: str = ORDINARY, feed: str = "remittance",
             sender: str = "demo", name: str | None = None, layout: str = "claimhouse", load_number: int = 1,
             set_aside: int = 0, excluded: int = 0, status: str = "read",
             is_conserved: bool = True) -> str:  # fmt: skip
        """One load of a month; `change` is a SELECT over `ordinary` that bends it."""
        batch = name or f"{feed}_{month}"
        load_id = f"{feed}-{sender}-{batch}-{load_number}"
        ordinary = base.format(month=f"'{month}-01'", rows=rows)
        # Cast by name onto the feed's lake columns; what a test does not give is blank.
        bent = f"with ordinary as ({ordinary}) {change or 'select * from ordinary'}"
        self.con.execute(f"create or replace temp table given as {bent}")
        given = {column for (column, *_) in self.con.execute("describe given").fetchall()}
        own = {
            "data_source": f"'{sender}'",
            "load_id": f"'{load_id}'",
            "source_line_number": "row_number() over () + 1",
            "source_part_number": "1",
        }
        values = {name: name for name in given} | own
        columns = [
            f"cast({values.get(column.name, 'null')} as {column.type}) as {column.name}"
            for column in self.contracts[feed].lake_columns()
        ]
        self.write(f"raw/{feed}", load_id, f"select {', '.join(columns)} from given")
        accepted = self.con.execute("select count(*) from given").fetchone()[0]
        loaded_at = dt.datetime(2026, 1, 1) + dt.timedelta(minutes=len(list((self.settings.lake / "loads").iterdir())))
        first_day = dt.date.fromisoformat(f"{month}-01")
        record = {
            "load_id": load_id, "feed": feed, "layout": layout, "data_source": sender, "batch_id": batch,
            "file_name": f"{feed}/{batch}.csv", "loaded_at": loaded_at, "load_number": load_number, "status": status,
            "content_hash": f"hash of {load_id}",
            "rows_read": accepted + set_aside + excluded, "rows_accepted": accepted, "rows_set_aside": set_aside,
            "rows_excluded": excluded, "is_conserved": is_conserved, "first_month": first_day, "last_month": first_day,
        }  # fmt: skip
        write_rows([record], schema("loads"), self.settings.lake / "loads" / f"{load_id}.parquet")
        return load_id

    def months(self, count: int, first: str = "2025-01", **options) -> list[str]:
        start = dt.date.fromisoformat(f"{first}-01")
        names = [
            f"{start.year + (start.month - 1 + step) // 12}-{(start.month - 1 + step) % 12 + 1:02d}"
            for step in range(count)
        ]
        return [self.load(month, **options) for month in names]


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return {
        feed: load_contract(CONTRACTS / f"{feed}.yml")
        for feed in ("remittance", "medical_claim", "provider_adjustment", "contracted_rate")
    }


@pytest.fixture
def lake(tmp_path: Path, contracts: dict[str, Contract]) -> Lake:
    return Lake(tmp_path / "home", contracts)
