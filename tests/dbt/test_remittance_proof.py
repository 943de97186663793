"""What an 835 says of itself, held against its claims and lines: hand-written ones, and payers' own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from small_warehouse import Warehouse

from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    INSURED,
    MISNAMED,
    OFFICE_VISIT,
    PAYMENT,
    SENT_ELSEWHERE,
    SENT_ON,
    UNNUMBERED,
    acceptances,
    claims,
    payments,
)

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

ONCE = payments(PAYMENT + "PLB*1234567893*20261231*L6*-1.5~").replace(b"BPR*I*60*", b"BPR*I*61.5*")
# A clearinghouse sends again what it has sent, in an envelope of another day.
AGAIN = ONCE.replace(b"*260121*1400*^", b"*260122*0900*^")
# Six months later: another claim is paid 60, less 25 of what was paid for the first (PLB refers to it by the payer's number).
TAKEBACK = (
    payments(
        PAYMENT.replace("CLP*A1*", "CLP*A3*").replace("*C1*11*1~", "*C3*11*1~") + "PLB*1234567893*20261231*WO:C1*25~"
    )
    .replace(b"BPR*I*60*", b"BPR*I*35*")
    .replace(b"*20260120~TRN*1*T1*", b"*20260720~TRN*1*T9*")
    .replace(b"DTM*405*20260119", b"DTM*405*20260719")
)
LOST = PAYMENT.replace("CLP*A1*", "CLP*A2*").replace("*C1*11*1~", "*C2*11*1~").replace("NM1*QC*", "ZZZ*QC*")

# What is sent on is paid by the second payer, too, which rejected it at first.
REJECTED_BY_SECOND = acceptances(
    ACCEPTED_AND_REJECTED.split("HL*5*")[0].replace("*PI*P1~", "*PI*P2~").replace("STC*A2:20:PR*", "STC*A7:254*")
)
SECOND = (
    payments(
        "LX*1~CLP*A1*2*80*15**12*Z9*11*1~NM1*QC*1*ROE*PAT****MI*Z7~DTM*232*20260102~"
        "SVC*HC:99213*50*5**1~DTM*472*20260102~CAS*OA*23*45~SVC*HC:87880*30*10**2~DTM*472*20260102~CAS*OA*23*20~"
    )
    .replace(b"BPR*I*60*", b"BPR*I*15*")
    .replace(b"*20260120~TRN*1*T1*", b"*20260220~TRN*1*T2*")
    .replace(b"DTM*405*20260119~N1*PR*PLAN~", b"DTM*405*20260219~N1*PR*OTHER PLAN~")
)
# The first payer refuses what is another's (109), and the biller sends it there. The first one's front end rejects it late.
TO_FIRST = claims(BILLER + INSURED + OFFICE_VISIT)
TO_OTHER = claims(BILLER + SENT_ELSEWHERE + OFFICE_VISIT).replace(b"*B1*20260104*", b"*B1*20260203*")
REFUSED = (
    payments(
        "LX*1~CLP*A1*1*80*0**12*C1*11*1~NM1*QC*1*ROE*PAT****MI*M100~DTM*232*20260102~"
        "SVC*HC:99213*50*0**1~CAS*OA*109*50~SVC*HC:87880*30*0**2~CAS*OA*109*30~"
    )
    .replace(b"BPR*I*60*", b"BPR*H*0*")
    .replace(b"N1*PR*PLAN~", b"N1*PR*PLAN*XV*P1~")
)
REJECTED_LATE = acceptances(
    ACCEPTED_AND_REJECTED.split("HL*5*")[0].replace("STC*A2:20:PR*20260122", "STC*A7:254*20260210")
).replace(b"*20260122*0815", b"*20260210*0815")
PAID_BY_OTHER = (
    payments(PAYMENT.replace("*C1*11*1~", "*D1*11*1~").replace("*MI*M100~", "*MI*Z7~"))
    .replace(b"*20260120~TRN*1*T1*", b"*20260220~TRN*1*T2*")
    .replace(b"DTM*405*20260119~N1*PR*PLAN~", b"DTM*405*20260219~N1*PR*OTHER PLAN*XV*P2~")
)
# A void of what lies with the first payer, after the claim went to the other.
VOID_WITH_FIRST = claims(BILLER + INSURED + OFFICE_VISIT.replace("*11:B:1*", "*11:B:8*")).replace(
    b"*B1*20260104*", b"*B1*20260210*"
)
# In one file to both, and once more to the second; its lines are split otherwise there.
OTHERWISE = OFFICE_VISIT.replace(":25*50*", ":25*60*").replace("87880*30*", "87880*20*")
IN_ONE_FILE = claims(
    BILLER + INSURED + OFFICE_VISIT, BILLER + SENT_ELSEWHERE + OTHERWISE, BILLER + SENT_ELSEWHERE + OTHERWISE
)
# Rejected, mended and sent again; paid, and replaced by another charge under the same number of the biller's; its file read first.
REJECTED = acceptances(
    ACCEPTED_AND_REJECTED.split("HL*5*")[0].replace("STC*A2:20:PR*20260122", "STC*A7:254*20260106")
).replace(b"*20260122*0815", b"*20260106*0815")
MENDED = TO_FIRST.replace(b"*B1*20260104*", b"*B2*20260108*")
REPLACED = claims(
    BILLER
    + INSURED
    + OFFICE_VISIT.replace("CLM*A1*80*", "CLM*A1*90*").replace("*11:B:1*", "*11:B:7*").replace("87880*30*", "87880*40*")
).replace(b"*B1*20260104*", b"*B3*20260301*")
SENT_TWICE_IN_ONE_FILE = TO_FIRST + MENDED
TWO_VISITS = OFFICE_VISIT + OFFICE_VISIT.replace("CLM*A1*", "CLM*A2*")
TWO_PAYMENTS = payments(PAYMENT + PAYMENT.replace("CLP*A1*", "CLP*A2*").replace("*C1*11", "*C2*11"))


@pytest.fixture(scope="module")
def warehouse(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Three senders' files, built as far as the proof sheet."""
    made = Warehouse(tmp_path_factory.mktemp("proof"))
    sent = {
        "twice": {
            "claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "era": ONCE,
            "copy of era": ONCE,
            "era again": AGAIN,
        },
        "lost": {"era": payments(PAYMENT + LOST).replace(b"BPR*I*60*", b"BPR*I*120*")},
        "taken_back": {
            "claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "era": payments(PAYMENT),
            "later era": TAKEBACK,
        },
        "sent_on": {
            "a claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "b claims": claims(BILLER + SENT_ON + OFFICE_VISIT),
            "b rejected": REJECTED_BY_SECOND,
            "era": payments(PAYMENT),
            "later era": SECOND,
        },
        "misnamed": {
            "claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "era": payments(PAYMENT),
            "later era": MISNAMED,
        },
        "unnumbered": {"claims": TO_FIRST, "era": payments(PAYMENT), "later era": UNNUMBERED},
        "of_either": {
            "claims": claims(BILLER + INSURED + TWO_VISITS),
            "era": TWO_PAYMENTS.replace(b"BPR*I*60*", b"BPR*I*120*"),
            "later era": UNNUMBERED,
        },
        # files come in any order
        "elsewhere": {"a other": TO_OTHER, "b first": TO_FIRST, "refused": REFUSED, "rejected": REJECTED_LATE},
        "paid_elsewhere": {
            "a first": TO_FIRST,
            "b other": TO_OTHER,
            "c void": VOID_WITH_FIRST,
            "refused": REFUSED,
            "paid": PAID_BY_OTHER,
        },
        "in_one_file": {"claims": IN_ONE_FILE},
        "again": {
            "a replacement": REPLACED,
            "b first": TO_FIRST,
            "c copy": TO_FIRST.replace(b"*260121*1400*^", b"*260122*0900*^"),
            "d mended": MENDED,
            "rejected": REJECTED,
            "era": payments(PAYMENT),
        },
        "sent_on_again": {
            "a claims": TO_FIRST,
            "b claims": claims(BILLER + SENT_ON + OFFICE_VISIT),
            "c mended": claims(BILLER + SENT_ON + OFFICE_VISIT).replace(b"*B1*20260104*", b"*B2*20260210*"),
        },
        "again_in_one_file": {"claims": SENT_TWICE_IN_ONE_FILE},
        "sent_on_in_one_file": {
            "claims": claims(BILLER + INSURED + OFFICE_VISIT, BILLER + SENT_ON + OFFICE_VISIT),
        },
        "called": {
            "claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "later era": TAKEBACK.replace(b"*WO:C1*", b"*WO:A1*"),
        },
        "ranked_anew": {
            "a claims": claims(BILLER + INSURED + OFFICE_VISIT),
            "b claims": claims(BILLER + INSURED.replace("SBR*P*", "SBR*S*") + OFFICE_VISIT),
        },
        "samples": {path.name: path.read_bytes() for path in sorted((real_folder / "x12").rglob("*.835"))},
    }
    for sender, files in sent.items():
        for name, data in files.items():
            path = made.settings.landing / "x12" / f"source={sender}" / f"{sender} {name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    made.load()
    made.dbt(
        "build",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--select",
        "+mart_remittance_balance",
        "+fct_claim",
        "+fct_provider_adjustment",
        "+mart_patient_balance",
        "+mart_reversal",
        "+int_lake__staged_counts",
        "+stg_lake__load_outcomes",
    )
    yield made


