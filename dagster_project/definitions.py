"""Everything Dagster knows of this project: what defs/ holds, and nothing else."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from dagster_project.resources.home import prepare_home
from dagster_project.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Loads defs/. The home is made ready first: dbt's manifest, which the graph is read from, lies in it."""
    prepare_home(load_settings())
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
