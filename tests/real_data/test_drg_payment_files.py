"""DRG payment of CMS's own files through the marts: the plain figures to the cent, and what the lists at hand say of families."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dagster_project.resources.opportunity import YEARS, answer_pairs, answer_years
from dagster_project.resources.opportunity_shown import every_cell_is_answered, expected_sums_to_paid
from tests.dbt.small_warehouse import Warehouse

FILES = [
    "cms_ipps/fy2016_provider_drg.csv.gz",
    "cms_ipps/fy2011_nine_drgs_cut.csv.gz",
    "cms_ipps/fy2016_state_drg.csv.gz",
    "cms_ipps/fy2016_national_drg.csv",
    "cms_ipps/dy2023_geography_service.csv.gz",
    "cms_ipps/table5_fy2013.txt",
    "cms_hospitals/hospital_general_information_2026_06.csv",
    "cms_hospitals/hospital_readmissions_reduction_2026_06.csv",
    "cms_hospitals/medicare_inpatient_by_provider_dy2023.csv",
]


@pytest.fixture(scope="module")
def warehouse(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """All years at hand, with the accounting identities of the subject tested as they are built."""
    from dagster_project.sources.loads import place

    built = Warehouse(tmp_path_factory.mktemp("drg"))
    place([real_data / name for name in FILES], built.settings, built.contracts)
    built.load()
    built.dbt(
        "build", "--exclude-resource-type", "unit_test",
        "--select", "+mart_opportunity_ranking", "+mart_drg_benchmarks", "path:tests/opportunity",
        "path:models/intermediate/opportunity",
    )  # fmt: skip
    return built


def one(warehouse: Warehouse, sql: str) -> tuple[Any, ...]:
    (row,) = warehouse.rows(sql)
    return row


def test_the_plain_gap_of_fy2016_is_exact_and_ties_are_none(warehouse: Warehouse) -> None:
    assert one(
        warehouse,
        """select round(sum(plain_gap_amount), 2)::decimal(18, 2), count(*) filter (has_plain_gap), count(*)
        from marts.mart_drg_opportunity where fiscal_year = 2016""",
    ) == (Decimal("6910510283.77"), 116_285, 181_215)
    of_the_nation = "benchmark_level = 'nation' and statistic = 'mean' and fiscal_year = 2016"
    assert one(
        warehouse,
        f"select round(sum(plain_gap_amount), 2)::decimal(18, 2) from marts.mart_drg_benchmarks where {of_the_nation}",
    ) == (Decimal("6910510283.77"),)
    ties = """select count(*), max(drg_hospital_count) from marts.mart_drg_measures where fiscal_year = 2016
        and drg_medicare_payment_amount = average_medicare_payment_amount::decimal(22, 4) * drg_discharge_count::decimal(9, 0)"""
    assert one(warehouse, ties) == (46, 1)  # DRGs that one hospital alone has


def test_the_largest_drgs_and_the_largest_provider_are_those_of_the_plain_gap(warehouse: Warehouse) -> None:
    ranking = "from marts.mart_opportunity_ranking where fiscal_year = 2016"
    assert warehouse.rows(
        f"""select line_code, round(plain_gap_amount / 1000000, 2)::decimal(9, 2) {ranking}
        and area_level = 'nation' and line_level = 'drg' and plain_rank_among_lines <= 5 order by plain_rank_among_lines"""
    ) == [
        ("871", Decimal("533.75")),
        ("470", Decimal("463.60")),
        ("853", Decimal("264.19")),
        ("291", Decimal("180.37")),
        ("003", Decimal("173.02")),
    ]
    assert one(
        warehouse,
        f"""select area_code, round(plain_gap_amount, 2)::decimal(18, 2) {ranking}
        and area_level = 'hospital' and line_level = 'all' and plain_rank_among_areas = 1""",
    ) == ("100007", Decimal("50253448.42"))


def test_payment_to_charge_is_that_of_the_sums(warehouse: Warehouse) -> None:
    paid, charged = one(
        warehouse,
        """select sum(total_medicare_payment_amount)::decimal(38, 2), sum(total_covered_charge_amount)::decimal(38, 2)
        from marts.mart_drg_measures where fiscal_year = 2016""",
    )
    assert (paid, charged) == (Decimal("72035484553.41"), Decimal("361934980124.59"))
    assert round(paid / charged, 6) == Decimal("0.199029")


@pytest.mark.parametrize(
    ("level", "area", "drg"),
    [("nation", "US", "470"), ("state", "AL", "871"), ("referral_region", "AL - Dothan", "291")],
)
def test_a_benchmark_is_what_fractions_make_of_the_cells(warehouse: Warehouse, level: str, area: str, drg: str) -> None:
    where = {"nation": "true", "state": f"state = '{area}'", "referral_region": f"referral_region = '{area}'"}[level]
    cells: list[tuple[Any, ...]] = warehouse.rows(
        f"""select average_medicare_payment_amount, discharge_count from marts.fct_ipps_payment
        where period_year = 2016 and geography_level = 'provider' and drg_code = '{drg}' and {where} order by 1"""
    )
    stays = sum(count for _, count in cells)
    expected = {"mean": Fraction(sum(Fraction(average) * count for average, count in cells), stays)}
    for name, share in (("median", Fraction(1, 2)), ("p75", Fraction(3, 4))):
        reached = 0
        for average, count in cells:
            reached += count
            if reached >= share * stays:
                expected[name] = Fraction(average)
                break
    found: dict[Any, Any] = dict(
        warehouse.rows(
            f"""select statistic, average_medicare_payment_amount from marts.mart_drg_benchmarks where fiscal_year = 2016
            and benchmark_level = '{level}' and benchmark_area = '{area}' and drg_code = '{drg}'"""
        )
    )
    assert found.keys() == expected.keys() and len(cells) > 1
    assert all(abs(Fraction(found[name]) - expected[name]) <= Fraction(1, 2 * 10**10) for name in expected)


def test_the_drgs_whose_weight_the_table_lacks_are_reported_and_never_zero(warehouse: Warehouse) -> None:
    """FY2016 is weighed by the table of FY2013, in which 266 to 274 and 518 to 520 are not."""
    missing = [
        drg
        for (drg,) in warehouse.rows(
            "select drg_code from marts.dim_drg where fiscal_year = 2016 and weight_status = 'missing' order by 1"
        )
    ]
    assert missing == [*(f"{number}" for number in range(266, 275)), "518", "519", "520"]
    assert one(
        warehouse,
        """select count(*), count(relative_weight), count(expected_payment_amount), count(opportunity_index)
        from marts.mart_drg_opportunity where fiscal_year = 2016 and standardization_status = 'weight_missing'""",
    ) == (2_930, 0, 0, 0)
    assert one(
        warehouse,
        "select count(*) from marts.mart_drg_opportunity where relative_weight = 0 or expected_payment_amount <= 0",
    ) == (0,)


def test_the_standardized_gap_is_a_fraction_of_the_plain_one_and_balanced(warehouse: Warehouse) -> None:
    """What wages, teaching and case mix do to a hospital's payment as a whole is in its level, not in its gaps."""
    plain, net, short, paid = one(
        warehouse,
        """select sum(plain_gap_amount), sum(standardized_gap_amount), sum(standardized_gap_amount) filter (standardized_gap_amount > 0),
        sum(total_medicare_payment_amount) from marts.mart_drg_opportunity where fiscal_year = 2016""",
    )
    assert short < plain / 6 and abs(net) < paid / 1000


