"""The steps of a pricing scenario, each scenario a partition: inputs, instance, solution, verdict, report; and the job for one.

Belongs here: assets and the job. Does not: what a step does (pricing/steps.py), the run that covers every scenario (tables.py).

The job `everything` has no partition, so it cannot run these assets; it covers all scenarios in the asset of the tables, which does
the same steps for each scenario that has something new and reports them as materializations of these partitions. Here a person
runs one scenario by itself.
"""

import dagster as dg

from dagster_project.resources.house import House
from dagster_project.resources.pricing import PARTITIONS, STEPS_OF_A_SCENARIO, run_step
from dagster_project.resources.verdicts import TRY_AGAIN

scenario = dg.DynamicPartitionsDefinition(name=PARTITIONS)


def step_asset(name: str, about: str, above: dg.AssetKey, read_by: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["pricing", name],
        deps=[above],
        partitions_def=scenario,
        group_name="pricing_scenarios",
        kinds={"python"},
        pool="warehouse",
        retry_policy=TRY_AGAIN,
        description=f"{about}\n\nOne partition per scenario, its file in prices/<scenario> of the home. {read_by}",
    )
    def step(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=run_step(house.settings, name, context.partition_key))

    return step


@dg.definitions
def defs() -> dg.Definitions:
    assets, above = [], dg.AssetKey(["intermediate", "int_price__pairs"])
    names = [name for name, _ in STEPS_OF_A_SCENARIO]
    for (name, about), below in zip(STEPS_OF_A_SCENARIO, [*names[1:], "the tables of pricing"], strict=True):
        assets.append(step_asset(name, about, above, f"Read by {below}."))
        above = dg.AssetKey(["pricing", name])
    job = dg.define_asset_job(
        "price",
        selection=dg.AssetSelection.assets(*(["pricing", name] for name in names)),
        description="Answer one pricing scenario anew, whether or not something changed; the next run of everything publishes it.",
    )
    return dg.Definitions(assets=assets, jobs=[job])