def test_the_same_835_received_twice_under_two_names_pays_once(warehouse: Warehouse) -> None:
    """As two copies, and in another envelope."""
    assert AGAIN != ONCE
    assert warehouse.rows(
        "select claim_state, paid_amount, adjudication_count from marts.fct_claim where data_source = 'twice'"
    ) == [("paid", Decimal("60.00"), 1)]
    assert warehouse.rows(
        "select remittance_id, paid_amount, claim_count, provider_adjustment_count from marts.fct_remittance"
        " where data_source = 'twice'"
    ) == [("T1", Decimal("61.50"), 1, 1)]
    assert warehouse.rows(
        "select is_line_balanced, is_claim_balanced, is_transaction_balanced, unbalanced_level, deposit_status"
        " from marts.mart_remittance_balance where data_source = 'twice'"
    ) == [(True, True, True, "none", "no_data")]


def test_a_takeback_by_plb_six_months_later_is_an_event_of_the_claim_it_refers_to(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select claims.claim_state, claims.paid_amount, claims.recouped_amount, events.event_date::varchar"
        " from marts.fct_claim as claims inner join marts.fct_claim_event as events using (claim_key)"
        " where claims.data_source = 'taken_back' and events.event_type = 'recouped' and claims.has_claim_record"
    ) == [("paid", Decimal("60.00"), Decimal("25.00"), "2026-07-20")]
    assert warehouse.rows(
        "select claim_rule, count(*) from marts.fct_provider_adjustment where data_source = 'taken_back' group by all"
    ) == [("control_number", 1)]
    assert warehouse.rows(
        "select remittance_id, is_transaction_balanced from marts.mart_remittance_balance"
        " where data_source = 'taken_back' order by 1"
    ) == [("T1", True), ("T9", True)]


