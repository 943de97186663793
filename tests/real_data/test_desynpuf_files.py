"""CMS DE-SynPUF sample 1, read by its layouts: counts, dollars, and how spending concentrates."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from real_lake import LoadedLake

BENEFICIARIES = {
    2008: "desynpuf/176541_DE1_0_2008_Beneficiary_Summary_File_Sample_1.zip",
    2009: "desynpuf/176600_DE1_0_2009_Beneficiary_Summary_File_Sample_1.zip",
    2010: "desynpuf/DE1_0_2010_Beneficiary_Summary_File_Sample_1.zip",
}
INPATIENT = "desynpuf/176549_DE1_0_2008_to_2010_Inpatient_Claims_Sample_1.zip"
TINY = "desynpuf/tiny_all_file_types"
TINY_FILES = [
    "2008_Beneficiary_Summary_File_Sample_0",
    "2009_Beneficiary_Summary_File_Sample_0",
    "2010_Beneficiary_Summary_File_Sample_0",
    "2008_to_2010_Inpatient_Claims_Sample_0",
    "2008_to_2010_Outpatient_Claims_Sample_0",
    "2008_to_2010_Carrier_Claims_Sample_0A",
    "2008_to_2010_Carrier_Claims_Sample_0B",
    "2008_to_2010_Prescription_Drug_Events_Sample_0",
]


@pytest.fixture(scope="module")
def lake(load: Callable[..., LoadedLake]) -> LoadedLake:
    """2008 in full and inpatient claims of three years; the other years' beneficiaries have the same layout."""
    return load(BENEFICIARIES[2008], INPATIENT)


@pytest.fixture(scope="module")
def tiny(load: Callable[..., LoadedLake]) -> LoadedLake:
    return load(*(f"{TINY}/DE1_0_{name}.csv" for name in TINY_FILES))


def shares(lake: LoadedLake, amounts: str, people: int) -> list[Decimal]:
    """Shares of the top 1, 5 and 10 % of people, those without cost included; the number of people is rounded up."""
    tops = [math.ceil(people * share / 100) for share in (1, 5, 10)]
    sums = ", ".join(f"sum(amount) filter (place <= {top})" for top in tops)
    *parts, total = lake.one(
        f"select {sums}, sum(amount) from (select amount, row_number() over (order by amount desc) as place "
        f"from ({amounts}))"
    )
    return [(part * 100 / total).quantize(Decimal("0.01")) for part in parts]


def test_beneficiaries_are_all_there_when_2008_is_loaded(lake: LoadedLake) -> None:
    assert lake.one("select count(*), count(distinct member_token), count(death_year) from member") == (
        116_352,
        116_352,
        1_814,
    )
    assert lake.one("select count(*), count(*) filter (amount_year = 2008) from member_year_amount") == (
        349_056,
        349_056,
    )


def test_beneficiaries_are_all_there_when_2009_and_2010_are_loaded(load: Callable[..., LoadedLake]) -> None:
    later = load(BENEFICIARIES[2009], BENEFICIARIES[2010], feeds=["member"])
    assert sorted(
        count for (count,) in later.all("select count(distinct member_token) from member group by load_id")
    ) == [112_754, 114_538]


def test_spending_concentrates_as_published_when_the_yearly_amounts_are_summed(lake: LoadedLake) -> None:
    amounts = (
        "select sum(paid_amount + patient_responsibility_amount + prior_payer_paid_amount) as amount "
        "from member_year_amount where amount_year = 2008 group by member_token"
    )
    assert lake.one(f"select count(*), sum(amount)::decimal(18, 2) from ({amounts})") == (
        116_352,
        Decimal("572106116.00"),
    )
    assert shares(lake, amounts, 116_352) == [Decimal("16.86"), Decimal("46.45"), Decimal("63.87")]


def test_inpatient_spending_concentrates_as_published_when_claims_are_joined_to_payments(lake: LoadedLake) -> None:
    claims = (
        "select r.member_token, r.paid_amount from remittance r join medical_claim c using (claim_token) "
        "where year(c.claim_start_date) = 2008"
    )
    assert lake.one(f"select count(*), sum(paid_amount) from ({claims})") == (27_678, Decimal("257732880.00"))
    assert shares(lake, f"select sum(paid_amount) as amount from ({claims}) group by member_token", 116_352) == [
        Decimal("29.00"),
        Decimal("73.00"),
        Decimal("94.27"),
    ]


