"""A house with a handful of pairs in its warehouse and scenarios of its own: for tests of what lies between the warehouse and the solver.

Belongs here: making it. Does not: assertions, dbt (the tables are written as its models have them).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.lake import prepare_lake

# provider, region, specialty, stars, procedure, family, volume, people, baseline, benchmark
PAIRS = [
    ("A", "171", "clinic", 5, "99213", "office", 100, 60, 150, 100),
    ("A", "171", "clinic", 5, "99214", "office", 50, 40, 200, 140),
    ("B", "171", "clinic", 2, "99213", "office", 200, 90, 130, 100),
    ("B", "171", "clinic", 2, "99214", "office", 80, 50, 190, 140),
    ("C", "190", "clinic", None, "99213", "office", 60, 11, 180, 100),
    ("C", "190", "clinic", None, "99214", "office", 30, 10, 240, 140),  # of ten people: in no price list
]
SCENARIO = """
scenario: {name}
about: Save {share} while nobody loses more than {loss}.
source:
  marts: {{data_source: s, payers: [P], region_by: zip3}}
tiers:
  low: [1.0, 1.3]
  high: [1.3, 2.0]
rules:
  - {{id: no_ruin, kind: largest_loss, share: {loss}, reason: Nobody is ruined., source: a test}}
  - {{id: alike, kind: regional_spread, cap: 30, reason: Neighbours are paid alike., source: a test}}
  - {{id: save, kind: savings_target, share: {share}, reason: The budget., source: a test}}
solver: {{gap: 0.000001, time_limit: 20}}
"""


def house(home: Path, scenarios: dict[str, str] | None = None, senders: Iterable[str] = ("s",)) -> Settings:
    """A home with its lake's empty tables, a warehouse of pairs, and the scenarios given (file name → text)."""
    settings = Settings(home=home, quiet_seconds=0)
    prepare_lake(settings, load_contracts())
    write_warehouse(settings, senders)
    settings.scenarios.mkdir()
    for name, text in (scenarios or {"save.yml": scenario("save")}).items():
        (settings.scenarios / name).write_text(text)
    return settings


def scenario(name: str, share: float = 0.1, loss: float = 0.2) -> str:
    return SCENARIO.format(name=name, share=share, loss=loss)


def write_warehouse(settings: Settings, senders: Iterable[str] = ("s",), baseline: float | None = None) -> None:
    """The two tables of pairs as dbt leaves them; `baseline` takes the place of the first pair's price of today."""
    settings.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("""
            create schema intermediate;
            create table intermediate.int_price__pairs (
                price_pair_key varchar, data_source varchar, pair_source varchar, payer_key varchar, payer_id varchar, provider_key varchar,
                provider_id varchar, provider_name varchar, ccn varchar, specialty varchar, state varchar, zip3 varchar, referral_region varchar,
                star_rating bigint, procedure_code_type varchar, procedure_code varchar, procedure_id varchar, procedure_family varchar,
                period_name varchar, period_end_date date, month_count bigint, people_count bigint, is_large_enough boolean,
                volume_quantity decimal(18, 3), allowed_amount decimal(18, 2), baseline_amount decimal(18, 2), benchmark_amount decimal(18, 2),
                benchmark_basis varchar, benchmark_source varchar, benchmark_date date);
            create table intermediate.int_price__months (
                data_source varchar, payer_key varchar, payer_id varchar, provider_key varchar, procedure_id varchar, incurred_month date,
                volume_quantity decimal(18, 3), allowed_amount decimal(18, 2));
        """)
        for sender in senders:
            for number, (provider, zip3, specialty, stars, code, family, volume, people, price, rate) in enumerate(
                PAIRS
            ):
                today = baseline if baseline is not None and number == 0 else price
                con.execute(
                    f"insert into intermediate.int_price__pairs values ({', '.join('?' * 30)})",
                    [
                        f"{sender}{number}", sender, "claims", "p", "P", provider, provider, f"Clinic {provider}", None, specialty,
                        "PA", zip3, None, stars, "hcpcs", code, code, family, "last twelve months", dt.date(2025, 12, 31), 12, people,
                        people >= 11, volume, volume * today, today, rate, "medicare_claims", "a test", dt.date(2025, 12, 31),
                    ],
                )  # fmt: skip
                con.execute(
                    "insert into intermediate.int_price__months select ?, 'p', 'P', ?, ?, cast(month as date), ?, ? from "
                    "range(date '2025-01-01', date '2026-01-01', interval 1 month) as months (month)",
                    [sender, provider, code, volume / 12, volume * price / 12],
                )
