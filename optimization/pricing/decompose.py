"""A price list for a large instance: one LP that knows no tiers, windows from its middle, small problems by region.

Belongs here: the relaxation without tiers and its bound, the windows, the regions' problems, putting them together.
Does not: when to do this and what to do if it is not enough (solve.py), HiGHS' options (highs.py).

Why it works. What drives spend on such instances is revenue floors, indices and the ends of bands; the gaps between tiers cost
next to nothing, because a provider has many pairs to make up its revenue with. So the LP over prices alone has nearly the true
optimum, and is a tenth of the size. Its optimal face is wide: a corner of it, as a simplex finds, sets prices at the ends of
their ranges and leaves families that no tiers fit; its middle, as an interior-point method without crossover finds, leaves slack
in nearly every market. Each market is then given a window as wide as its cap around those prices, each specialty one for its
indices. Inside the windows no spread rule can be broken, regions have nothing more to do with one another, and each region's
problem is solved by HiGHS within a second or two; markets whose windows together leave no list are let out of them (freed.py). The
bound is that of the LP, worked out again from its duals (weak duality), so it holds whatever tolerance the interior-point method
stopped at.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimization.pricing.assembly import Arrays
from optimization.pricing.freed import freed
from optimization.pricing.highs import Outcome, run
from optimization.pricing.hull import build, tiers_of
from optimization.pricing.instance import Instance, Pairs
from optimization.pricing.parts import JOINT, Part, part, window_of
from optimization.pricing.reach import Window, reach

MIDDLE: dict[str, Any] = {"solver": "ipx", "run_crossover": "off"}  # the middle of the optimal face, see above
UNPRESOLVED = 1_000  # pairs of a region, on average: so few, tiers given, are solved sooner than presolve ends
GENEROUS = 4.0  # times its share of the time that a region may take; most need far less than theirs
TIER_RULES = ("tier_rule", "lowest_tier_cap", "family_tiers")


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The outcome of an LP relaxation: a bound that holds, prices in USD (None if it has no solution), row duals."""

    infeasible: bool
    bound: float
    price: np.ndarray | None
    duals: np.ndarray | None
    seconds: float


def without_tiers(asked: Instance) -> Instance:
    """The same question with one wide band per pair, from its lowest open price to its highest, and no rule about tiers.

    Every price list of `asked` is one of it, so its optimum is a bound (unless volumes answer to price: then revenue is straight
    between the ends of bands, and other bands mean other revenue).
    """
    seen = reach(asked)
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(seen.low, axis=1), np.fmax.reduce(seen.high, axis=1)
    pairs = asked.pairs
    wide = Pairs(
        pairs.provider,
        pairs.procedure,
        pairs.volume,
        pairs.baseline_price,
        pairs.medicare_rate,
        low[:, None],
        high[:, None],
    )
    kept = {kind: table for kind, table in asked.rules.items() if kind not in TIER_RULES}
    return replace(asked, tiers=("any",), pairs=wide, rules=kept)


def bound_again(asked: Instance, duals: np.ndarray) -> float:
    """What the duals of an earlier relaxation without tiers say of this question: any duals give a bound, those a good one.

    With other limits it is the first-order estimate of what the change is worth. Rows for targets and budgets stand last, so a
    question that gained one takes zeros for them; where other rows came or went the bound is poor, and still a bound.
    """
    arrays = build(without_tiers(asked))
    fitted = np.zeros(arrays.matrix.shape[0])
    known = min(len(duals), len(fitted))
    fitted[:known] = duals[:known]
    return safe_bound(arrays, fitted)


def relax(asked: Instance, *, tiers: bool, time_limit: float | None) -> Relaxation:
    """The middle of the LP relaxation's optimal face, with or without tiers."""
    began = time.perf_counter()
    arrays = build(asked if tiers else without_tiers(asked))
    outcome = run(arrays, relaxed=True, time_limit=time_limit, doubt=False, **MIDDLE)
    if outcome.infeasible or outcome.values is None:
        # An interior-point method is a poor witness of infeasibility: a simplex must say so too.
        left = None if time_limit is None else time_limit - (time.perf_counter() - began)
        outcome = run(arrays, relaxed=True, time_limit=left, solver="simplex")
    seconds = time.perf_counter() - began
    if outcome.values is None:
        return Relaxation(outcome.infeasible, -np.inf, None, None, seconds)
    bound = safe_bound(arrays, outcome.duals) if outcome.duals is not None else -np.inf
    price = outcome.values[arrays.columns["price"].all] * asked.pairs.medicare_rate
    return Relaxation(False, bound, price, outcome.duals, seconds)


