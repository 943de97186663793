"""The verb `claim`: what was known of a claim on a day, by its token or by the provider's id of it."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE
from dagster_project.privacy.keys import load_key
from dagster_project.privacy.marks import MARK
from dagster_project.privacy.tokens import token
from dagster_project.settings import Settings

CORRECTED = """
    select reversed.claim_token, reversed.known_date, claims.paid_amount
    from fct_claim_event as reversed
    inner join fct_claim as claims using (claim_key)
    inner join fct_claim_event as paid on paid.claim_key = reversed.claim_key
        and paid.event_type = 'paid' and paid.adjudication_number = 1
    where reversed.event_type = 'reversed' and claims.claim_state = 'paid'
    order by 1 limit 1
"""


@pytest.fixture
def corrected(marts: duckdb.DuckDBPyConnection) -> tuple[str, dt.date, Decimal]:
    """A claim that was paid, reversed and paid otherwise: its token, when that was known, and what it is paid now."""
    found = marts.execute(CORRECTED).fetchone()
    assert found is not None
    return found


def test_a_claim_is_told_as_it_was_known_on_the_day_before_its_reversal(claimhouse, demo_settings, corrected):
    claim, day, paid_now = corrected
    before = str(day - dt.timedelta(days=1))
    (then,) = claimhouse(demo_settings.home, "claim", claim, "--as-of", before, "--json").json
    (now,) = claimhouse(demo_settings.home, "claim", claim, "--json").json
    assert (then["as_of"], then["reversal_count"], then["adjudication_count"]) == (before, 0, 1)
    assert (now["as_of"], now["reversal_count"], now["adjudication_count"]) == (None, 1, 2)
    assert Decimal(now["paid_amount"]) == paid_now
    assert max(event["known_date"] for event in then["events"]) <= before
    assert {event["event_type"] for event in now["events"]} >= {"adjudicated", "reversed", "corrected", "paid"}
    assert sum(Decimal(event["paid_amount"] or 0) for event in now["events"]) == paid_now


def test_the_verb_says_of_a_claim_what_the_marts_say_of_all_of_them(claimhouse, demo_settings, marts):
    """One text makes both: any claim that is asked for alone is in the state that fct_claim has it in."""
    states = marts.execute("select claim_state, min(claim_token) from fct_claim group by all order by 1").fetchall()
    assert len(states) > 5
    for state, claim in states:
        (told,) = claimhouse(demo_settings.home, "claim", claim, "--json").json
        assert told["claim_state"] == state


def test_a_claim_is_written_as_837_by_its_token_and_by_the_providers_id(claimhouse, demo_settings: Settings, marts):
    settings = demo_settings
    states = marts.execute("select claim_token from fct_claim where claim_state = 'paid' order by 1").fetchall()
    by_token = {token(load_key(settings), "claim", "demo", claim_id): claim_id for claim_id in sent_claims(settings)}
    claim = next(claim for (claim,) in states if claim in by_token)
    answer = claimhouse(settings.home, "claim", claim, "--as", "837")
    assert answer.code == DONE, answer.err
    assert f"CLM*{claim}*" in answer.out and f"*{MARK}*" in answer.out and by_token[claim] not in answer.out
    assert answer.out.startswith("ISA*") and answer.out.endswith("~\n") and "~REF*D9*1_" in answer.out
    asked = claimhouse(settings.home, "claim", by_token[claim], "--as", "837")
    assert said(asked.out) == said(answer.out)


def sent_claims(settings: Settings) -> list[str]:
    found = []
    for path in sorted((settings.landing / "medical_claim").glob("*.csv")):
        with path.open() as file:
            found += [row["claim_id"] for row in csv.DictReader(file)]
    return found


def said(text: str) -> list[str]:
    """Segments but those that tell when they were written."""
    return [part for part in text.split("~") if not part.strip().startswith(("ISA", "GS", "BHT"))]


CLOSED = """
    select claim_start_month, close_date,
        sum(allowed_amount) filter (where cause = 'at_close') as allowed_at_close, sum(allowed_amount) as allowed_now,
        sum(paid_amount) filter (where cause = 'at_close') as paid_at_close
    from mart_restatement where is_closed group by all having allowed_at_close <> allowed_now order by 1
