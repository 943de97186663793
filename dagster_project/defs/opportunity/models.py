"""The models of DRG payment: what is expected of each hospital and DRG by year, how good that is, and the back test.

Belongs here: assets and checks. Does not: models (ml/opportunity), reading and writing (resources/opportunity).

A year is a partition of `ml/drg_year`. The job `everything` has no partition, so it cannot run that asset; it covers all years in
the asset of the tables, which answers each year that has something new and reports it as a materialization of its partition. The
job `drg` answers one year by itself, or by a backfill several.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.resources.house import House
from dagster_project.resources.opportunity import OF_A_YEAR, OF_PAIRS, ONE_YEAR, YEARS, answer_pairs, answer_years
from dagster_project.resources.opportunity_shown import (
    back_test_metadata,
    every_cell_is_answered,
    expected_sums_to_paid,
    no_worse_than_plain_means,
    table_metadata,
    year_metadata,
)
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.sources.derived import SOURCES

GROUP = "ml_opportunity"
# The pictures read marts of the opportunity too, which the same step of dbt builds: drawn, they would make of the groups
# a ring.
READ = [
    ["intermediate", "int_opportunity__hospital_features"],
    ["intermediate", "int_opportunity__payment_cells"],
    ["intermediate", "int_opportunity__severity_cells"],
]
ABOUT = {
    "drg_expected_payment": "Read by mart_drg_expected_payment. If it is wrong, gaps are looked for where there are none.",
    "drg_expected_severity": "Read by mart_drg_expected_severity. If it is wrong, documentation teams look at the wrong families.",
    "drg_model_score": "Read by mart_drg_model_score. If it is wrong, nobody knows how far to trust the expectations.",
    "drg_model_calibration": "Read by mart_drg_model_calibration. If it is wrong, so is the picture of it.",
    "drg_later_score": "Read by mart_drg_model_score. If it is wrong, nobody knows whether a model outlives its year.",
    "drg_back_test": "Read by mart_drg_back_test. If it is wrong, an opportunity is believed that was chance.",
}


def spec(table: str, deps: list[list[str]]) -> dg.AssetSpec:
    grain, _ = SOURCES["opportunity"].tables[table]
    return dg.AssetSpec(
        ["ml", table],
        deps=deps,
        group_name=GROUP,
        kinds={"parquet", "scikitlearn"},
        description=f"{grain}\n\n{ABOUT[table]}",
    )


@dg.asset(
    key=["ml", ONE_YEAR],
    deps=READ,
    partitions_def=dg.StaticPartitionsDefinition(list(YEARS)),
    group_name=GROUP,
    kinds={"parquet", "scikitlearn"},
    pool="warehouse",
    retry_policy=TRY_AGAIN,
    description="What the models answered of one year, with its pictures; its rows are files of the tables.\n\n"
    "One partition per year. Read by the tables of the models' answers.",
)
def drg_year(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    year = context.partition_key
    return dg.MaterializeResult(metadata=year_metadata(house.settings, answer_years(house.settings, [year]), year))


@dg.multi_asset(
    specs=[spec(table, [*READ, ["ml", ONE_YEAR]]) for table in OF_A_YEAR],
    name="drg_models",
    pool="warehouse",
    retry_policy=TRY_AGAIN,
)
def drg_models(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
    written = answer_years(house.settings, YEARS)
    for year in written.answered:
        metadata = year_metadata(house.settings, written, year)
        context.log_event(dg.AssetMaterialization(["ml", ONE_YEAR], partition=year, metadata=metadata))
    for table in OF_A_YEAR:
        yield dg.MaterializeResult(asset_key=["ml", table], metadata=table_metadata(table, written))


@dg.multi_asset(
    specs=[spec(table, [*READ, ["ml", "drg_expected_payment"], ["ml", "drg_expected_severity"]]) for table in OF_PAIRS],
    name="drg_years_compared",
    pool="warehouse",
    retry_policy=TRY_AGAIN,
)
def drg_years_compared(house: House) -> Iterator[dg.MaterializeResult]:
    written = answer_pairs(house.settings)
    yield dg.MaterializeResult(asset_key=["ml", "drg_later_score"], metadata=table_metadata("drg_later_score", written))
    yield dg.MaterializeResult(asset_key=["ml", "drg_back_test"], metadata=back_test_metadata(house.settings, written))


def answered_check(table: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=["ml", table],
        name="every_cell_is_answered",
        pool="warehouse",
        description=every_cell_is_answered.__doc__,
    )
    def check(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
        return every_cell_is_answered(house.settings, table, context.run.run_id)

    return check


@dg.asset_check(
    asset=["ml", "drg_expected_payment"],
    name="expected_sums_to_paid",
    pool="warehouse",
    description=expected_sums_to_paid.__doc__,
)
def sums(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
    return expected_sums_to_paid(house.settings, context.run.run_id)


@dg.asset_check(
    asset=["ml", "drg_model_score"],
    name="no_worse_than_plain_means",
    pool="warehouse",
    description=no_worse_than_plain_means.__doc__,
)
def scores(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
    return no_worse_than_plain_means(house.settings, context.run.run_id)


@dg.definitions
def defs() -> dg.Definitions:
    job = dg.define_asset_job(
        "drg",
        selection=dg.AssetSelection.assets(["ml", ONE_YEAR]),
        description="Ask the models about one year of DRG payments; the next run of everything publishes what they answer.",
    )
    return dg.Definitions(
        assets=[drg_year, drg_models, drg_years_compared],
        jobs=[job],
        asset_checks=[
            answered_check("drg_expected_payment"),
            answered_check("drg_expected_severity"),
            sums,
            scores,
        ],
    )
