"""The check by itself: lists that are no lists, single rules broken by known amounts, tolerance, tiers left unsaid."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pricing_worlds import forbidding, held_by, plain

from optimization.pricing.check import as_floats, check, deviation, lay, measure, objective, spend
from optimization.pricing.instance import Instance, Objective, Step
from optimization.pricing.patterns import about, budget, family_everywhere


def listed(asked: Instance, mri: float = 90.0, ct: float = 45.0) -> pd.DataFrame:
    """One price for each procedure, tiers left unsaid."""
    return asked.pair_frame()[["provider", "procedure"]].assign(price=[mri, ct] * 3)


def findings(asked: Instance, prices: pd.DataFrame, **options: object) -> list[tuple[str, Decimal]]:
    return [(found.rule, found.by) for found in check(asked, prices, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda frame: frame.iloc[1:], "has no price"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "more than one price"),
        (lambda frame: frame.assign(provider=["Z", *frame["provider"][1:]]), "is no pair"),
        (lambda frame: frame.drop(columns="price"), "no column 'price'"),
        (lambda frame: frame.assign(price=["much", *frame["price"][1:]]), "not a number"),
        (lambda frame: frame.assign(price=[float("nan"), *frame["price"][1:]]), "not a number"),
    ],
)
def test_a_list_that_is_no_list_of_these_pairs_is_said_to_be_none(wrong, words: str):  # type: ignore[no-untyped-def]
    found = check(plain(), wrong(listed(plain())))
    assert found and any(words in one.unit for one in found)
    with pytest.raises(ValueError, match="no spend"):
        spend(plain(), wrong(listed(plain())))


def test_the_order_of_a_list_does_not_matter():
    asked = held_by("minimum_price")
    assert findings(asked, listed(asked).iloc[::-1]) == findings(asked, listed(asked)) == []


def test_a_price_between_two_tiers_is_in_none():
    asked = plain()
    assert {found.kind for found in check(asked, listed(asked, mri=105.0))} == {"tier_choice"}


def test_a_price_outside_the_tier_that_is_said_is_missed_by_what_lacks():
    asked = plain()
    (found,) = check(asked, listed(asked).assign(tier=["T2"] + ["T1"] * 5))
    assert (found.kind, found.measured, found.limit, found.by) == ("tier_band", 90, 110, 20)


@pytest.mark.parametrize(
    ("kind", "asked", "price", "expected"),
    [
        (
            "legal_band",
            plain().with_rules(about(plain(), "legal_band", np.array([2]), low=91.5)),
            90.0,
            ("legal:B:MRI", "1.5"),
        ),
        (
            "revenue_floor",
            plain().with_rules(about(plain(), "revenue_floor", np.array([1]), low=1400.0)),
            90.0,
            ("floor:B", "50"),
        ),
        ("savings_target", held_by("savings_target"), 120.0, ("target", "90")),
        (
            "budget",
            plain().with_rules(budget(plain(), "north", np.array([0, 1]), 1300.25)),
            90.0,
            ("budget:north", "49.75"),
        ),
        ("tier_rule", plain().with_rules(forbidding("few", [(0, 0), (1, 0), (2, 0)], 1.0)), 90.0, ("few", "2")),
        (
            "lowest_tier_cap",
            plain().with_rules(about(plain(), "lowest_tier_cap", np.array([[0, 0]]), high=1.0)),
            90.0,
            ("lowcap:MRI:North", "2"),
        ),
    ],
)
def test_a_broken_rule_is_missed_by_the_amount_in_its_unit(
    kind: str, asked: Instance, price: float, expected: tuple[str, str]
):
    (found,) = check(asked, listed(asked, mri=price))
    assert (found.kind, found.rule, found.by) == (kind, expected[0], Decimal(expected[1]))


def test_spreads_indices_and_families_are_measured_on_the_prices():
    asked = plain().with_rules(
        about(plain(), "regional_spread", np.array([[0, 0]]), high=10.0),
        about(plain(), "specialty_spread", np.array([0]), high=0.1),
        family_everywhere(plain(), 0),
    )
    prices = listed(asked).assign(price=[120.0, 45.0, 90.0, 45.0, 90.0, 45.0])
    assert findings(asked, prices) == [
        ("spread:MRI:North", Decimal(20)),
        ("specialty:clinic", Decimal("0.1")),
        ("family:A:imaging", Decimal(1)),
    ]


def test_the_tolerance_is_a_millionth_of_the_size_and_none_where_it_is_zero():
    asked = plain().with_rules(about(plain(), "legal_band", np.array([0]), low=90.0))
    near, far = listed(asked), listed(asked)
    near.loc[0, "price"], far.loc[0, "price"] = 90 - 0.0000999, 90 - 0.000101
    assert check(asked, near) == [] and [found.kind for found in check(asked, far)] == ["legal_band"]
    assert [found.by for found in check(asked, near, tolerance=0)] == [Decimal("0.0000999")]


def test_counts_have_no_tolerance():
    asked = held_by("lowest_tier_cap")
    assert {found.rule for found in check(asked, listed(asked), tolerance=10)} == {
        "lowcap:MRI:North",
        "lowcap:CT:North",
    }


def test_money_is_summed_without_rounding():
    asked = plain()
    prices = listed(asked).assign(price=[Decimal("90.1"), "45.2", 90.3, 45, Decimal("90.0000001"), 45.7])
    assert spend(asked, prices) == Decimal("4063.000001")


def test_deviation_follows_its_steps():
    asked = Instance(
        **{
            **plain().__dict__,
            "objective": Objective("min_spend_plus_deviation", 0.5, (Step(0.1, 1.0), Step(np.inf, 3.0))),
        }
    )
    # MRI from 120 to 90: 12 dollars at 1, 18 at 3; CT from 60 to 45: 6 at 1, 9 at 3; halved, times ten, three of each.
    moved = Decimal("0.5") * 10 * 3 * (12 + 54 + 6 + 27)
    assert deviation(asked, listed(asked)) == moved
    assert objective(asked, listed(asked)) == moved + spend(asked, listed(asked))


def test_measure_says_which_rules_bind():
    asked = held_by("legal_band")
    told = measure(asked, listed(asked, mri=85.0)).set_index("id")
    assert told.loc["legal:A:MRI", "slack"] == 0
    assert check(asked, listed(asked, mri=85.0)) == []


def test_a_list_to_start_from_is_read_in_the_instances_order_and_only_if_it_is_one():
    asked = plain()
    prices = listed(asked).assign(tier=asked.tiers[-1], price=[Decimal(90 + number) for number in range(6)])
    prices.loc[2, "tier"] = asked.tiers[0]
    laid, _ = lay(asked, prices)
    for order in (prices, prices.iloc[::-1]):
        found = as_floats(asked, order)
        assert found is not None and laid is not None
        assert found[0].tolist() == [90, 91, 92, 93, 94, 95] and found[1].tolist() == laid.tier.tolist()
    wrong = [prices.iloc[1:], prices.drop(columns="tier"), prices.assign(tier="none"), prices.assign(price="much")]
    assert all(as_floats(asked, one) is None for one in wrong)
