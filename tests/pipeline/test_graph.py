"""The shape of the graph, and what each part of it owes to whoever looks at it."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.resources.gates import GATES
from dagster_project.settings import REPOSITORY
from tests.pipeline.graph import SNAPSHOT, describe

DEFS = REPOSITORY / "dagster_project" / "defs"
LONGEST_BODY = 15


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_the_graph_is_the_one_that_was_agreed_on(definitions):
    """A change of shape shows in a diff: python -m tests.pipeline.graph writes the snapshot afresh."""
    assert describe(definitions) == SNAPSHOT.read_text()


def test_every_asset_can_be_executed(graph):
    """A key that nothing makes passes `dg check defs`, shows in the UI as an external asset, and is never built."""
    phantoms = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).is_executable]
    assert phantoms == []


def test_every_asset_tells_its_grain_and_who_reads_it(graph):
    silent = [
        key.to_user_string() for key in graph.get_all_asset_keys() if not is_told(graph.get(key).description or "")
    ]
    assert silent == []


def is_told(description: str) -> bool:
    return len(description) > 40 and (
        "Read by" in description
        or "No model reads" in description
        or "What analysts" in description
        or "what analysts" in description
    )


def test_every_key_is_a_layer_and_a_name_and_every_group_begins_with_its_layer(graph):
    layers = {"raw", "lake", "seeds", "staging", "intermediate", "marts", "pricing", "ml", "published"}
    odd = []
    for key in graph.get_all_asset_keys():
        if (
            len(key.path) != 2
            or key.path[0] not in layers
            or not (graph.get(key).group_name or "").startswith(f"{key.path[0]}_")
        ):
            odd.append(key.to_user_string())
    assert odd == []


def test_the_graph_of_groups_has_no_ring_so_that_it_reads_from_left_to_right(graph):
    """A group that reads what rests on it pulls its marts to the far left of the page."""
    reads: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        group = graph.get(key).group_name
        reads.setdefault(group, set()).update(graph.get(parent).group_name for parent in graph.get(key).parent_keys)
    try:
        list(graphlib.TopologicalSorter({group: parents - {group} for group, parents in reads.items()}).static_order())
    except graphlib.CycleError as ring:
        pytest.fail(f"these groups form a ring: {ring.args[1]}")


def test_every_check_tells_what_it_asks(graph):
    silent = [key.to_user_string() for key in graph.asset_check_keys if not graph.get_check_spec(key).description]
    assert silent == []


def test_every_raw_feed_has_its_two_blocking_checks(graph):
    feeds = {path.stem for path in (REPOSITORY / "dagster_project" / "sources" / "contracts").glob("*.yml")}
    blocking = {
        (key.asset_key.path[1], key.name)
        for key in graph.asset_check_keys
        if key.asset_key.path[0] == "raw" and graph.get_check_spec(key).blocking
    }
    assert blocking == {(feed, check) for feed in feeds for check in ("conservation_of_rows_and_dollars", "acceptable")}


@pytest.mark.parametrize("gate", sorted(GATES))
@pytest.mark.parametrize("name", ["everything", "publish"])
def test_publication_waits_for_each_gate_in_every_job_that_publishes(definitions, name, gate):
    job = definitions.resolve_job_def(name)
    inputs = next(inputs for node, inputs in job.graph.dependencies.items() if node.name == "published__marts")
    mart = GATES[gate][0]
    waits_for = {dependency.node for dependency in inputs[f"marts_{mart}"].asset_check_dependencies}
    assert f"marts__{mart}_{gate}" in waits_for


def test_one_writer_at_a_time_stands_in_the_pools(definitions):
    """A pool without a limit protects nothing: the limit is in dagster.yaml, and each writer names a pool."""
    writers = [
        node.definition for job in ("everything", "price", "drg") for node in definitions.resolve_job_def(job).nodes
    ]
    assert [node.name for node in writers if len(node.pools) != 1 or not set(node.pools) <= {"lake", "warehouse"}] == []
    assert "default_limit: 1" in (REPOSITORY / "dagster.yaml").read_text()


def test_telemetry_is_off():
    assert "telemetry:\n  enabled: false" in (REPOSITORY / "dagster.yaml").read_text()


def test_bodies_of_assets_and_checks_are_short():
    """Load, call the library, write, return counts."""
    long = {}
    for path in [*DEFS.rglob("*.py"), *(REPOSITORY / "dagster_project" / "components").glob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                "asset" in ast.unparse(decorator) for decorator in function.decorator_list
            ):
                lines = (function.end_lineno or 0) - function.body[0].lineno + 1
                if lines > LONGEST_BODY:
                    long[f"{path.name}:{function.name}"] = lines
    assert long == {}


@pytest.mark.parametrize("command", [["check", "defs"], ["list", "defs"]])
def test_dg_works_at_the_root(command, demo_home):
    dg_command = str(Path(sys.executable).with_name("dg"))
    environment = {"CLAIMHOUSE_HOME": str(demo_home), "PATH": str(Path(sys.executable).parent), "HOME": str(demo_home)}
    done = subprocess.run(
        [dg_command, *command], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (
        "All definitions loaded successfully" if command[0] == "check" else "published/marts"
    ) in done.stdout + done.stderr


def test_jobs_schedules_and_sensor_are_there(definitions):
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "everything",
        "publish",
        "freshness",
        "price",
        "drg",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {"daily", "daily_freshness"}
    assert [sensor.name for sensor in repository.sensor_defs] == ["landing_folder"]


def test_only_jobs_that_run_one_by_name_ask_for_a_partition(definitions):
    """Neither the launch button nor schedule and sensor have one to name."""
    jobs = definitions.get_repository_def().get_all_jobs()
    assert {job.name for job in jobs if job.partitions_def and not job.name.startswith("__")} == {"price", "drg"}


def test_every_step_that_makes_an_asset_is_tried_again_when_it_falls_over(definitions):
    """Not the checks: what they say of the data is the same a moment later."""
    makers = {made.node_def.name for made in definitions.get_repository_def().assets_defs_by_key.values()}
    nodes = [node for job in ("everything", "price", "drg") for node in definitions.resolve_job_def(job).nodes]
    policies = {node.name: node.definition.retry_policy for node in nodes}
    assert {"warehouse", "warehouse_after_checks", "published__marts", "lake_tables", "lake__quality"} <= makers
    assert {name for name in makers if not isinstance(policies[name], dg.RetryPolicy)} == set()
    assert {name for name, policy in policies.items() if policy and name not in makers} == set()


def test_the_collapsed_graph_fits_a_screen(graph):
    """39 groups and 138 arrows between them were a page that nobody could read."""
    group = {key: graph.get(key).group_name for key in graph.get_all_asset_keys()}
    arrows = {(group[parent], group[key]) for key in group for parent in graph.get(key).parent_keys}
    assert len({*group.values()}) <= 24
    assert len({(left, right) for left, right in arrows if left != right}) <= 70


def test_no_asset_behind_the_feeds_is_drawn_from_all_of_them(graph):
    """lake/loads is: what counts every feed is drawn from there."""
    feeds_of = {
        key.to_user_string(): [parent for parent in graph.get(key).parent_keys if parent.path[0] == "raw"]
        for key in graph.get_all_asset_keys()
        if key.path[0] in {"staging", "intermediate", "marts"}
    }
    assert {name: len(feeds) for name, feeds in feeds_of.items() if len(feeds) >= 5} == {}