"""


def test_a_month_is_told_as_it_was_known_when_it_was_closed(claimhouse, demo_settings, marts):
    """The day's events alone, and mart_restatement's decisions, come to the same dollars."""
    closed = marts.execute(CLOSED).fetchall()
    assert len(closed) > 1
    for month, day, *worth in (closed[0], closed[-1]):
        asked = ("claim", "--month", f"{month:%Y-%m}", "--json")
        then = claimhouse(demo_settings.home, *asked, "--as-of", str(day)).json
        now = claimhouse(demo_settings.home, *asked).json
        assert [total(then, "allowed_amount"), total(now, "allowed_amount")] == worth[:2]
        assert total(then, "paid_amount") - total(then, "recouped_amount") == worth[2]
        assert {state["as_of"] for state in then} == {str(day)}
    known = marts.execute(
        "select claim_state, count(*) from fct_claim where claim_start_month = $1 group by all", [month]
    )
    assert {state["claim_state"]: state["claim_count"] for state in now} == dict(known.fetchall())


def total(states: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(state[column] or 0) for state in states), Decimal(0))


def test_a_month_of_which_nothing_was_known_yet_is_told_so(claimhouse, demo_settings):
    answer = claimhouse(demo_settings.home, "claim", "--month", "2025-01", "--as-of", "2024-12-31")
    assert answer.code == SET_ASIDE and "no claim of that month was known by then" in answer.err


@pytest.mark.parametrize("asked", [[], ["1_" + "0" * 32, "--month", "2025-01"], ["--month", "2025-13"]])
def test_a_claim_or_a_month_is_asked_for_and_no_other_thing(claimhouse, demo_settings, asked):
    assert claimhouse(demo_settings.home, "claim", *asked).code == WRONG_USE


@pytest.mark.parametrize("more", [["--as-of", "2025-01-01"], ["--json"]])
def test_a_claim_is_written_as_it_was_sent_and_not_as_known_on_a_day(claimhouse, demo_settings, more):
    answer = claimhouse(demo_settings.home, "claim", "1_" + "0" * 32, "--as", "837", *more)
    assert answer.code == WRONG_USE and "--as writes the claim as it was sent" in answer.err


def test_a_claim_that_nobody_sent_is_not_written(claimhouse, demo_settings):
    answer = claimhouse(demo_settings.home, "claim", "1_" + "0" * 32, "--as", "837")
    assert (answer.code, answer.out) == (WRONG_USE, "") and "tells of such a claim" in answer.err


def test_a_claim_is_found_by_the_providers_id_where_the_key_is(claimhouse, demo_settings: Settings):
    (path, *_) = sorted((demo_settings.landing / "medical_claim").glob("*.csv"))
    with path.open() as file:
        row = next(row for row in csv.DictReader(file) if row["claim_id"].startswith("CLM"))
    answer = claimhouse(demo_settings.home, "claim", row["claim_id"])
    assert answer.code == DONE, answer.err
    assert token(load_key(demo_settings), "claim", "demo", row["claim_id"]) in answer.out
    assert row["claim_id"] not in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["CLM-of-nobody"], "no event of such a claim is published"),
        (["1_" + "0" * 32], "no event of such a claim is published"),
        (["1_" + "0" * 32, "--as-of", "June"], "--as-of is a day, as 2025-05-31"),
    ],
)
def test_wrong_use_is_told_without_the_id_that_was_asked_for(claimhouse, demo_settings, arguments, told):
    answer = claimhouse(demo_settings.home, "claim", *arguments)
    assert answer.code == WRONG_USE
    assert told in answer.err
    assert arguments[0] not in answer.err


def test_a_day_before_its_first_event_is_told_without_that_events_day(claimhouse, demo_settings, corrected):
    answer = claimhouse(demo_settings.home, "claim", corrected[0], "--as-of", "1999-12-31")
    assert answer.code == WRONG_USE
    assert "nothing was known of this claim by 1999-12-31" in answer.err
    assert "20" not in answer.err


def test_it_says_so_when_nothing_is_published_yet(claimhouse, tmp_path):
    answer = claimhouse(tmp_path, "claim", "1_" + "0" * 32)
    assert answer.code == SET_ASIDE
    assert "run: claimhouse run" in answer.err
