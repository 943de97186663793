"""A claim as known at the end of a day: of four events that became known on other days than they happened, in memory."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from jinja2 import Environment

from dagster_project.claims import ClaimProblem, known_claims, known_month
from dagster_project.settings import DBT_PROJECT, Settings

CLAIM = "7_" + "a" * 32
# What happened, when, when it could be known, the decision it is of, and what it paid.
EVENTS = [
    ("submitted", "2025-01-02", "2025-01-02", None, None),
    ("adjudicated", "2025-01-20", "2025-01-22", 1, None),
    ("paid", "2025-01-20", "2025-01-22", 1, 60),
    ("reversed", "2025-02-01", "2025-03-05", 1, -60),
]
# The last day of each state: reversals are known the month after they happened.
KNOWN = {
    "2025-01-02": ("submitted", None, 0),
    "2025-01-21": ("submitted", None, 0),
    "2025-01-22": ("paid", Decimal("60.00"), 0),
    "2025-03-04": ("paid", Decimal("60.00"), 0),
    "2025-03-05": ("reversed", Decimal("0.00"), 1),
}


@pytest.fixture(scope="module")
def columns() -> str:
    """Those of the model, by its contract."""
    described = yaml.safe_load((DBT_PROJECT / "models/marts/claims/_claims__models.yml").read_text())["models"]
    (model,) = (model for model in described if model["name"] == "fct_claim_event")
    return ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])


def make_events(con: duckdb.DuckDBPyConnection, columns: str) -> None:
    con.execute(f"create table fct_claim_event ({columns})")
    con.executemany(
        "insert into fct_claim_event by name select 'payer' as data_source, '1' as claim_key, $1 as claim_token, "
        "$2 as event_type, $3::date as event_date, $4::date as known_date, $5::bigint as adjudication_number, "
        "$6::decimal(18, 2) as paid_amount",
        [(CLAIM, *event) for event in EVENTS],
    )


@pytest.mark.parametrize(("day", "told"), KNOWN.items())
def test_what_became_known_after_a_day_is_not_known_on_it(day: str, told: tuple[object, ...], columns: str) -> None:
    macros = "".join((DBT_PROJECT / "macros" / name).read_text() for name in ("types.sql", "claims.sql"))
    template = Environment(autoescape=False).from_string(f"{macros}{{{{ claims_as_of(\"date '{day}'\") }}}}")
    with duckdb.connect() as con:
        make_events(con, columns)
        states = f"select claim_state, paid_amount, reversal_count from ({template.render(ref=str)})"
        assert con.execute(states).fetchall() == [told]


@pytest.mark.parametrize(("day", "told"), KNOWN.items())
def test_whoever_asks_for_one_claim_is_told_the_same(
    day: str, told: tuple[object, ...], columns: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    settings.published.mkdir(parents=True)
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        make_events(con, columns)
    (claim,) = known_claims(settings, CLAIM, dt.date.fromisoformat(day))
    assert (claim.claim_state, claim.paid_amount, claim.reversal_count) == told
    assert all(str(event.known_date) <= day for event in claim.events)
    with pytest.raises(ClaimProblem, match="nothing was known of this claim by 2025-01-01"):
        known_claims(settings, CLAIM, dt.date(2025, 1, 1))


def test_a_claim_without_header_stands_in_the_month_of_its_first_remittance(columns: str, tmp_path: Path) -> None:
    """As in mart_restatement: not in that in which it was acknowledged."""
    settings = Settings(home=tmp_path)
    settings.published.mkdir(parents=True)
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        make_events(con, columns)
        con.execute("""
            insert into fct_claim_event by name
            select * replace ('accepted' as event_type, date '2024-12-30' as event_date, date '2024-12-30' as known_date)
            from fct_claim_event where event_type = 'submitted';
            create table fct_claim as select '1' as claim_key, null::date as claim_start_month""")
    assert known_month(settings, dt.date(2024, 12, 1)) == []
    (state,) = known_month(settings, dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    assert (state.claim_state, state.claim_count, state.paid_amount) == ("paid", 1, Decimal("60.00"))
