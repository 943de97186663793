"""Small pricing questions for tests, and their answers by enumeration: every tier chosen every way, judged in decimals.

Tiers here have a single price, so a choice of tiers is a price list and enumeration is proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from optimization.pricing import check, forms
from optimization.pricing.instance import Instance

Pair = tuple[str, str, float, float, Sequence[float]]  # provider, procedure, volume, benchmark, price of each tier


def question(
    pairs: Sequence[Pair],
    *,
    regions: Mapping[str, str] | None = None,
    specialties: Mapping[str, str] | None = None,
    stars: Mapping[str, int] | None = None,
    floors: Mapping[str, float] | None = None,
    baseline: Mapping[tuple[str, str], float] | None = None,
    tiers: Sequence[str] = ("T1", "T2"),
    **rules: Any,
) -> Instance:
    """An instance from a few lines; rules as the form reimb-pricing/1 has them."""
    names = list(dict.fromkeys(pair[0] for pair in pairs))
    procedures = list(dict.fromkeys(pair[1] for pair in pairs))
    regions, specialties = regions or {}, specialties or {}
    given = {
        "schema": "reimb-pricing/1",
        "currency": "USD",
        "regions": list(dict.fromkeys(regions.get(name, "North") for name in names)),
        "tiers": list(tiers),
        "procedures": [{"id": name, "family": "imaging"} for name in procedures],
        "providers": [
            {
                "id": name,
                "region": regions.get(name, "North"),
                "specialty": specialties.get(name, "hospital"),
                "quality_stars": (stars or {}).get(name, 3),
                **({"min_revenue": floors[name]} if floors and name in floors else {}),
            }
            for name in names
        ],
        "pairs": [
            {
                "provider": provider,
                "procedure": procedure,
                "volume": volume,
                "baseline_price": (baseline or {}).get((provider, procedure), benchmark),
                "medicare_rate": benchmark,
                "bands": {tier: [price, price] for tier, price in zip(tiers, prices, strict=False)},
            }
            for provider, procedure, volume, benchmark, prices in pairs
        ],
        "objective": {"type": "min_spend"},
        **rules,
    }
    return forms.from_json(given)


@dataclass(frozen=True)
class Judged:
    """One price list: what it costs, and by how much it misses each rule that it breaks."""

    tiers: tuple[int, ...]
    spend: Decimal
    missed: dict[str, float]


def every_list(asked: Instance) -> Iterator[Judged]:
    """Every choice of tiers, judged by the check that knows no model."""
    frame = asked.pair_frame()[["provider", "procedure"]]
    choices = [np.flatnonzero(row) for row in asked.pairs.allowed]
    rows = np.arange(len(choices))
    assert all(
        low == high
        for low, high in zip(asked.pairs.band_low.ravel(), asked.pairs.band_high.ravel(), strict=True)
        if not np.isnan(low)
    ), "enumeration is proof only where every tier has a single price"
    for chosen in itertools.product(*choices):
        at = np.array(chosen)
        prices = frame.assign(tier=np.array(asked.tiers)[at], price=asked.pairs.band_low[rows, at])
        missed = {one.rule: float(one.by) for one in check.check(asked, prices)}
        yield Judged(tuple(chosen), check.spend(asked, prices), missed)


def smallest_conflicts(lists: Sequence[Judged]) -> list[frozenset[str]]:
    """All conflicts with the fewest rules: sets of which every list breaks a member."""
    broken = {frozenset(one.missed) for one in lists}
    if frozenset() in broken:
        return []
    rules = sorted(set().union(*broken))
    for size in range(1, len(rules) + 1):
        found = [
            frozenset(some) for some in itertools.combinations(rules, size) if all(one & set(some) for one in broken)
        ]
        if found:
            return found
    return []


def least_change(lists: Sequence[Judged], rule: str) -> float | None:
    """By how much this rule alone must give; None where no list breaks it alone."""
    return min((one.missed[rule] for one in lists if set(one.missed) == {rule}), default=None)


def cheapest_joint(lists: Sequence[Judged], weights: Mapping[str, float]) -> float:
    """The least Σ weight × miss over all lists."""
    return min(sum(weights[rule] * by for rule, by in one.missed.items()) for one in lists)


def prices_of(asked: Instance, tiers: Sequence[int]) -> pd.DataFrame:
    """The list of these tiers' single prices."""
    at = np.array(tiers)
    frame = asked.pair_frame()[["provider", "procedure"]]
    return frame.assign(tier=np.array(asked.tiers)[at], price=asked.pairs.band_low[np.arange(len(at)), at])
