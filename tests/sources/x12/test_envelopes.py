"""What is set aside when a file is broken: the smallest unit that the fault reaches, and why."""

from __future__ import annotations

import pytest

from dagster_project.sources.x12.claims import CLAIM_LINES
from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    DEPENDENT,
    ENROLLED,
    INSTITUTIONAL,
    INSURED,
    OFFICE_VISIT,
    PAYMENT,
    READ_AND_UNREADABLE,
    REPLY,
    TWO,
    WHOLE,
    acceptances,
    claims,
    damage,
    enrolments,
    interchange,
    notes,
    payments,
    readabilities,
    replies,
    rows,
)


def test_a_whole_file_has_no_damage() -> None:
    assert damage(claims(TWO), 837) == [] and damage(payments(PAYMENT, PAYMENT), 835) == []
    assert damage(claims(TWO, version=INSTITUTIONAL), 837) == []
    assert damage(acceptances(ACCEPTED_AND_REJECTED), 277) == []
    assert damage(readabilities(READ_AND_UNREADABLE), 999) == []


UNBALANCED = PAYMENT.replace("CAS*PR*3*10~", "CAS*PR*3*9~")


def miscounted(data: bytes) -> bytes:
    """The first transaction of the file counts one segment more than it has."""
    first = int(data.split(b"SE*", 1)[1].split(b"*", 1)[0])
    return data.replace(b"SE*%d*0001" % first, b"SE*%d*0001" % (first + 1), 1)


def test_of_a_transaction_whose_count_is_wrong_the_payments_that_balance_arrive_and_others_are_set_aside() -> None:
    whole, broken = payments(PAYMENT + UNBALANCED, UNBALANCED), miscounted(payments(PAYMENT + UNBALANCED, UNBALANCED))
    assert damage(whole, 835) == []
    assert damage(broken, 835) == [(2, "wrong_segment_count")]
    assert notes(broken) == ["wrong_segment_count"]


@pytest.mark.parametrize("lost", ["SVC*HC:87880*30*20**2~", "CAS*PR*3*10~", "CLP*A2*1*80*60*10*12*C1*11*1~"])
def test_a_payment_that_lost_a_segment_with_money_does_not_balance(lost: str) -> None:
    two = PAYMENT + PAYMENT.replace("A1", "A2").replace("LX*1~", "")
    assert damage(miscounted(payments(two)), 835) == []
    assert damage(miscounted(payments(two.replace(lost, "", 1))), 835)[0] == (1, "wrong_segment_count")


@pytest.mark.parametrize(
    "broken",
    [
        PAYMENT.replace("CAS*CO*45*5~", "CAS*CO*45*6~").replace(
            "CAS*PR*3*10~", "CAS*PR*3*9~"
        ),  # its lines, not its sum
        PAYMENT.replace("CLP*A1*1*80*60*", "CLP*A1*1*90*70*"),  # its sum, not that of its lines
        PAYMENT.replace("CLP*A1*1*80*60*", "CLP*A1*1*80*61*"),
    ],
)
def test_a_payment_proves_itself_by_each_line_and_the_claim_and_their_sum(broken: str) -> None:
    assert damage(payments(broken), 835) == []
    assert damage(miscounted(payments(broken)), 835) == [(1, "wrong_segment_count")]


def test_of_a_transaction_whose_count_is_wrong_the_claims_that_sum_to_their_charge_arrive() -> None:
    data = claims(TWO.replace("CLM*A2*80*", "CLM*A2*90*"))
    assert damage(data, 837) == [] and damage(miscounted(data), 837) == [(2, "wrong_segment_count")]


def test_no_claim_proves_itself_where_a_level_was_lost_on_which_it_may_hang() -> None:
    second = INSURED.replace("HL*2*1", "HL*3*1").replace("M100", "M200") + OFFICE_VISIT.replace("A1", "A2")
    data = claims(BILLER + INSURED + OFFICE_VISIT + second + INSURED.replace("HL*2*1", "HL*4*1"))
    assert damage(miscounted(data), 837) == []
    lost = miscounted(data.replace(b"HL*3*1*22*0~", b""))
    assert damage(lost, 837) == [(1, "wrong_segment_count"), (2, "wrong_segment_count")]


