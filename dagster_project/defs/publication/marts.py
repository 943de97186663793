"""The publication: what analysts read, replaced in whole after the blocking checks, and checked afterwards.

Belongs here: the published asset and its check. Does not: how it is written and swapped (publication/).
"""

import dagster as dg

from dagster_project.resources.dbt import ensure_manifest, load_manifest
from dagster_project.resources.house import House
from dagster_project.resources.published import publication_metadata, record_differences
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.settings import load_settings

KEY = dg.AssetKey(["published", "marts"])


def all_marts() -> list[dg.AssetKey]:
    nodes = load_manifest(load_settings())["nodes"].values()
    return [
        dg.AssetKey(["marts", node["name"]])
        for node in nodes
        if node["resource_type"] == "model" and "published" in node["tags"]
    ]


@dg.asset(
    key=KEY,
    deps=all_marts(),
    group_name="published_marts",
    kinds={"duckdb", "deltalake"},
    pool="warehouse",
    retry_policy=TRY_AGAIN,
    description=(
        "One DuckDB file and one Delta table per mart, with a manifest: what analysts, finance and BI tools read.\n\n"
        "Waits for every blocking check; if one fails, the last good publication stays. If it is wrong, everybody is. "
        "Readers of the file they have open keep it until they open it again."
    ),
)
def published_marts(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    from dagster_project.publication.publish import publish

    done = publish(house.settings, ensure_manifest(house.settings), context.run_id)
    return dg.MaterializeResult(metadata=publication_metadata(house.settings, done))


@dg.asset_check(
    asset=KEY,
    pool="warehouse",
    description="Every mart has as many rows in the DuckDB file and the Delta table as in the warehouse.",
)
def published_as_built(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
    from dagster_project.publication.publish import differences

    found = differences(house.settings, ensure_manifest(house.settings))
    return record_differences(house.settings, context.run.run_id, [one.mart for one in found], len(all_marts()))
