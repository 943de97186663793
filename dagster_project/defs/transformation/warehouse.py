"""The dbt models: staging, intermediate and marts in one step, and what rests on checks' results or Python's answers in another.

Belongs here: which models a step builds. Does not: how dbt is run or its models are named (components/, resources/).
"""

import dagster as dg

from dagster_project.components.warehouse import warehouse_assets
from dagster_project.resources.dbt import dbt_project, load_manifest
from dagster_project.settings import load_settings
from dagster_project.sources.derived import SOURCES

# What reads the results of checks, or what Python made of the marts, is built when those are there. One step for all of
# it, as each call of dbt costs seconds; a space is a union.
AFTER_CHECKS = " ".join(["source:lake.quality+", *(f"source:{source}+" for source in SOURCES)])


@dg.definitions
def defs() -> dg.Definitions:
    settings = load_settings()
    manifest, project = load_manifest(settings), dbt_project(settings)
    return dg.Definitions(
        assets=[
            warehouse_assets("warehouse", manifest, project, select="fqn:*", exclude=AFTER_CHECKS),
            warehouse_assets("warehouse_after_checks", manifest, project, select=AFTER_CHECKS),
        ]
    )