def safe_bound(arrays: Arrays, duals: np.ndarray) -> float:
    """A lower bound on the LP from any row duals: Σ dual × row limit + Σ least reduced cost × column within its bounds."""
    toward_low = np.where(np.isfinite(arrays.row_low), np.maximum(duals, 0), 0)
    toward_high = np.where(np.isfinite(arrays.row_high), np.minimum(duals, 0), 0)
    used = toward_low + toward_high
    reduced = arrays.cost - arrays.matrix.T @ used
    rows = np.where(used > 0, arrays.row_low, np.where(used < 0, arrays.row_high, 0.0))
    high = np.where(np.isfinite(arrays.high), arrays.high, _implied_high(arrays))
    return float(arrays.offset + used @ rows + np.minimum(reduced * arrays.low, reduced * high).sum())


def _implied_high(arrays: Arrays) -> float:
    """More than any lowest price, index or lowest index can be: the largest price of all in units of the smallest scale of a row."""
    largest = float(arrays.high[arrays.columns["price"].all].max(initial=1.0))
    ratios = np.abs(arrays.matrix.data)
    return largest / max(float(ratios[ratios > 0].min(initial=1.0)), 1e-6)


def windows(asked: Instance, price: np.ndarray) -> Window:
    """For each market with a spread cap, and each specialty, the window of the cap's width that has these prices in its middle."""
    pairs = asked.pairs
    market = asked.pair_market
    table = asked.of("regional_spread")
    low, high = _around(
        market,
        price,
        len(asked.procedures) * len(asked.regions),
        table.subject @ np.array([len(asked.regions), 1]),
        table.high,
    )
    count = len(asked.providers)
    reference = np.bincount(pairs.provider, pairs.volume * pairs.medicare_rate, minlength=count)
    paid = np.bincount(pairs.provider, pairs.volume * price, minlength=count)
    seen = np.flatnonzero((reference > 0) & (asked.provider_specialty >= 0))
    special = asked.of("specialty_spread")
    index_low, index_high = np.full(count, 0.0), np.full(count, np.inf)
    if len(special):
        group = asked.provider_specialty[seen]
        lowest, highest = _around(
            group, paid[seen] / reference[seen], len(asked.specialties), special.subject[:, 0], special.high
        )
        index_low[seen], index_high[seen] = np.maximum(lowest[group], 0.0), highest[group]
    low, high = _shifted(asked, market, low, high)
    return Window(low[market], high[market], index_low, index_high)


