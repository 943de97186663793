"""Which tiers a pair can be in and between which prices, once the rules about single pairs are laid over its bands.

Belongs here: cutting bands by legal bands, minimum prices and largest changes, closing tiers that rules forbid or that are left
empty; the straight pieces of what a price costs. Both the arrays and the decomposition start from it.
Does not: rules that tie pairs together, anything of a solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.pricing.instance import Instance

PRICE_RULES = ("legal_band", "minimum_price", "largest_change")


@dataclass(frozen=True, eq=False)
class Reach:
    """(pairs, tiers): `open` where the pair may be in the tier, and the prices it may then have; NaN where closed."""

    open: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def stuck(self) -> np.ndarray:
        """Pairs that no tier is left for: the instance is impossible."""
        return np.asarray(~self.open.any(axis=1))

    def holds(self, tiers: np.ndarray) -> bool:
        """True if every pair may be in its tier."""
        return bool(self.open[np.arange(len(tiers)), tiers].all())


@dataclass(frozen=True, eq=False)
class Window:
    """Where prices and indices are held while tiers are chosen: inside it no spread rule can be broken.

    Without prices it holds indices only, and regional spreads stay rows; so they do in markets where its prices are infinite.
    """

    price_low: np.ndarray | None  # per pair, USD
    price_high: np.ndarray | None
    index_low: np.ndarray  # per provider
    index_high: np.ndarray


def reach(asked: Instance, window: Window | None = None) -> Reach:
    """Bands after the rules about single pairs, and within a window if one is given."""
    count = len(asked.pairs)
    floor, roof = np.full(count, -np.inf), np.full(count, np.inf)
    if window is not None and window.price_low is not None and window.price_high is not None:
        floor, roof = window.price_low.copy(), window.price_high.copy()
    for kind in PRICE_RULES:
        table = asked.of(kind)
        np.maximum.at(floor, table.subject[:, 0], table.low)
        np.minimum.at(roof, table.subject[:, 0], table.high)
    low = np.maximum(asked.pairs.band_low, floor[:, None])
    high = np.minimum(asked.pairs.band_high, roof[:, None])
    is_open = asked.pairs.allowed & (low <= high)
    table = asked.of("tier_rule")
    closed = table.high[table.rule_of_cell()] < 1  # no cell of such a rule may be chosen
    is_open[table.cell_pair[closed], table.cell_tier[closed]] = False
    return Reach(is_open, np.where(is_open, low, np.nan), np.where(is_open, high, np.nan))


def impossible(asked: Instance) -> list[str]:
    """Ids of rules that no list can keep, whatever the others say: a count, spread or difference below zero, low above high."""
    found: list[str] = []
    for kind, table in asked.rules.items():
        never = table.low > table.high
        if kind in ("regional_spread", "specialty_spread", "tier_rule", "lowest_tier_cap", "family_tiers"):
            never = never | (table.high < 0)
        found += table.ids[never].tolist()
    return found


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of what a pair's price costs, in the order of price; one row per piece.

    Within a piece of tier `tier` the price runs over `width` from `start`; revenue and penalty at the tier's lowest price are
    `revenue_at` and `penalty_at` of (pair, tier), and rise by their slope per dollar of price. Penalty slopes rise from piece to
    piece of a tier, so a least-cost solution fills them in order.
    """

    pair: np.ndarray
    tier: np.ndarray
    start: np.ndarray
    width: np.ndarray
    revenue_slope: np.ndarray
    penalty_slope: np.ndarray
    revenue_at: np.ndarray  # (pairs, tiers), per year
    penalty_at: np.ndarray


def pieces(asked: Instance, seen: Reach) -> Pieces:
    """Cuts every open band at the baseline and at the penalty's steps; revenue is straight between the ends of the full band."""
    base, goal = asked.pairs.baseline_price, asked.objective
    shares = [step.up_to for step in goal.steps if np.isfinite(step.up_to)]
    cuts = np.stack(
        [base * (1 + sign * share) for share in [0.0, *shares] for sign in (-1.0, 1.0)], axis=1
    )  # (pairs, cuts)
    low, high = seen.low[:, :, None], seen.high[:, :, None]
    inner = np.where(np.isnan(low), np.nan, np.clip(cuts[:, None, :], low, high))
    points = np.sort(np.concatenate([low, inner, high], axis=2), axis=2)  # (pairs, tiers, cuts + 2)
    start, width = points[:, :, :-1], np.diff(points, axis=2)
    scale = asked.pairs.medicare_rate[:, None, None]
    keep = width > 1e-9 * scale
    at = np.nonzero(keep)
    middle = (start + width / 2)[at]
    rise = _revenue_rise(asked)
    revenue_slope = rise[at[0], at[1]]
    volume = asked.pairs.volume
    penalty_slope = (
        volume[at[0]] * _rate(asked, np.abs(middle - base[at[0]]), base[at[0]]) * np.sign(middle - base[at[0]])
    )
    rows = np.arange(len(base))[:, None]
    return Pieces(
        pair=at[0],
        tier=at[1],
        start=start[at],
        width=width[at],
        revenue_slope=revenue_slope,
        penalty_slope=penalty_slope,
        revenue_at=_revenue(asked, seen.low, rise),
        penalty_at=volume[:, None] * penalty(asked, np.abs(seen.low - base[rows]), base[rows]),
    )


def penalty(asked: Instance, moved: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The penalty for a price that moved by `moved` dollars from `base`, per procedure."""
    goal = asked.objective
    if not goal.steps:
        return goal.deviation_weight * moved
    cost, below = np.zeros_like(moved), np.zeros_like(moved)
    for step in goal.steps:
        top = base * step.up_to if np.isfinite(step.up_to) else moved
        cost = cost + step.rate * np.maximum(np.minimum(moved, top) - below, 0)
        below = np.broadcast_to(top, moved.shape)
    return goal.deviation_weight * cost


def _rate(asked: Instance, moved: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The penalty's slope at a distance from the baseline, per procedure and dollar."""
    goal = asked.objective
    if not goal.steps:
        return np.full(len(moved), goal.deviation_weight)
    tops = np.array([step.up_to for step in goal.steps])
    rates = np.array([step.rate for step in goal.steps])
    share = np.divide(moved, base, out=np.full(len(moved), np.inf), where=base > 0)
    return goal.deviation_weight * rates[np.minimum(np.searchsorted(tops, share), len(rates) - 1)]


def _revenue_rise(asked: Instance) -> np.ndarray:
    """(pairs, tiers): dollars of revenue per dollar of price within the band; the volume, unless volumes answer to price."""
    volume = np.broadcast_to(asked.pairs.volume[:, None], asked.pairs.band_low.shape)
    if asked.elasticity is None:
        return volume
    low, high = asked.pairs.band_low, asked.pairs.band_high
    width = np.where(high > low, high - low, 1.0)
    return np.where(high > low, (_answered(asked, high) - _answered(asked, low)) / width, volume)


def _revenue(asked: Instance, price: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """(pairs, tiers): revenue at a price of each tier's band."""
    if asked.elasticity is None:
        return asked.pairs.volume[:, None] * price
    return _answered(asked, asked.pairs.band_low) + rise * (price - asked.pairs.band_low)


def _answered(asked: Instance, price: np.ndarray) -> np.ndarray:
    """price × volume at that price; of use at the ends of bands, between them revenue is straight by definition."""
    assert asked.elasticity is not None
    base = asked.pairs.baseline_price[:, None]
    moved = np.divide(price - base, base, out=np.zeros_like(price), where=base > 0)
    return price * asked.pairs.volume[:, None] * (1 + asked.elasticity.per_pair[:, None] * moved)