def test_a_takeback_that_refers_to_the_providers_id_of_a_claim_is_an_event_of_it(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select claim_rule, recouped_amount from marts.fct_provider_adjustment inner join marts.fct_claim using (claim_key)"
        " where fct_claim.data_source = 'called' and has_claim_record"
    ) == [("referred_claim_id", Decimal("25.00"))]


def test_a_reversal_and_its_correction_under_another_id_are_of_the_claim_with_the_payers_number(
    warehouse: Warehouse,
) -> None:
    assert warehouse.rows(
        "select claim_rule, reversal_match, is_followed_by_correction from marts.mart_reversal where data_source = 'misnamed'"
    ) == [("control_number", "to_the_cent", True)]
    assert warehouse.rows(
        "select claim_state, paid_amount, adjudication_count, reversal_count from marts.fct_claim where data_source = 'misnamed'"
    ) == [("paid", Decimal("70.00"), 2, 1)], "and nothing is left under the other id"
    assert warehouse.rows(
        "select event_type, claim_rule from marts.fct_claim_event where data_source = 'misnamed' and event_order in (30, 34)"
        " order by adjudication_number, event_order"
    ) == [
        ("adjudicated", "claim_id"),
        ("reversed", "control_number"),
        ("adjudicated", "control_number"),
        ("corrected", "control_number"),
    ]
    assert warehouse.rows(
        "select remittance_id, is_claim_balanced, is_transaction_balanced from marts.mart_remittance_balance"
        " where data_source = 'misnamed' order by 1"
    ) == [("T1", True, True), ("T3", True, True)]


