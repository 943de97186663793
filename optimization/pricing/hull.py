"""The pricing model as arrays for a solver: the same as model.py says in Pyomo, put together without a loop over pairs.

Belongs here: prices, tiers and bands in the convex-hull form, objectives, the order of it all. Does not: the rules' rows (rows.py),
putting arrays together (assembly.py), running a solver (solve.py), which prices a pair can have (reach.py). Tests hold these arrays equal to the Pyomo model, row by row.

Columns. `price` of a pair in units of its benchmark rate. `at_least` of a pair and an open tier but the lowest: 1 if the pair's
tier is that one or a higher (the Pyomo model's `tier` is the difference of two neighbours; one column and one row less per pair,
and every row of a family is a difference of two columns). `family_lowest` of a family rule and a tier: 1 if all its pairs are in
that tier or a higher. `lowest_price` of a market (procedure and region) with a spread cap, `provider_index`, `lowest_index`
of a specialty. Where the objective or an elasticity needs it, `piece` of a pair: how far the price goes into each straight piece.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optimization.pricing import rows
from optimization.pricing.assembly import Arrays, Builder
from optimization.pricing.instance import Instance, ObjectiveType
from optimization.pricing.reach import Pieces, Reach, Window, pieces, reach

SPEND_ALONE: tuple[ObjectiveType, ...] = ("min_spend", "lexicographic", "quality_weighted")


def build(asked: Instance, *, window: Window | None = None) -> Arrays:
    """The arrays of an instance (of a lexicographic objective its first part, the spend).

    Inside a `window` the spread rules need no rows: it holds indices, and prices of the markets that it has, by bounds.
    """
    seen = reach(asked, window)
    made, pairs = Builder(), asked.pairs
    every, rate = np.arange(len(pairs)), pairs.medicare_rate
    with np.errstate(invalid="ignore"):
        least, most = np.fmin.reduce(seen.low, axis=1), np.fmax.reduce(seen.high, axis=1)
    price = made.column("price", every[:, None], least / rate, most / rate)
    steps, at_least = _steps(made, seen)
    plain = asked.objective.type in SPEND_ALONE and asked.elasticity is None
    cost = None if plain else pieces(asked, seen)
    piece = (
        _bands(made, seen, rate, price, steps)
        if cost is None
        else _bands_by_pieces(made, seen, rate, price, steps, at_least, cost)
    )

    chained = rows.family_tiers(made, asked, at_least)
    _order_of_steps(made, seen, steps, at_least, chained)
    index, reference = rows.price_index(made, asked, price, window)
    earned = rows.revenue(asked, seen, price, cost, piece, steps, index, reference)
    rows.regional_spread(made, asked, price, window)
    if window is None:
        rows.specialty_spread(made, asked, index)
    rows.revenue_rules(made, asked, earned)
    rows.tier_rule(made, asked, at_least)
    rows.lowest_tier_cap(made, asked, at_least)
    rows.spend_rules(made, asked, earned)

    vector, offset = _objective(made, asked, seen, earned, cost, piece, steps)
    row_of, column_of, value = (np.concatenate(part) for part in zip(*made.entries, strict=True))
    return Arrays(
        cost=vector,
        offset=offset,
        low=np.concatenate(made.low),
        high=np.concatenate(made.high),
        whole=np.concatenate(made.whole),
        matrix=sparse.coo_matrix((value, (row_of, column_of)), shape=(made.height, made.width)).tocsr(),
        row_low=np.concatenate(made.row_low),
        row_high=np.concatenate(made.row_high),
        columns=made.columns,
        rows=made.rows,
        reach=seen,
        at_least=at_least,
    )


def tiers_of(arrays: Arrays, values: np.ndarray) -> np.ndarray:
    """The tier of each pair in a solution (values of all columns)."""
    seen = arrays.reach
    reached = np.where(arrays.at_least >= 0, values[np.maximum(arrays.at_least, 0)] > 0.5, arrays.at_least == -1)
    highest = np.where(seen.open & reached, np.arange(seen.open.shape[1]), -1).max(axis=1)
    return np.where(highest >= 0, highest, seen.open.argmax(axis=1))


def _steps(made: Builder, seen: Reach) -> tuple[rows.Steps, np.ndarray]:
    """The columns at_least, and (pairs, tiers): which of them says "this tier or higher"; -1 surely, -2 never."""
    count, tiers = seen.open.shape
    rank = np.cumsum(seen.open, axis=1) - 1
    pair, tier = np.nonzero(seen.open & (rank > 0))
    column = made.column("at_least", np.stack([pair, tier], 1), 0.0, 1.0, whole=True)
    own = np.full((count, tiers), -1)
    own[pair, tier] = column
    at_least, ahead, first = np.full((count, tiers), -2), np.full(count, -2), seen.open.argmax(axis=1)
    for t in range(tiers - 1, -1, -1):
        ahead = np.where(seen.open[:, t], own[:, t], ahead)
        at_least[:, t] = np.where(t <= first, -1, ahead)
    at_least[seen.stuck] = -2
    below = np.maximum.accumulate(np.where(seen.open, np.arange(tiers), -1), axis=1)
    return rows.Steps(column, pair, tier, below[pair, tier - 1]), at_least


def _bands(made: Builder, seen: Reach, rate: np.ndarray, price: np.ndarray, steps: rows.Steps) -> np.ndarray:
    """tier_band: Σ low·tier ≤ price ≤ Σ high·tier, written in steps: each adds the rise of the band's end."""
    every, first = np.arange(len(price)), seen.open.argmax(axis=1)
    for ends, name in ((seen.low, "tier_band_low"), (seen.high, "tier_band_high")):
        start = ends[every, first] / rate
        row = made.row(name, every[:, None], *((start, np.inf) if name.endswith("low") else (-np.inf, start)))
        made.put(row, price, 1.0)
        rise = (ends[steps.pair, steps.tier] - ends[steps.pair, steps.before]) / rate[steps.pair]
        made.put(row[steps.pair], steps.column, -rise)
    return np.zeros(0, np.int64)


