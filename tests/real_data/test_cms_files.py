"""CMS's own files, read by their layouts: every figure that was published or counted beside them, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from real_lake import LoadedLake

# Averages are summed by discharges and only the sum is rounded: CMS publishes up to ten decimals.
WEIGHTED = ", ".join(
    f"round(sum(discharge_count::decimal(9, 0) * average_{name}_amount), 2)::decimal(18, 2)"
    for name in ("covered_charge", "total_payment", "medicare_payment")
)


@pytest.fixture(scope="module")
def providers(load: Callable[..., LoadedLake]) -> LoadedLake:
    return load(
        "cms_ipps/fy2016_provider_drg.csv.gz", "cms_ipps/fy2011_nine_drgs_cut.csv.gz", "cms_ipps/table5_fy2013.txt"
    )


@pytest.fixture(scope="module")
def areas(load: Callable[..., LoadedLake]) -> LoadedLake:
    return load(
        "cms_ipps/fy2016_state_drg.csv.gz",
        "cms_ipps/fy2016_national_drg.csv",
        "cms_ipps/dy2023_geography_service.csv.gz",
    )


@pytest.fixture(scope="module")
def hospitals(load: Callable[..., LoadedLake]) -> LoadedLake:
    return load(
        "cms_hospitals/hospital_general_information_2026_06.csv",
        "cms_hospitals/medicare_inpatient_by_provider_dy2023.csv",
        "cms_hospitals/hospital_readmissions_reduction_2026_06.csv",
    )


def test_fy2016_has_its_rows_hospitals_and_discharges_when_read_from_the_legacy_layout(providers: LoadedLake) -> None:
    assert providers.one("""
        select count(*), count(distinct ccn), count(distinct drg_code), sum(discharge_count)::bigint,
               min(discharge_count)
        from ipps_provider_drg where period_year = 2016 and period_type = 'fy' and data_source = 'cms_ipps'
    """) == (181_215, 3_064, 565, 6_645_098, 11)


def test_fy2016_dollars_are_exact_when_averages_are_weighted_by_discharges(providers: LoadedLake) -> None:
    assert providers.one(f"select {WEIGHTED} from ipps_provider_drg where period_year = 2016") == (
        Decimal("361934980124.59"),
        Decimal("85304726375.82"),
        Decimal("72035484553.41"),
    )


def test_ids_and_zips_get_their_zeros_back_when_a_spreadsheet_ate_them(providers: LoadedLake) -> None:
    """FY2016's public file holds 28,512 provider ids with five digits: Alabama's 010001 became 10001."""
    assert providers.one("""
        select count(*) filter (ccn like '0%'), count(*) filter (zip_code like '0%'),
               count(*) filter (length(ccn) <> 6 or length(zip_code) <> 5)
        from ipps_provider_drg where period_year = 2016
    """) == (28_512, 15_147, 0)
    assert providers.one("select count(*) > 0 from ipps_provider_drg where ccn = '010001' and state = 'AL'") == (True,)


def test_a_discharge_count_with_a_comma_is_a_number_when_read(providers: LoadedLake) -> None:
    assert providers.one(
        "select count(*), min(discharge_count) from ipps_provider_drg "
        "where period_year = 2016 and discharge_count >= 1000"
    ) == (37, 1004)


def test_the_cut_last_line_alone_is_set_aside_when_fy2011_is_read(providers: LoadedLake) -> None:
    assert providers.one("""
        select count(*), count(distinct ccn), sum(discharge_count)::bigint,
               round(sum(discharge_count::decimal(9, 0) * average_medicare_payment_amount), 2)::decimal(18, 2)
        from ipps_provider_drg where period_year = 2011
    """) == (12_759, 2_506, 443_004, Decimal("2801046653.97"))
    assert [
        drg
        for (drg,) in providers.all(
            "select distinct drg_code from ipps_provider_drg where period_year = 2011 order by 1"
        )
    ] == ["039", "057", "064", "065", "066", "069", "074", "101", "149"]
    assert providers.all("select row_count, reason_code from load_outcomes where outcome = 'set_aside'") == [
        (1, "wrong_field_count")
    ]
    quarantine = providers.settings.quarantine / "ipps_provider_drg" / "*.parquet"
    assert providers.one(f"select source_line_number, column_name from '{quarantine}'") == (12_761, None)


def test_years_stand_side_by_side_when_two_releases_are_loaded(providers: LoadedLake) -> None:
    assert providers.all(
        "select period_year, count(distinct load_id) from ipps_provider_drg group by 1 order by 1"
    ) == [(2011, 1), (2016, 1)]


def test_table_5_has_its_weights_when_title_and_footnote_are_no_rows(providers: LoadedLake) -> None:
    assert providers.one("select count(*), sum(relative_weight), any_value(fiscal_year) from drg_weight") == (
        751,
        Decimal("1580.1620"),
        2013,
    )
    assert dict(
        providers.all(
            "select drg_code, relative_weight from drg_weight where drg_code in ('470', '871', '291', '998', '999')"
        )
    ) == {"470": Decimal("2.0953"), "871": Decimal("1.8803"), "291": Decimal("1.5174"), "998": 0, "999": 0}
    assert providers.excluded("drg_weight", "footnote")[0] == 1
    assert providers.one("select encoding from loads where feed = 'drg_weight'") == ("utf-8 with cp1252 bytes",)


def test_drgs_of_later_years_have_no_weight_when_table_5_is_of_2013(providers: LoadedLake) -> None:
    unknown = [
        drg
        for (drg,) in providers.all(
            "select distinct drg_code from ipps_provider_drg "
            "where period_year = 2016 and drg_code not in (select drg_code from drg_weight)"
        )
    ]
    later = {*(str(drg) for drg in range(266, 275)), "518", "519", "520"}
    assert set(unknown) <= later and {"266", "274", "520"} <= set(unknown)


def test_states_and_nation_are_read_when_one_release_has_two_formats(areas: LoadedLake) -> None:
    """FY2016 by state has `"$962,498.36 "` under `" Total Discharges "`; the nation's file has plain numbers."""
    assert areas.all(
        "select geography_level, count(*) from ipps_geography_drg where period_year = 2016 group by 1 order by 1"
    ) == [("national", 749), ("state", 27_916)]
    assert areas.one("""
        select average_covered_charge_amount, average_total_payment_amount, average_medicare_payment_amount,
               discharge_count
        from ipps_geography_drg where period_year = 2016 and geography_code = 'AL' and drg_code = '001'
    """) == (Decimal("962498.36"), Decimal("284914.79"), Decimal("148511.00"), 14)


