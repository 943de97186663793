"""dbt's own unit tests, beside the models they judge. A run leaves them out; here they run against a built warehouse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from dagster_project.settings import DBT_PROJECT, Settings

DBT = Path(sys.executable).with_name("dbt")


def test_every_unit_test_of_the_models_passes(home_copy: Settings) -> None:
    command = [DBT, "test", "--quiet", "--project-dir", DBT_PROJECT, "--select", "test_type:unit"]
    done = subprocess.run(command, env={**os.environ, **home_copy.environment()}, capture_output=True, text=True)
    results = json.loads((home_copy.dbt_target / "run_results.json").read_text())["results"]
    ran = {result["unique_id"]: result["status"] for result in results if result["unique_id"].startswith("unit_test.")}
    assert len(ran) == len(unit_tests(home_copy)) > 0
    assert [name for name, status in ran.items() if status != "pass"] == [], done.stdout[-4000:]


def test_logic_that_can_be_wrong_has_a_unit_test_beside_it(home_copy: Settings) -> None:
    judged = {test["model"] for test in unit_tests(home_copy).values()}
    assert {
        "fct_claim",
        "int_claim__adjudications",
        "int_claim__receivables",
        "int_encounter__claim_matches",
        "int_finance__warehouse_amounts",
        "mart_denials",
        "mart_load_audit",
        "mart_plan_disagreement",
        "mart_rcm_kpis",
        "mart_unbilled_encounter",
        "int_finance__matched",
        "fct_member_month",
        "fct_encounter",
        "int_cost__member_years",
        "mart_pareto",
        "mart_pmpm",
    } <= judged


def unit_tests(settings: Settings) -> dict[str, dict[str, str]]:
    manifest = json.loads((settings.dbt_target / "manifest.json").read_text())
    return dict(manifest["unit_tests"])
