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
from dagster_project.settings import Settings
from expectations.results import ERROR, FAIL, NO_DATA, PASS, CheckResult, write_quality

# Money that a mart is known by, in the order in which one of them is shown as its dollars.
AMOUNTS = ("paid_amount", "allowed_amount", "charge_amount", "posting_amount", "ledger_amount")
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
    """The events again, those of tables with rows, dollars, bytes and seconds, which the UI plots."""
    if not any(isinstance(event, dg.Output) for event in events):
        yield from events  # nothing was built, perhaps not even the warehouse's file
        return
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        for event in events:
            if isinstance(event, dg.Output):
                node = manifest["nodes"][str(event.metadata["unique_id"].value)]
                yield event.with_metadata({**event.metadata, **model_counts(con, node)})
            else:
                yield event


def model_counts(con: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> dict[str, Any]:
    """Of a table: rows, dollars of its known amounts, bytes on disk. Counting a view would compute it again."""
    if node["resource_type"] == "model" and node["config"]["materialized"] == "view":
        return {}
    relation = node["relation_name"]
    columns = [name for name, *_ in con.execute(f"describe {relation}").fetchall()]
    amounts = [name for name in AMOUNTS if name in columns]
    row = con.execute(f"select count(*){''.join(f', sum({name})' for name in amounts)} from {relation}").fetchone() or (
        0,
    )
    blocks = con.execute("select count(distinct block_id) from pragma_storage_info(?)", [relation]).fetchone() or (0,)
    return {
        "dagster/row_count": row[0],
        "bytes": blocks[0] * BLOCK_BYTES,
        **{
            name.replace("_amount", "_dollars"): float(value or 0) for name, value in zip(amounts, row[1:], strict=True)
        },
    }


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
    """A test that fell over is an error, not a failure of the data; dbt's message may hold SQL and is left out."""
    node = manifest["nodes"].get(test.get("attached_node") or "") or _first_model(test, manifest)
    verdict = {"pass": PASS, "fail": FAIL, "warn": FAIL, "skipped": NO_DATA}.get(result["status"], ERROR)
    return CheckResult(
        checker="dbt",
        asset=f"{layer_of(node)}/{node['name']}" if node else "warehouse",
        check_name=test["name"],
        verdict=verdict,
        is_blocking=test["config"]["severity"].lower() == "error",
        failed_count=result["failures"] or 0,
        checked_count=0,
        note="did not run: what it checks was not built" if verdict == NO_DATA else None,
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
