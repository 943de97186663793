"""Every check's result as a table of the lake, from which mart_data_quality is built.

Belongs here: the asset lake/quality. Does not: the checks.
"""

import dagster as dg

from dagster_project.components.translator import Readers, layer_of
from dagster_project.resources.dbt import load_manifest
from dagster_project.resources.gates import GATES, record
from dagster_project.resources.house import House
from dagster_project.resources.tallies import lake_counts
from dagster_project.settings import load_settings

GATED = {mart for mart, _ in GATES.values()}


def marts_without_gate() -> list[dg.AssetKey]:
    """What must be built before: not the gated marts, whose failed checks would keep the failure out of the table."""
    manifest = load_manifest(load_settings())
    marts = [node["name"] for node in manifest["nodes"].values() if layer_of(node) == "marts"]
    after = Readers(manifest).below(("lake", "quality"))
    return [dg.AssetKey(["marts", mart]) for mart in marts if mart not in GATED | after]


@dg.asset(
    key=["lake", "quality"],
    deps=marts_without_gate(),
    group_name="lake_quality",
    kinds={"parquet"},
    pool="warehouse",
    description=(
        "One row per check, run and, where it is about one, load: pass, fail, error or no_data; counts, no values.\n\n"
        "Read by mart_data_quality. If it is wrong, nobody sees that a check failed, or that it had nothing to check."
    ),
)
def quality(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    failed = record(house.settings, context.run_id)
    return dg.MaterializeResult(metadata={**lake_counts(house.settings, "quality"), "failed_gates": failed})
