"""What a page is written from: rows of the published marts about one hospital or one DRG of one source and year.

Belongs here: queries. Does not: words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.database import open_published
from dagster_project.drg import PageProblem
from dagster_project.settings import Settings

Row = dict[str, Any]
SHOWN = 10
FOUND = 0.05  # drg_parameters.false_discovery_rate, by which is_gap_found is made; the upper tail is told by the same


PERIOD = "data_source, period_type, fiscal_year"
IN_PERIOD = "[data_source, period_type, fiscal_year::varchar] = $of_period"
IS_ABOVE = f"(q_value <= {FOUND} and standardized_gap_amount < 0)"
CELL = "select *, expected_payment_amount / discharges_count as expected_average_amount"
FAMILY_COUNTS = """select count(*) as family_count, count(*) filter (is_documentation_gap) as below_count,
    count(*) filter (is_audit_risk) as above_count, count(*) filter (tail = 'unknown') as unknown_count,
    count(*) filter (suppressed_member_count > 0) as suppressed_count,
    sum(to_median_amount) filter (is_documentation_gap) as below_amount,
    sum(to_median_low_amount) filter (is_documentation_gap) as below_low_amount,
    sum(to_median_high_amount) filter (is_documentation_gap) as below_high_amount,
    sum(case_mix_index_change) filter (is_documentation_gap) as below_case_mix_index_change,
    -sum(to_median_amount) filter (is_audit_risk) as above_amount,
    median(shrunk_share_rate) as median_share_rate, quantile_cont(shrunk_share_rate, 0.2) as p20_share_rate,
    quantile_cont(shrunk_share_rate, 0.8) as p80_share_rate"""


@dataclass(frozen=True)
class Period:
    data_source: str
    period_type: str
    fiscal_year: int

    def __str__(self) -> str:
        return f"{self.period_type.upper()}{self.fiscal_year}"


@dataclass(frozen=True)
class Trust:
    """How good expectations are: scores of the period, and back tests of all pairs of years of the source."""

    scores: list[Row]
    later_scores: list[Row]
    back_tests: list[Row]


@dataclass(frozen=True)
class HospitalNumbers:
    period: Period
    hospital: Row
    total: Row
    hospital_count: int
    below: list[Row]
    above: list[Row]
    found_total: Row
    statuses: list[Row]
    places: Row
    lines: list[Row]
    families_below: list[Row]
    families_above: list[Row]
    families: Row
    trust: Trust


@dataclass(frozen=True)
class DrgNumbers:
    period: Period
    drg: Row
    total: Row
    drg_count: int
    benchmarks: list[Row]
    states: list[Row]
    below: list[Row]
    above: list[Row]
    counts: Row
    places: Row
    quality: list[Row]
    family: Row | None
    families_below: list[Row]
    families_above: list[Row]
    trust: Trust


def hospital_numbers(settings: Settings, provider: str, year: int | None, source: str | None) -> HospitalNumbers:
    """Of the year asked for, or the latest of the source with the most hospitals. Raises PageProblem."""
    with _opened(settings) as con:
        period = _period(con, "dim_hospital_year", "provider_id", provider, year, source)
        of = {"of_period": list(vars(period).values()), "provider": provider}
        cells = f"from mart_drg_opportunity join dim_drg using ({PERIOD}, drg_code) where {IN_PERIOD} and provider_id = $provider"
        families = f"from mart_severity_capture where {IN_PERIOD} and provider_id = $provider"
        return HospitalNumbers(
            period=period,
            hospital=_one(con, f"from dim_hospital_year where {IN_PERIOD} and provider_id = $provider", of),
            total=_one(
                con,
                f"from mart_opportunity_ranking where {IN_PERIOD} and area_level = 'hospital' and area_code = $provider and line_level = 'all'",
                of,
            ),
            hospital_count=_count(con, period),
            below=_rows(con, f"{CELL} {cells} and standardized_gap_amount > 0 order by opportunity_index desc, drg_code limit {SHOWN}", of),
            above=_rows(con, f"{CELL} {cells} and {IS_ABOVE} order by standardized_gap_amount, drg_code limit {SHOWN}", of),
            found_total=_one(
                con, f"""select count(*) filter ({IS_ABOVE}) as cell_count, -sum(standardized_gap_amount) filter ({IS_ABOVE}) as amount,
                    count(*) filter (is_gap_unusual) as unusual_count {cells}""", of
            ),
            statuses=_rows(
                con, f"select standardization_status, count(*) as cell_count {cells} group by all order by 1", of
            ),
            places=_places(con, "provider_id = $provider", of),
            lines=_rows(
                con,
                f"""from mart_opportunity_ranking where {IN_PERIOD} and area_level = 'hospital' and area_code = $provider
                and line_level = 'service_line' order by standardized_shortfall_amount desc, line_code limit {SHOWN}""",
                of,
            ),
            families_below=_rows(con, f"{families} and is_documentation_gap order by to_median_amount desc, family_code, severity_measure limit {SHOWN}", of),
            families_above=_rows(con, f"{families} and is_audit_risk order by to_median_amount, family_code, severity_measure limit {SHOWN}", of),
            families=_one(con, f"{FAMILY_COUNTS} {families}", of),
            trust=_trust(con, period),
        )  # fmt: skip


def drg_numbers(settings: Settings, drg: str, year: int | None, source: str | None) -> DrgNumbers:
    """The same for a DRG. Raises PageProblem."""
    with _opened(settings) as con:
        period = _period(con, "mart_drg_opportunity", "drg_code", drg, year, source)
        of = {"of_period": list(vars(period).values()), "drg": drg}
        cells = f"from mart_drg_opportunity join dim_hospital_year using ({PERIOD}, provider_id) where {IN_PERIOD} and drg_code = $drg"
        about = _one(con, f"from dim_drg where {IN_PERIOD} and drg_code = $drg", of)
        of_family = {"of_period": of["of_period"], "family": about["family_code"]}
        families = f"""from mart_severity_capture join dim_hospital_year using ({PERIOD}, provider_id)
            where {IN_PERIOD} and family_code = $family and severity_measure <> 'cc_of_others'"""
        named = "select *, hospital_name"
        return DrgNumbers(
            period=period,
            drg=about,
            total=_one(
                con,
                f"from mart_opportunity_ranking where {IN_PERIOD} and area_level = 'nation' and line_level = 'drg' and line_code = $drg",
                of,
            ),
            drg_count=int(_one(con, f"select count(*) as n from mart_opportunity_ranking where {IN_PERIOD} and area_level = 'nation' and line_level = 'drg'",
                               {"of_period": of["of_period"]})["n"]),
            benchmarks=_rows(
                con,
                f"from mart_drg_benchmarks where {IN_PERIOD} and drg_code = $drg and benchmark_level = 'nation' order by statistic",
                of,
            ),
            states=_rows(
                con,
                f"""from mart_opportunity_ranking where {IN_PERIOD} and area_level = 'state' and line_level = 'drg' and line_code = $drg
                order by standardized_shortfall_amount desc nulls last, area_code limit {SHOWN}""",
                of,
            ),
            below=_rows(con, f"{CELL} {cells} and standardized_gap_amount > 0 order by opportunity_index desc, provider_id limit {SHOWN}", of),
            above=_rows(con, f"{CELL} {cells} and {IS_ABOVE} order by standardized_gap_amount, provider_id limit {SHOWN}", of),
            counts=_one(
                con,
                f"""select count(*) as cell_count, count(*) filter (is_gap_found) as below_count, count(*) filter ({IS_ABOVE}) as above_count,
                    count(*) filter (is_gap_unusual) as unusual_count, -sum(standardized_gap_amount) filter ({IS_ABOVE}) as above_amount {cells}""",
                of,
            ),
            places=_places(con, "drg_code = $drg", of),
            quality=_rows(
                con,
                f"""select mart_drg_opportunity.quality_status, count(*) as cell_count, count(*) filter (is_gap_found) as below_count,
                    count(*) filter ({IS_ABOVE}) as above_count {cells} group by all order by 1""",
                of,
            ),
            family=_one(con, f"{FAMILY_COUNTS} {families}", of_family) if about["family_code"] else None,
            families_below=_rows(con, f"{named} {families} and is_documentation_gap order by to_median_amount desc, provider_id limit {SHOWN}", of_family)
            if about["family_code"] else [],
            families_above=_rows(con, f"{named} {families} and is_audit_risk order by to_median_amount, provider_id limit {SHOWN}", of_family)
            if about["family_code"] else [],
            trust=_trust(con, period),
        )  # fmt: skip


def _opened(settings: Settings) -> duckdb.DuckDBPyConnection:
    if not settings.published_marts.exists():
        raise PageProblem(f"nothing is published at {settings.published}", is_not_yet=True)
    return open_published(settings)


def _period(
    con: duckdb.DuckDBPyConnection, table: str, column: str, wanted: str, year: int | None, source: str | None
) -> Period:
    """Of the source with the most hospitals the latest year, within what was asked for."""
    found = _rows(
        con,
        f"""
        with sizes as (select {PERIOD}, count(*) as hospital_count from dim_hospital_year group by all)
        select distinct sizes.*, max(hospital_count) over (partition by data_source) as most
        from {table} join sizes using ({PERIOD}) where {column} = $wanted
        order by most desc, fiscal_year desc, data_source""",
        {"wanted": wanted},
    )
    if not found:
        raise PageProblem(f"no published payment has {column} {wanted!r}")
    chosen = [row for row in found if year in (None, row["fiscal_year"]) and source in (None, row["data_source"])]
    if not chosen:
        there = ", ".join(f"{row['data_source']} {row['fiscal_year']}" for row in found)
        raise PageProblem(f"{wanted} is not published for that source and year; it is for: {there}")
    return Period(chosen[0]["data_source"], chosen[0]["period_type"], chosen[0]["fiscal_year"])


def _count(con: duckdb.DuckDBPyConnection, period: Period) -> int:
    return int(
        _one(
            con,
            f"select count(*) as n from dim_hospital_year where {IN_PERIOD}",
            {"of_period": list(vars(period).values())},
        )["n"]
    )


def _places(con: duckdb.DuckDBPyConnection, where: str, of: dict[str, Any]) -> Row:
    """Where payments lie in the interval that attributes give."""
    return _one(
        con,
        f"""select count(*) filter (place_in_interval <> 'unknown') as cell_count, count(*) filter (place_in_interval = 'below') as below_count,
            count(*) filter (place_in_interval = 'above') as above_count, sum(modelled_gap_amount) as modelled_gap_amount
        from mart_drg_expected_payment where {IN_PERIOD} and {where}""",
        of,
    )


def _trust(con: duckdb.DuckDBPyConnection, period: Period) -> Trust:
    scores = f"from mart_drg_model_score where {IN_PERIOD} and trial = $trial order by measure, error_rate"
    of = {"of_period": list(vars(period).values())}
    return Trust(
        _rows(con, scores, {**of, "trial": "unseen_hospitals"}),
        _rows(con, scores, {**of, "trial": "unseen_year"}),
        _rows(
            con,
            "from mart_drg_back_test where data_source = $source order by later_year desc, measure, yardstick",
            {"source": period.data_source},
        ),
    )


def _rows(con: duckdb.DuckDBPyConnection, sql: str, of: dict[str, Any]) -> list[Row]:
    if "of_period" in of:
        of = {**of, "of_period": [str(one) for one in of["of_period"]]}
    try:
        asked = con.execute(sql, of)
    except duckdb.CatalogException as error:
        raise PageProblem(
            "the publication is older than this page: a mart of it is missing", is_not_yet=True
        ) from error
    names = [column[0] for column in asked.description or ()]
    return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]


def _one(con: duckdb.DuckDBPyConnection, sql: str, of: dict[str, Any]) -> Row:
    (row,) = _rows(con, sql, of)
    return row
