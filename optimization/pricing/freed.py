"""Windows that leave no list because tiers in them are forced: which markets have to be let out of theirs.

Belongs here: finding tiers that the windows of several markets force and that no family, or no lowest-tier cap, allows together.
Does not: making windows, shifting one market's for itself (decompose.py), rows for markets without a window (rows.py).

A window holds a market's prices and so, where it is narrow, a pair's tier. Two procedures of one family are two markets: one window
may force the lowest tier and the other the highest, where a family allows but a step between them. A region has few such markets.
With these let out, and their spreads as rows, its problem stays small; with all let out it took all the time that there was.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimization.pricing.instance import Instance
from optimization.pricing.reach import Reach, Window, reach
from optimization.pricing.rows import family_members


def freed(asked: Instance, window: Window) -> Window | None:
    """The window without the markets whose forced tiers clash; None where none do, or it holds no prices."""
    if window.price_low is None or window.price_high is None:
        return None
    seen = reach(asked, window)
    clash = (
        seen.stuck | _in_families(asked, seen.open) | _in_lowest_tiers(asked, seen.open) | _of_poor(asked, seen, window)
    )
    if not clash.any():
        return None
    market = asked.pair_market
    out = np.isin(market, market[clash])
    return replace(
        window, price_low=np.where(out, -np.inf, window.price_low), price_high=np.where(out, np.inf, window.price_high)
    )


def _in_families(asked: Instance, is_open: np.ndarray) -> np.ndarray:
    """Pairs outside the stretch of tiers that most pairs of their family can share, where no stretch has room for all."""
    table, clash = asked.of("family_tiers"), np.zeros(len(asked.pairs), bool)
    if not len(table):
        return clash
    member, rule = family_members(asked)
    tiers = is_open.shape[1]
    until = np.cumsum(np.pad(is_open[member], ((0, 0), (1, 0))), axis=1)
    reached = np.minimum(np.arange(tiers) + 1 + np.floor(table.high + 1e-9).astype(np.int64)[rule][:, None], tiers)
    outside = np.take_along_axis(until, reached, axis=1) == until[:, :-1]  # (members, first tier of a stretch)
    count = np.zeros((len(table), tiers), np.int64)
    np.add.at(count, rule, outside)
    best = count.argmin(axis=1)
    clash[member[outside[np.arange(len(member)), best[rule]]]] = True
    return clash


def _of_poor(asked: Instance, seen: Reach, window: Window) -> np.ndarray:
    """Pairs of providers that earn too little at the highest prices left to them, or too much at the lowest."""
    pairs, count = asked.pairs, len(asked.providers)
    weight = pairs.volume * pairs.medicare_rate
    reference = np.bincount(pairs.provider, weight, minlength=count)
    with np.errstate(invalid="ignore"):
        least, most = np.fmin.reduce(seen.low, axis=1), np.fmax.reduce(seen.high, axis=1)
    lowest = np.bincount(pairs.provider, pairs.volume * least, minlength=count)
    highest = np.bincount(pairs.provider, pairs.volume * most, minlength=count)
    floor, roof = (
        window.index_low * reference,
        np.where(reference > 0, window.index_high, np.inf) * np.maximum(reference, 1),
    )
    for kind in ("revenue_floor", "largest_loss"):
        table = asked.of(kind)
        np.maximum.at(floor, table.subject[:, 0], table.low)
    return np.asarray(((highest < floor) | (lowest > roof))[pairs.provider])


def _in_lowest_tiers(asked: Instance, is_open: np.ndarray) -> np.ndarray:
    """Pairs that have the lowest tier alone, in markets that allow fewer of them."""
    table, clash = asked.of("lowest_tier_cap"), np.zeros(len(asked.pairs), bool)
    if not len(table):
        return clash
    market = asked.pair_market
    forced = is_open[:, 0] & ~is_open[:, 1:].any(axis=1)
    most = np.full(len(asked.procedures) * len(asked.regions), np.inf)
    np.minimum.at(most, table.subject @ np.array([len(asked.regions), 1]), table.high)
    clash[forced] = np.bincount(market[forced], minlength=len(most))[market[forced]] > most[market[forced]]
    return clash
