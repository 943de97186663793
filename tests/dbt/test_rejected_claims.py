"""Denied and rejected are different, in the demonstration too: its payers' front ends reject some claims, and one tells of none."""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.acknowledgements import SILENT_PAYER


def test_what_a_front_end_says_is_an_event_and_neither_a_decision_nor_money(marts: duckdb.DuckDBPyConnection) -> None:
    said = marts.execute("""
        select event_type, count(*) > 0, count(is_denied) + count(charge_amount) + count(adjudication_number)
        from fct_claim_event where event_type in ('accepted', 'rejected', 'acknowledged') group by 1 order by 1""")
    assert said.fetchall() == [("accepted", True, 0), ("rejected", True, 0)]


def test_a_rejected_claim_is_denied_by_a_decision_alone(marts: duckdb.DuckDBPyConnection) -> None:
    claims = marts.execute("""
        select adjudication_count > 0, claim_state = 'rejected', count(is_denied_at_first) = count(*), count(is_denied_at_first) = 0
        from fct_claim where rejection_count > 0 group by 1, 2 order by 1, 2""").fetchall()
    assert [(is_decided, lies_rejected) for is_decided, lies_rejected, *_ in claims if is_decided or lies_rejected] == [
        (False, True),
        (True, False),
    ]
    assert all(
        (all_known, none_known) == (is_decided, not is_decided) for is_decided, _, all_known, none_known in claims
    )


def test_a_payer_that_answers_no_claim_has_no_rejection_rate_and_the_others_have_one(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    rates = marts.execute("""
        select payer_id, count(rejection_rate) = count(*), count(rejection_rate) = 0, count(clean_claim_rate) = count(*)
        from mart_rcm_kpis where submitted_claim_count > 0 group by 1 order by 1""").fetchall()
    assert rates == [(payer, payer != SILENT_PAYER, payer == SILENT_PAYER, True) for payer, *_ in rates]
    assert len(rates) > 4
    (lower,) = (
        marts.execute("""
        select count(*) from mart_rcm_kpis where rejection_rate > 0 and clean_claim_rate > 1 - rejection_rate""").fetchone()
        or (1,)
    )
    assert lower == 0
