"""One asset per contract: what was read of a feed into the lake, with its two blocking checks.

Belongs here: the assets and checks of raw feeds.
Does not: how a file is read (sources/), what is acceptable (expectations/).
"""

import time

import dagster as dg

from dagster_project.components.translator import Readers
from dagster_project.resources.dbt import load_manifest
from dagster_project.resources.feeds import acceptance, conservation, feed_metadata
from dagster_project.resources.house import House
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.settings import load_settings
from dagster_project.sources.contracts import Contract, load_contracts


def raw_feed(contract: Contract, read_by: str) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    key = dg.AssetKey(["raw", contract.feed])

    @dg.asset(
        key=key,
        deps=[["raw", "landing"]],
        # One group, as staging has: eleven would make the graph tall, and hide in arrows what it says. The UI filters by tag.
        group_name="raw_feeds",
        tags={"domain": contract.domain},
        kinds={"parquet"},
        pool="lake",
        retry_policy=TRY_AGAIN,
        description=f"{contract.grain}\n\n{contract.about} As sent, with tokens in place of identities.\n\n{read_by}",
    )
    def feed(house: House) -> dg.MaterializeResult:
        from dagster_project.sources.loads import load_feed

        started = time.monotonic()
        audits = load_feed(contract.feed, house.settings, house.contracts, house.key)
        return dg.MaterializeResult(
            metadata=feed_metadata(house.settings, contract, audits, time.monotonic() - started)
        )

    @dg.asset_check(
        asset=key,
        blocking=True,
        pool="lake",
        description="Rows and dollars read = accepted + set aside + excluded = counted from the bytes, to the cent.",
    )
    def conservation_of_rows_and_dollars(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
        return conservation(house.settings, contract.feed, context.run.run_id)

    @dg.asset_check(
        asset=key,
        blocking=True,
        pool="lake",
        description="Great Expectations accepts each load as a whole. A held load waits, others go on.",
    )
    def acceptable(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
        return acceptance(house.settings, house.contracts, contract.feed, context.run.run_id)

    return [feed, conservation_of_rows_and_dollars, acceptable]


@dg.definitions
def defs() -> dg.Definitions:
    readers = Readers(load_manifest(load_settings()))
    made = [raw_feed(contract, readers.sentence_for_key(("raw", name))) for name, contract in load_contracts().items()]
    flat = [definition for of_a_feed in made for definition in of_a_feed]
    return dg.Definitions(
        assets=[definition for definition in flat if not isinstance(definition, dg.AssetChecksDefinition)],
        asset_checks=[definition for definition in flat if isinstance(definition, dg.AssetChecksDefinition)],
    )
