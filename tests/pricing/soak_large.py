"""Large instances, too slow for every run: the arrays against the Pyomo model, and 75,360 pairs to the gap asked for."""

from __future__ import annotations

from collections.abc import Callable

from equality import differences

from optimization.pricing.check import check
from optimization.pricing.instance import Instance
from optimization.pricing.solve import solve


def test_arrays_are_the_pyomo_model_of_300_providers(shared: Callable[[str], Instance]):
    assert differences(shared("providers_300_procedures_50")) == []


def test_1000_providers_and_300_procedures_come_within_the_gap(shared: Callable[[str], Instance]):
    asked = shared("providers_1000_procedures_300")
    answer = solve(asked, gap=1e-4, time_limit=900)
    assert answer.status == "optimal" and answer.relative_gap is not None and answer.relative_gap <= 1e-4
    assert check(asked, answer.prices) == []
