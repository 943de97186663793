"""A remittance as a whole: what it says that it pays, beside what its claims say."""

from __future__ import annotations

from decimal import Decimal

from dagster_project.sources.x12.payments import PAYMENTS
from tests.sources.x12.lake import Lake
from tests.sources.x12.written import PAYMENT, payments, rows

FEED = "remittance_advice"


def test_a_remittance_says_what_it_pays_to_whom_how_and_when() -> None:
    (found,) = rows(payments(PAYMENT), PAYMENTS)
    names = ("TRN02", "TRN03", "BPR02", "BPR03", "BPR04", "BPR16", "DTM405.02", "PAYEE_NPI")
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
