"""The lake's own tables, which dbt reads beside the feeds: loads, their outcomes, admissions, acceptances.

Belongs here: assets that make these tables visible in the graph and count them.
Does not: writing them (readers and judges do).
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.resources.house import House
from dagster_project.resources.tallies import lake_counts
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.sources.contracts import load_contracts

TABLES = {
    "loads": "One row per load (a file, for one feed of it): rows and dollars read, accepted, set aside, excluded.",
    "load_outcomes": "One row per load, outcome, column and reason: how many rows and dollars went where.",
    "admissions": "One row per load that was judged: admitted, held, or accepted by a named person.",
    "ledger_acceptances": "One row per cell of the ledger that a named person accepted, with the reason.",
}
READ_BY = (
    "Read by mart_load_audit and by every model that reads active loads. If it is wrong, rows count that should wait."
)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["lake", table],
            deps=[["raw", feed] for feed in load_contracts()],
            group_name="lake_loads",
            kinds={"parquet"},
            description=f"{about}\n\n{READ_BY}",
        )
        for table, about in TABLES.items()
    ],
    name="lake_tables",
    pool="lake",
    retry_policy=TRY_AGAIN,
)
def lake_tables(house: House) -> Iterator[dg.MaterializeResult]:
    for table in TABLES:
        yield dg.MaterializeResult(asset_key=["lake", table], metadata=lake_counts(house.settings, table))
