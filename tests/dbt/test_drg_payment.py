"""DRG payment where the answer is known: cells planted short, and severity shares that the generator made low or high."""

from __future__ import annotations

from typing import Any

import pytest
from planted_payments import SHORT_RATE, write_planted
from small_warehouse import Warehouse

from dagster_project.synthetic.cms import write_cms

# What the marts rest on, and all that rests on them within the subject.
SELECTED = ["+mart_opportunity_ranking", "+mart_drg_benchmarks", "path:tests/opportunity"]


class World:
    """A built warehouse, with what was planted in it."""

    def __init__(self, warehouse: Warehouse, truth: dict[tuple[str, str], float]) -> None:
        self.warehouse, self.truth = warehouse, truth

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(sql)

    def one(self, sql: str) -> Any:
        ((value,),) = self.rows(sql)
        return value


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    warehouse = Warehouse(tmp_path_factory.mktemp("drg"))
    settings = warehouse.settings
    truth = write_planted(settings.landing, seed=3)
    write_cms(settings.landing, seed=7, years=(2016,), hospitals=240, answers=settings.answers)
    warehouse.load()
    warehouse.dbt("build", "--exclude-resource-type", "unit_test", "--select", *SELECTED)
    return World(warehouse, truth)


@pytest.fixture(scope="module")
def judged(world: World) -> list[tuple[Any, ...]]:
    """Of each planted-source cell: truth, found, unusual, ratio, shrinkage, interval of the gap as rates of expected."""
    found = world.rows("""
        select provider_id, drg_code, is_gap_found, is_gap_unusual, payment_to_expected_rate, shrinkage_rate,
               standardized_gap_amount::double / expected_payment_amount::double,
               standardized_gap_low_amount::double / expected_payment_amount::double,
               standardized_gap_high_amount::double / expected_payment_amount::double
        from marts.mart_drg_opportunity where data_source = 'planted' and standardization_status = 'standardized'
    """)
    return [(world.truth[hospital, drg], *rest) for hospital, drg, *rest in found]


def test_few_discoveries_are_false_and_most_of_the_planted_ones_are_made(judged: list[tuple[Any, ...]]) -> None:
    """The rate asked for is 5 %; it holds of the mean of such worlds, so a little more is allowed in one."""
    planted = sum(truth < 1 for truth, *_ in judged)
    found = [truth for truth, is_found, *_ in judged if is_found]
    assert len(judged) > 11_000 and 500 < planted < 700
    assert sum(truth == 1 for truth in found) / len(found) < 0.07
    assert sum(truth < 1 for truth in found) / planted > 0.4


def test_what_is_unusual_is_found_too_and_is_nearly_always_planted(judged: list[tuple[Any, ...]]) -> None:
    unusual = [(truth, is_found) for truth, is_found, is_unusual, *_ in judged if is_unusual]
    assert len(unusual) > 20 and all(is_found for _, is_found in unusual)
    assert sum(truth == 1 for truth, _ in unusual) / len(unusual) < 0.05


def test_shrinking_errs_less_than_the_raw_difference_and_intervals_hold_the_truth(
    judged: list[tuple[Any, ...]],
) -> None:
    raw = sum((1 - ratio - (1 - truth)) ** 2 for truth, _, _, ratio, *_ in judged)
    shrunk = sum((gap - (1 - truth)) ** 2 for truth, *_, gap, _, _ in judged)
    held = sum(low <= 1 - truth <= high for truth, *_, low, high in judged) / len(judged)
    assert shrunk < 0.6 * raw
    assert 0.93 < held < 0.99


def test_a_planted_cell_is_expected_to_be_paid_as_if_it_were_not(judged: list[tuple[Any, ...]]) -> None:
    ratios = [ratio for truth, _, _, ratio, *_ in judged if truth < 1]
    assert abs(sum(ratios) / len(ratios) - SHORT_RATE) < 0.015


def test_the_low_tail_is_mostly_what_was_not_documented_and_the_high_tail_what_was_coded_too_high(world: World) -> None:
    """A hospital may have few severe stays in truth too: the tails say where to read records, and no more."""
    answers = world.warehouse.settings.answers / "cms.parquet"
    tails = {
        (tail, kind): count
        for tail, kind, count in world.rows(f"""
            select tail, kind, count(*) from marts.mart_severity_capture as capture
            join '{answers}' as answer on answer.ccn = capture.provider_id and answer.first_drg_code = capture.family_code
            where capture.data_source = 'demo' and severity_measure = 'mcc_of_all' group by all
        """)
    }
    low = {kind: count for (tail, kind), count in tails.items() if tail == "low"}
    high = {kind: count for (tail, kind), count in tails.items() if tail == "high"}
    assert low["under_documented"] / sum(low.values()) > 0.7 and sum(low.values()) > 50
    assert "over_coded" not in low and "under_documented" not in high
    assert high["over_coded"] / sum(high.values()) > 0.6


def test_the_interval_of_a_share_holds_what_was_billed(world: World) -> None:
    answers = world.warehouse.settings.answers / "cms.parquet"
    assert (
        world.one(f"""
        select avg((share_low_rate <= billed_mcc_rate and billed_mcc_rate <= share_high_rate)::integer)
        from marts.mart_severity_capture as capture
        join '{answers}' as answer on answer.ccn = capture.provider_id and answer.first_drg_code = capture.family_code
        where capture.data_source = 'demo' and severity_measure = 'mcc_of_all'
    """)
        > 0.92
    )


def test_maryland_is_compared_with_itself_alone(world: World) -> None:
    groups = world.rows("""
        select comparison_group, count(*) filter (state = 'MD'), count(*) filter (state <> 'MD')
        from marts.dim_hospital_year where data_source = 'demo' group by all order by all
    """)
    assert groups == [("maryland", 20, 0), ("prospective_payment", 0, 219)]


@pytest.mark.parametrize(
    "mart",
    [
        "dim_hospital_year", "mart_drg_measures", "mart_drg_benchmarks", "mart_drg_opportunity", "mart_severity_capture",
        "mart_opportunity_ranking",
    ],
)  # fmt: skip
def test_every_row_says_that_nothing_here_says_that_billing_was_improper(world: World, mart: str) -> None:
    assert world.rows(f"select distinct notice from marts.{mart}") == [
        ("Nothing here says that billing was improper.",)
    ]
