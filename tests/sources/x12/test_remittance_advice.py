"""A remittance as a whole: what it says that it pays, beside what its claims say."""

from __future__ import annotations

from decimal import Decimal

from dagster_project.sources.x12.payments import PAYMENTS
from tests.sources.x12.lake import Lake
from tests.sources.x12.written import PAYMENT, PLB, notes, payments, rows

FEED = "remittance_advice"


def test_a_remittance_says_what_it_pays_to_whom_how_and_when() -> None:
    (found,) = rows(payments(PAYMENT), PAYMENTS)
    names = ("TRN02", "TRN03", "BPR02", "BPR03", "BPR04", "PAID_DATE", "DTM405.02", "PAYEE_NPI")
    assert [found[name] for name in names] == [
        "T1", "1999999999", "60", "C", "ACH", "20260120", "20260119", "1234567893"
    ]  # fmt: skip


def test_a_payees_tax_number_is_not_kept_since_it_may_be_a_persons(lake: Lake) -> None:
    lake.load(era=payments(PAYMENT).replace(b"*XX*1234567893", b"*FI*123456789"))
    assert lake.rows(FEED, "remittance_id, payee_id") == [("T1", None)]


def test_each_transaction_is_a_row_with_its_own_payment(lake: Lake) -> None:
    two = payments(PAYMENT, PAYMENT).replace(b"TRN*1*T1*", b"TRN*1*T2*", 1).replace(b"BPR*I*60*C", b"BPR*I*61.5*D", 1)
    audit = lake.load(era=two)[FEED]
    assert (audit.rows_accepted, audit.amount_accepted, audit.is_conserved) == (2, Decimal("121.5"), True)
    assert lake.rows(FEED, "remittance_id, credit_debit_code, paid_amount") == [
        ("T2", "D", Decimal("61.50")),
        ("T1", "C", Decimal("60.00")),
    ]


def test_the_payment_arrives_where_its_claims_are_set_aside(lake: Lake) -> None:
    """What was paid and is not explained must be seen: a claim that cannot prove itself whole is set aside, its payment not."""
    audits = lake.load(era=payments(PAYMENT.replace("CLP*A1*1*80*60*", "CLP*A1*1*80*61*"), counted=1))
    assert audits["remittance"].rows_accepted == 0
    assert (audits[FEED].rows_accepted, audits[FEED].amount_accepted) == (1, Decimal(60))


def test_a_payment_that_is_no_amount_is_set_aside_with_its_place(lake: Lake) -> None:
    audit = lake.load(era=payments(PAYMENT).replace(b"BPR*I*60*", b"BPR*I*6O*"))[FEED]
    assert (audit.rows_accepted, audit.rows_set_aside, audit.is_conserved) == (0, 1, True)
    assert lake.set_aside(FEED) == [(4, "paid_amount", "not_a_number")]


NO_PAYMENT_DATE = payments(PAYMENT + PLB).replace(b"****20260120~TRN*", b"****20262316~TRN*")


def test_a_payment_date_that_is_none_is_the_headers_fault_and_the_day_of_production_stands_in(lake: Lake) -> None:
    """managed-care.835 pays in a month 23: what its claims say of themselves is whole all the same."""
    assert payments(PAYMENT + PLB) != NO_PAYMENT_DATE
    audits = lake.load(era=NO_PAYMENT_DATE)
    for feed in ("remittance_advice", "remittance", "remittance_adjustment", "provider_adjustment"):
        assert (audits[feed].rows_set_aside, audits[feed].is_conserved) == (0, True)
        assert set(lake.rows(feed, "cast(paid_date as varchar)")) == {("2026-01-19",)}
    assert set(lake.rows("remittance", "cast(adjudicated_date as varchar)")) == {("2026-01-19",)}
    assert notes(NO_PAYMENT_DATE) == ["wrong_payment_date"]


def test_without_any_date_a_payment_is_set_aside_and_none_is_invented(lake: Lake) -> None:
    audits = lake.load(era=NO_PAYMENT_DATE.replace(b"DTM*405*20260119", b"DTM*405*20260431"))
    assert audits["remittance"].rows_accepted == audits[FEED].rows_accepted == 0
    assert {place[1:] for place in lake.set_aside("remittance")} == {("adjudicated_date", "not_a_date")}
    assert {place[1:] for place in lake.set_aside("remittance_adjustment")} == {("paid_date", "not_a_date")}


def test_a_day_of_production_that_is_none_takes_no_claim_with_it(lake: Lake) -> None:
    data = payments(PAYMENT).replace(b"DTM*405*20260119", b"DTM*405*20251399")
    audits = lake.load(era=data)
    assert (audits["remittance"].rows_set_aside, audits[FEED].rows_set_aside) == (0, 1)
    assert set(lake.rows("remittance", "cast(paid_date as varchar), cast(adjudicated_date as varchar)")) == {
        ("2026-01-20", "2026-01-20")
    }
    assert notes(data) == []
