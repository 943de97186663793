"""Running: what the history keeps of it, a process that died, a ledger that does not tie. Running again: tests/faults."""

from __future__ import annotations

import os
import subprocess
import sys

from dagster import DagsterInstance, DagsterRunStatus

from dagster_project.cli.terminal import SET_ASIDE
from dagster_project.publication.publish import read_manifest
from dagster_project.resources.launch import PROCESS, clear_dead_runs


def test_the_run_is_in_the_history_with_numbers_that_the_ui_plots(demo_settings):
    import dagster as dg

    with DagsterInstance.from_config(str(demo_settings.dagster)) as instance:
        assert instance.get_runs(limit=1)[0].status == DagsterRunStatus.SUCCESS
        for key, names in (
            (["raw", "remittance"], ("dagster/row_count", "dollars_accepted", "bytes", "seconds")),
            (["marts", "fct_claim_line"], ("dagster/row_count", "paid_dollars", "bytes", "Execution Duration")),
            (["raw", "landing"], ("dagster/row_count", "bytes", "seconds")),
            (["lake", "loads"], ("dagster/row_count", "dollars_accepted", "bytes", "seconds")),
            (["lake", "quality"], ("dagster/row_count", "bytes", "seconds")),
            (
                ["staging", "stg_remittance__adjudications"],
                ("dagster/row_count", "dollars_staged", "Execution Duration"),
            ),
            (["staging", "stg_lake__loads"], ("dagster/row_count", "Execution Duration")),
            (["marts", "mart_denials"], ("dagster/row_count", "denied_charge_dollars", "bytes", "Execution Duration")),
            (["published", "marts"], ("dagster/row_count", "dollars_paid", "bytes", "seconds")),
        ):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            metadata = event.asset_materialization.metadata
            assert all(metadata[name].value > 0 for name in names), (key, metadata)


def test_a_run_whose_process_died_is_failed_and_gives_its_pool_back(tmp_path):
    """A killed run once held the warehouse's only place, and every later run waited for it without end."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    import socket

    host = socket.gethostname()
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        gone = instance.create_run_for_job(
            _job(), status=DagsterRunStatus.STARTED, tags={PROCESS: f"{host}/{dead.pid}"}
        )
        alive = instance.create_run_for_job(
            _job(), status=DagsterRunStatus.STARTED, tags={PROCESS: f"{host}/{os.getpid()}"}
        )
        others = instance.create_run_for_job(_job(), status=DagsterRunStatus.STARTED)
        instance.event_log_storage.set_concurrency_slots("warehouse", 1)
        assert instance.event_log_storage.claim_concurrency_slot("warehouse", gone.run_id, "step").is_claimed
        assert clear_dead_runs(instance) == 1
        assert instance.get_run_by_id(gone.run_id).status == DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(alive.run_id).status == DagsterRunStatus.STARTED
        assert instance.get_run_by_id(others.run_id).status == DagsterRunStatus.STARTED
        assert instance.event_log_storage.claim_concurrency_slot("warehouse", alive.run_id, "step").is_claimed


def _job():
    import dagster as dg

    @dg.op
    def nothing(): ...

    @dg.job
    def job():
        nothing()

    return job


def test_a_ledger_that_does_not_tie_blocks_and_the_last_good_publication_stays(claimhouse, home_copy):
    """A posting of the books is changed by a cent: a cash account has no tolerance. (The sender's control total
    goes, or the file would not even count as read.)"""
    before = read_manifest(home_copy)
    posted = sorted((home_copy.landing / "ledger_posting").glob("*.csv"))[-2]
    posted.with_name(f"{posted.name}.ctl").unlink(missing_ok=True)
    header, *lines = posted.read_text().splitlines()
    account, amount = header.split(",").index("account_code"), header.split(",").index("posting_amount")
    at = next(number for number, line in enumerate(lines) if line.split(",")[account] == "payer_payments")
    cells = lines[at].split(",")
    cells[amount] = f"{float(cells[amount]) + 0.01:.2f}"
    lines[at] = ",".join(cells)
    posted.write_text("\n".join([header, *lines]) + "\n")
    answer = claimhouse(home_copy.home, "run", "--json")
    assert answer.code == SET_ASIDE, answer.err
    told = answer.json
    assert told["is_success"] is False
    assert read_manifest(home_copy)["publication_id"] == before["publication_id"]
    blocked = [check for check in told["failed_checks"] if check["is_blocking"]]
    assert [check["check"] for check in blocked] == ["ledger_is_explained"]
    assert "payer_payments" in blocked[0]["about"]
    assert claimhouse(home_copy.home, "publish").code == SET_ASIDE
    status = claimhouse(home_copy.home, "status", "--json")
    assert status.code == SET_ASIDE
    assert "ledger_is_explained" in {check["check_name"] for check in status.json["failing_checks"]}
