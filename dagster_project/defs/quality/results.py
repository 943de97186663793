"""Every check's result as a table of the lake, from which mart_data_quality is built.

Belongs here: the asset lake/quality. Does not: the checks.
"""

import dagster as dg

from dagster_project.components.translator import Readers, layer_of
from dagster_project.resources.dbt import load_manifest
from dagster_project.resources.gates import GATES, record
from dagster_project.resources.house import House
from dagster_project.resources.tallies import lake_counts
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.settings import load_settings

SOURCE = {"resource_type": "source"}
GATED = {mart for mart, _ in GATES.values()}


def what_gates_rest_on() -> list[dg.AssetKey]:
    """What must be built before: the last of what the gated marts are made of, in the same step as they. Not the gated
    marts themselves, whose failed checks would keep the failure out of the table."""
    manifest = load_manifest(load_settings())
    nodes, parents = manifest["nodes"], manifest["parent_map"]
    gated = [unique_id for unique_id, node in nodes.items() if node["name"] in GATED]
    below = {one for mart in gated for one in parents[mart] if layer_of(nodes.get(one, SOURCE)) == "intermediate"}
    last = below - {parent for unique_id in below for parent in Readers(manifest).above(unique_id)}
    return sorted(dg.AssetKey(["intermediate", nodes[one]["name"]]) for one in last)


@dg.asset(
    key=["lake", "quality"],
    deps=what_gates_rest_on(),
    group_name="lake_quality",
    kinds={"parquet"},
    pool="warehouse",
    retry_policy=TRY_AGAIN,
    description=(
        "One row per check, run and, where it is about one, load: pass, fail, error or no_data; counts, no values.\n\n"
        "Read by mart_data_quality. If it is wrong, nobody sees that a check failed, or that it had nothing to check."
    ),
)
def quality(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    failed = record(house.settings, context.run_id)
    return dg.MaterializeResult(metadata={**lake_counts(house.settings, "quality"), "failed_gates": failed})
