"""What assets are handed: the home, dbt, and how steps run.

Belongs here: resources and the executor. Does not: their working (resources/).
"""

import dagster as dg

from dagster_project.resources.dbt import dbt_resource
from dagster_project.resources.house import House
from dagster_project.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Steps run in one process: each of its own would cost 2.5 CPU-seconds, and the writers take turns anyway."""
    settings = load_settings()
    return dg.Definitions(
        resources={"house": House(home=str(settings.home)), "dbt": dbt_resource(settings)},
        executor=dg.in_process_executor,
    )
