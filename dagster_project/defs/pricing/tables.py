"""The answers of all pricing scenarios as tables that dbt reads: part of every run, and next to nothing where nothing is new.

Belongs here: the asset of the four tables and their checks. Does not: the steps of a scenario (pricing/steps.py).
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.resources.house import House
from dagster_project.resources.pricing import CHECKS, PARTITIONS, answer_all, check_answers, events_of, table_metadata
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.sources.derived import SOURCES

TABLES = SOURCES["pricing"].tables


@dg.multi_asset(
    name="price_tables",
    specs=[
        dg.AssetSpec(
            ["pricing", table],
            deps=[["intermediate", "int_price__pairs"], ["intermediate", "int_price__months"], ["pricing", "report"]],
            group_name="pricing_scenarios",
            kinds={"parquet", "python"},
            description=f"{grain} Read by mart_price_{table}. If it is wrong, a price is offered that nobody should sign.",
        )
        for table, (grain, _) in TABLES.items()
    ],
    pool="warehouse",
    retry_policy=TRY_AGAIN,
)
def price_tables(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
    covered = answer_all(house.settings, context.log.info)
    known = set(context.instance.get_dynamic_partitions(PARTITIONS))
    context.instance.add_dynamic_partitions(PARTITIONS, sorted(covered.names - known))
    for gone in known - covered.names:
        context.instance.delete_dynamic_partition(PARTITIONS, gone)
    for event in events_of(covered):
        context.log_event(event)
    for table in TABLES:
        yield dg.MaterializeResult(
            asset_key=["pricing", table], metadata=table_metadata(house.settings, table, covered)
        )


def answers_check(name: str, about: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(name=name, asset=["pricing", "scenario"], pool="warehouse", description=about)
    def check(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
        return check_answers(house.settings, name, context.run.run_id)

    return check


@dg.definitions
def defs() -> dg.Definitions:
    checks = [answers_check(name, one.about) for name, one in CHECKS.items()]
    return dg.Definitions(assets=[price_tables], asset_checks=checks)
