"""Jobs, the daily schedules, and the sensor on the landing folder.

Belongs here: when what is launched. Does not: what it does.
"""

import dagster as dg

from dagster_project.resources.gates import GATES
from dagster_project.resources.house import House
from dagster_project.resources.landing import fingerprint
from dagster_project.resources.opportunity import ONE_YEAR
from dagster_project.resources.pricing import STEPS_OF_A_SCENARIO

# A job of partitioned assets asks which partition, and this one is of none: the tables of pricing cover every scenario, those of
# the models every year.
everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.assets(*(["pricing", name] for name, _ in STEPS_OF_A_SCENARIO), ["ml", ONE_YEAR]),
    description="Read what is new, build the warehouse, check it, publish. Safe to repeat.",
)

publish = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.assets(["published", "marts"])
    | dg.AssetSelection.checks(
        *(dg.AssetCheckKey(dg.AssetKey(["marts", mart]), name) for name, (mart, _) in GATES.items())
    ),
    description="Ask the blocking checks again and publish the marts as the warehouse has them.",
)

freshness = dg.define_asset_job(
    "freshness",
    selection=dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["lake", "loads"]), "expected_files")),
    description="Hold what has arrived against the calendar of expected files, without reading anything new.",
)

daily = dg.ScheduleDefinition(
    name="daily",
    job=everything,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    description="Once a day, in case the sensor was off.",
)

daily_freshness = dg.ScheduleDefinition(
    name="daily_freshness",
    job=freshness,
    cron_schedule="0 8 * * *",
    execution_timezone="UTC",
    description="Says each morning which expected files have not come; a run of its own, so that silence shows too.",
)


@dg.sensor(
    job=everything,
    minimum_interval_seconds=30,
    description="Launches a run when a file is new or changed, and has stopped growing.",
)
def landing_folder(house: House) -> dg.RunRequest | dg.SkipReason:
    seen = fingerprint(house.settings)
    return (
        dg.RunRequest(run_key=seen)
        if seen
        else dg.SkipReason("no file in the landing folder, or all are still growing")
    )
