"""Large instances, too slow for every run: the arrays against the Pyomo model, 75,360 pairs to the gap asked for and on a grid, conflicts
among thousands of pairs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from equality import differences

from optimization.pricing import patterns
from optimization.pricing.cents import rounded
from optimization.pricing.check import check
from optimization.pricing.conflict import why_impossible
from optimization.pricing.instance import Instance
from optimization.pricing.solve import solve


def test_arrays_are_the_pyomo_model_of_300_providers(shared: Callable[[str], Instance]):
    assert differences(shared("providers_300_procedures_50")) == []


def test_1000_providers_and_300_procedures_come_within_the_gap(shared: Callable[[str], Instance]):
    asked = shared("providers_1000_procedures_300")
    answer = solve(asked, gap=1e-4, time_limit=900)
    assert answer.status == "optimal" and answer.relative_gap is not None and answer.relative_gap <= 1e-4
    assert check(asked, answer.prices) == []
    for grid in ("cent", "dollar"):
        made = rounded(asked, answer.prices, grid)  # type: ignore[arg-type]
        assert check(asked, made.prices, tolerance=0) == []
        assert made.finer_pairs < len(asked.pairs) / 100 and made.how.startswith("market by market")


@pytest.mark.parametrize(("name", "most"), [("providers_100_procedures_50", 20), ("providers_300_procedures_50", 100)])
def test_a_target_of_a_fifth_collides_with_the_highest_floors_and_its_repair_is_exact(
    name: str, most: int, shared: Callable[[str], Instance]
):
    bare = shared(name)
    asked = bare.with_rules(patterns.savings_target(bare, 0.2))
    found = why_impossible(asked, seconds=240)
    assert found.unproven == 0 and len(found.rules) <= most
    assert {rule.split(":")[0] for rule in found.rules} == {"target", "floor"}
    least = solve(bare).spend
    assert least is not None
    amounts = {one.rule: one.amount for one in found.single if one.amount is not None}
    assert amounts == {"target": pytest.approx(float(least) - asked.of("savings_target").high[0], rel=1e-5)}
    assert found.joint and found.joint_cost is not None and found.joint_cost < amounts["target"]
