"""A small feed of its own, so that these tests do not change when the project's contracts do."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.privacy.keys import TokenKey
from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract, load_contracts
from dagster_project.sources.loads import LoadAudit, load_everything
from tests.sources.x12.lake import KEY

FILL = """
feed: fill
domain: pharmacy
about: Fills.
grain: One row per fill.
key: [fill_id]
amount: paid_amount
month: fill_date
columns:
  fill_id:      {type: text, required: true, identity: 'token:claim', about: id}
  member_id:    {type: text, required: true, identity: 'token:member', about: person}
  subscriber_id: {type: text, identity: 'token:member', about: person who is insured}
  patient_name: {type: text, identity: drop, about: name}
  birth_date:   {type: date, identity: 'generalise:birth_year', between: [1880-01-01, today], about: born}
  death_date:   {type: date, identity: 'generalise:year', about: died}
  zip_code:     {type: text, identity: 'generalise:zip3', about: where}
  drug_code:    {type: code, identity: keep, pad: 3, pattern: '[0-9A-Z]{3}', about: code}
  status:       {type: code, identity: keep, allowed: [open, closed], about: status}
  quantity:     {type: 'decimal(12,3)', identity: keep, minimum: 0, unit: pieces, about: how many}
  fill_date:    {type: date, required: true, identity: keep, between: [1990-01-01, today], about: when}
  filled_at:    {type: timestamp, identity: keep, about: moment}
  is_generic:   {type: boolean, identity: keep, about: generic}
  line_count:   {type: integer, identity: keep, about: lines}
  paid_amount:  {type: usd, required: true, identity: keep, about: paid}
layouts:
  claimhouse: {data_source: demo}
"""

HEADER = (
    "fill_id",
    "member_id",
    "subscriber_id",
    "patient_name",
    "birth_date",
    "death_date",
    "zip_code",
    "drug_code",
    "status",
    "quantity",
    "fill_date",
    "filled_at",
    "is_generic",
    "line_count",
    "paid_amount",
)
GOOD = {
    "fill_id": "F1",
    "member_id": "M1",
    "subscriber_id": "M1",
    "patient_name": "Zebulon Quux",
    "birth_date": "1980-05-06",
    "death_date": "",
    "zip_code": "02155",
    "drug_code": "7",
    "status": "open",
    "quantity": "30",
    "fill_date": "2024-03-04",
    "filled_at": "2024-03-04T10:00:00Z",
    "is_generic": "Y",
    "line_count": "2",
    "paid_amount": "12.50",
}


def row(**changes: str) -> dict[str, str]:
    """A good row, changed."""
    return {**GOOD, **changes}


def text(rows: Sequence[dict[str, str]], header: Sequence[str] = HEADER) -> str:
    """The rows as a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass
class House:
    """A home with the small feed, and short ways to use it."""

    settings: Settings
    contracts: dict[str, Contract]
    key: TokenKey = KEY

    def land(self, content: str | bytes, name: str = "fill/fills.csv") -> Path:
        path = self.settings.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self) -> list[LoadAudit]:
        return load_everything(self.settings, self.contracts, self.key)

    def load_one(self, content: str | bytes, name: str = "fill/fills.csv") -> LoadAudit:
        self.land(content, name)
        audits = self.load()
        assert len(audits) == 1, audits
        return audits[0]

    def rows(self, feed: str = "fill") -> list[dict[str, Any]]:
        return self.query(
            f"from read_parquet('{self.settings.lake}/raw/{feed}/*.parquet') "
            "order by load_id, source_line_number, source_part_number"
        )

    def table(self, name: str) -> list[dict[str, Any]]:
        return self.query(f"from read_parquet('{self.settings.lake}/{name}/*.parquet', union_by_name = true)")

    def quarantine(self) -> list[dict[str, Any]]:
        return self.query(f"from read_parquet('{self.settings.quarantine}/**/*.parquet') order by source_line_number")

    def reasons(self) -> list[tuple[int, str | None, str]]:
        return [(item["source_line_number"], item["column_name"], item["reason_code"]) for item in self.quarantine()]

    @staticmethod
    def query(sql: str) -> list[dict[str, Any]]:
        return duckdb.sql(sql).to_arrow_table().to_pylist()


def make_house(tmp_path: Path, **contracts: str) -> House:
    """A home whose contracts are the texts given, by feed."""
    folder = tmp_path / "contracts"
    folder.mkdir(exist_ok=True)
    for feed, yaml in contracts.items():
        (folder / f"{feed}.yml").write_text(yaml)
    return House(Settings(home=tmp_path / "home", quiet_seconds=0), load_contracts(folder))
