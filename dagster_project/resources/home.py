"""Makes a home ready for Dagster and dbt, and tells child processes where it is.

Belongs here: folders, `dagster.yaml`, environment variables. Does not: the lake's empty tables (sources/).
"""

from __future__ import annotations

import os

import yaml

from dagster_project.resources.events import KeptOpenEvents
from dagster_project.settings import REPOSITORY, Settings


def prepare_home(settings: Settings) -> None:
    """Creates the home's folders, writes `dagster.yaml` where Dagster looks, exports the environment.

    It is the root's, with the store of events (resources/events.py) where Dagster itself would have put it.
    """
    for folder in (settings.landing, settings.lake, settings.dagster, settings.dbt_target):
        folder.mkdir(parents=True, exist_ok=True)
    events = {
        "module": KeptOpenEvents.__module__,
        "class": KeptOpenEvents.__name__,
        "config": {"base_dir": str(settings.dagster / "history" / "runs")},
    }
    wanted = (REPOSITORY / "dagster.yaml").read_text() + "\n" + yaml.safe_dump({"event_log_storage": events})
    present = settings.dagster / "dagster.yaml"
    if not present.exists() or present.read_text() != wanted:
        partial = present.with_suffix(f".{os.getpid()}.tmp")
        partial.write_text(wanted)
        partial.replace(present)
    os.environ.update(settings.environment())
