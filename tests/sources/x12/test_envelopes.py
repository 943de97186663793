"""What is set aside when a file is broken: the smallest unit that the fault reaches, and why."""

from __future__ import annotations

from dagster_project.sources.x12.claims import CLAIM_LINES
from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    INSTITUTIONAL,
    INSURED,
    OFFICE_VISIT,
    PAYMENT,
    READ_AND_UNREADABLE,
    acceptances,
    claims,
    damage,
    interchange,
    payments,
    readabilities,
    rows,
)

TWO = BILLER + INSURED + OFFICE_VISIT + OFFICE_VISIT.replace("A1", "A2")


def test_a_whole_file_has_no_damage() -> None:
    assert damage(claims(TWO), 837) == [] and damage(payments(PAYMENT, PAYMENT), 835) == []
    assert damage(claims(TWO, version=INSTITUTIONAL), 837) == []
    assert damage(acceptances(ACCEPTED_AND_REJECTED), 277) == []
    assert damage(readabilities(READ_AND_UNREADABLE), 999) == []


def test_a_transaction_whose_count_is_wrong_is_set_aside_whole_and_the_next_arrives() -> None:
    data = payments(PAYMENT, PAYMENT).replace(b"SE*18*0001", b"SE*19*0001")
    assert data.count(b"SE*19") == 1
    assert damage(data, 835) == [(1, "wrong_segment_count")]


def test_a_transaction_that_ends_under_another_number_is_set_aside() -> None:
    assert damage(claims(TWO, closing=9), 837) == [(1, "wrong_control_number"), (2, "wrong_control_number")]


def test_of_a_file_cut_off_only_its_last_claim_is_set_aside() -> None:
    data = claims(TWO)
    assert damage(data[: data.index(b"SE*")], 837) == [(2, "cut_off")]
    assert damage(data[: data.index(b"SV1*HC:87880", data.index(b"CLM*A2"))], 837) == [(2, "cut_off")]


def test_a_segment_that_nobody_knows_sets_its_claim_aside() -> None:
    assert damage(claims(TWO.replace("CLM*A2*80***11:B:1*Y*A*Y*Y~", "CLM*A2*80***11:B:1*Y*A*Y*Y~ZZZ*1~")), 837) == [
        (2, "unknown_segment")
    ]


def test_a_claim_line_without_a_service_sets_its_claim_aside() -> None:
    assert damage(claims(TWO.replace("SV1*HC:87880*30*UN*2*11**1~", "", 1)), 837) == [(1, "missing_segment")]


def test_a_payment_that_says_not_whose_it_is_is_set_aside() -> None:
    assert damage(payments(PAYMENT + PAYMENT.replace("NM1*QC*1*ROE*PAT****MI*M100~", "")), 835) == [
        (2, "missing_segment")
    ]


def test_a_patient_who_hangs_on_an_insured_that_is_not_there_is_set_aside() -> None:
    broken = TWO + "HL*9*7*23*0~PAT*19~NM1*QC*1*ROE*Kim~DMG*D8*20150505*M~" + OFFICE_VISIT.replace("A1", "A3")
    assert damage(claims(broken), 837) == [(3, "broken_hierarchy")]


def test_the_older_version_is_told_from_the_one_that_is_read() -> None:
    older = [(-1, "other_version"), (1, "other_version"), (2, "other_version")]
    assert damage(claims(TWO, version="004010X098A1"), 837) == older
    assert damage(interchange("277", "005010X212", ACCEPTED_AND_REJECTED), 277)[0] == (-1, "other_version")


def test_a_service_without_a_line_number_is_counted_and_its_claim_set_aside() -> None:
    data = claims(TWO.replace("LX*2~", "", 1))
    assert damage(data, 837) == [(1, "missing_segment")]
    assert [row["CHARGE"] for row in rows(data, CLAIM_LINES)] == ["50", "30", "50", "30"]


def test_an_answer_without_a_result_is_set_aside() -> None:
    assert damage(readabilities(READ_AND_UNREADABLE.replace("IK5*A~", "")), 999) == [(1, "missing_segment")]
