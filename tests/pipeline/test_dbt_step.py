"""What the dbt step makes of dbt's answers: failures show as failures, and are told apart from faults."""

from __future__ import annotations

import dagster as dg
import pyarrow.parquet as pq
import pytest

from dagster_project.components.warehouse import fail_as_dbt_did, forget_results, read_results, record_tests
from dagster_project.resources.dbt import DbtFailed, ensure_manifest
from tests.conftest import settings_of

MODEL = {"resource_type": "model", "fqn": ["claimhouse", "marts", "claims", "fct_claim"], "name": "fct_claim"}


def dbt_test(name: str, severity: str = "ERROR") -> dict[str, object]:
    return {
        "resource_type": "test", "name": name, "attached_node": "model.claimhouse.fct_claim",
        "config": {"severity": severity},
        "depends_on": {"nodes": ["model.claimhouse.fct_claim"]},
    }  # fmt: skip


MANIFEST = {
    "nodes": {
        "model.claimhouse.fct_claim": MODEL,
        **{f"test.claimhouse.{name}.1": dbt_test(name) for name in ("passes", "fails", "breaks", "waits")},
        "test.claimhouse.warns.1": dbt_test("warns", "WARN"),
    }
}
STATUSES = {"passes": "pass", "fails": "fail", "breaks": "error", "waits": "skipped", "warns": "warn"}


def results(*names: str) -> list[dict[str, object]]:
    return [
        {
            "unique_id": f"test.claimhouse.{name}.1",
            "status": STATUSES[name],
            "failures": 2 if name in ("fails", "warns") else 0,
        }
        for name in names
    ]


class Invocation:
    """What dagster-dbt hands out when dbt has ended."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def get_error(self) -> Exception | None:
        return self.error


def test_each_result_of_a_test_reaches_the_lake_with_its_verdict(tmp_path):
    settings = settings_of(tmp_path)
    record_tests(settings, results(*STATUSES), MANIFEST, "run-1", "warehouse")
    (path,) = (settings.lake / "quality").glob("*.parquet")
    rows = {row["check_name"]: row for row in pq.read_table(path).to_pylist()}
    verdicts = {name: (row["verdict"], row["is_blocking"], row["failed_count"]) for name, row in rows.items()}
    assert verdicts == {
        "passes": ("pass", True, 0), "fails": ("fail", True, 2), "breaks": ("error", True, 0),
        "waits": ("error", True, 0), "warns": ("fail", False, 2),
    }  # fmt: skip
    assert "did not run" in rows["waits"]["note"]
    assert {(row["checker"], row["asset"], row["run_id"]) for row in rows.values()} == {
        ("dbt", "marts/fct_claim", "run-1")
    }


def test_failed_tests_are_told_as_the_datas_failure_with_their_names():
    with pytest.raises(dg.Failure) as told:
        fail_as_dbt_did(Invocation(RuntimeError("dbt failed")), results("passes", "fails"))
    assert told.value.metadata["fails"].value == 2


def test_a_model_that_broke_is_a_fault_whatever_else_failed():
    broken = [{"unique_id": "model.claimhouse.fct_claim", "status": "error", "failures": None}, *results("fails")]
    with pytest.raises(RuntimeError, match="dbt failed"):
        fail_as_dbt_did(Invocation(RuntimeError("dbt failed")), broken)
    with pytest.raises(RuntimeError):
        fail_as_dbt_did(Invocation(RuntimeError("dbt ended before it began")), [])


def test_nothing_is_raised_when_all_passed_or_only_warned():
    raised = None
    try:
        fail_as_dbt_did(Invocation(None), results("passes", "warns"))
    except RuntimeError as error:
        raised = error
    assert raised is None


def test_results_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path):
    (tmp_path / "run_results.json").write_text('{"results": [{"status": "pass"}]}')
    assert read_results(tmp_path) == [{"status": "pass"}]
    forget_results(tmp_path)
    assert read_results(tmp_path) == []


def test_the_manifest_is_made_again_when_a_model_is_newer_and_only_then(demo_home, monkeypatch):
    settings = settings_of(demo_home)
    calls = []

    def fake_run(command, **_):
        calls.append(command)

        class Done:
            returncode, stdout, stderr = 2, "Compilation Error in model fct_claim", ""

        return Done

    ensure_manifest(settings)
    monkeypatch.setattr("dagster_project.resources.dbt.subprocess.run", fake_run)
    ensure_manifest(settings)
    assert calls == []
    monkeypatch.setattr("dagster_project.resources.dbt._last_change", lambda: 9e12)
    with pytest.raises(DbtFailed, match="Compilation Error in model fct_claim"):
        ensure_manifest(settings)
    assert len(calls) == 1
