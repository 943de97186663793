"""What the models answered, as a run's metadata shows it: counts, sums, scores, and pictures inside the page.

Belongs here: choosing rows for pictures, checks' results. Does not: drawing (ml/opportunity/plots), answering.

Hospitals and DRGs are named: CMS publishes them, and they are no patients'.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from dagster_project.database import literal, open_warehouse
from dagster_project.resources.opportunity import OF_A_YEAR, SOURCE, Written
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from dagster_project.sources.derived import derived_folder
from expectations.results import FAIL, NO_DATA, PASS, CheckResult, write_quality
from ml.opportunity import plots
from ml.opportunity.features import PAYMENTS, SEVERITY
from ml.opportunity.payment import MODEL

NOTICE = "Nothing here says that billing was improper."
KEPT = "neither rows nor code have changed; pictures are at the run that answered"
TOP = 15
# How far the sum of what is expected may lie from what was paid before somebody should look.
SUM_TOLERANCE = 0.05


def table_metadata(table: str, written: Written) -> dict[str, Any]:
    """Rows, and which years were kept."""
    told: dict[str, Any] = {"dagster/row_count": written.row_count(table), "notice": NOTICE}
    if written.kept:
        told["kept"] = f"{', '.join(written.kept)}: {KEPT}"
    return told


def year_metadata(settings: Settings, written: Written, year: str) -> dict[str, Any]:
    """Rows of one year by table, and its pictures where it was answered anew."""
    counts = {table: written.rows[table].get(year, 0) for table in OF_A_YEAR}
    told: dict[str, Any] = {"dagster/row_count": sum(counts.values()), **counts, "notice": NOTICE}
    if year in written.kept:
        told["kept"] = KEPT
    if year in written.answered:
        told |= _pictures(settings, int(year))
    return told


def back_test_metadata(settings: Settings, written: Written) -> dict[str, Any]:
    """The verdicts, and the slopes as a picture."""
    told: dict[str, Any] = {"dagster/row_count": written.row_count("drg_back_test"), "notice": NOTICE}
    if written.kept:
        return {**told, "kept": "neither rows nor code have changed; the picture is at the run that answered"}
    rows = _frame(settings, f"from {_lake(settings, 'drg_back_test')} where slope is not null order by all")
    if rows.empty:
        return told
    rows["label"] = (
        rows["data_source"] + " " + rows["earlier_year"].astype(str) + "→" + rows["later_year"].astype(str)
        + "\n" + rows["measure"] + " against " + rows["yardstick"]
    )  # fmt: skip
    told["verdicts"] = ", ".join(f"{one}: {count}" for one, count in rows["verdict"].value_counts().items())
    told["slopes"] = _picture(plots.back_test_plot(rows, "Does an earlier gap foretell the later change?"))
    return told


def every_cell_is_answered(settings: Settings, table: str, run_id: str) -> dg.AssetCheckResult:
    """As many rows as there are cells in each source and year, each cell once."""
    cells = {"drg_expected_payment": (PAYMENTS, "drg_code"), "drg_expected_severity": (SEVERITY, "family_code")}
    relation, code = cells[table]
    by = f"data_source, period_type, fiscal_year, provider_id, {code}"
    counted = _frame(
        settings,
        f"""
        select count(*) as checked, count(*) filter (cells <> 1 or answers <> 1) as failed from (
            select {by}, sum(is_cell) as cells, sum(1 - is_cell) as answers from (
                select {by}, 1 as is_cell from {relation}
                union all select {by}, 0 from {_lake(settings, table)}
            ) group by {by})""",
    ).iloc[0]
    note = f"{counted['failed']:,.0f} of {counted['checked']:,.0f} cells are not answered exactly once"
    return _checked(
        settings, table, "every_cell_is_answered", int(counted["failed"]), int(counted["checked"]), note, run_id
    )


def expected_sums_to_paid(settings: Settings, run_id: str) -> dg.AssetCheckResult:
    """In each source and year, expected payments times discharges come within 5 % of what Medicare paid for the same cells."""
    sums = _frame(
        settings,
        f"""
        select data_source, fiscal_year, sum(discharge_count * payment) as paid,
               sum(discharge_count * expected_average_payment_amount::double) as expected
        from {PAYMENTS} join {_lake(settings, "drg_expected_payment")}
            using (data_source, period_type, fiscal_year, provider_id, drg_code)
        where expected_average_payment_amount is not null group by all order by all""",
    )
    off = sums["expected"] / sums["paid"] - 1
    told = pd.DataFrame(
        {
            "data_source": sums["data_source"],
            "fiscal_year": sums["fiscal_year"].astype(str),
            "paid_usd": sums["paid"].map("{:,.0f}".format),
            "expected_usd": sums["expected"].map("{:,.0f}".format),
            "off": (100 * off).map("{:+.2f} %".format),
        }
    ).to_dict("records")
    failed = int((off.abs() > SUM_TOLERANCE).sum())
    note = f"{failed} of {len(sums)} sources and years are off by more than {100 * SUM_TOLERANCE:g} %"
    name = "expected_sums_to_paid"
    return _checked(settings, "drg_expected_payment", name, failed, len(sums), note, run_id, told)


def no_worse_than_plain_means(settings: Settings, run_id: str) -> dg.AssetCheckResult:
    """On hospitals not seen, the model's error is not above the national mean's beyond doubt (the whole interval of it)."""
    scores = _frame(
        settings,
        f"""
        select data_source, fiscal_year, measure, hospital_count, error, error_rate, skill_rate, skill_low_rate, skill_high_rate
        from {_lake(settings, "drg_model_score")} where way = {literal(MODEL)} order by all""",
    )
    rates = 100 * scores[["error_rate", "skill_rate", "skill_low_rate", "skill_high_rate"]].astype("float64")
    told = pd.DataFrame(
        {
            "data_source": scores["data_source"],
            "fiscal_year": scores["fiscal_year"].astype(str),
            "measure": scores["measure"],
            "hospitals": scores["hospital_count"].map("{:,}".format),
            "error": rates["error_rate"].map("{:.1f} %".format),
            "less_than_national_mean": rates["skill_rate"].map("{:.1f} %".format),
            "interval": rates["skill_low_rate"].map("{:.1f}".format)
            + rates["skill_high_rate"].map(" to {:.1f} %".format),
        }
    ).to_dict("records")
    failed = int((scores["skill_high_rate"].astype("float64") < 0).sum())
    note = f"{failed} of {len(scores)} models are worse than the national mean beyond doubt"
    return _checked(settings, "drg_model_score", "no_worse_than_plain_means", failed, len(scores), note, run_id, told)


def _checked(
    settings: Settings,
    table: str,
    name: str,
    failed: int,
    checked: int,
    note: str,
    run_id: str,
    told: list[dict[str, str]] | None = None,
) -> dg.AssetCheckResult:
    """A warning at most: an estimate that is off holds back nothing that is exact."""
    verdict = FAIL if failed else PASS if checked else NO_DATA
    result = CheckResult("dagster", f"ml/{table}", name, verdict, False, failed, checked, note=note)
    write_quality(settings, [result], run_id, f"{name}-{table}")
    metadata: dict[str, Any] = {"failed": failed, "checked": checked}
    if told:
        schema = dg.TableSchema([dg.TableColumn(column) for column in told[0]])
        metadata["rows"] = dg.MetadataValue.table([dg.TableRecord(row) for row in told], schema)
    return shown(verdict, False, metadata, None if verdict == NO_DATA else note)


def _pictures(settings: Settings, year: int) -> Mapping[str, dg.MetadataValue]:
    """Of one year; a set for each source that has it, and how shares came out for all of them."""
    made: dict[str, dg.MetadataValue] = {}
    with open_warehouse(settings) as con:
        sources = con.execute(
            "select distinct data_source from marts.dim_hospital_year where fiscal_year = ? order by 1", [year]
        ).fetchall()
        for (source,) in sources:
            of = f"{source} {year}"
            made[f"{source} top opportunities"] = _picture(
                plots.top_opportunities(
                    _top(con, source, year), f"{of}: largest standardized gaps, all DRGs of a hospital"
                )
            )
            made[f"{source} gap against volume"] = _picture(
                plots.gap_against_volume(
                    _cells(con, source, year), f"{of}: gap of each hospital and DRG, against its volume"
                )
            )
            made[f"{source} states"] = _picture(
                plots.state_ranking(_states(con, source, year), f"{of}: gaps by state, as a share of payment")
            )
    bins = _frame(settings, f"from {_lake(settings, 'drg_model_calibration')} where fiscal_year = {year} order by all")
    bins["series"] = bins["data_source"] + ", " + bins["measure"]
    made["calibration"] = _picture(
        plots.calibration_plot(bins, f"{year}: what came against what was expected, hospitals not seen")
    )
    return made


def _top(con: duckdb.DuckDBPyConnection, source: str, year: int) -> pd.DataFrame:
    return con.execute(
        """select area_label || ' (' || area_code || ')' as label, standardized_gap_amount::double as gap,
            standardized_gap_low_amount::double as low, standardized_gap_high_amount::double as high,
            plain_gap_amount::double as plain
        from marts.mart_opportunity_ranking
        where area_level = 'hospital' and line_level = 'all' and data_source = ? and fiscal_year = ? and standardized_gap_amount is not null
        order by gap desc, label limit ?""",
        [source, year, TOP],
    ).df()


def _cells(con: duckdb.DuckDBPyConnection, source: str, year: int) -> pd.DataFrame:
    """A cell that was expected to be paid nothing there is not."""
    return con.execute(
        """select discharges_count as discharges, standardized_gap_amount::double / expected_payment_amount::double as gap_rate,
            q_value <= (select max(parameter_value) from seeds.drg_parameters where parameter = 'false_discovery_rate') as is_told
        from marts.mart_drg_opportunity
        where data_source = ? and fiscal_year = ? and standardized_gap_amount is not null order by all""",
        [source, year],
    ).df()


def _states(con: duckdb.DuckDBPyConnection, source: str, year: int) -> pd.DataFrame:
    return con.execute(
        """select area_code as state, plain_gap_amount::double / total_medicare_payment_amount::double as plain_rate,
            standardized_shortfall_amount::double / total_medicare_payment_amount::double as standardized_rate
        from marts.mart_opportunity_ranking
        where area_level = 'state' and line_level = 'all' and data_source = ? and fiscal_year = ?
        order by plain_rate desc, state""",
        [source, year],
    ).df()


def _picture(png: bytes) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")


def _lake(settings: Settings, table: str) -> str:
    return f"read_parquet({literal(str(derived_folder(settings, SOURCE, table) / '*.parquet'))})"


def _frame(settings: Settings, sql: str) -> pd.DataFrame:
    with open_warehouse(settings) as con:
        return con.sql(sql).df()