def test_families_agree_with_the_list_of_drgs_where_both_have_one(warehouse: Warehouse, real_data: Path) -> None:
    """The list words its titles differently, lacks DRGs that CMS has dropped since, and has some that came later."""
    listed: dict[str, dict[str, str]] = {
        row["ms_drg"]: row for row in csv.DictReader((real_data / "codes/ms_drg.csv").open(encoding="utf-8-sig"))
    }
    ours: dict[Any, tuple[Any, ...]] = {
        drg: rest for drg, *rest in warehouse.rows("select drg_code, severity_level, mdc_code, drg_type from marts.dim_drg where fiscal_year = 2016")
    }  # fmt: skip
    assert len(ours) == 749 and len(listed) == 767
    assert sorted(ours.keys() - listed.keys()) == [
        "129", "130", "131", "132", "133", "134", "230", "685", "691", "692", "765", "766", "767", "774", "775", "777", "778",
        "780", "781", "782", "984", "985", "986",
    ]  # fmt: skip
    assert len(listed.keys() - ours.keys()) == 41
    both = sorted(ours.keys() & listed.keys())
    assert [drg for drg in both if ours[drg][0] != level_in_words(listed[drg]["description"])] == []
    # The list has no category for DRGs before any (PRE) and for procedures unrelated to the diagnosis.
    assert {ours[drg][1] for drg in both if not listed[drg]["mdc"]} == {"PRE", "none"}
    assert [drg for drg in both if listed[drg]["mdc"] and ours[drg][1] != listed[drg]["mdc"]] == []
    assert [drg for drg in both if not listed[drg]["medical_surgical"].lower().startswith(ours[drg][2])] == [
        "014",
        "016",
        "017",
    ]


