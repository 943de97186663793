"""What is said of a claim that cannot be told of: why, whose turn it is, and nothing of its rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.claims import ClaimProblem, known_claims
from dagster_project.claims.written import claim_as_837
from dagster_project.cli.terminal import SET_ASIDE, WRONG_USE
from dagster_project.settings import Settings
from tests.conftest import settings_of

CLAIM = "1_" + "0" * 32
EVENTS = """
    create table fct_claim_event as
    select
        'demo' as data_source, 'k' as claim_key, $claim as claim_token, event_type, event_order, event_date, known_date,
        'p' as payer_key, 'p' as payer_id, 'commercial' as line_of_business, adjudication_number, null::varchar as remittance_id,
        null::varchar as related_claim_key, false as is_denied, false as is_partially_denied, null::varchar as denial_category,
        null::boolean as can_appeal, null::decimal(18, 2) as charge_amount, null::decimal(18, 2) as allowed_amount,
        null::decimal(18, 2) as paid_amount, null::decimal(18, 2) as patient_responsibility_amount,
        null::decimal(18, 2) as adjustment_amount, null::decimal(18, 2) as denied_amount,
        case when event_type = 'submitted' then 1 end as submission_number, null::boolean as is_to_further_payer,
        null::decimal(18, 2) as repeated_charge_amount, 'l' as load_id
    from (values
        ('appealed', 70, null::date, null::date, null::bigint),
        ('adjudicated', 40, date '2025-03-01', date '2025-03-08', 1),
        ('submitted', 20, date '2025-02-01', date '2025-02-01', null),
    ) as told(event_type, event_order, event_date, known_date, adjudication_number)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path)
    settings.published.mkdir()
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        con.execute(EVENTS, {"claim": CLAIM})
    return settings


@pytest.fixture
def warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("""
            create schema marts;
            create schema staging;
            create table marts.fct_claim (data_source varchar);
            create table staging.stg_medical_claim__claims (data_source varchar, claim_token varchar);
            create table staging.stg_medical_claim_line__lines (data_source varchar, claim_token varchar)""")
        yield con


def refused(asked: object, *arguments: object) -> ClaimProblem:
    with pytest.raises(ClaimProblem) as told:
        asked(*arguments)  # type: ignore[operator]
    return told.value


def test_a_day_before_anything_was_known_is_told_without_a_word_of_the_claims_rows(settings: Settings) -> None:
    problem = refused(known_claims, settings, CLAIM, dt.date(2025, 1, 1))
    assert "nothing was known of this claim by 2025-01-01" in str(problem) and not problem.is_not_yet
    assert "2025-02" not in str(problem) and CLAIM not in str(problem)


def test_what_became_known_on_no_day_is_known_now_and_was_on_no_day_before(settings: Settings) -> None:
    (now,) = known_claims(settings, CLAIM)
    assert [event.event_type for event in now.events] == ["submitted", "adjudicated", "appealed"]
    (then,) = known_claims(settings, CLAIM, dt.date(2025, 2, 28))
    assert [event.event_type for event in then.events] == ["submitted"] and then.appeal_count == 0


def test_a_claim_of_which_no_day_is_known_is_told_all_the_same(settings: Settings) -> None:
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        con.execute("update fct_claim_event set known_date = null, event_date = null")
    (now,) = known_claims(settings, CLAIM)
    assert len(now.events) == 3
    assert "nothing was known" in str(refused(known_claims, settings, CLAIM, dt.date(2025, 2, 28)))


def test_a_claim_that_was_sent_on_is_its_first_payers_and_tells_of_both_submissions(
    claimhouse, settings: Settings
) -> None:
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        con.execute("""
            update fct_claim_event set charge_amount = 80 where event_type = 'submitted';
            insert into fct_claim_event
            select * replace ('q' as payer_id, date '2025-04-01' as event_date, date '2025-04-01' as known_date,
                null as submission_number, true as is_to_further_payer, null as charge_amount, 80 as repeated_charge_amount)
            from fct_claim_event where event_type = 'submitted'""")
    (now,) = known_claims(settings, CLAIM)
    assert (now.payer_id, now.charge_amount, now.further_payer_count) == ("p", Decimal(80), 1)
    assert [event.payer_id for event in now.events if event.event_type == "submitted"] == ["p", "q"]
    (then,) = known_claims(settings, CLAIM, dt.date(2025, 3, 31))
    assert (then.further_payer_count, len(then.events)) == (0, 2)
    told = claimhouse(settings.home, "claim", CLAIM).out
    assert told.count("80.00") == 3, "of the claim, and of each submission"


def test_a_claim_that_went_to_another_first_payer_is_that_ones_from_the_day_on_which_it_was_sent(
    settings: Settings,
) -> None:
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        con.execute("""
            update fct_claim_event set is_denied = true where event_type = 'adjudicated';
            update fct_claim_event set repeated_charge_amount = 80 where event_type = 'submitted';
            insert into fct_claim_event
            select * replace ('q' as payer_id, date '2025-04-01' as event_date, date '2025-04-01' as known_date,
                2 as submission_number, 90 as charge_amount, null as repeated_charge_amount)
            from fct_claim_event where event_type = 'submitted'""")
    days = [dt.date(2025, 2, 28), dt.date(2025, 3, 31), None]
    known = [known_claims(settings, CLAIM, day)[0] for day in days]
    assert [(one.payer_id, one.claim_state, one.charge_amount) for one in known] == [
        ("p", "submitted", Decimal(80)),
        ("p", "denied", Decimal(80)),
        ("q", "submitted", Decimal(90)),
    ]
    assert [one.is_denied_now for one in known] == [None, True, None]


def test_what_was_published_before_events_told_of_their_submissions_is_published_anew(settings: Settings) -> None:
    with duckdb.connect(str(settings.published / "marts.duckdb")) as con:
        con.execute("alter table fct_claim_event drop column submission_number")
    problem = refused(known_claims, settings, CLAIM)
    assert "run: claimhouse run" in str(problem) and problem.is_not_yet


def test_several_senders_are_not_written_as_one_837(settings: Settings, warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into staging.stg_medical_claim__claims values ('east', $1), ('west', $1)", [CLAIM])
    warehouse.close()
    problem = refused(claim_as_837, settings, CLAIM)
    assert "east, west each tell of such a claim, and one 837 holds one sender's tokens" in str(problem)
    assert not problem.is_not_yet and CLAIM not in str(problem)


def test_whose_turn_it_is_does_not_depend_on_what_else_is_there(
    claimhouse, settings: Settings, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.close()
    (settings.published / "marts.duckdb").unlink()
    answer = claimhouse(settings.home, "claim", CLAIM, "--as", "837")
    assert answer.code == WRONG_USE and "tells of such a claim" in answer.err
    settings.warehouse.unlink()
    answer = claimhouse(settings.home, "claim", CLAIM, "--as", "837")
    assert answer.code == SET_ASIDE and "there is no warehouse; run: claimhouse run" in answer.err
