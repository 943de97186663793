"""What lies in the landing folder: an inventory of files, each recognised by its header.

Belongs here: the inventory's asset. Does not: reading rows (the feeds' assets).
"""

from collections import Counter

import dagster as dg

from dagster_project.resources.house import House


@dg.asset(
    key=["raw", "landing"],
    group_name="raw_landing",
    kinds={"files"},
    pool="lake",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5),
    description=(
        "One row per file in the landing folder: which feeds its header says it holds, and whether it can be read.\n\n"
        "Read by every raw feed. If it is wrong, a file is not read, or read as what it is not. A file still being "
        "written waits; one that no layout knows is set aside with its reason; nothing in the folder is ever changed."
    ),
)
def landing(house: House) -> dg.MaterializeResult:
    from dagster_project.sources.loads import prepare_lake, take_inventory

    prepare_lake(house.settings, house.contracts)
    files = take_inventory(house.settings, house.contracts)
    states = Counter(file.state for file in files)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(files),
            "bytes": sum(file.byte_count for file in files),
            **{
                f"{state}_files": states[state]
                for state in ("recognised", "set_aside", "growing", "duplicate", "replaced")
            },
        }
    )
