"""Plants every cause in the ledger, alone and together, and finds it in its month, payer and account, to the cent."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from ledger_books import PLANTED, Reconciled

from dagster_project.settings import Settings
from dagster_project.synthetic.ledger import FAULTS, ORDINARY

SOURCES = sorted(set(PLANTED) - {"untouched"})


def cells(reconciled: Reconciled, source: str, condition: str) -> list[tuple[object, ...]]:
    """Month, entity, payer, line of business, account and status of a source's cells for which the condition holds."""
    return reconciled.query(
        "select posting_month, entity_code, payer_id, line_of_business, account_code, status "
        f"from marts.fct_ledger_reconciliation where data_source = ? and {condition}",
        source,
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_planted_cause_is_found_in_its_month_payer_and_account_when_read_from_the_mart(
    reconciled: Reconciled, source: str
):
    planted = reconciled.answers[source]
    assert planted, "nothing was planted"
    assert reconciled.found(source) == planted


@pytest.mark.parametrize("cause", sorted(ORDINARY | FAULTS))
def test_only_the_planted_cause_is_found_when_it_is_planted_alone(reconciled: Reconciled, cause: str):
    assert {key[-1] for key in reconciled.found(cause)} == {cause}


@pytest.mark.parametrize(
    ("source", "causes"),
    [
        ("duplicate_and_wrong_account", {"duplicate_posting", "wrong_account"}),
        ("duplicate_and_unexplained", {"duplicate_posting", "unexplained"}),
        ("missing_and_late", {"missing_load", "posted_in_another_month"}),
        ("missing_and_reversal", {"missing_load", "reversal"}),
        ("with_errors", {"duplicate_posting", "wrong_account", "unexplained"}),
    ],
)
def test_two_causes_are_told_apart_when_they_meet_in_one_cell(reconciled: Reconciled, source: str, causes: set[str]):
    by_cell: dict[object, set[object]] = {}
    for *cell, cause in reconciled.found(source):
        by_cell.setdefault(tuple(cell), set()).add(cause)
    assert any(causes <= found for found in by_cell.values()), "the causes never met; the test shows nothing"


def test_no_document_parts_when_nothing_is_planted(reconciled: Reconciled):
    assert {row[-1] for row in cells(reconciled, "untouched", "true")} == {"tied"}


def test_the_demonstration_is_explained_throughout_when_no_fault_is_planted(reconciled: Reconciled):
    statuses = [row[-1] for row in cells(reconciled, "demonstration", "true")]
    assert set(statuses) == {"tied", "explained"}
    assert statuses.count("explained") > 20
    assert not cells(reconciled, "demonstration", "is_blocking")


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_blocks_its_cells_and_no_other_when_it_is_planted(reconciled: Reconciled, fault: str):
    touched = {key[:-1] for key in reconciled.answers[fault]}
    blocked = {row[:-1] for row in cells(reconciled, fault, "is_blocking")}
    cancelling = {row[:-1] for row in cells(reconciled, fault, "is_blocking and difference_amount = 0")}
    tolerated = {cell for cell in touched if cell[-1] == "gross_charges"}  # the small journal, below the floor
    assert blocked - cancelling == touched - tolerated
    assert blocked


@pytest.mark.parametrize("cause", sorted(ORDINARY))
def test_an_ordinary_cause_never_blocks_when_it_is_planted_alone(reconciled: Reconciled, cause: str):
    assert not cells(reconciled, cause, "is_blocking")


def test_ordinary_causes_sum_to_nothing_over_all_months_when_the_year_is_whole(reconciled: Reconciled):
    """What is posted in another month, netted or taken inside payments is money that moves, not money that is lost."""
    for cause in sorted(ORDINARY):
        amounts = [amount for key, amount in reconciled.found("demonstration").items() if key[-1] == cause]
        assert amounts
        assert sum(amounts) == Decimal(0)


def test_a_source_without_books_has_no_data_when_the_others_have(reconciled: Reconciled):
    rows = reconciled.query("""
        select distinct status, is_blocking, ledger_amount is null, difference_amount is null, warehouse_amount is null
        from marts.fct_ledger_reconciliation where data_source = 'without_books'""")
    assert rows == [("no_data", False, True, True, False)]


def test_an_account_has_no_data_when_its_source_sends_no_such_feed(reconciled: Reconciled):
    rows = reconciled.query("""
        select account_code = 'pharmacy_paid', status, warehouse_amount is null, ledger_amount is null
        from marts.fct_ledger_reconciliation where data_source = 'without_fills' group by all order by all""")
    assert rows == [(False, "tied", False, False), (True, "no_data", True, False)]


def test_whole_remittances_tie_to_their_claims_when_the_books_know_no_claims(reconciled: Reconciled):
    rows = reconciled.query("""
        select status, count(*) > 20, min(fault_gross_amount + unexplained_gross_amount)
        from marts.fct_ledger_reconciliation where data_source = 'by_remittance' group by all""")
    assert {row[0] for row in rows} <= {"tied", "explained"}
    assert all(row[2] == 0 for row in rows)


def test_claims_in_preparation_and_second_payers_are_no_charges_when_gross_charges_are_summed(reconciled: Reconciled):
    rows = reconciled.query("""
        select sum(amount) from intermediate.int_finance__warehouse_amounts
        where data_source = 'untouched' and account_code = 'gross_charges'""")
    expected = reconciled.query("""
        select sum(c.charge_amount) - coalesce(sum(o.charge_amount), 0)
        from staging.stg_medical_claim__claims as c
        left join staging.stg_medical_claim__claims as o
            on c.data_source = o.data_source and c.original_claim_token = o.claim_token
        where c.data_source = 'untouched' and c.claim_status = 'submitted' and c.coverage_rank = 'primary'""")
    every_claim = reconciled.query(
        "select sum(charge_amount) from staging.stg_medical_claim__claims where data_source = 'untouched'"
    )
    assert rows == expected
    assert rows != every_claim


def test_the_published_demonstration_gives_the_answers_when_it_went_through_every_step(demo_settings: Settings):
    """Files, reader, tokens, dbt: the causes that the generator wrote down are the ones in the published mart."""
    causes = ", ".join(f"{cause}_amount as {cause}" for cause in sorted(ORDINARY | FAULTS))
    with duckdb.connect() as con:
        con.execute(f"attach '{demo_settings.published / 'marts.duckdb'}' as marts (read_only)")
        con.execute(f"""
            create table found as
            from (unpivot (select posting_month, entity_code, payer_id, line_of_business, account_code, {causes}
                           from marts.fct_ledger_reconciliation where status <> 'no_data')
                  on {", ".join(sorted(ORDINARY | FAULTS))} into name cause value amount) where amount <> 0;
            create table planted as from '{demo_settings.answers / "ledger.parquet"}';
        """)
        assert con.execute("select count(*) > 50 from planted").fetchall() == [(True,)]
        assert not con.execute("(from found except from planted) union all (from planted except from found)").fetchall()
        assert not con.execute("select 1 from marts.fct_ledger_reconciliation where is_blocking").fetchall()
