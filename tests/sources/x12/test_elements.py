"""Elements that stand rarely in a file, each at its place: which number, whose, how many, and what is excluded under which name."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.sources.x12.acknowledgements import CLAIM_STATUSES, TRANSACTION_ANSWERS
from dagster_project.sources.x12.cells import Record
from dagster_project.sources.x12.claims import CLAIM_LINES
from dagster_project.sources.x12.count import count_x12
from dagster_project.sources.x12.coverage import BENEFITS, COVERAGES, PEOPLE
from dagster_project.sources.x12.payments import PAYMENT_ADJUSTMENTS, PAYMENT_LINES, PROVIDER_ADJUSTMENTS
from tests.sources.x12.lake import Lake
from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    ENROLLED,
    ENROLLED_CHILD,
    INSTITUTIONAL,
    INSURED,
    PAYMENT,
    READ_AND_UNREADABLE,
    REPLY,
    WHOLE_GROUP,
    acceptances,
    claims,
    enrolments,
    payments,
    picked,
    readabilities,
    replies,
    rows,
)

Cells = list[tuple[str | None, ...]]


def cells(data: bytes, record: Record, *names: str) -> Cells:
    return picked(rows(data, record), *names)


# Six reasons, of which the third is blank, and a second segment behind them.
SIX = "CAS*PR*1*1**2*2*****3*4**1*5**2*6*7~CAS*PR*3*8~"


def test_up_to_six_reasons_stand_in_a_segment_and_a_blank_one_is_none() -> None:
    data = payments(PAYMENT.replace("CAS*PR*3*10~", SIX))
    assert cells(data, PAYMENT_ADJUSTMENTS, "NUMBER", "REASON", "AMOUNT", "QUANTITY")[3:] == [
        ("1", "1", "1", None), ("2", "2", "2", None), ("3", "3", "4", None), ("4", "1", "5", None), ("5", "2", "6", "7"),
        ("6", "3", "8", None),
    ]  # fmt: skip
    assert cells(data, PAYMENT_LINES, "PR1", "PR2", "PR3")[2:] == [("6", "8", "12")]


def test_up_to_six_amounts_of_no_claim_stand_in_a_segment() -> None:
    plb = "PLB*1234567893*20261231*WO:A9*1*L6*2***FB*4*72*5*J1*6~"
    found = cells(payments(PAYMENT + plb), PROVIDER_ADJUSTMENTS, "NUMBER", "REASON", "AMOUNT")
    assert found == [("1", "WO", "1"), ("2", "L6", "2"), ("3", "FB", "4"), ("4", "72", "5"), ("5", "J1", "6")]


@pytest.mark.parametrize(
    ("data", "record", "counted"),
    [
        (payments(PAYMENT.replace("CAS*PR*3*10~", SIX)), "payment_adjustment", (9, Decimal(36))),
        (payments("PLB*1*20261231*WO:A9*1*L6*2***FB*4*72*5*J1*6~"), "provider_adjustment", (5, Decimal(18))),
        (claims("LX*1~SV2*0120**900*DA*4~LX*2~SV1*HC:99213*50*UN*1~"), "claim_line", (2, Decimal(950))),
    ],
)
def test_the_second_count_finds_amounts_at_the_same_places(
    data: bytes, record: str, counted: tuple[int, Decimal], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    count = count_x12(path, record)
    assert (count.row_count, count.amount) == counted


def test_a_claim_that_is_answered_again_has_the_next_number_and_a_batch_of_its_name_does_not_count() -> None:
    named_alike = ACCEPTED_AND_REJECTED.replace("TRN*2*B1~", "TRN*2*A1~")
    found = cells(acceptances(named_alike, ACCEPTED_AND_REJECTED), CLAIM_STATUSES, "ABOUT", "TRN02", "NUMBER")
    assert [row for row in found if row[0] == "claim"] == [
        ("claim", "A1", "1"), ("claim", "A2", "1"), ("claim", "A2", "2"),
        ("claim", "A1", "2"), ("claim", "A2", "3"), ("claim", "A2", "4"),
    ]  # fmt: skip
    assert ("batch", "A1", "1") in found


@pytest.mark.parametrize("code", ["PR", "AY"])
def test_a_payer_or_a_clearinghouse_in_its_place_answers_and_each_for_its_own_transaction(code: str) -> None:
    other = ACCEPTED_AND_REJECTED.replace("NM1*PR*2*PLAN*****PI*P1~", f"NM1*{code}*2*OTHER*****PI*P2~")
    found = cells(acceptances(ACCEPTED_AND_REJECTED, other), CLAIM_STATUSES, "NM1PR.03", "NM1PR.09")
    assert found == [("PLAN", "P1")] * 6 + [("OTHER", "P2")] * 6
    nameless = acceptances(ACCEPTED_AND_REJECTED, other.replace(f"NM1*{code}*2*OTHER*****PI*P2~", ""))
    assert cells(nameless, CLAIM_STATUSES, "NM1PR.09")[6:] == [(None,)] * 6


def test_answers_are_numbered_in_each_transaction_and_a_groups_has_none() -> None:
    found = cells(readabilities(READ_AND_UNREADABLE, READ_AND_UNREADABLE), TRANSACTION_ANSWERS, "ST02", "NUMBER")
    assert found == [(sent, number) for sent in ("0001", "0002") for number in "0123"]


def test_a_plan_is_the_coverages_own_policy_before_the_persons_where_it_is_not_named() -> None:
    child = ENROLLED_CHILD.replace("HD*021**HMO~", "HD*021**HMO~REF*1L*GROUP2~")
    assert cells(enrolments(child), COVERAGES, "PLAN")[1:] == [("GROUP2 HMO",)]


def test_a_coverage_without_days_of_its_own_has_the_persons() -> None:
    person = ENROLLED_CHILD.replace("NM1*IL", "DTP*356*D8*20251101~DTP*357*D8*20260228~NM1*IL")
    found = cells(enrolments(person.replace("DTP*348*D8*20260115~", "")), COVERAGES, "FIRST_DATE", "LAST_DATE")
    assert found[1:] == [("20251101", "20260228")]
    days = person + "DTP*349*D8*20260131~"
    assert cells(enrolments(days), COVERAGES, "FIRST_DATE", "LAST_DATE")[1:] == [("20260115", "20260131")]


def test_what_is_done_with_a_coverage_is_the_persons_word_where_it_says_none() -> None:
    silent = ENROLLED_CHILD.replace("*021*20*", "*024*08*").replace("HD*021*", "HD**")
    assert cells(enrolments(silent), COVERAGES, "MAINTENANCE", "LAST_DATE")[1:] == [("024", "?")]
    spoken = ENROLLED_CHILD.replace("*021*20*", "*024*08*")
    assert cells(enrolments(spoken), COVERAGES, "MAINTENANCE", "LAST_DATE")[1:] == [("021", None)]


@pytest.mark.parametrize(
    "lost", ["DMG*D8*20150505*M~", "*Kim", "REF*0F*M100~"], ids=["birthday", "given name", "insured"]
)
def test_a_dependent_of_whom_a_part_is_not_said_is_nobody(lost: str) -> None:
    assert cells(enrolments(ENROLLED_CHILD), PEOPLE, "MEMBER") == [("M100|20150505|KIM",)]
    assert cells(enrolments(ENROLLED_CHILD.replace(lost, "")), PEOPLE, "MEMBER") == [(None,)]


@pytest.mark.parametrize("lost", ["DMG*D8*20150505*M~", "*Kim", "*MI*M100"], ids=["birthday", "given name", "insured"])
def test_a_benefit_of_a_dependent_of_whom_a_part_is_not_said_is_nobodys(lost: str) -> None:
    assert cells(replies(REPLY.replace(lost, "")), BENEFITS, "MEMBER")[2:] == [(None,)]


def test_a_coverage_that_follows_no_person_is_a_row_of_nobody() -> None:
    assert cells(enrolments("HD*021**HMO*GOLD~"), COVERAGES, "MEMBER", "HD03") == [(None, "HMO")]


@pytest.mark.parametrize("code", ["PR", "2B", "36", "GP", "P5"])
def test_whoever_answers_a_reply_is_the_payer_of_all_its_benefits(code: str) -> None:
    data = replies(REPLY.replace("NM1*PR*", f"NM1*{code}*"))
    assert cells(data, BENEFITS, "NM1PR.03", "NM1PR.09") == [("PLAN", "P1")] * 3


@pytest.mark.parametrize("code", ["346", "291", "356", "307"])
def test_a_plans_first_day_is_told_by_any_of_four_words_and_of_several_days_it_is_the_first(code: str) -> None:
    days = f"DTP*{code}*RD8*20260101-20261231~"
    assert cells(replies(REPLY.replace("DTP*346*D8*20260101~", days)), BENEFITS, "FIRST_DATE")[0] == ("20260101",)


def test_the_next_insured_of_a_reply_is_not_the_one_before() -> None:
    second = "HL*5*2*22*0~NM1*IL*1*ROE*LEE****MI*M300~EB*1**30~"
    assert cells(replies(REPLY + second), BENEFITS, "MEMBER", "NM1IL.09", "NUMBER")[2:] == [
        ("M100|20150505|KIM", "M100", "1"), ("M300", "M300", "1")
    ]  # fmt: skip


def test_an_institutional_lines_charge_quantity_and_code_stand_one_place_later() -> None:
    stay = "CLM*H1*350***11:A:1*Y*A*Y*Y~DTP*434*D8*20260101~LX*1~SV2*0250*HC:J1885:59*350*UN*2~"
    data = claims(BILLER + INSURED + stay, version=INSTITUTIONAL)
    names = ("REVENUE_CODE", "CODE", "MODIFIER1", "CHARGE", "QUANTITY", "FIRST_DATE")
    assert cells(data, CLAIM_LINES, *names) == [("0250", "J1885", "59", "350", "2", "20260101")]


def test_what_is_excluded_is_excluded_under_its_name(lake: Lake) -> None:
    never = ENROLLED.replace("M100", "M400").replace("HD*021**HMO", "HD*002**HMO")
    change = "INS*Y*18*001*25*A***FT~REF*0F*M500~NM1*IL*1*ROE*LEE~"
    lake.load(
        era=payments(PAYMENT),
        enrolled=enrolments(ENROLLED + ENROLLED_CHILD + never + change),
        accepted=acceptances(ACCEPTED_AND_REJECTED),
        readable=readabilities(READ_AND_UNREADABLE, WHOLE_GROUP),
    )
    with duckdb.connect() as con:
        outcomes = f"read_parquet('{lake.settings.lake}/load_outcomes/*-*.parquet', union_by_name = true)"
        found = con.execute(
            f"select feed, reason_code, sum(row_count)::int from {outcomes} "
            "where outcome = 'excluded' group by all order by all"
        ).fetchall()
    assert found == [
        ("claim_acknowledgement", "about_a_batch", 2),
        ("claim_acknowledgement", "about_a_line", 1),
        ("eligibility", "coverages_follow", 3),
        ("eligibility", "never_in_force", 1),
        ("eligibility", "no_coverage_named", 1),
        ("eligibility", "not_medical", 2),
        ("member", "nothing_of_the_person", 1),
        ("remittance", "nothing_beside_its_lines", 1),
        ("transaction_acknowledgement", "answered_by_transaction", 1),
    ]


def test_a_payment_of_a_patient_without_a_number_is_the_insureds(lake: Lake) -> None:
    nameless = PAYMENT.replace("A1", "A2").replace("ROE*PAT****MI*M100~", "ROE*KIM~NM1*IL*1*ROE*PAT****MI*M100~")
    both = PAYMENT.replace("A1", "A3").replace("MI*M100~", "MI*M100~NM1*IL*1*ROE*SAM****MI*M999~")
    lake.load(era=payments(PAYMENT + nameless + both))
    found = lake.rows("remittance", "claim_token, member_token")
    assert len(set(found)) == 3 and len({member for _, member in found}) == 1
