"""Prices in whole cents and dollars: no rule broken to the last decimal, where rounding each price breaks one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from optimization.pricing import check, forms
from optimization.pricing.cents import CannotRound, rounded
from optimization.pricing.solve import solve


def wide(pairs, **rules):
    """Two tiers with bands, so that prices lie where rules put them."""
    names = list(dict.fromkeys(pair[0] for pair in pairs))
    return forms.from_json(
        {
            "schema": "reimb-pricing/1",
            "currency": "USD",
            "regions": ["North"],
            "tiers": ["T1", "T2"],
            "procedures": [{"id": name, "family": "f"} for name in dict.fromkeys(pair[1] for pair in pairs)],
            "providers": [
                {"id": name, "region": "North", "specialty": "s", "quality_stars": 3}
                | ({"min_revenue": rules["floors"][name]} if name in rules.get("floors", {}) else {})
                for name in names
            ],
            "pairs": [
                {"provider": p, "procedure": c, "volume": v, "baseline_price": b, "medicare_rate": r, "bands": bands}
                for p, c, v, b, r, bands in pairs
            ],
            "objective": rules.get("objective", {"type": "min_spend"}),
            **{name: value for name, value in rules.items() if name not in ("floors", "objective")},
        }
    )


BANDS = {"T1": [80.0, 99.0], "T2": [101.0, 130.0]}


def a_spread_between_thirds():
    """A floor puts one price at a third of a dollar and a spread ties the other to it: rounded one by one they part by a cent."""
    return wide(
        [("P1", "C", 3, 110.0, 100.0, BANDS), ("P2", "C", 7, 120.0, 100.0, BANDS)],
        floors={"P1": 250.0, "P2": 840.0},
        fairness=[{"procedure": "C", "region": "North", "max_spread": 36.666}],
    )


@pytest.mark.parametrize("grid", ["cent", "dollar"])
def test_rounded_prices_are_multiples_and_keep_every_rule_without_tolerance(grid):
    asked = a_spread_between_thirds()
    answer = solve(asked, gap=1e-9)
    made = rounded(asked, answer.prices, grid)
    step = {"cent": Decimal("0.01"), "dollar": Decimal(1)}[grid]
    assert all(price % step == 0 for price in made.prices["price"])
    assert check.check(asked, made.prices, tolerance=0) == []
    assert made.spend == check.spend(asked, made.prices)
    assert Decimal(0) <= made.cost <= 10 * step


def test_each_price_for_itself_would_break_a_rule_here():
    """The reason for choosing multiples together; were it not so, the test above would prove little."""
    asked = a_spread_between_thirds()
    prices = solve(asked, gap=1e-9).prices
    for each in (np.floor, np.round, np.ceil):
        alone = prices.assign(price=each(prices["price"].to_numpy(float) * 100) / 100)
        if check.check(asked, alone, tolerance=0):
            return
    pytest.fail("every simple rounding keeps the rules")


def test_a_single_price_in_cents_keeps_them_when_dollars_are_asked_for():
    asked = wide([("P1", "C", 10, 110.0, 100.0, {"T1": [101.1, 101.1]})])
    made = rounded(asked, solve(asked).prices, "dollar")
    assert made.prices["price"].tolist() == [Decimal("101.1")] and made.finer_pairs == 1


def test_disruption_is_rounded_towards_todays_price():
    asked = wide(
        [("P1", "C", 3, 110.0, 100.0, BANDS)],
        objective={"type": "min_deviation"},
        savings_target={"min_savings_fraction": 0.0333},
    )
    made = rounded(asked, solve(asked, gap=1e-9).prices)
    assert made.prices["price"].tolist() == [Decimal("106.33")]  # 106.337, and the target lets no cent be added


def test_where_no_multiple_keeps_the_rules_it_is_said():
    asked = wide(
        [("P1", "C", 1, 110.0, 100.0, {"T1": [100.0, 101.0]})],
        floors={"P1": 100.504},
        savings_target={"min_savings_fraction": 1 - 100.506 / 110.0},
    )
    prices = solve(asked, gap=1e-9).prices
    with pytest.raises(CannotRound, match="whole cents"):
        rounded(asked, prices)


def test_bands_of_fractions_are_rounded_as_they_should_be(real_data):
    """HiGHS 1.15.1 called whole-dollar prices of this instance impossible while bands stood as fractions of the benchmark."""
    path = real_data / "pricing" / "providers_20_procedures_50.json.gz"
    if not path.is_file():
        pytest.skip(f"no pricing instances: {path} is not there")
    asked = forms.read(path)
    answer = solve(asked)
    for grid, most in (("cent", Decimal(500)), ("dollar", Decimal(5000))):
        made = rounded(asked, answer.prices, grid)
        assert check.check(asked, made.prices, tolerance=0) == []
        assert abs(made.cost) < most
