"""Prices in whole cents and dollars: no rule broken to the last decimal, where rounding each price breaks one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from optimization.pricing import cents, check, forms
from optimization.pricing.cents import CannotRound, rounded
from optimization.pricing.generate import generate
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


def test_bands_of_fractions_are_rounded_as_they_should_be(shared):
    """HiGHS 1.15.1 called whole-dollar prices of this instance impossible while bands stood as fractions of the benchmark."""
    asked = shared("providers_20_procedures_50")
    answer = solve(asked)
    for grid, most in (("cent", Decimal(500)), ("dollar", Decimal(5000))):
        made = rounded(asked, answer.prices, grid)
        assert check.check(asked, made.prices, tolerance=0) == []
        assert abs(made.cost) < most


def a_large_list():
    """An invented question of more pairs than are rounded in one program, and its solved list."""
    asked = generate(60, 40, seed=11)
    assert len(asked.pairs) > cents.SMALL
    return asked, solve(asked)


@pytest.mark.parametrize(("grid", "step"), [("cent", Decimal("0.01")), ("dollar", Decimal(1))])
def test_a_large_list_is_rounded_market_by_market_without_a_program_over_all_prices(grid, step, monkeypatch):
    asked, answer = a_large_list()
    monkeypatch.setattr(cents, "_together", lambda *_: pytest.fail("all prices went into one program"))
    made = rounded(asked, answer.prices, grid)
    assert made.how.startswith("market by market")
    assert made.finer_pairs == 0 and all(price % step == 0 for price in made.prices["price"])
    assert check.check(asked, made.prices, tolerance=0) == []
    assert Decimal(0) <= made.cost <= step * int(asked.pairs.volume.sum())  # less than a step of every price


def test_market_by_market_is_not_dearer_than_the_program_by_more_than_it_may(shared):
    """On an instance that HiGHS rounds in one program, a step of the least volume of each provider is all that may lie between."""
    asked = shared("providers_20_procedures_50")
    answer = solve(asked, gap=1e-9)
    best = rounded(asked, answer.prices)
    laid, _ = check.lay(asked, answer.prices)
    frame, _ = cents._by_markets(asked, laid, "cent", [], 20.0)
    smallest = sum(asked.pairs.volume[asked.pairs.provider == one].min() for one in set(asked.pairs.provider))
    assert check.spend(asked, frame) <= best.spend + Decimal(str(smallest)) / 100


def test_a_provider_whose_tiers_leave_no_whole_dollars_gets_a_tier_anew(monkeypatch):
    """Its floor can be met in cents at the top of both bands alone; in whole dollars one price must go a tier up."""
    monkeypatch.setattr(cents, "SMALL", 0)
    asked = wide(
        [
            ("P1", "C", 10, 110.0, 100.0, {"T1": [80.0, 99.55], "T2": [101.0, 130.0]}),
            ("P1", "D", 10, 110.0, 100.0, {"T1": [80.0, 99.55], "T2": [101.0, 130.0]}),
        ],
        floors={"P1": 1991.0},
    )
    solved = pd.DataFrame(
        {"provider": ["P1", "P1"], "procedure": ["C", "D"], "tier": ["T1", "T1"], "price": [99.55, 99.55]}
    )
    assert check.check(asked, solved) == []
    made = rounded(asked, solved, "dollar")
    assert sorted(made.prices["tier"]) == ["T1", "T2"] and "1 tier chosen anew" in made.how
    assert check.check(asked, made.prices, tolerance=0) == [] and made.spend == Decimal(2000)


def test_where_a_spread_leaves_no_whole_dollars_its_market_keeps_cents_and_the_rule_is_named(monkeypatch):
    """One price can be 100.40 at most and another 101.20 at least: within 0.90 of each other in cents, never in dollars."""
    monkeypatch.setattr(cents, "SMALL", 0)
    asked = wide(
        [
            ("P1", "C", 10, 110.0, 100.0, {"T1": [80.0, 100.4]}),
            ("P2", "C", 10, 110.0, 100.0, {"T1": [101.2, 130.0]}),
            ("P1", "D", 10, 110.0, 100.0, {"T1": [80.5, 99.0]}),
        ],
        fairness=[{"procedure": "C", "region": "North", "max_spread": 0.9}],
    )
    made = rounded(asked, solve(asked).prices, "dollar")
    assert made.finer_pairs == 2 and "spread:C:North" in made.how
    assert made.prices["price"].iloc[2] == 81
    assert check.check(asked, made.prices, tolerance=0) == []
