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
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimization.pricing.instance import Instance

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
