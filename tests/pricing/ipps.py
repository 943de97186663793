"""CMS's inpatient file as pairs, by the reader and the models of the house: for tests on real files and for the benchmark.

Belongs here: a home with these files alone, building the one model, asking it. Does not: scenarios, assertions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dagster_project.database import open_warehouse
from dagster_project.pricing.pairs import Found, found_in
from dagster_project.settings import Settings
from dagster_project.sources.loads import place
from optimization.pricing.scenario import Source
from tests.dbt.small_warehouse import Warehouse

MODEL = "int_price__ipps_pairs"
FILES = (
    "cms_ipps/fy2016_provider_drg.csv.gz",
    "cms_ipps/table5_fy2013.txt",
    "cms_hospitals/hospital_general_information_2026_06.csv",
)


def built(home: Path, real_data: Path, files: Sequence[str] = FILES) -> Settings:
    """A home whose warehouse holds int_price__ipps_pairs of these files and what it rests on, and nothing else."""
    warehouse = Warehouse(home)
    place([real_data / name for name in files], warehouse.settings, warehouse.contracts)
    warehouse.load()
    warehouse.dbt("run", "--select", f"+{MODEL}")
    return warehouse.settings


def ipps_pairs(settings: Settings, source: Source | None = None) -> Found:
    """Hospital × MS-DRG pairs of a home: all of the newest period, or as a scenario's source of ipps narrows them."""
    with open_warehouse(settings) as con:
        wanted = source or Source.model_validate({"ipps": {}})
        return found_in(con, wanted, "ipps", pairs=f"intermediate.{MODEL}")