def _bands_by_pieces(
    made: Builder,
    seen: Reach,
    rate: np.ndarray,
    price: np.ndarray,
    steps: rows.Steps,
    at_least: np.ndarray,
    cost: Pieces,
) -> np.ndarray:
    """tier_band: price = low end of the tier + what goes into its pieces; tier_piece: nothing goes into other tiers' pieces."""
    every, keys = np.arange(len(price)), np.stack([cost.pair, cost.tier, _number(cost)], 1)
    share = cost.width / rate[cost.pair]
    piece = made.column("piece", keys, 0.0, share)
    start = seen.low[every, seen.open.argmax(axis=1)] / rate
    row = made.row("tier_band", every[:, None], start, start)
    made.put(row, price, 1.0)
    rise = (seen.low[steps.pair, steps.tier] - seen.low[steps.pair, steps.before]) / rate[steps.pair]
    made.put(row[steps.pair], steps.column, -rise)
    made.put(row[cost.pair], piece, -1.0)
    row = made.row("tier_piece", keys, -np.inf, 0.0)
    made.put(row, piece, 1.0)
    above = np.concatenate([at_least, np.full((len(at_least), 1), -2)], axis=1)
    made.put_step(row, at_least[cost.pair, cost.tier], -share)
    made.put_step(row, above[cost.pair, cost.tier + 1], share)
    return piece


def _number(cost: Pieces) -> np.ndarray:
    """The number of a piece within its pair and tier."""
    at = np.arange(len(cost.pair))
    if not len(at):
        return at
    heads = np.r_[True, (np.diff(cost.pair) != 0) | (np.diff(cost.tier) != 0)]
    return np.asarray(at - np.maximum.accumulate(np.where(heads, at, 0)))


def _order_of_steps(made: Builder, seen: Reach, steps: rows.Steps, at_least: np.ndarray, chained: np.ndarray) -> None:
    """tier_order: the steps of a pair follow one another, unless a family's chain says so already."""
    second = steps.before > seen.open.argmax(axis=1)[steps.pair]
    need = second & ~chained[steps.pair]
    pair, tier, before = steps.pair[need], steps.tier[need], steps.before[need]
    row = made.row("tier_order", np.stack([pair, tier], 1), -np.inf, 0.0)
    made.put(row, steps.column[need], 1.0)
    made.put(row, at_least[pair, before], -1.0)


def _objective(
    made: Builder,
    asked: Instance,
    seen: Reach,
    earned: rows.Revenue,
    cost: Pieces | None,
    piece: np.ndarray,
    steps: rows.Steps,
) -> tuple[np.ndarray, float]:
    """Cost vector and offset of what is made least."""
    goal, weight = asked.objective, np.ones(len(asked.pairs))
    if goal.type == "quality_weighted":
        of_stars = np.array(
            [goal.star_weight.get(star, 1.0) for star in range(int(asked.provider_stars.max(initial=0)) + 1)]
        )
        weight = of_stars[asked.provider_stars[asked.pairs.provider]]
    vector, offset = np.zeros(made.width), 0.0
    if goal.type != "min_deviation":
        vector, offset = earned.total(made.width, weight)
    if goal.type in SPEND_ALONE or cost is None:
        return vector, offset
    rise = cost.penalty_at[steps.pair, steps.tier] - cost.penalty_at[steps.pair, steps.before]
    vector[steps.column] += rise
    vector[piece] += cost.penalty_slope * asked.pairs.medicare_rate[cost.pair]
    first = seen.open.argmax(axis=1)
    return vector, offset + float(np.nansum(cost.penalty_at[np.arange(len(first)), first]))