def level_in_words(description: str) -> str | None:
    """The severity level of a title of the list, read without the rules of the warehouse."""
    words = description.upper().replace("CC OR MCC", "CC/MCC").replace("/MCC", "+")
    last = re.search(r"\b(WITHOUT|WITH) (MCC|CC\+|CC)(?: OR .*)?$", words)
    return {
        None: None, ("WITH", "MCC"): "mcc", ("WITH", "CC"): "cc", ("WITH", "CC+"): "cc_or_mcc",
        ("WITHOUT", "CC+"): "neither", ("WITHOUT", "MCC"): "no_mcc",
    }[last.groups() if last else None]  # type: ignore[index]  # fmt: skip


def test_every_family_of_fy2016_is_whole_and_the_nine_drgs_of_fy2011_hold_one(warehouse: Warehouse) -> None:
    assert warehouse.rows("""
        select fiscal_year, family_shape, count(distinct family_code) from marts.dim_drg
        where fiscal_year < 2020 and family_code is not null group by all order by all
    """) == [
        (2011, "mcc_cc_neither", 1),
        (2011, "not_whole", 4),
        (2016, "cc_or_mcc_other", 43),
        (2016, "mcc_cc_neither", 154),
        (2016, "mcc_other", 66),
    ]


def test_both_tails_of_severity_have_numbers_under_them(warehouse: Warehouse) -> None:
    low, high, bare = one(
        warehouse,
        """select count(*) filter (is_documentation_gap), count(*) filter (is_audit_risk),
        count(*) filter ((is_documentation_gap or is_audit_risk) and (reference_median_rate is null or reference_hospital_count < 10
            or share_low_rate is null or share_high_rate is null))
        from marts.mart_severity_capture where fiscal_year = 2016""",
    )
    assert low > 1_000 and high > 500 and bare == 0


@pytest.fixture(scope="module")
def answered(warehouse: Warehouse) -> Warehouse:
    """The models asked about both years and about the pair of them."""
    answer_years(warehouse.settings, YEARS)
    answer_pairs(warehouse.settings)
    return warehouse


def lake(warehouse: Warehouse, table: str) -> str:
    return f"read_parquet('{warehouse.settings.lake}/opportunity/{table}/*.parquet')"


def test_every_published_payment_has_its_expectation_and_the_sums_agree(answered: Warehouse) -> None:
    """60 cells of FY2016 are of DRGs that no hospital of another fold has."""
    assert answered.rows(f"""
        select fiscal_year, count(*), count(*) - count(expected_average_payment_amount)
        from {lake(answered, "drg_expected_payment")} group by all order by all""") == [
        (2011, 12_759, 0),
        (2016, 181_215, 60),
    ]
    for check in (
        every_cell_is_answered(answered.settings, "drg_expected_payment", "run"),
        expected_sums_to_paid(answered.settings, "run"),
    ):
        assert check.passed


def test_attributes_take_two_fifths_off_the_national_means_error_on_hospitals_not_seen(answered: Warehouse) -> None:
    scores = dict(
        answered.rows(f"""
        select measure, (skill_low_rate::double, error_rate::double, covered_rate::double, absent_features)
        from {lake(answered, "drg_model_score")} where way = 'attributes' and fiscal_year = 2016""")
    )
    low, error, covered, absent = scores["payment"]
    assert low > 0.4 and error < 0.11 and 0.94 < covered < 0.96
    assert absent == "wage_index, resident_to_bed_ratio"  # in no file of CMS at hand, and not invented
    low, error, covered, _ = scores["severe_share"]
    assert 0 < low < 0.1 and 0.94 < covered < 0.97


def test_no_gap_of_fy2011_foretells_more_of_fy2016_than_chance_does(answered: Warehouse) -> None:
    tested = answered.rows(f"""
        select measure, yardstick, verdict, hospital_count, slope::double > 0, error_if_shrunk <= error_if_it_stays
        from {lake(answered, "drg_back_test")} order by all""")
    assert tested == [
        (measure, yardstick, "no_more_than_chance", hospitals, True, True)
        for measure, yardstick, hospitals in (
            ("payment", "attributes", 1_909), ("payment", "national_mean", 1_909), ("payment", "standardized", 1_907),
            ("severe_share", "attributes", 1_056), ("severe_share", "national_share", 1_056),
        )
    ]  # fmt: skip
