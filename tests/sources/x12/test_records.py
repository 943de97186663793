"""Rows of the feeds from small claims and remittances written by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.layouts import X12
from dagster_project.sources.x12 import cells
from dagster_project.sources.x12.acknowledgements import CLAIM_STATUSES, TRANSACTION_ANSWERS
from dagster_project.sources.x12.cells import UNREAD
from dagster_project.sources.x12.claims import CLAIM_LINES, CLAIMS
from dagster_project.sources.x12.coverage import BENEFITS, COVERAGES, PEOPLE
from dagster_project.sources.x12.envelopes import KNOWN_TAGS
from dagster_project.sources.x12.payments import PAYMENT_ADJUSTMENTS, PAYMENT_LINES, PROVIDER_ADJUSTMENTS
from dagster_project.sources.x12.records import RECORDS
from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    DEPENDENT,
    ENROLLED,
    ENROLLED_CHILD,
    INSTITUTIONAL,
    INSURED,
    OFFICE_VISIT,
    PAYMENT,
    PLB,
    READ_AND_UNREADABLE,
    REPLY,
    WHOLE_GROUP,
    acceptances,
    claims,
    damage,
    enrolments,
    notes,
    payments,
    picked,
    readabilities,
    replies,
    rows,
)


def total(found: list[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in found), Decimal(0))


def test_a_claim_carries_what_its_levels_say_of_biller_insured_and_payer() -> None:
    (claim,) = rows(claims(BILLER + INSURED + OFFICE_VISIT), CLAIMS)
    assert claim["CLM01"] == "A1" and claim["CLM02"] == "80" and claim["CLM05.3"] == "1"
    assert claim["NM185.09"] == "1234567893" and claim["NM182.09"] == "1111111112"
    assert claim["PATIENT"] == claim["NM1IL.09"] == "M100" and claim["NM1PR.09"] == "P1"
    assert (
        claim["SBR01"] == "P"
        and claim["SBR09"] == "CI"
        and claim["REFG1.02"] == "AUTH7"
        and claim["BHT04"] == "20260104"
    )
    assert (claim["DIAGNOSIS_QUALIFIER"], claim["DIAGNOSIS1"], claim["DIAGNOSIS2"]) == ("ABK", "J029", "R05")
    assert (claim["FIRST_DATE"], claim["LAST_DATE"]) == ("20260102", "20260103")
    assert "DIAGNOSIS3" not in claim and "PRIOR_PAID" not in claim


def test_lines_have_codes_modifiers_units_and_their_claims_place_of_service_where_they_name_none() -> None:
    found = rows(claims(BILLER + INSURED + OFFICE_VISIT), CLAIM_LINES)
    assert picked(found, "CLM01", "LINE", "CODE", "MODIFIER1", "CHARGE", "QUANTITY", "PLACE_OF_SERVICE") == [
        ("A1", "1", "99213", "25", "50", "1", "11"),
        ("A1", "2", "87880", None, "30", "2", "11"),
    ]
    assert picked(found, "FIRST_DATE", "LAST_DATE") == [("20260102", "20260102"), ("20260102", "20260103")]


def test_a_dependent_is_another_person_than_the_insured_through_whom_he_is_covered() -> None:
    data = claims(BILLER + INSURED.replace("22*0", "22*1") + DEPENDENT + OFFICE_VISIT)
    assert picked(rows(data, CLAIMS), "NM1IL.09", "PATIENT", "NM1PR.09") == [("M100", "M100|20150505|KIM", "P1")]


def test_the_next_insured_of_a_biller_is_not_taken_for_the_one_before() -> None:
    second = INSURED.replace("HL*2", "HL*3").replace("M100", "M200") + OFFICE_VISIT.replace("A1", "A2")
    found = rows(claims(BILLER + INSURED + OFFICE_VISIT + second), CLAIMS)
    assert picked(found, "CLM01", "PATIENT", "NM185.09") == [("A1", "M100", "1234567893"), ("A2", "M200", "1234567893")]


def test_what_another_payers_loop_says_is_not_of_this_claim() -> None:
    other = "SBR*S*01*******MB~AMT*D*12.5~OI***Y***Y~NM1*IL*1*ROE*SAM****MI*X900~NM1*PR*2*OTHER*****PI*P9~NM1*82*1*~"
    claim, line = OFFICE_VISIT.split("LX*1~")
    (found,) = rows(claims(f"{BILLER}{INSURED}{claim}{other}LX*1~{line}"), CLAIMS)
    assert (found["PATIENT"], found["NM1PR.09"], found["NM182.09"]) == ("M100", "P1", "1111111112")
    assert found["PRIOR_PAID"] == "12.5"


def test_an_institutional_claim_has_bill_type_stay_drg_and_procedures() -> None:
    stay = (
        "CLM*H1*900***11:A:7*Y*A*Y*Y~DTP*434*RD8*20260101-20260105~DTP*435*DT*202601010830~CL1*1*7*01~REF*F8*OLD9~"
        "HI*ABK:I219~HI*ABF:I10~HI*DR:280~HI*BBR:027034Z:D8:20260102~LX*1~SV2*0120**900*DA*4~"
    )
    data = claims(BILLER + INSURED + stay, version=INSTITUTIONAL)
    (claim,), (line,) = rows(data, CLAIMS), rows(data, CLAIM_LINES)
    assert claim["BILL_TYPE"] == "117" and claim["CLM05.3"] == "7" and claim["REFF8.02"] == "OLD9"
    assert (claim["FIRST_DATE"], claim["LAST_DATE"], claim["ADMISSION_DATE"]) == ("20260101", "20260105", "20260101")
    assert (claim["CL101"], claim["CL102"], claim["CL103"]) == ("1", "7", "01")
    assert (claim["DRG1"], claim["PROCEDURE_QUALIFIER"], claim["PROCEDURE1"]) == ("280", "BBR", "027034Z")
    assert (line["REVENUE_CODE"], line["CHARGE"], line["QUANTITY"]) == ("0120", "900", "4")
    assert line["FIRST_DATE"] == "20260101" and "PLACE_OF_SERVICE" not in line


def test_payments_have_a_row_for_each_line_and_one_for_the_claim_which_sum_to_the_claims_payment() -> None:
    found = rows(payments(PAYMENT), PAYMENT_LINES)
    assert picked(found, "CLP01", "LINE", "CHARGE", "PAID", "PR1", "PR2", "PR3", "ADJUSTED_BESIDE_LINES") == [
        ("A1", "0", "0", "0", "0", "0", "0", "no"),
        ("A1", "1", "50", "40", "3", "2", "0", "yes"),
        ("A1", "2", "30", "20", "0", "0", "10", "yes"),
    ]
    assert total(found, "PAID") == 60 and total(found, "CHARGE") == 80
    assert picked(found[:1], "TRN02", "PAID_DATE", "DTM405.02", "NM1QC.09") == [("T1", "20260120", "20260119", "M100")]


def test_what_a_claim_is_paid_beside_its_lines_stands_in_its_own_row() -> None:
    data = payments(PAYMENT.replace("CLP*A1*1*80*60", "CLP*A1*1*80*55").replace("NM1*QC", "CAS*OA*B1*5~NM1*QC"))
    found = rows(data, PAYMENT_LINES)
    assert picked(found[:1], "LINE", "CHARGE", "PAID", "ADJUSTED_BESIDE_LINES") == [("0", "0", "-5", "yes")]
    assert total(found, "PAID") == 55


def test_a_claim_that_is_paid_without_lines_is_one_row_as_sent_and_what_is_no_amount_shows_as_none() -> None:
    sent = "LX*1~CLP*A1*1*80*60*10*12*C1*11*1~NM1*QC*1*ROE~"
    assert picked(rows(payments(sent), PAYMENT_LINES), "LINE", "CHARGE", "PAID") == [("0", "80", "60")]
    assert picked(rows(payments(sent.replace("*60*", "*6O*")), PAYMENT_LINES), "CHARGE", "PAID") == [("80", "?")]


def test_a_reversal_and_its_correction_in_one_remittance_are_two_payments_of_one_claim() -> None:
    reversal = "CLP*A1*22*-80*-60**12*C1*11*1~NM1*QC*1*ROE~"
    correction = "CLP*A1*1*80*70**12*C1*11*1~NM1*QC*1*ROE~"
    other = "CLP*A2*1*10*10**12*C2*11*1~NM1*QC*1*ROE~"
    found = rows(payments("LX*1~" + reversal + other + correction), PAYMENT_LINES)
    assert picked(found, "CLP01", "CLP02", "ITERATION", "PAID") == [
        ("A1", "22", "1", "-60"), ("A2", "1", "1", "10"), ("A1", "1", "2", "70")
    ]  # fmt: skip


def test_adjustments_are_numbered_through_all_segments_of_a_line() -> None:
    found = rows(payments(PAYMENT), PAYMENT_ADJUSTMENTS)
    assert picked(found, "CLP01", "LINE", "NUMBER", "CAS01", "REASON", "AMOUNT") == [
        ("A1", "1", "1", "CO", "45", "5"),
        ("A1", "1", "2", "PR", "1", "3"),
        ("A1", "1", "3", "PR", "2", "2"),
        ("A1", "2", "1", "PR", "3", "10"),
    ]


def test_money_of_no_claim_is_read_from_plb_pair_by_pair() -> None:
    found = rows(
        payments(PAYMENT + "PLB*1234567893*20261231*WO:A9*25*L6*-1.5~PLB*1234567893*20261231*FB*3~"),
        PROVIDER_ADJUSTMENTS,
    )
    assert picked(found, "NUMBER", "REASON", "REFERENCE", "AMOUNT") == [
        ("1", "WO", "A9", "25"), ("2", "L6", None, "-1.5"), ("3", "FB", None, "3")
    ]  # fmt: skip


def test_two_transactions_keep_their_own_payer_date_and_trace() -> None:
    data = payments(PAYMENT, PAYMENT).replace(b"TRN*1*T1*1999999999~", b"TRN*1*T2*1999999999~", 1)
    assert picked(rows(data, PAYMENT_LINES), "TRN02", "LINE") == [
        ("T2", "0"), ("T2", "1"), ("T2", "2"), ("T1", "0"), ("T1", "1"), ("T1", "2")
    ]  # fmt: skip


def test_a_claim_is_decided_no_later_than_it_is_paid() -> None:
    before, after = payments(PAYMENT), payments(PAYMENT).replace(b"DTM*405*20260119", b"DTM*405*20260123")
    decided = [row["DECIDED_DATE"] for data in (before, after) for row in rows(data, PAYMENT_LINES)[:1]]
    assert decided == ["20260119", "20260120"]


def test_a_claims_acknowledgement_is_told_from_what_is_said_of_its_batch_and_of_its_lines() -> None:
    found = rows(acceptances(ACCEPTED_AND_REJECTED), CLAIM_STATUSES)
    assert picked(found, "ABOUT", "TRN02", "NUMBER", "STC01.1", "STC01.2", "STC01.3", "STC03", "STC04") == [
        ("batch", "B1", "1", "A1", "19", "PR", "WQ", "160"),
        ("batch", "0", "1", "A1", "19", "PR", "WQ", "80"),
        ("claim", "A1", "1", "A2", "20", "PR", "WQ", "80"),
        ("claim", "A2", "1", "A7", "254", None, "U", "80"),
        ("claim", "A2", "2", "A7", "488", "85", "U", "80"),
        ("line", "A2", "1", "A7", "454", None, "U", None),
    ]
    assert picked(found[2:3], "BHT03", "REF1K.02", "NM1PR.09", "STC02") == [("ACK1", "C1", "P1", "20260122")]
    assert {row["NM1PR.09"] for row in found} == {"P1"} and "REF1K.02" not in found[3]


def test_a_transaction_that_was_sent_is_answered_with_a_code_and_the_number_of_its_errors() -> None:
    found = rows(readabilities(READ_AND_UNREADABLE), TRANSACTION_ANSWERS)
    assert picked(found, "AK102", "NUMBER", "AK202", "ANSWER", "SEGMENT_ERRORS", "ELEMENT_ERRORS") == [
        ("7", "0", None, "P", None, None),
        ("7", "1", "0001", "A", "0", "0"),
        ("7", "2", "0002", "E", "1", "2"),
        ("7", "3", "0003", "R", "0", "0"),
    ]
    assert [row["ANSWERED_BY_TRANSACTION"] for row in found] == ["yes", "no", "no", "no"]
    assert picked(found[:1], "ISA13", "GS06", "ST02", "GS04") == [("000000001", "1", "0001", "20260121")]


def test_a_group_that_is_answered_as_a_whole_has_a_row_of_its_own() -> None:
    (found,) = rows(readabilities(WHOLE_GROUP), TRANSACTION_ANSWERS)
    assert (found["AK102"], found["NUMBER"], found["ANSWER"], found["ANSWERED_BY_TRANSACTION"]) == ("8", "0", "R", "no")


def test_a_lines_control_number_is_the_one_that_was_sent_and_comes_back_with_its_payment_and_its_reasons() -> None:
    sent = claims(BILLER + INSURED + OFFICE_VISIT.replace("LX*2~", "REF*6R*A1-1~LX*2~"))
    assert picked(rows(sent, CLAIM_LINES), "REF6R.02", "LX01") == [("A1-1", "1"), (None, "2")]
    answered = payments(PAYMENT.replace("CAS*CO*45*5~", "CAS*CO*45*5~REF*6R*A1-1~"))
    assert [row.get("REF6R.02") for row in rows(answered, PAYMENT_LINES)] == [None, "A1-1", None]
    assert [row.get("REF6R.02") for row in rows(answered, PAYMENT_ADJUSTMENTS)] == ["A1-1", "A1-1", "A1-1", None]


def test_a_number_beside_a_claims_lines_is_no_lines() -> None:
    answered = payments(PAYMENT.replace("NM1*QC", "CAS*OA*B1*0~REF*6R*X~NM1*QC"))
    assert all(
        "REF6R.02" not in row for record in (PAYMENT_LINES, PAYMENT_ADJUSTMENTS) for row in rows(answered, record)
    )


def test_an_enrolled_person_is_who_he_is_now_and_not_who_he_was_called_before() -> None:
    found = rows(enrolments(ENROLLED + ENROLLED_CHILD), PEOPLE)
    assert picked(found, "MEMBER", "DMG02", "DMG03", "N4.02", "N4.03") == [
        ("M100", "19800101", "F", "PA", "171110000"), ("M100|20150505|KIM", "20150505", "M", None, None)
    ]  # fmt: skip


def test_each_coverage_is_a_row_beside_the_one_of_the_person() -> None:
    found = rows(enrolments(ENROLLED + ENROLLED_CHILD), COVERAGES)
    assert picked(found, "MEMBER", "STATES", "HD03", "PLAN", "FIRST_DATE", "LAST_DATE") == [
        ("M100", "person", None, "GROUP1", None, None),
        ("M100", "coverage", "HMO", "GOLD", "20260101", None),
        ("M100", "coverage", "DEN", "SMILE", "20260101", None),
        ("M100|20150505|KIM", "person", None, "GROUP1", None, None),
        ("M100|20150505|KIM", "coverage", "HMO", "GROUP1 HMO", "20260115", None),
    ]
    assert found[1]["REF0F.02"] == found[4]["REF0F.02"] == "M100" and found[1]["N1IN.04"] == "654456654"


def test_a_cancellation_has_a_last_day_or_says_that_it_lacks_one() -> None:
    ended = ENROLLED.replace("HD*021**HMO*GOLD~DTP*348*D8*20260101~", "HD*024**HMO*GOLD~DTP*348*D8*20260101~{}")
    found = [rows(enrolments(ended.format(day)), COVERAGES)[1] for day in ("DTP*349*D8*20260630~", "")]
    assert picked(found, "FIRST_DATE", "LAST_DATE") == [("20260101", "20260630"), ("20260101", "?")]
    leaves = "INS*Y*18*024*08*A***TE~REF*0F*M100~REF*1L*GROUP1~DTP*357*D8*20260630~NM1*IL*1*ROE*PAT~"
    assert picked(rows(enrolments(leaves), COVERAGES), "STATES", "FIRST_DATE", "LAST_DATE") == [
        ("coverage", None, "20260630")
    ]
    changes = leaves.replace("*024*08*", "*001*25*").replace("DTP*357*D8*20260630~", "")
    assert picked(rows(enrolments(changes), COVERAGES), "STATES") == [("nothing",)]


def test_a_dependent_whose_birthday_is_not_said_is_nobody_known() -> None:
    found = rows(enrolments(ENROLLED + ENROLLED_CHILD.replace("DMG*D8*20150505*M~", "")), PEOPLE)
    assert [row.get("MEMBER") for row in found] == ["M100", None]


def test_a_reply_has_a_row_for_each_benefit_of_the_person_that_it_is_about() -> None:
    found = rows(replies(REPLY), BENEFITS)
    assert picked(found, "MEMBER", "NUMBER", "EB01", "EB03", "EB07", "EB08", "EB12", "PLACE_OF_SERVICE") == [
        ("M100", "1", "1", "30", None, None, None, None),
        ("M100", "2", "B", "98^UC", "25", None, "Y", "11"),
        ("M100|20150505|KIM", "1", "A", "30", None, ".2", "N", None),
    ]
    assert picked(found, "NM1IL.09", "NM1PR.09", "FIRST_DATE", "BHT04") == [
        ("M100", "P1", "20260101", "20260105"), ("M100", "P1", "20260101", "20260105"), ("M100", "P1", None, "20260105")
    ]  # fmt: skip


def test_every_cell_is_read_by_some_layout() -> None:
    """A cell that nobody reads may be wrong for ever, and costs at each load."""
    read: set[str] = set()
    for contract in load_contracts().values():
        layout = contract.layouts.get(X12)
        read |= set(layout.source_columns()) if layout and layout.x12 else set()
    assert {cell for record in RECORDS.values() for cell in record.columns} - read == set()


def _with_unread(kind: int) -> bytes:
    """A whole file with one of each segment that nothing is read from behind every other segment of its claims."""
    claim, build = {837: (BILLER + INSURED + OFFICE_VISIT, claims), 835: (PAYMENT + PLB, payments)}[kind]
    between = "~" + "".join(f"{tag}*1*2*3*4~" for tag in UNREAD[kind])
    return build(claim.replace("~", between))


@pytest.mark.parametrize("record", [name for name, record in RECORDS.items() if record.kind in UNREAD])
def test_a_segment_that_is_left_out_is_one_that_nothing_is_read_from(
    record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = RECORDS[record].kind
    data = _with_unread(kind)
    short = rows(data, RECORDS[record]), damage(data, kind), notes(data)
    monkeypatch.setattr(cells, "UNREAD", {})
    assert short == (rows(data, RECORDS[record]), damage(data, kind), notes(data))
    assert short[0] and not short[1] and not short[2]


@pytest.mark.parametrize("kind", list(UNREAD))
def test_what_is_left_out_is_known_to_the_guides(kind: int) -> None:
    assert set(UNREAD[kind]) < set(KNOWN_TAGS[kind].split())
