"""dbt's own unit tests, beside the models they judge. A run leaves them out; here they run against a built warehouse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from dagster_project.settings import DBT_PROJECT, Settings

DBT = Path(sys.executable).with_name("dbt")


def test_every_unit_test_of_the_models_passes(home_copy: Settings) -> None:
    command = [DBT, "test", "--quiet", "--project-dir", DBT_PROJECT, "--select", "test_type:unit"]
    done = subprocess.run(command, env={**os.environ, **home_copy.environment()}, capture_output=True, text=True)
    results = json.loads((home_copy.dbt_target / "run_results.json").read_text())["results"]
    ran = {result["unique_id"]: result["status"] for result in results if result["unique_id"].startswith("unit_test.")}
    assert len(ran) == len(unit_tests(home_copy)) > 0
    assert [name for name, status in ran.items() if status != "pass"] == [], done.stdout[-4000:]


# What casts, joins, gathers or counts and decides next to nothing; dbt's data tests hold their sums and keys.
WITHOUT = {
    "dim_member", "dim_payer", "dim_provider", "fct_claim_line", "fct_ipps_payment", "fct_provider_adjustment",
    "fct_remittance", "int_calendar__horizons", "int_calendar__months", "int_claim__remitted_lines",
    "int_claim__remitted_reasons", "int_cost__member_months", "int_encounter__claim_types", "int_encounter__records",
    "int_finance__cells", "int_finance__ledger_amounts", "int_lake__active_loads", "int_lake__changed_loads",
    "int_lake__mart_counts", "int_lake__repeated_rows", "int_lake__staged_counts", "int_lake__touched_claims",
    "int_lake__touched_people", "int_member__crosswalk", "mart_code_validity", "mart_drg_back_test",
    "mart_drg_model_calibration", "mart_ledger_load",
}  # fmt: skip


def test_every_model_behind_staging_has_a_unit_test_beside_it_or_decides_nothing() -> None:
    described = [yaml.safe_load(path.read_text()) or {} for path in (DBT_PROJECT / "models").rglob("*.yml")]
    judged = {test["model"] for file in described for test in file.get("unit_tests") or []}
    models = {path.stem for path in (DBT_PROJECT / "models").rglob("*.sql") if "staging" not in path.parts}
    assert len(judged) > 40 and models - judged - WITHOUT == set()
    assert models >= WITHOUT | judged - {path.stem for path in (DBT_PROJECT / "models" / "staging").rglob("*.sql")}


def unit_tests(settings: Settings) -> dict[str, dict[str, str]]:
    manifest = json.loads((settings.dbt_target / "manifest.json").read_text())
    return dict(manifest["unit_tests"])