def test_a_reversal_under_a_new_number_as_well_is_of_the_claim_of_which_it_negates_the_decision_to_the_cent(
    warehouse: Warehouse,
) -> None:
    rule = "negated_to_the_cent"
    assert warehouse.rows(
        "select claim_rule, reversal_match, is_followed_by_correction from marts.mart_reversal where data_source = 'unnumbered'"
    ) == [(rule, "to_the_cent", True)]
    assert warehouse.rows(
        "select claim_state, paid_amount, adjudication_count, reversal_count from marts.fct_claim where data_source = 'unnumbered'"
    ) == [("paid", Decimal("70.00"), 2, 1)]
    assert warehouse.rows(
        "select event_type, claim_rule from marts.fct_claim_event where data_source = 'unnumbered' and event_order in (30, 34)"
        " order by adjudication_number, event_order"
    ) == [("adjudicated", "claim_id"), ("reversed", rule), ("adjudicated", rule), ("corrected", rule)]


def test_a_reversal_that_may_be_of_either_of_two_claims_is_shown_and_takes_back_neither(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select claim_rule, reversal_match, difference_amount from marts.mart_reversal where data_source = 'of_either'"
    ) == [("ambiguous", "ambiguous", Decimal("-60.00"))]
    assert warehouse.rows(
        "select has_claim_record, claim_state, paid_amount from marts.fct_claim where data_source = 'of_either' order by all"
    ) == [(False, "paid", Decimal("10.00")), *[(True, "paid", Decimal("60.00"))] * 2]


def test_a_claim_that_goes_to_another_first_payer_is_that_ones_and_keeps_what_the_first_was_sent_and_said(
    warehouse: Warehouse,
) -> None:
    eighty = Decimal("80.00")
    assert warehouse.rows(
        "select event_type, known_date::varchar, payer_id, submission_number, charge_amount, repeated_charge_amount"
        " from marts.fct_claim_event where data_source = 'elsewhere' order by known_date, event_order"
    ) == [
        ("submitted", "2026-01-04", "P1", 1, None, eighty),
        ("adjudicated", "2026-01-20", "P1", None, None, None),
        ("denied", "2026-01-20", "P1", None, None, None),
        ("submitted", "2026-02-03", "P2", 2, eighty, None),
        ("rejected", "2026-02-10", "P1", 1, None, None),
    ]
    assert warehouse.rows(
        "select payer_id, claim_state, charge_amount, is_denied_at_first, first_decision_payer_id, is_denied_now"
        " from marts.fct_claim where data_source = 'elsewhere'"
    ) == [("P2", "submitted", eighty, True, "P1", None)]
    assert warehouse.rows(
        "select is_other_payer_pending, patient_responsibility_amount from marts.mart_patient_balance"
        " where data_source = 'elsewhere'"
    ) == [(True, Decimal("0.00"))]


def test_a_claim_that_another_first_payer_paid_is_paid_and_a_void_with_the_earlier_one_voids_nothing(
    warehouse: Warehouse,
) -> None:
    assert warehouse.rows(
        "select payer_id, claim_state, charge_amount, paid_amount, earlier_submission_count, successor_claim_key"
        " from marts.fct_claim where data_source = 'paid_elsewhere'"
    ) == [("P2", "paid", Decimal("80.00"), Decimal("60.00"), 2, None)]
    assert warehouse.rows(
        "select event_type, payer_id, submission_number from marts.fct_claim_event"
        " where data_source = 'paid_elsewhere' and event_order = 20 order by known_date"
    ) == [("submitted", "P1", 1), ("submitted", "P2", 3), ("void_submitted", "P1", 2)]
    assert warehouse.rows(
        "select primary_paid_amount, patient_responsibility_amount, refused_amount, is_other_payer_pending"
        " from marts.mart_patient_balance where data_source = 'paid_elsewhere'"
    ) == [(Decimal("60.00"), Decimal("15.00"), Decimal("0.00"), False)]


