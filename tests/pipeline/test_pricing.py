"""Pricing in Dagster: scenarios are partitions, one run covers them all, and a person runs one; and what the demonstration published."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.database import open_warehouse
from dagster_project.defs.pricing.scenarios import defs as step_defs
from dagster_project.defs.pricing.tables import price_tables
from dagster_project.pricing import scenarios, steps
from dagster_project.pricing.stages import STAGES
from dagster_project.resources.house import House
from dagster_project.resources.pricing import PARTITIONS
from tests.pricing.house import house, scenario

DEMONSTRATIONS = {"florida_inpatient", "harborlight_2026", "harborlight_impossible", "three_hospitals"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenarios of a house, one of which cannot be read."""
    monkeypatch.setattr(scenarios, "DEMONSTRATIONS", tmp_path / "none")
    monkeypatch.setattr(steps.after, "explain", lambda work, made: {})
    house(tmp_path, {"save.yml": scenario("save"), "broken.yml": "scenario: broken\n"})
    return tmp_path


def cover(home: Path, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([price_tables], instance=instance, resources={"house": House(home=str(home))})


def test_a_run_covers_every_scenario_and_each_is_a_partition_of_each_step(home: Path) -> None:
    with dg.instance_for_test() as instance:
        assert cover(home, instance).success
        assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"save", "broken"}
        for name, _ in STAGES:
            assert instance.get_materialized_partitions(dg.AssetKey(["pricing", name])) == {"save", "broken"}
        again = cover(home, instance)
        told = {event.asset_key.path[1]: event for event in again.get_asset_materialization_events()}
        assert set(told) == {"scenario", "recommendation", "rule_cost", "frontier"}  # nothing new: no step did anything
        metadata = told["scenario"].materialization.metadata
        assert metadata["answered"].value == "none: nothing is new" and metadata["kept"].value == "broken, save"


def test_a_scenario_whose_file_is_gone_is_no_partition_any_more(home: Path) -> None:
    with dg.instance_for_test() as instance:
        cover(home, instance)
        (home / "scenarios" / "broken.yml").unlink()
        cover(home, instance)
        assert instance.get_dynamic_partitions(PARTITIONS) == ["save"]


def test_the_solution_shows_the_search_as_log_and_plot(home: Path) -> None:
    with dg.instance_for_test() as instance:
        result = cover(home, instance)
        (solved,) = [
            event.step_materialization_data.materialization
            for event in result.all_events
            if event.is_step_materialization
            and event.asset_key == dg.AssetKey(["pricing", "solution"])
            and event.partition == "save"
        ]
        metadata = solved.metadata
        assert metadata["status"].value == "optimal" and metadata["dollars_spend"].value > 0
        assert "bound" in metadata["course"].value and "highs" in metadata["course"].value
        log = metadata["solver_log"].value  # HiGHS's own words, and nothing of where they were written
        assert "HiGHS run time" in log and "Presolving model" in log and "log_file" not in log and "/tmp" not in log
        assert metadata["bound_and_incumbent"].value.startswith(
            "![bound and best list over seconds](data:image/png;base64,iVBOR"
        )


def test_a_person_runs_one_scenario_step_by_step(home: Path) -> None:
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions(PARTITIONS, ["save"])
        assets = list(step_defs().assets or [])
        result = dg.materialize(
            assets, instance=instance, partition_key="save", resources={"house": House(home=str(home))}
        )
        assert result.success
        assert [event.asset_key.path[1] for event in result.get_asset_materialization_events()] == [
            name for name, _ in STAGES
        ]
    assert (home / "lake" / "pricing" / "scenario" / "save.parquet").exists()
    assert not (home / "lake" / "pricing" / "scenario" / "broken.parquet").exists()


def test_the_job_of_everything_is_of_no_partition_and_holds_the_tables(definitions: dg.Definitions) -> None:
    """A job of partitioned assets would ask whoever launches it which partition, and the schedule could not answer."""
    everything, price = (definitions.resolve_job_def(name) for name in ("everything", "price"))
    assert everything.partitions_def is None and price.partitions_def is not None
    chosen = everything.asset_layer.selected_asset_keys
    assert dg.AssetKey(["pricing", "scenario"]) in chosen and dg.AssetKey(["pricing", "solution"]) not in chosen
    assert price.asset_layer.selected_asset_keys == {dg.AssetKey(["pricing", name]) for name, _ in STAGES}


def test_the_demonstrations_are_published_each_with_its_status(marts) -> None:
    told = dict(marts.execute("select scenario_id, status from mart_price_scenario").fetchall())
    assert set(told) == DEMONSTRATIONS
    assert told["three_hospitals"] == "optimal" and told["harborlight_impossible"] == "infeasible"
    assert not {"failed", "not_readable", "no_answer"} & set(told.values()), told
    assert marts.execute(
        "select baseline_spend_amount, spend_amount, savings_amount from mart_price_scenario where scenario_id = 'three_hospitals'"
    ).fetchall() == [(Decimal("1710000.00"), Decimal("1568000.00"), Decimal("142000.00"))]
    assert marts.execute(
        "select procedure_id, max(price_amount) - min(price_amount) from mart_price_recommendation "
        "where scenario_id = 'three_hospitals' group by all order by all"
    ).fetchall() == [("CT", 60), ("MRI", 100)]


def test_no_published_pair_of_claims_rests_on_fewer_than_eleven_people(marts, demo_settings) -> None:
    priced = marts.execute("""
        select scenarios.data_source, prices.provider_id, prices.procedure_id
        from mart_price_recommendation as prices inner join mart_price_scenario as scenarios using (scenario_id)
        where scenarios.pair_source = 'marts'
    """).fetchall()
    with open_warehouse(demo_settings) as warehouse:
        few = warehouse.execute("""
            select data_source, provider_id, procedure_id from intermediate.int_price__claim_pairs
            group by all having max(people_count) < 11
        """).fetchall()
    assert priced and few and not set(priced) & set(few)