def test_what_cannot_prove_itself_is_set_aside_with_its_transaction() -> None:
    assert damage(miscounted(enrolments(ENROLLED)), 834) == [(1, "wrong_segment_count")]


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ((b"GE*2*1~", b"GE*3*1~"), "wrong_transaction_count"),
        ((b"GE*2*1~", b"GE*2*9~"), "wrong_group_control_number"),
        ((b"GE*2*1~", b""), "group_not_closed"),
        ((b"IEA*1*000000001~", b"IEA*2*000000001~"), "wrong_group_count"),
        ((b"IEA*1*000000001~", b"IEA*1*000000009~"), "wrong_interchange_control_number"),
        ((b"IEA*1*000000001~", b""), "interchange_not_closed"),
        ((b"IEA*1*000000001~", b"IEA*1*000000001~page 1 of 1"), "loose_bytes"),
        ((b"IEA*1*000000001~", b"IEA*1*000000001~END*1~"), "loose_segments"),
        ((b"ISA*00*", b"Subject: your remittance\n\nISA*00*"), "loose_bytes"),
        ((b"GE*2*1~", b"ST*276*0003~SE*2*0003~GE*3*1~"), "transaction_not_wanted"),
        ((b"GE*2*1~", b"ST*271*0003~SE*2*0009~GE*3*1~"), "wrong_control_number"),
    ],
)
def test_what_is_wrong_around_whole_transactions_is_told_of_the_file_and_sets_no_payment_aside(
    changed: tuple[bytes, bytes], note: str
) -> None:
    data = payments(PAYMENT, PAYMENT)
    assert notes(data) == [] and data.count(changed[0]) == 1
    assert notes(data.replace(*changed)) == [note] and damage(data.replace(*changed), 835) == []


def test_of_a_file_that_ends_early_each_envelope_that_is_open_is_told() -> None:
    data = payments(PAYMENT)
    assert notes(data[: data.index(b"SE*")]) == ["group_not_closed", "interchange_not_closed", "transaction_not_closed"]


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
    broken = TWO + DEPENDENT.replace("HL*3*2", "HL*9*7") + OFFICE_VISIT.replace("A1", "A3")
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


def test_each_kind_of_file_is_whole_by_itself() -> None:
    assert {kind: (damage(data, kind), notes(data)) for kind, data in WHOLE.items()} == {
        kind: ([], []) for kind in WHOLE
    }


SECOND = BILLER.replace("HL*1", "HL*3") + INSURED.replace("HL*2*1", "HL*4*3") + OFFICE_VISIT.replace("A1", "A2")


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        (("HL*4*3*22*0", "HL*4*1*22*0"), [2]),  # below the biller before its own
        (("HL*4*3*22*0", "HL*4**22*0"), [2]),
        (("HL*2*1*22*0", "HL*2*3*22*0"), [1]),  # below one that comes later
        (("HL*4*3*22*0", "HL*4*3*21*0"), [2]),  # no level that has claims
        (("HL*4*3*22*0", "HL*4*2*23*0"), []),  # of the insured before, in whose place nobody came
    ],
)
def test_a_claim_hangs_on_the_insured_and_the_biller_before_it(changed: tuple[str, str], broken: list[int]) -> None:
    two = BILLER + INSURED + OFFICE_VISIT + SECOND
    assert damage(claims(two), 837) == [] and two.count(changed[0]) == 1
    assert damage(claims(two.replace(*changed)), 837) == [(unit, "broken_hierarchy") for unit in broken]


def test_a_claim_of_nobody_insured_is_set_aside() -> None:
    assert damage(claims(BILLER + OFFICE_VISIT), 837) == [(1, "broken_hierarchy")]


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        (("HL*3*2*22*1", "HL*3*1*22*1"), [3]),  # below who answers, not who asked
        (("HL*3*2*22*1", "HL*3**22*1"), [3]),
        (("HL*4*3*23*0", "HL*4*2*23*0"), [4]),
        (("HL*2*1*21*1", "HL*2*9*21*1"), []),  # who asks is nobody's benefit
    ],
)
def test_a_reply_hangs_on_who_asked_and_on_the_insured_before_it(changed: tuple[str, str], broken: list[int]) -> None:
    assert damage(replies(REPLY), 271) == [] and REPLY.count(changed[0]) == 1
    assert damage(replies(REPLY.replace(*changed)), 271) == [(unit, "broken_hierarchy") for unit in broken]