def test_of_a_claim_that_goes_to_two_first_payers_in_one_file_the_later_stands_and_what_repeats_it_is_set_aside(
    warehouse: Warehouse,
) -> None:
    assert warehouse.rows(
        "select event_type, payer_id, submission_number, charge_amount, repeated_charge_amount"
        " from marts.fct_claim_event where data_source = 'in_one_file' order by submission_number"
    ) == [("submitted", "P1", 1, None, Decimal("80.00")), ("submitted", "P2", 2, Decimal("80.00"), None)]
    assert warehouse.rows(
        "select payer_id, claim_line_number, charge_amount from intermediate.int_claim__lines where data_source = 'in_one_file' order by 2"
    ) == [("P2", 1, Decimal("60.00")), ("P2", 2, Decimal("20.00"))]
    assert warehouse.rows(
        "select feed, outcomes.reason_code, row_count, amount::double from staging.stg_lake__load_outcomes as outcomes"
        " inner join staging.stg_lake__loads using (load_id, feed) where data_source = 'in_one_file' and outcomes.reason_code is not null"
        " order by all"
    ) == [("medical_claim", "duplicate_key", 1, 80), ("medical_claim_line", "duplicate_key", 2, 80)]
    assert warehouse.rows(
        "select feed, rows_in, rows_staged, rows_repeated_key, rows_sent_to_earlier_payer, amount_sent_to_earlier_payer::double"
        " from intermediate.int_lake__staged_counts where data_source = 'in_one_file' order by all"
    ) == [("medical_claim", 2, 1, 0, 1, 80), ("medical_claim_line", 4, 2, 2, 0, 0)]


def test_every_submission_of_a_claim_to_its_payer_is_kept_and_the_last_is_its_own(warehouse: Warehouse) -> None:
    """Rejected, sent again, paid, replaced under the same number; files come in any order, and one of them twice."""
    eighty, ninety = Decimal("80.00"), Decimal("90.00")
    assert warehouse.rows(
        "select event_type, known_date::varchar, submission_number, charge_amount, repeated_charge_amount"
        " from marts.fct_claim_event where data_source = 'again' order by known_date, event_order"
    ) == [
        ("submitted", "2026-01-04", 1, None, eighty),
        ("rejected", "2026-01-06", 1, None, None),
        ("submitted", "2026-01-08", 2, None, eighty),
        ("adjudicated", "2026-01-20", None, None, None),
        ("paid", "2026-01-20", None, None, None),
        ("replacement_submitted", "2026-03-01", 3, ninety, None),
    ]
    assert warehouse.rows(
        "select payer_id, claim_state, charge_amount, paid_amount, earlier_submission_count, rejection_count,"
        " first_decision_payer_id from marts.fct_claim where data_source = 'again'"
    ) == [("P1", "submitted", ninety, Decimal("60.00"), 2, 1, "P1")]
    assert warehouse.rows(
        "select sum(rows_repeated_key)::bigint, sum(rows_sent_before)::bigint, sum(amount_sent_before)::double"
        " from intermediate.int_lake__staged_counts where data_source = 'again' and feed = 'medical_claim'"
    ) == [(1, 2, 160)]


def test_a_claim_that_one_file_sends_twice_to_its_payer_is_submitted_twice(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select submission_number, known_date::varchar from marts.fct_claim_event"
        " where data_source = 'again_in_one_file' order by 1"
    ) == [(1, "2026-01-04"), (2, "2026-01-08")]
    assert warehouse.rows(
        "select count(*), sum(charge_amount)::double from intermediate.int_claim__lines where data_source = 'again_in_one_file'"
    ) == [(2, 80)]


def test_each_submission_to_a_further_payer_is_kept(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select payer_id, is_to_further_payer, known_date::varchar, charge_amount, repeated_charge_amount"
        " from marts.fct_claim_event where data_source = 'sent_on_again' order by known_date, payer_id"
    ) == [
        ("P1", False, "2026-01-04", Decimal("80.00"), None),
        ("P2", True, "2026-01-04", None, Decimal("80.00")),
        ("P2", True, "2026-02-10", None, Decimal("80.00")),
    ]
    assert warehouse.rows(
        "select payer_id, further_payer_count from marts.fct_claim where data_source = 'sent_on_again'"
    ) == [("P1", 1)]
    assert warehouse.rows(
        "select sum(rows_repeated_key)::bigint, sum(rows_sent_to_further_payer)::bigint"
        " from intermediate.int_lake__staged_counts where data_source = 'sent_on_again' and feed = 'medical_claim'"
    ) == [(0, 2)]


def test_a_claim_that_is_sent_on_in_the_file_that_sends_it_is_submitted_to_both(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select payer_id, is_to_further_payer from marts.fct_claim_event where data_source = 'sent_on_in_one_file' order by 1"
    ) == [("P1", False), ("P2", True)]


