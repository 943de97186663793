"""The assets: a run that names no year answers and tells all, a backfill one; checks on counts, sums and scores."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from small_warehouse_of_payments import change, small_house

from dagster_project.defs.opportunity.models import drg_models, drg_year, drg_years_compared
from dagster_project.resources.house import House
from dagster_project.resources.opportunity import OF_A_YEAR, YEARS, answer_pairs, answer_years, answered_file
from dagster_project.resources.opportunity_shown import (
    NOTICE,
    every_cell_is_answered,
    expected_sums_to_paid,
    no_worse_than_plain_means,
)
from dagster_project.settings import Settings

EXPECTED, YEAR = dg.AssetKey(["ml", "drg_expected_payment"]), dg.AssetKey(["ml", "drg_year"])


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    return small_house(tmp_path)


def run(house: Settings, instance: dg.DagsterInstance, year: str | None = None) -> dg.ExecuteInProcessResult:
    assets = [drg_year] if year else [drg_models, drg_years_compared]
    job = dg.define_asset_job("models", selection=dg.AssetSelection.assets(*assets))
    defs = dg.Definitions(assets=assets, jobs=[job], resources={"house": House(home=str(house.home))})
    return defs.resolve_job_def("models").execute_in_process(instance=instance, partition_key=year)


def told(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str | None, dict[str, object]]:
    """Metadata of the newest materialization by partition."""
    records = instance.fetch_materializations(key, limit=50, ascending=True).records
    return {one.partition_key: one.asset_materialization.metadata for one in records if one.asset_materialization}


def test_every_year_is_told_as_a_partition_when_a_run_names_none(house: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(house, instance).success
        assert instance.get_materialized_partitions(YEAR) == {"2015", "2016"}
        seen, tables = told(instance, YEAR), told(instance, EXPECTED)
        assert seen["2016"]["drg_expected_payment"].value == 720
        assert set(tables) == {None} and tables[None]["dagster/row_count"].value == 1440
        pictures = {name: value.value for name, value in seen["2016"].items() if hasattr(value, "md_str")}
        assert sorted(pictures) == ["calibration", "made gap against volume", "made states", "made top opportunities"]
        assert all(text.startswith("![](data:image/png;base64,iVBOR") for text in pictures.values())
        assert all(metadata["notice"].value == NOTICE for metadata in [*seen.values(), *tables.values()])
        back_test = told(instance, dg.AssetKey(["ml", "drg_back_test"]))[None]
        assert back_test["verdicts"].value == "no_more_than_chance: 5"
        assert back_test["slopes"].value.startswith("![](data:image/png;base64,")


def test_what_is_kept_is_said_and_not_drawn_again_when_nothing_is_new(house: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run(house, instance)
        before = len(instance.fetch_materializations(YEAR, limit=50).records)
        assert run(house, instance).success
        assert len(instance.fetch_materializations(YEAR, limit=50).records) == before == 2
        assert told(instance, EXPECTED)[None]["kept"].value.startswith("2015, 2016: ")


def test_one_year_is_answered_when_a_run_names_it_and_kept_by_the_next_that_names_none(house: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(house, instance, "2016").success
        assert instance.get_materialized_partitions(YEAR) == {"2016"}
        assert "made states" in told(instance, YEAR)["2016"]
        assert not answered_file(house, "drg_expected_payment", "2015").exists()
        assert run(house, instance).success
        assert told(instance, EXPECTED)[None]["kept"].value.startswith("2016: ")
        assert len(instance.fetch_materializations(YEAR, limit=50).records) == 2


def test_a_year_without_payments_has_no_picture_when_a_run_names_it(house: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(house, instance, "2020").success
        assert set(told(instance, YEAR)["2020"]) == {"dagster/row_count", *OF_A_YEAR, "notice"}


@pytest.fixture
def answered(house: Settings) -> Settings:
    answer_years(house, YEARS)
    answer_pairs(house)
    return house


def test_checks_pass_when_all_is_answered(answered: Settings) -> None:
    results = [
        every_cell_is_answered(answered, "drg_expected_payment", "run"),
        every_cell_is_answered(answered, "drg_expected_severity", "run"),
        expected_sums_to_paid(answered, "run"),
        no_worse_than_plain_means(answered, "run"),
    ]
    assert [one.passed for one in results] == [True] * 4
    assert [one.metadata["checked"].value for one in results] == [1440, 960, 2, 4]


def test_a_cell_without_its_row_is_counted_when_rows_are_checked(answered: Settings) -> None:
    change(answered, "insert into intermediate.int_opportunity__payment_cells "
           "select * replace ('998' as drg_code) from intermediate.int_opportunity__payment_cells limit 1")  # fmt: skip
    checked = every_cell_is_answered(answered, "drg_expected_payment", "run")
    assert not checked.passed and checked.metadata["failed"].value == 1
    assert checked.severity == dg.AssetCheckSeverity.WARN


def test_sums_are_checked_when_payments_have_moved_from_under_the_answers(answered: Settings) -> None:
    change(
        answered,
        "update intermediate.int_opportunity__payment_cells set payment = payment * 1.1 where fiscal_year = 2016",
    )
    checked = expected_sums_to_paid(answered, "run")
    assert not checked.passed
    assert [str(record.data["off"]).startswith("-9") for record in checked.metadata["rows"].records] == [False, True]


def test_a_check_says_no_data_when_no_payment_is_at_hand(tmp_path: Path) -> None:
    house = small_house(tmp_path)
    change(
        house,
        "delete from intermediate.int_opportunity__payment_cells; delete from intermediate.int_opportunity__severity_cells",
    )
    answer_years(house, YEARS)
    for result in (
        every_cell_is_answered(house, "drg_expected_payment", "run"),
        no_worse_than_plain_means(house, "run"),
    ):
        assert result.metadata["verdict"].value == "no_data" and result.severity == dg.AssetCheckSeverity.WARN
