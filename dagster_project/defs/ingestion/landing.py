"""What lies in the landing folder: an inventory of files, each recognised by its header.

Belongs here: the inventory's asset. Does not: reading rows (the feeds' assets).
"""

import time

import dagster as dg

from dagster_project.resources.feeds import landing_metadata
from dagster_project.resources.house import House
from dagster_project.resources.verdicts import TRY_AGAIN


@dg.asset(
    key=["raw", "landing"],
    group_name="raw_landing",
    kinds={"files"},
    pool="lake",
    retry_policy=TRY_AGAIN,
    description=(
        "One row per file in the landing folder: which feeds its header says it holds, and whether it can be read.\n\n"
        "Read by every raw feed. If it is wrong, a file is not read, or read as what it is not. A file still being "
        "written waits; one that no layout knows is set aside with its reason; nothing in the folder is ever changed."
    ),
)
def landing(house: House) -> dg.MaterializeResult:
    from dagster_project.sources.loads import prepare_lake, take_inventory

    started = time.monotonic()
    prepare_lake(house.settings, house.contracts)
    files = take_inventory(house.settings, house.contracts)
    return dg.MaterializeResult(metadata=landing_metadata(files, time.monotonic() - started))