def test_the_second_segment_of_a_stay_is_excluded_by_name_when_inpatient_claims_are_read(lake: LoadedLake) -> None:
    """68 claims have a second row: no dates, no diagnoses, the same stay, and mostly the same deductible again."""
    assert lake.one("select count(*), count(distinct claim_token) from medical_claim") == (66_705, 66_705)
    assert lake.excluded("medical_claim", "continuation_segment")[0] == 68
    assert {audit.rows_read for audit in lake.audits if audit.layout == "desynpuf_inpatient"} == {66_773}


def test_payments_are_complete_when_negative_ones_and_second_segments_are_counted(lake: LoadedLake) -> None:
    rows, paid, negative = lake.one(
        "select count(*), sum(paid_amount), count(*) filter (paid_amount < 0) from remittance"
    )
    segments = lake.excluded("remittance", "continuation_segment")
    assert (rows, negative, segments[0]) == (66_705, 55, 68)
    assert paid + segments[1] == Decimal("639260180.00")


def test_every_row_and_dollar_is_accounted_for_when_a_file_feeds_several_feeds(
    lake: LoadedLake, tiny: LoadedLake
) -> None:
    assert {audit.feed for audit in lake.audits} == {
        "member",
        "eligibility",
        "member_year_amount",
        "medical_claim",
        "remittance",
    }
    assert all(audit.is_conserved and audit.rows_set_aside == 0 for audit in [*lake.audits, *tiny.audits])


def test_months_of_cover_are_as_many_as_published_when_laid_from_january(lake: LoadedLake) -> None:
    months = dict(lake.all("select plan_id, sum(month(enrollment_end_date))::bigint from eligibility group by 1"))
    assert months == {"medicare_part_a": 1_296_626, "medicare_part_b": 1_221_174}
    assert lake.one(
        "select count(*) from eligibility where year(enrollment_start_date) <> 2008 or month(enrollment_start_date) "
        "<> 1"
    ) == (0,)


def test_all_eight_kinds_of_file_are_read_when_tiny(tiny: LoadedLake) -> None:
    assert {item.format for item in tiny.inventory} == {
        "desynpuf_beneficiary",
        "desynpuf_inpatient",
        "desynpuf_outpatient",
        "desynpuf_carrier",
        "desynpuf_prescription_event",
    }
    assert tiny.all("select amount_year, sum(paid_amount) from member_year_amount group by 1 order by 1") == [
        (2008, Decimal("8270.00")),
        (2009, Decimal("30790.00")),
        (2010, Decimal("7110.00")),
    ]
    assert tiny.all("select claim_type, count(*) from medical_claim group by 1 order by 1") == [
        ("institutional", 4),
        ("professional", 2),
    ]


def test_thirteen_lines_side_by_side_become_those_that_are_there_when_carrier_claims_are_read(tiny: LoadedLake) -> None:
    assert tiny.one("""
        select count(*), count(distinct claim_token), max(claim_line_number), count(hcpcs_code)
        from medical_claim_line semi join (from medical_claim where claim_type = 'professional') using (claim_token)
    """) == (4, 2, 3, 4)
    assert tiny.one("select sum(paid_amount), sum(coinsurance_amount) from remittance where claim_line_number > 0") == (
        Decimal("160.00"),
        Decimal("30.00"),
    )


def test_outpatient_procedures_become_lines_without_charges_when_the_file_has_none(tiny: LoadedLake) -> None:
    assert tiny.one("""
        select count(*), count(charge_amount), string_agg(hcpcs_code, ' ' order by hcpcs_code)
        from medical_claim_line semi join (from medical_claim where claim_type = 'institutional') using (claim_token)
    """) == (4, 0, "10061 72114 99213 99282")


def test_a_fill_is_paid_what_the_person_did_not_pay_when_drug_events_are_read(tiny: LoadedLake) -> None:
    """Amounts are rounded to tens before they are published, so one plan pays -10: what is sent is kept."""
    assert tiny.all("select allowed_amount, copayment_amount, paid_amount from pharmacy_fill order by ndc_code") == [
        (10, 20, -10),
        (270, 10, 260),
    ]
