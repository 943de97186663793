"""Freshness: did every file arrive that the calendar says was due, and do checks have both their sides?

Belongs here: these two checks. Does not: the calendar (a seed) and how it is read (expectations/).
"""

import dagster as dg

from dagster_project.resources.calendar import as_check
from dagster_project.resources.house import House

LOADS = dg.AssetKey(["lake", "loads"])


@dg.asset_check(
    asset=LOADS,
    blocking=True,
    pool="lake",
    description="Every month of every feed that a sender owed by today has arrived. A feed of which nothing came blocks the build, a month the publication.",
)
def expected_files(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
    from expectations.calendar import check_calendar

    return as_check(check_calendar(house.settings, context.run.run_id))


@dg.asset_check(
    asset=LOADS,
    blocking=True,
    pool="lake",
    description="A check that compares two feeds of a sender has both; no data blocks where the other feed was due.",
)
def both_sides_are_there(context: dg.AssetCheckExecutionContext, house: House) -> dg.AssetCheckResult:
    from expectations.calendar import check_sides

    return as_check(check_sides(house.settings, context.run.run_id))
