"""The same prices under other volumes: what savings to expect, and how often the target is missed.

Belongs here: drawing a year's volumes from past months, seeded, and the savings of each draw; prices that meet the target at a
stated confidence. Does not: choosing prices for one volume (solve.py).

A draw is twelve of the past months, taken with replacement. Taken together (the default), a month is taken for every pair
at once, so that a busy winter stays busy everywhere; apart, each pair takes its own. Months are scaled so that a draw's mean
is the instance's volume of the pair. Without past months a stated spread stands in: each pair's volume of a year is gamma
distributed around the instance's with that coefficient of variation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from optimization.pricing import patterns
from optimization.pricing.answer import Answer
from optimization.pricing.instance import Instance, Objective

MONTHS_OF_A_YEAR = 12
CELLS_AT_ONCE = 4_000_000  # pairs × draws held in memory at a time
STEPS_OF_BISECTION = 12


@dataclass(frozen=True)
class Robustness:
    """Savings of one price list over drawn volumes; shares of the baseline spend under the same volumes."""

    draws: int
    seed: int
    how: str
    target: float | None
    expected: float
    mean: float
    low: float
    high: float
    level: float
    miss_share: float | None
    mean_amount: float
    low_amount: float
    high_amount: float
    savings: np.ndarray

    def as_row(self) -> dict[str, Any]:
        """Everything but the draws themselves."""
        return {name: value for name, value in vars(self).items() if name != "savings"}


class NoConfidentAnswer(ValueError):
    """No price list keeps the rules and meets the target at the confidence asked for."""


def savings_under_drawn_volumes(
    instance: Instance,
    prices: np.ndarray,
    months: pd.DataFrame | None = None,
    *,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.9,
    apart: bool = False,
    spread: float = 0.1,
) -> Robustness:
    """Savings of `prices` (in the order of the instance's pairs) over drawn volumes. `months` has columns provider, procedure,
    month, volume; a month without a row is a month without volume. Raises ValueError where no pair of `months` is one of the
    instance's."""
    volume, baseline = instance.pairs.volume, instance.pairs.baseline_price
    rng = np.random.default_rng(seed)
    worth = np.column_stack([volume * baseline, volume * prices])
    if months is None or months.empty:
        spend = _by_stated_spread(worth, spread, draws, rng)
        how = f"volumes of a year vary by {spread:.0%} of themselves, each pair apart (no past months are known)"
    else:
        by_month = monthly_volumes(instance, months)
        count = by_month.shape[1]
        share = _shares_of_a_year(by_month)
        if apart:
            spend = _months_apart(worth, share, draws, rng)
            how = f"twelve of {count} past months, each pair its own"
        else:
            taken = rng.multinomial(MONTHS_OF_A_YEAR, np.full(count, 1 / count), size=draws)
            spend = taken @ (share.T @ worth)
            how = f"twelve of {count} past months, the same for every pair"
    before, after = spend[:, 0], spend[:, 1]
    savings = 1 - after / before
    tail = (1 - level) / 2 * 100
    target = target_of(instance)
    low_amount, high_amount = np.percentile(before - after, [tail, 100 - tail])
    low, high = np.percentile(savings, [tail, 100 - tail])
    return Robustness(
        draws=draws,
        seed=seed,
        how=how,
        target=target,
        expected=float(1 - worth[:, 1].sum() / worth[:, 0].sum()),
        mean=float(savings.mean()),
        low=float(low),
        high=float(high),
        level=level,
        # A list that meets the target to the cent must not miss it by a float's last digit.
        miss_share=None if target is None else float((savings < target - 1e-9).mean()),
        mean_amount=float((before - after).mean()),
        low_amount=float(low_amount),
        high_amount=float(high_amount),
        savings=savings,
    )


def solve_at_confidence(
    instance: Instance,
    confidence: float,
    solve: Callable[[Instance], Answer],
    months: pd.DataFrame | None = None,
    **drawing: Any,
) -> tuple[Answer, Robustness, float]:
    """A list that meets the savings target in at least `confidence` of the drawn volumes: the target that is asked of the solver
    is raised until the drawn one is met, by bisection, to a 4,096th of the way to the most that can be saved. Such a list keeps
    every rule and the confidence; that none other does so with less disruption is not proven. Returns the answer, its savings
    over the draws (against the target as it was), and the target that had to be asked for. Raises NoConfidentAnswer."""
    target = target_of(instance)
    if target is None:
        raise NoConfidentAnswer("a confidence is of a savings target, and the question has none")

    def tried(asked_for: float) -> tuple[Answer, Robustness | None]:
        answer = solve(instance.with_rules(patterns.savings_target(instance, asked_for)))
        if answer.spend is None:
            return answer, None
        laid = answer.prices["price"].to_numpy(float)
        return answer, savings_under_drawn_volumes(instance, laid, months, **drawing)

    def is_met(found: Robustness | None) -> bool:
        return found is not None and found.miss_share is not None and found.miss_share <= 1 - confidence

    answer, found = tried(target)
    if is_met(found) or found is None:
        if found is None:
            raise NoConfidentAnswer(f"no list meets the target of {target:.2%} even at the volumes as they are")
        return answer, found, target
    cheapest = solve(replace(instance, objective=Objective("min_spend")))
    if cheapest.spend is None:
        raise NoConfidentAnswer("no list with the least spend was found in the time there was")
    low, high = target, float(1 - cheapest.spend / instance.baseline_spend) - 1e-6
    answer, found = tried(high) if high > low else (answer, found)
    if not is_met(found):
        missed = found.miss_share if found is not None and found.miss_share is not None else 1.0
        raise NoConfidentAnswer(
            f"the list of least spend misses the target of {target:.2%} in {missed:.1%} of the drawn volumes, more than the "
            f"{1 - confidence:.1%} allowed; lower the target or the confidence"
        )
    best = (answer, found, high)
    for _ in range(STEPS_OF_BISECTION):
        middle = (low + high) / 2
        answer, found = tried(middle)
        if is_met(found):
            best, high = (answer, found, middle), middle
        else:
            low = middle
    assert best[1] is not None  # is_met said so
    return best[0], best[1], best[2]


def target_of(instance: Instance) -> float | None:
    """The savings target as a share of the baseline, if the instance has one."""
    table = instance.of("savings_target")
    if not len(table):
        return None
    given = float(table.share[0])
    return given if not np.isnan(given) else 1 - float(table.high[0]) / float(instance.baseline_spend)


def monthly_volumes(instance: Instance, months: pd.DataFrame) -> np.ndarray:
    """Pairs × months, in the order of the instance's pairs and of time; no row is no volume."""
    wide = months.pivot_table(
        index=["provider", "procedure"], columns="month", values="volume", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(pd.MultiIndex.from_frame(instance.pair_frame()[["provider", "procedure"]]), fill_value=0)
    found = wide.to_numpy(float)
    if not found.any():
        raise ValueError(
            "past months: none of their pairs is one of the instance's; are provider and procedure the same ids?"
        )
    return found


def _shares_of_a_year(by_month: np.ndarray) -> np.ndarray:
    """Each month's volume as a share of twelve mean months; a pair without any past volume is spread evenly."""
    mean = by_month.mean(axis=1, keepdims=True)
    even = np.ones_like(by_month)
    return np.where(mean > 0, by_month / np.where(mean > 0, mean, 1), even) / MONTHS_OF_A_YEAR


def _by_stated_spread(worth: np.ndarray, spread: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    if spread <= 0:
        return np.tile(worth.sum(axis=0), (draws, 1))
    shape = 1 / spread**2
    return _in_chunks(worth, draws, lambda size: rng.gamma(shape, 1 / shape, size=(size, len(worth))))


def _months_apart(worth: np.ndarray, share: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    pairs, months = share.shape
    rows = np.arange(pairs)

    def factors(size: int) -> np.ndarray:
        made = np.zeros((size, pairs))
        for _ in range(MONTHS_OF_A_YEAR):
            made += share[rows, rng.integers(0, months, size=(size, pairs))]
        return made

    return _in_chunks(worth, draws, factors)


def _in_chunks(worth: np.ndarray, draws: int, factors: Callable[[int], np.ndarray]) -> np.ndarray:
    """Spend of each draw, before and after, without holding pairs × draws at once."""
    size = max(1, CELLS_AT_ONCE // max(1, len(worth)))
    parts = [factors(min(size, draws - start)) @ worth for start in range(0, draws, size)]
    return np.vstack(parts)