@pytest.mark.parametrize(
    ("name", "found"),
    [("NM1*74*1*ROE*PAT", []), ("NM1*70*1*ROW*PAT", [(1, "missing_segment")]), ("N1*IL*ROE", [(1, "missing_segment")])],
)
def test_an_enrolment_says_who_it_is_about_by_his_name_of_now(name: str, found: list[tuple[int, str]]) -> None:
    assert damage(enrolments(ENROLLED.replace("NM1*IL*1*ROE*PAT", name)), 834) == found


@pytest.mark.parametrize(
    ("of_group", "of_transaction", "is_read"),
    [
        ("005010X222A1", "", True),
        ("", "005010X222A1", True),
        ("", "", False),
        ("", "004010X098A1", False),
        ("004010X098A1", "005010X222A1", False),  # the group's word goes before its transaction's
    ],
)
def test_a_version_stands_in_the_group_or_where_that_is_blank_in_the_transaction(
    of_group: str, of_transaction: str, is_read: bool
) -> None:
    data = claims(TWO).replace(b"*X*005010X222A1~", f"*X*{of_group}~".encode())
    data = data.replace(b"*0001*005010X222A1~", f"*0001*{of_transaction}~".encode())
    assert (damage(data, 837) == []) is is_read


@pytest.mark.parametrize("version", ["005010X214", "005010X212"])
def test_which_277_is_wanted_is_told_by_the_transaction_where_the_group_is_silent(version: str) -> None:
    data = acceptances(ACCEPTED_AND_REJECTED).replace(b"*X*005010X214~", b"*X*~")
    wanted = notes(data.replace(b"*0001*005010X214~", f"*0001*{version}~".encode()))
    assert wanted == ([] if version == "005010X214" else ["transaction_not_wanted"])


@pytest.mark.parametrize(
    ("changed", "noted"),
    [
        ((b"ST*835*0001", b"TA1*000000001*260121*1400*A*000~ST*835*0001"), []),
        ((b"ST*835*0001", b"REF*ZZ*1~ST*835*0001"), ["loose_segments"]),  # of a group, and of no transaction
        ((b"GS*HP*", b"REF*ZZ*1~GS*HP*"), ["loose_segments"]),  # of an interchange, and of no group
        ((b"IEA*1*000000001~", b"IEA*1*000000001~GE*0*7~"), ["loose_segments"]),  # of no interchange
        ((b"IEA*1*", b"ST*835*0003*005010X221A1~SE*2*0003~IEA*1*"), ["loose_segments"]),  # a transaction of no group
        ((b"IEA*1*000000001~", b"IEA*one*000000001~"), ["wrong_group_count"]),
        ((b"GE*2*1~", b"GE**1~"), ["wrong_transaction_count"]),
        ((b"IEA*1*000000001~", b"IEA*1*000000001~\r\n \n"), []),
    ],
)
def test_what_stands_outside_every_transaction_is_told_of_the_file(
    changed: tuple[bytes, bytes], noted: list[str]
) -> None:
    data = payments(PAYMENT, PAYMENT)
    assert notes(data.replace(changed[0], changed[1], 1)) == noted


def test_what_is_wrong_with_the_second_of_two_interchanges_is_told_and_once() -> None:
    one = payments(PAYMENT)
    wrong = one.replace(b"GE*1*1~", b"GE*2*1~")
    assert notes(one + wrong + wrong) == ["wrong_transaction_count"] and notes(one + one) == []


def test_a_stay_proves_itself_by_the_charges_of_its_lines() -> None:
    stay = "CLM*H1*900***11:A:1*Y*A*Y*Y~HI*ABK:I219~LX*1~SV2*0120**600*DA*4~LX*2~SV2*0250*HC:J1*300*UN*1~"
    whole = claims(BILLER + INSURED + stay, version=INSTITUTIONAL)
    assert damage(miscounted(whole), 837) == []
    assert damage(miscounted(whole.replace(b"*300*UN", b"*301*UN")), 837) == [(1, "wrong_segment_count")]


SIX = "CAS*CO*45*1**A*1**B*1**C*1**D*1**E*{}~"


def test_a_payment_balances_by_all_six_reasons_of_a_segment() -> None:
    paid = PAYMENT.replace("CAS*CO*45*5~", SIX.format(0)).replace("CAS*PR*3*10~", SIX.format(5))
    assert damage(miscounted(payments(paid)), 835) == []
    for number in "ABCD":
        lost = paid.replace(f"*{number}*1*", f"*{number}*2*", 1)
        assert damage(miscounted(payments(lost)), 835) == [(1, "wrong_segment_count")]
