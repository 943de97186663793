"""The graph as text: what there is, what it rests on, what is checked, what launches it.

Refresh the snapshot after a wanted change, and look at the difference before it is committed:

    python -m tests.pipeline.graph

It writes tests/pipeline/graph.txt beside this file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

SNAPSHOT = Path(__file__).with_name("graph.txt")


def load_definitions(home: Path) -> dg.Definitions:
    """The definitions as a process with this home has them; leaves the environment as it was."""
    before = dict(os.environ)
    os.environ["CLAIMHOUSE_HOME"] = str(home)
    try:
        from dagster_project.definitions import defs

        return defs()
    finally:
        os.environ.clear()
        os.environ.update(before)


def describe(definitions: dg.Definitions) -> str:
    return "\n".join([*_assets(definitions), "", *_launchers(definitions), ""])


def _assets(definitions: dg.Definitions) -> Iterator[str]:
    graph = definitions.resolve_asset_graph()
    checks: dict[dg.AssetKey, list[str]] = {}
    for key in graph.asset_check_keys:
        blocking = " (blocking)" if graph.get_check_spec(key).blocking else ""
        checks.setdefault(key.asset_key, []).append(f"  check {key.name}{blocking}")
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        yield f"{'/'.join(key.path)}  [{node.group_name}]"
        yield from (f"  from {'/'.join(parent.path)}" for parent in sorted(node.parent_keys))
        yield from sorted(checks.get(key, []))


def _launchers(definitions: dg.Definitions) -> Iterator[str]:
    repository = definitions.get_repository_def()
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            checks = job.asset_layer.asset_graph.asset_check_keys
            yield f"job {job.name}: {len(job.asset_layer.selected_asset_keys)} assets, {len(checks)} checks"
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        yield f"schedule {schedule.name}: {schedule.cron_schedule} {schedule.execution_timezone} → {schedule.job_name}"
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        yield f"sensor {sensor.name} → {sensor.job_name}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SNAPSHOT.write_text(describe(load_definitions(Path(folder))))
    print(f"written: {SNAPSHOT}")
