"""Optima that others found, by other solvers and by enumeration: reached to a millionth, large ones to the gap asked for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from optimization.pricing.cbc import cbc_version
from optimization.pricing.check import check, measure
from optimization.pricing.instance import Instance
from optimization.pricing.solve import solve

OPTIMA = {"v1_spend": 6510577.027027, "providers_20_procedures_50": 24262370.7513}


def test_the_demonstration_falls_from_1710000_to_1568000_dollars(shared: Callable[[str], Instance]):
    asked = shared("three_hospitals")
    answer = solve(asked, gap=0.0)
    prices = answer.prices
    pairs = zip(prices["provider"].str[0], prices["procedure"], strict=True)
    listed = dict(zip(pairs, zip(prices["price"], prices["tier"], strict=True), strict=True))
    assert (answer.status, answer.baseline_spend, answer.spend) == ("optimal", Decimal(1710000), Decimal(1568000))
    assert listed == {
        ("A", "MRI"): (800, "T1_low"), ("A", "CT"): (540, "T1_low"), ("B", "MRI"): (800, "T1_low"),
        ("B", "CT"): (540, "T1_low"), ("C", "MRI"): (900, "T2_mid"), ("C", "CT"): (600, "T2_mid"),
    }  # fmt: skip
    spreads = measure(asked, answer.prices).set_index("id")["measured"]
    assert (spreads["spread:MRI:BatonRouge"], spreads["spread:CT:BatonRouge"]) == (100, 60)


@pytest.mark.parametrize("name", OPTIMA)
@pytest.mark.parametrize("method", ["whole", "parts"])
def test_known_optima_are_reached_by_either_way(shared: Callable[[str], Instance], name: str, method: str):
    answer = solve(shared(name), gap=1e-7, method=method)  # type: ignore[arg-type]
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(OPTIMA[name], rel=1e-9)
    assert answer.best_bound is not None and answer.best_bound <= OPTIMA[name] * (1 + 1e-9)
    assert check(shared(name), answer.prices) == []


@pytest.mark.parametrize(
    ("name", "bound", "best_known"),
    [
        ("providers_100_procedures_50", 144541293.86, 144541296.53),
        ("providers_300_procedures_50", 293973339.53, 293987395.78),
    ],
)
def test_large_instances_come_within_the_gap_of_the_known_bound(
    shared: Callable[[str], Instance], name: str, bound: float, best_known: float
):
    answer = solve(shared(name), gap=1e-4)
    assert answer.status == "optimal" and answer.relative_gap is not None and answer.relative_gap <= 1e-4
    assert bound * (1 - 1e-9) <= answer.objective <= best_known * (1 + 1e-4)
    assert answer.best_bound == pytest.approx(bound, rel=1e-4)
    assert answer.best_bound <= bound * (1 + 1e-9), "no bound may lie above a proven one"


def test_an_impossible_instance_is_called_so(shared: Callable[[str], Instance]):
    answer = solve(shared("i1_infeasible_local"))
    assert (answer.status, len(answer.prices), answer.objective) == ("infeasible", 0, None)


@pytest.mark.parametrize("rule", ["spread:MRI:North", "quality:P1", "quality:P3"])
def test_without_one_rule_of_the_conflict_there_is_a_list(shared: Callable[[str], Instance], rule: str):
    asked = shared("i1_infeasible_local").without([rule])
    answer = solve(asked)
    assert answer.status == "optimal" and check(asked, answer.prices) == []


@pytest.mark.skipif(cbc_version() is None, reason="CBC is not installed (Debian: coinor-cbc)")
@pytest.mark.parametrize("name", ["three_hospitals", "v1_spend", "providers_20_procedures_50", "i1_infeasible_local"])
def test_cbc_by_way_of_pyomo_says_the_same(shared: Callable[[str], Instance], name: str):
    asked = shared(name)
    ours, theirs = solve(asked, gap=1e-7), solve(asked, gap=1e-7, solver="cbc", time_limit=60)
    assert theirs.status == ours.status
    if ours.objective is not None:
        assert theirs.objective == pytest.approx(ours.objective, rel=1e-7)
        assert check(asked, theirs.prices) == []
