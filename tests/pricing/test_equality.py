"""The arrays that go to the solver are the Pyomo model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from equality import differences
from pricing_worlds import SHARED

from optimization.pricing import hull
from optimization.pricing.assembly import Arrays
from optimization.pricing.generate import generate, tiny
from optimization.pricing.instance import Elasticity, Instance, Objective, Step

GOALS = {
    "least spend": Objective(),
    "least deviation": Objective("min_deviation", deviation_weight=0.5),
    "both, in steps": Objective("min_spend_plus_deviation", steps=(Step(0.05, 1.0), Step(np.inf, 3.0))),
    "quality": Objective("quality_weighted", star_weight={5: 0.9, 1: 1.1}),
}
SINGLE = ("legal_band", "minimum_price", "largest_change", "tier_rule")


@pytest.mark.parametrize("name", SHARED)
def test_arrays_are_the_pyomo_model_on_shared_instances(shared: Callable[[str], Instance], name: str):
    assert differences(shared(name)) == []


@pytest.mark.parametrize("seed", range(6))
def test_arrays_are_the_pyomo_model_with_every_rule_kind(seed: int):
    assert differences(tiny(seed)) == []


@pytest.mark.parametrize("goal", GOALS)
def test_arrays_are_the_pyomo_model_for_every_objective(goal: str):
    """Where prices are cut into pieces, rules about single pairs cut the pieces; equality is of the rest, cuts have a test below."""
    asked = tiny(3, objective=GOALS[goal]).without(kinds=SINGLE)
    assert differences(asked) == []
    assert differences(replace(asked, elasticity=Elasticity(np.full(len(asked.pairs), -0.3)))) == []


def test_a_row_that_differs_is_seen(monkeypatch: pytest.MonkeyPatch):
    asked, right = generate(4, 4, seed=1), hull.build

    def wrong(*arguments: object, **options: object) -> Arrays:
        arrays = right(*arguments, **options)  # type: ignore[arg-type]
        arrays.row_high[arrays.rows["regional_spread_high"].first] *= 1.001
        return arrays

    monkeypatch.setattr("equality.build", wrong)
    assert len(differences(asked)) == 1
