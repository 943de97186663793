"""The publication: what analysts read, replaced in whole after the blocking checks, and checked afterwards.

Belongs here: the published asset and its check. Does not: how it is written and swapped (publication/).
"""

import dagster as dg

from dagster_project.resources.dbt import ensure_manifest, load_manifest
from dagster_project.resources.house import House
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
    description=(
        "One DuckDB file and one Delta table per mart, with a manifest: what analysts, finance and BI tools read.\n\n"
        "Waits for every blocking check; if one fails, the last good publication stays. If it is wrong, everybody is. "
        "Readers of the file they have open keep it until they open it again."
    ),
)
def published_marts(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    from dagster_project.publication.publish import publish

    done = publish(house.settings, ensure_manifest(house.settings), context.run_id)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(done.row_counts.values()),
            "marts": len(done.row_counts),
            "unchanged_marts": len(done.linked),
            "bytes": done.byte_count,
            "seconds": round(done.seconds, 3),
            "publication": done.publication_id,
        }
    )


@dg.asset_check(
    asset=KEY,
    pool="warehouse",
    description="Every mart has as many rows in the DuckDB file and the Delta table as in the warehouse.",
)
def published_as_built(house: House) -> dg.AssetCheckResult:
    from dagster_project.publication.publish import differences

    found = differences(house.settings, ensure_manifest(house.settings))
    return dg.AssetCheckResult(
        passed=not found, metadata={"different_marts": ", ".join(one.mart for one in found) or "none"}
    )
