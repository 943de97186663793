"""What must hold for any instance, seen on invented ones: tighter rules cost more, names mean nothing, money has no unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimization.pricing.answer import Answer
from optimization.pricing.check import check
from optimization.pricing.generate import generate, tiny
from optimization.pricing.instance import Instance, Objective, Pairs, Rules, Step
from optimization.pricing.solve import solve

SEEDS = st.integers(0, 10_000)
GOALS = st.sampled_from(
    [
        Objective(),
        Objective("min_deviation", deviation_weight=0.5),
        Objective("min_spend_plus_deviation", steps=(Step(0.1, 0.5), Step(np.inf, 2.0))),
        Objective("quality_weighted", star_weight={5: 0.9, 1: 1.2}),
    ]
)
few = settings(max_examples=12, deadline=None, derandomize=True)
fewer = settings(few, max_examples=4)


def worth(answer: Answer) -> float:
    """The objective, infinite where there is no list; an unfinished solve fails the test."""
    assert answer.status in ("optimal", "infeasible"), answer.note
    return np.inf if answer.objective is None else answer.objective


@few
@given(seed=SEEDS, goal=GOALS)
def test_every_list_passes_the_check_and_lies_above_its_bound(seed: int, goal: Objective):
    asked = tiny(seed, objective=goal)
    answer = solve(asked, gap=1e-6)
    if answer.status == "optimal":
        assert check(asked, answer.prices) == []
        assert answer.best_bound is not None and answer.best_bound <= worth(answer) * (1 + 1e-9) + 1e-6


@few
@given(seed=SEEDS, share=st.floats(0.01, 0.5), pick=st.integers(0, 1000))
def test_tightening_a_rule_never_lowers_the_optimum(seed: int, share: float, pick: int):
    asked = tiny(seed)
    frame = asked.rule_frame()
    rule = frame.iloc[pick % len(frame)]
    limit = rule["high"] if np.isfinite(rule["high"]) else rule["low"]
    tighter = asked.eased({rule["id"]: -share * max(abs(limit), 1.0) * 0.1})
    assert worth(solve(tighter, gap=1e-7)) >= worth(solve(asked, gap=1e-7)) * (1 - 1e-6)


@fewer
@given(seed=SEEDS)
def test_taking_rules_away_never_raises_the_optimum(seed: int):
    asked = tiny(seed)
    whole = worth(solve(asked, gap=1e-7))
    for kind in asked.rules:
        assert worth(solve(asked.without(kinds=[kind]), gap=1e-7)) <= whole * (1 + 1e-6)


@few
@given(seed=SEEDS, order=st.randoms(use_true_random=False))
def test_relabelling_providers_changes_nothing(seed: int, order: object):
    asked = tiny(seed)
    new = list(range(len(asked.providers)))
    order.shuffle(new)  # type: ignore[attr-defined]
    assert worth(solve(relabelled(asked, np.array(new)), gap=1e-7)) == pytest.approx(
        worth(solve(asked, gap=1e-7)), rel=1e-6
    )


@few
@given(seed=SEEDS, factor=st.sampled_from([0.01, 0.5, 3.0, 1000.0]), goal=GOALS)
def test_scaling_all_money_scales_the_optimum(seed: int, factor: float, goal: Objective):
    asked = tiny(seed, objective=goal)
    one, other = worth(solve(asked, gap=1e-7)), worth(solve(in_other_money(asked, factor), gap=1e-7))
    assert other == pytest.approx(one * factor, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_parts_and_whole_agree(seed: int):
    asked = generate(24, 12, seed=seed)
    parts, whole = solve(asked, gap=1e-6, method="parts"), solve(asked, gap=1e-6, method="whole")
    assert worth(parts) == pytest.approx(worth(whole), rel=2e-6)
    assert check(asked, parts.prices) == [] == check(asked, whole.prices)


def relabelled(asked: Instance, new: np.ndarray) -> Instance:
    """Provider n becomes provider new[n], everywhere."""
    old = np.argsort(new)

    def moved(table: Rules) -> Rules:
        subject = table.subject.copy()
        if table.kind in ("revenue_floor", "largest_loss", "family_tiers"):
            subject[:, 0] = new[subject[:, 0]]
        return replace(table, subject=subject)

    pairs = asked.pairs
    return replace(
        asked,
        providers=tuple(f"X{n}" for n in range(len(asked.providers))),
        provider_region=asked.provider_region[old],
        provider_specialty=asked.provider_specialty[old],
        provider_stars=asked.provider_stars[old],
        pairs=replace(pairs, provider=new[pairs.provider]),
        rules={kind: moved(table) for kind, table in asked.rules.items()},
    )


def in_other_money(asked: Instance, factor: float) -> Instance:
    """The same question with every amount of money times a factor; indices, counts and tiers stay."""
    pairs = asked.pairs
    money = {
        kind for kind in asked.rules if kind not in ("specialty_spread", "tier_rule", "lowest_tier_cap", "family_tiers")
    }
    return replace(
        asked,
        pairs=Pairs(
            pairs.provider,
            pairs.procedure,
            pairs.volume,
            pairs.baseline_price * factor,
            pairs.medicare_rate * factor,
            pairs.band_low * factor,
            pairs.band_high * factor,
        ),
        rules={
            kind: replace(table, low=table.low * factor, high=table.high * factor) if kind in money else table
            for kind, table in asked.rules.items()
        },
    )