def _shifted(asked: Instance, market: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows in which some pair has no tier, moved by as little as gives every pair of the market one; if nothing does, as they were.

    A relaxation without tiers may put the prices of a market with a small cap between two tiers. Where the window would have to
    go is where one of its ends meets the end of a band. A loop over such markets, not over pairs.
    """
    seen = reach(asked)
    fits = (np.maximum(seen.low, low[market][:, None]) <= np.minimum(seen.high, high[market][:, None])).any(axis=1)
    low, high = low.copy(), high.copy()
    order = np.argsort(market, kind="stable")
    for at in np.unique(market[~fits]):
        members = order[np.searchsorted(market, at, "left", order) : np.searchsorted(market, at, "right", order)]
        floor, roof = seen.low[members], seen.high[members]
        moves = np.concatenate([(floor - high[at]).ravel(), (roof - low[at]).ravel()])
        moves = moves[np.isfinite(moves)] * (1 + 1e-12)
        moves = moves[np.argsort(np.abs(moves), kind="stable")][:, None, None]
        ok = (np.maximum(floor, low[at] + moves) <= np.minimum(roof, high[at] + moves)).any(axis=2).all(axis=1)
        if ok.any():
            move = float(moves[int(ok.argmax()), 0, 0])
            low[at], high[at] = low[at] + move, high[at] + move
    return low, high


def _around(
    group: np.ndarray, value: np.ndarray, count: int, ruled: np.ndarray, cap: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Per group the ends of a window of the cap's width around its values; without a rule, no window."""
    least, most, width = np.full(count, np.inf), np.full(count, -np.inf), np.full(count, np.inf)
    np.minimum.at(least, group, value)
    np.maximum.at(most, group, value)
    np.minimum.at(width, ruled, cap)
    has = np.isfinite(width) & np.isfinite(least)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    low[has] = least[has] - (width[has] - (most[has] - least[has])) / 2
    high[has] = low[has] + width[has]
    return low, high


def by_region(
    asked: Instance,
    window: Window,
    price: np.ndarray,
    *,
    gap: float,
    time_limit: float | None,
    threads: int | None = None,
    only: np.ndarray | None = None,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Tiers and prices (USD) within the windows, region by region; None if a region has none in its window or in the time.

    Joint limits (targets, budgets) are shared out as `price` spends them. With `only`, just those regions; -1 and NaN elsewhere.
    Of the time each region may take some shares (GENEROUS) of what is left, by its pairs, the largest first: one that is hard gives
    its best, and the last still has its turn.
    `options` go to HiGHS.
    """
    deadline = None if time_limit is None else time.perf_counter() + time_limit
    tiers, prices = np.full(len(asked.pairs), -1), np.full(len(asked.pairs), np.nan)
    regions = np.unique(asked.pair_region)
    shares = _joint_shares(asked, price, regions)

    def solve(place: int) -> bool:
        at = wanted[place]
        share = workers * size[at] / size[wanted[place:]].sum()
        turn = _turn(deadline, share)
        members = np.flatnonzero(asked.pair_region == regions[at])
        piece = part(asked, members, {kind: limits[at] for kind, limits in shares.items()})
        inner = window_of(window, members)
        found = _one_region(piece, inner, gap, turn, options)
        wider = freed(piece.asked, inner) if found is None and not options else None
        if wider is not None:
            found = _one_region(piece, wider, gap, _turn(deadline, share), options)
        if found is None and inner.price_low is not None and not options:
            # Not within these windows: then with the region's spreads as rows, and the indices alone held.
            open_window = replace(inner, price_low=None, price_high=None)
            found = _one_region(piece, open_window, gap, _turn(deadline, share), options)
        if found is not None:
            tiers[members], prices[members] = found
        return found is not None

    size = np.bincount(np.searchsorted(regions, asked.pair_region), minlength=len(regions))
    wanted = np.flatnonzero(np.ones(len(regions), bool) if only is None else np.isin(regions, only))
    wanted = wanted[np.argsort(-size[wanted], kind="stable")]
    workers = max(1, min(threads or os.cpu_count() or 1, len(wanted)))
    with ThreadPoolExecutor(workers) as pool:
        contexts = [copy_context() for _ in wanted]  # so that what a thread's solver writes reaches the answer's log
        done = list(pool.map(lambda place: contexts[place].run(solve, place), range(len(wanted))))
    return (tiers, prices) if all(done) else None


def _turn(deadline: float | None, share: float) -> float | None:
    """Until when a region may take that has this share of the work still waiting."""
    if deadline is None:
        return None
    now = time.perf_counter()
    return now + (deadline - now) * min(1.0, GENEROUS * share)


def _one_region(
    piece: Part, window: Window, gap: float, deadline: float | None, options: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray] | None:
    left = None if deadline is None else deadline - time.perf_counter()
    if (left is not None and left <= 0) or reach(piece.asked, window=window).stuck.any():
        return None
    arrays = build(piece.asked, window=window)
    finest: dict[str, Any] = {} if arrays.whole.any() or options else {"primal_feasibility_tolerance": 1e-9}
    outcome = run(arrays, time_limit=left, gap=gap, threads=1, doubt=False, **finest, **options)
    if outcome.values is None:
        return None
    found = outcome.values if options.get("relaxed") else polished(arrays, outcome)
    return tiers_of(arrays, found), found[arrays.columns["price"].all] * piece.asked.pairs.medicare_rate


def refined(
    asked: Instance, price: np.ndarray, *, gap: float, time_limit: float | None, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """As by_region, around prices that know of tiers: those of each region's own LP with tiers, indices and shares held."""
    began = time.perf_counter()
    held = replace(windows(asked, price), price_low=None, price_high=None)
    nearer = by_region(asked, held, price, gap=0.0, time_limit=time_limit, threads=threads, relaxed=True, **MIDDLE)
    if nearer is None:
        return None
    both = replace(windows(asked, nearer[1]), index_low=held.index_low, index_high=held.index_high)
    left = None if time_limit is None else time_limit - (time.perf_counter() - began)
    return by_region(asked, both, price, gap=gap, time_limit=left, threads=threads)


def regions_broken(asked: Instance, price: np.ndarray) -> np.ndarray:
    """Regions in which these prices break a cap on spread, by more than the check lets pass."""
    market, count = asked.pair_market, len(asked.procedures) * len(asked.regions)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, market, price)
    np.maximum.at(high, market, price)
    table = asked.of("regional_spread")
    ruled = table.subject @ np.array([len(asked.regions), 1])
    return np.unique(table.subject[high[ruled] - low[ruled] > table.high + 2e-6 * np.abs(high[ruled]), 1])


def mend(
    asked: Instance, tiers: np.ndarray, price: np.ndarray, *, gap: float, time_limit: float | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """An earlier list with those regions solved again whose spread caps it breaks; None if that is most of them.

    The others keep their prices, and all keep their indices' windows, so the regions stay apart.
    """
    broken = regions_broken(asked, price)
    if not len(broken) or 2 * len(broken) > len(np.unique(asked.pair_region)):
        return None
    began = time.perf_counter()
    held = replace(windows(asked, price), price_low=None, price_high=None)
    wide = by_region(without_tiers(asked), held, price, gap=0.0, time_limit=time_limit, only=broken, **MIDDLE)
    if wide is None:
        return None
    inside = np.isin(asked.pair_region, broken)
    near = np.where(inside, wide[1], price)
    left = None if time_limit is None else time_limit - (time.perf_counter() - began)
    both = replace(windows(asked, near), index_low=held.index_low, index_high=held.index_high)
    found = by_region(asked, both, near, gap=gap, time_limit=left, only=broken)
    if found is None:
        return None
    return np.where(inside, found[0], tiers), np.where(inside, found[1], price)


def polished(arrays: Arrays, outcome: Outcome) -> np.ndarray:
    """The solution with whole numbers made exactly whole and prices solved again for them, at a hundredth of the tolerance.

    HiGHS takes 0.999999 for one, and a price between two tiers moves with it; after this it does not. If the LP at the rounded
    numbers has no solution at the finer tolerance, the values stay as they were, and the check has the last word.
    """
    assert outcome.values is not None
    if not arrays.whole.any():
        return outcome.values
    fixed = replace(arrays, low=arrays.low.copy(), high=arrays.high.copy())
    whole = np.round(outcome.values[arrays.whole])
    fixed.low[arrays.whole] = fixed.high[arrays.whole] = whole
    again = run(fixed, relaxed=True, threads=1, primal_feasibility_tolerance=1e-9)
    return outcome.values if again.values is None else again.values


def at_tiers(
    asked: Instance,
    tiers: np.ndarray,
    price: np.ndarray | None = None,
    time_limit: float | None = None,
    only: np.ndarray | None = None,
) -> np.ndarray | None:
    """The best prices (USD) for given tiers; None if there are none. With `only`, just those regions, the others at earlier prices.

    Near earlier prices (`price`) the indices are held by windows around theirs, so that regions are solved by themselves: a
    tenth of the time of one LP over the whole, which is what is solved without them, or where the windows hold no list.
    """
    if not reach(asked).holds(tiers):
        return None
    pairs, rows = asked.pairs, np.arange(len(tiers))
    low, high = np.full(pairs.band_low.shape, np.nan), np.full(pairs.band_low.shape, np.nan)
    low[rows, tiers], high[rows, tiers] = pairs.band_low[rows, tiers], pairs.band_high[rows, tiers]
    narrow = replace(
        asked,
        pairs=Pairs(
            pairs.provider, pairs.procedure, pairs.volume, pairs.baseline_price, pairs.medicare_rate, low, high
        ),
    )
    began = time.perf_counter()
    if price is not None:
        near = replace(windows(asked, price), price_low=None, price_high=None)
        small = len(pairs) <= UNPRESOLVED * len(np.unique(asked.pair_region))
        found = by_region(
            narrow,
            near,
            price,
            gap=0.0,
            time_limit=time_limit,
            only=only,
            primal_feasibility_tolerance=1e-9,
            presolve="off" if small else "choose",
        )
        if found is not None:
            return np.where(np.isnan(found[1]), price, found[1])
        if only is not None:
            return None
    arrays = build(narrow)
    left = None if time_limit is None else time_limit - (time.perf_counter() - began)
    outcome = run(arrays, relaxed=True, time_limit=left, primal_feasibility_tolerance=1e-9)
    if outcome.values is None:
        return None
    return np.asarray(outcome.values[arrays.columns["price"].all] * pairs.medicare_rate)


def _joint_shares(asked: Instance, price: np.ndarray, regions: np.ndarray) -> dict[str, np.ndarray]:
    """Per kind of joint rule (regions, rules): the part of each limit that a region is given, as the relaxation spends it."""
    cost = asked.pairs.volume * price
    place = np.searchsorted(regions, asked.pair_region)
    shares: dict[str, np.ndarray] = {}
    for kind in JOINT:
        table = asked.of(kind)
        if not len(table):
            continue
        spent = np.zeros((len(regions), len(table)))
        for at in range(len(table)):
            members = table.cell_pair[table.cells_of(at)] if kind == "budget" else np.arange(len(cost))
            spent[:, at] = np.bincount(place[members], cost[members], minlength=len(regions))
        total = np.maximum(spent.sum(axis=0), 1e-12)
        shares[kind] = spent + (table.high - total) * spent / total
    return shares
