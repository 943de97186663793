"""One Dagster step that builds a selection of dbt models, each of them an asset and each of their tests a check.

Belongs here: the asset factory, the metadata of a built model, dbt's test results as rows for the lake.
Does not: names (translator), which selections there are (defs/transformation).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets

from dagster_project.components.translator import WarehouseTranslator, layer_of
from dagster_project.resources.dbt import BUILT
from dagster_project.resources.house import House
from dagster_project.resources.tallies import count_table, dollars, lake_counts
from dagster_project.resources.verdicts import TRY_AGAIN
from dagster_project.settings import Settings
from expectations.results import ERROR, FAIL, PASS, CheckResult, write_quality

STAGED = "intermediate.int_lake__staged_counts"
RESULTS = "run_results.json"
BLOCK_BYTES = 262_144  # DuckDB's unit of storage


def warehouse_assets(
    name: str, manifest: Mapping[str, Any], project: DbtProject, select: str, exclude: str = ""
) -> dg.AssetsDefinition:
    """All models of the selection in one `dbt build`; the pool lets one writer at a time into the warehouse."""

    @dbt_assets(
        manifest=manifest,
        project=project,
        name=name,
        select=select,
        exclude=exclude,
        dagster_dbt_translator=WarehouseTranslator(manifest),
        pool="warehouse",
        retry_policy=TRY_AGAIN,
        op_tags={"dagster/priority": "1"},
    )
    def build(context: dg.AssetExecutionContext, house: House, dbt: DbtCliResource) -> Iterator[Any]:
        target = house.settings.dbt_target
        forget_results(target)
        # Unit tests judge the models' code, not the data: `make test` runs them.
        command = ["build", "--exclude-resource-type", "unit_test"]
        invocation = dbt.cli(command, context=context, target_path=target, raise_on_error=False)
        events = [told(context, event) for event in invocation.stream() if not is_of_a_feed(event)]
        results = read_results(target)
        record_tests(house.settings, results, manifest, context.run_id, part=name)
        yield from with_counts(house.settings, manifest, events)
        fail_as_dbt_did(invocation, results)

    return build


def is_of_a_feed(event: Any) -> bool:
    """A test of a source, which dagster-dbt tells as an observation of the feed: noise beside the feed's own checks.

    Its result is in lake/quality like every test's, and a failure fails the step.
    """
    return isinstance(event, dg.AssetObservation) and event.asset_key.path[0] in {"raw", "lake"}


def told(context: dg.AssetExecutionContext, event: Any) -> Any:
    """The event, and a line in the log as it happens: rows can only be counted when dbt has let go of the warehouse."""
    if isinstance(event, dg.Output):
        context.log.info(f"{BUILT}{str(event.metadata['unique_id'].value).split('.')[-1]}")
    return event


def with_counts(settings: Settings, manifest: Mapping[str, Any], events: list[Any]) -> Iterator[Any]:
    """The events again, those of models with rows, dollars, bytes and seconds, which the UI plots."""
    if not any(isinstance(event, dg.Output) for event in events):
        yield from events  # nothing was built, perhaps not even the warehouse's file
        return
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        staged = staged_counts(con)
        for event in events:
            if isinstance(event, dg.Output):
                node = manifest["nodes"][str(event.metadata["unique_id"].value)]
                counts = view_counts(settings, node, staged) if is_view(node) else model_counts(con, node)
                yield event.with_metadata({**event.metadata, **counts})
            else:
                yield event


def is_view(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] == "model" and node["config"]["materialized"] == "view"


def model_counts(con: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> dict[str, Any]:
    """Of a table: rows, dollars of each column that is money, bytes on disk. A rule's amounts are no dollars that moved."""
    relation = node["relation_name"]
    blocks = con.execute("select count(distinct block_id) from pragma_storage_info(?)", [relation]).fetchone() or (0,)
    counts = count_table(con, relation)
    if node["resource_type"] == "seed":
        counts = {"dagster/row_count": counts["dagster/row_count"]}
    return {**counts, "bytes": blocks[0] * BLOCK_BYTES}


def view_counts(settings: Settings, node: Mapping[str, Any], staged: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Of a staging view, stg_<feed>__<plural>: what was counted beside it. Counting the view would compute it again."""
    feed, _, table = node["name"].removeprefix("stg_").partition("__")
    if feed == "lake":  # row for row one of the lake's own tables
        return {"dagster/row_count": lake_counts(settings, table)["dagster/row_count"]}
    return staged.get(feed, {})


def staged_counts(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Rows and dollars of each feed in its staging view; nothing where they have not been counted yet."""
    try:
        rows = con.execute(
            f"select feed, sum(rows_staged)::bigint, sum(amount_staged) from {STAGED} group by feed"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {feed: {"dagster/row_count": count, **dollars(staged=amount)} for feed, count, amount in rows}


def forget_results(target: Path) -> None:
    """So that a dbt that ends before it begins cannot pass off the results of the run before as its own."""
    (target / RESULTS).unlink(missing_ok=True)


def read_results(target: Path) -> list[Mapping[str, Any]]:
    """What dbt says of each model and test; nothing if it ended before it began."""
    path = target / RESULTS
    return json.loads(path.read_text())["results"] if path.exists() else []


def record_tests(
    settings: Settings, results: list[Mapping[str, Any]], manifest: Mapping[str, Any], run_id: str, part: str
) -> None:
    """dbt's test results into lake/quality."""
    tests = [result for result in results if result["unique_id"].startswith("test.")]
    rows = [_as_check(result, manifest["nodes"][result["unique_id"]], manifest) for result in tests]
    write_quality(settings, rows, run_id, f"dbt-{part}")


def _as_check(result: Mapping[str, Any], test: Mapping[str, Any], manifest: Mapping[str, Any]) -> CheckResult:
    """A test that fell over, or that dbt passed over since its model was not built, is an error: it says nothing of the
    data, and not that there were none. dbt's message may hold SQL and is left out."""
    node = manifest["nodes"].get(test.get("attached_node") or "") or _first_model(test, manifest)
    verdict = {"pass": PASS, "fail": FAIL, "warn": FAIL}.get(result["status"], ERROR)
    return CheckResult(
        checker="dbt",
        asset=f"{layer_of(node)}/{node['name']}" if node else "warehouse",
        check_name=test["name"],
        verdict=verdict,
        is_blocking=test["config"]["severity"].lower() == "error",
        failed_count=result["failures"] or 0,
        checked_count=0,
        note="did not run: what it checks was not built" if result["status"] == "skipped" else None,
    )


def _first_model(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    nodes = [manifest["nodes"].get(parent) for parent in test["depends_on"]["nodes"]]
    return next((node for node in nodes if node and node["resource_type"] in {"model", "seed"}), None)


def fail_as_dbt_did(invocation: DbtCliInvocation, results: list[Mapping[str, Any]]) -> None:
    """A model that broke is a fault of ours; tests that failed are the data's, and say which and how often."""
    error = invocation.get_error()
    if error is None:
        return
    failed = {result["unique_id"].split(".")[2]: result["failures"] for result in results if result["status"] == "fail"}
    if any(result["status"] == "error" for result in results) or not failed:
        raise error
    raise dg.Failure(f"{len(failed)} dbt tests fail", metadata=failed, allow_retries=False)