def test_dy2023_dollars_are_exact_when_averages_have_many_decimals(areas: LoadedLake) -> None:
    """The note beside the file ends the last two in 1.40 and 7.98; its averages, multiplied exactly, give these."""
    assert areas.all(
        "select geography_level, count(*) from ipps_geography_drg where period_year = 2023 group by 1 order by 1"
    ) == [("national", 773), ("state", 25_706)]
    assert areas.one(f"""
        select sum(discharge_count)::bigint, {WEIGHTED}
        from ipps_geography_drg where period_year = 2023 and geography_level = 'national' and geography_code = 'US'
    """) == (6_926_093, Decimal("609722195347.94"), Decimal("125263082861.25"), Decimal("104123383097.92"))


def test_drg_codes_keep_three_characters_when_they_begin_with_zeros(areas: LoadedLake) -> None:
    assert areas.one("select min(length(drg_code)), max(length(drg_code)), min(drg_code) from ipps_geography_drg") == (
        3,
        3,
        "001",
    )


def test_hospitals_without_a_rating_have_none_when_read(hospitals: LoadedLake) -> None:
    assert hospitals.one("select count(*), count(distinct ccn), count(*) - count(star_rating) from hospital") == (
        5_381,
        5_381,
        2_509,
    )
    assert hospitals.one("select count(*) from hospital where ccn like '0%' and length(zip_code) = 5") != (0,)


def test_the_summary_by_hospital_is_read_when_byte_order_mark_and_cp1252_meet(hospitals: LoadedLake) -> None:
    """The real file begins with UTF-8's mark and holds cp1252 bytes all the same; `$`, commas and `%` in 29 columns."""
    assert hospitals.one("""
        select count(*), count(distinct ccn), any_value(period_year),
               count(*) filter (contains(hospital_name, chr(65533))),
               count(total_medicare_payment_amount), count(discharge_count)
        from hospital_medicare_year
    """) == (3_093, 3_093, 2023, 0, 3_093, 3_093)
    assert hospitals.one(
        "select beneficiary_count, total_covered_charge_amount, total_medicare_payment_amount, average_risk_score "
        "from hospital_medicare_year where ccn = '010001'"
    ) == (3_088, Decimal("278526569.00"), Decimal("50914956.00"), Decimal("2.0050"))
    assert hospitals.one("select encoding from loads where feed = 'hospital_medicare_year'") == (
        "utf-8 with cp1252 bytes",
    )


def test_what_is_too_few_to_report_is_unknown_when_readmissions_are_read(hospitals: LoadedLake) -> None:
    """6,583 rows are N/A throughout; 3,806 more have a ratio, but too few readmissions to report."""
    assert hospitals.one("""
        select count(*), count(*) - count(excess_readmission_ratio), count(*) - count(readmission_count),
               min(measure_start_date)::varchar, max(measure_end_date)::varchar
        from hospital_readmission
    """) == (18_510, 6_583, 6_583 + 3_806, "2020-07-01", "2023-06-30")


@pytest.mark.parametrize("lake", ["providers", "areas", "hospitals"])
def test_every_row_and_dollar_is_accounted_for_when_cms_files_are_loaded(
    lake: str, request: pytest.FixtureRequest
) -> None:
    audits = request.getfixturevalue(lake).audits
    assert len(audits) == 3
    assert all(audit.is_conserved and audit.raw_row_count == audit.rows_read for audit in audits)