def test_a_claim_that_is_sent_on_to_a_second_payer_under_its_number_stays_the_first_ones(warehouse: Warehouse) -> None:
    """Whichever came last; what the second pays is on the same bill."""
    assert warehouse.rows(
        "select payer_id, coverage_rank, paid_amount from marts.fct_claim where data_source = 'sent_on'"
    ) == [("P1", "primary", Decimal("75.00"))]
    assert warehouse.rows(
        "select charge_amount, primary_paid_amount, secondary_paid_amount, patient_responsibility_amount"
        " from marts.mart_patient_balance where data_source = 'sent_on'"
    ) == [(Decimal("80.00"), Decimal("60.00"), Decimal("15.00"), Decimal("0.00"))]


def test_what_is_sent_to_a_second_payer_under_the_same_number_is_an_event_of_the_claim_and_charged_once(
    warehouse: Warehouse,
) -> None:
    eighty = Decimal("80.00")
    assert warehouse.rows(
        "select event_type, events.payer_id, is_to_further_payer, events.charge_amount, repeated_charge_amount,"
        " events.load_id = claims.load_id from marts.fct_claim_event as events inner join marts.fct_claim as claims"
        " using (claim_key) where events.data_source = 'sent_on' and event_order < 30 order by event_order, events.payer_id"
    ) == [
        ("submitted", "P1", False, eighty, None, True),
        ("submitted", "P2", True, None, eighty, False),
        ("rejected", "P2", True, None, None, False),
    ]
    assert warehouse.rows(
        "select charge_amount, further_payer_count, rejection_count from marts.fct_claim where data_source = 'sent_on'"
    ) == [(eighty, 1, None)]
    assert warehouse.rows(
        "select is_other_payer_pending from marts.mart_patient_balance where data_source = 'sent_on'"
    ) == [(False,)]
    assert warehouse.rows("select count(*) from marts.fct_claim_event where data_source = 'ranked_anew'") == [(1,)]


def test_of_one_payer_the_later_word_on_its_rank_stands(warehouse: Warehouse) -> None:
    assert warehouse.rows("select payer_id, coverage_rank from marts.fct_claim where data_source = 'ranked_anew'") == [
        ("P1", "secondary")
    ]


def test_what_the_reader_set_aside_is_named_where_a_remittance_does_not_balance(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select transaction_difference_amount, unbalanced_level, set_aside_amount, set_aside_reason_code"
        " from marts.mart_remittance_balance where data_source = 'lost'"
    ) == [(Decimal("60.00"), "transaction", Decimal("60.00"), "unknown_segment")]


def test_payers_own_samples_balance_where_they_do_and_say_so_where_they_do_not(
    warehouse: Warehouse, real_data: Path
) -> None:
    sheet = {
        str(trace): row
        for trace, *row in warehouse.rows(
            "select remittance_id, paid_amount, claim_paid_amount, provider_adjustment_amount, is_transaction_balanced,"
            " unbalanced_claim_count, unbalanced_level from marts.mart_remittance_balance where data_source = 'samples'"
        )
    }
    assert sheet["12345"] == [Decimal("150000.00"), Decimal("149998.73"), Decimal("-1.27"), True, 0, "none"]
    assert sheet["0012524879"][3:] == [True, 0, "line"], "one malformed SVC in tertiary-payment.835"
    assert sheet["CHK12345"][5] in ("transaction", "claim"), "test.835 does not balance"
    guides = [row for trace, row in sheet.items() if trace != "CHK12345"]
    assert [row[4] for row in guides] == [0] * len(guides), "no claim of the guides' examples is off"
    assert warehouse.rows(
        "select sum(claim_count), bool_and(is_claim_balanced) from marts.mart_remittance_balance"
        " where data_source = 'samples' and remittance_id <> 'CHK12345'"
    ) == [(8, True)], "all eight, also those whose payment is dated in a month 23"
    assert warehouse.rows(
        "select produced_date = told.paid_date, told.paid_date::varchar, is_transaction_balanced from marts.fct_remittance as told"
        " inner join marts.mart_remittance_balance using (remittance_key) where told.remittance_id = '7170066655'"
    ) == [(True, "2002-03-14", True)]
