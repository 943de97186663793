"""Each constraint of the pricing model as rows of arrays, without a loop over pairs; model.py says what each is for.

Belongs here: one function per constraint, with its name, and revenue as columns. Does not: prices, tiers and bands (hull.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.pricing.assembly import Builder
from optimization.pricing.instance import Instance
from optimization.pricing.reach import Pieces, Reach, Window


def family_members(asked: Instance) -> tuple[np.ndarray, np.ndarray]:
    """Pairs under a rule family_tiers, and the position of that rule."""
    table, width = asked.of("family_tiers"), len(asked.families) + 1
    key = asked.pairs.provider.astype(np.int64) * width + asked.pair_family
    rule_key = table.subject[:, 0] * width + table.subject[:, 1]
    order = np.argsort(rule_key)
    place = np.minimum(np.searchsorted(rule_key[order], key), len(order) - 1)
    member = np.flatnonzero((rule_key[order][place] == key) & (asked.pair_family >= 0))
    return member, order[place[member]]


def family_tiers(made: Builder, asked: Instance, at_least: np.ndarray) -> np.ndarray:
    """at_least(t + k) of every pair ≤ family_lowest(t) ≤ at_least(t) of every pair, k the largest difference.

    Returns the pairs whose steps this puts in order already (k = 1: at_least(t + 1) ≤ family_lowest(t) ≤ at_least(t)).
    """
    table = asked.of("family_tiers")
    tiers = len(asked.tiers)
    chained = np.zeros(len(asked.pairs), bool)
    if not len(table):
        return chained
    member, rule = family_members(asked)
    k = np.floor(table.high + 1e-9).astype(np.int64)
    chained[member[k[rule] == 1]] = True
    wanted = np.argwhere(np.arange(1, tiers)[None, :] + k[:, None] <= tiers - 1)
    wanted[:, 1] += 1
    column_at = np.full((len(table), tiers), -1)
    column_at[wanted[:, 0], wanted[:, 1]] = made.column("family_lowest", wanted, 0.0, 1.0)
    at, tier = np.nonzero(column_at[rule, 1:] >= 0)
    tier += 1
    pair, its = member[at], rule[at]
    for name, shift, sign in (("family_tiers_low", 0, 1.0), ("family_tiers_high", 1, -1.0)):
        row = made.row(name, np.stack([its, pair, tier], 1), -np.inf, 0.0)
        made.put(row, column_at[its, tier], sign)
        made.put_step(row, at_least[pair, tier + shift * k[its]], np.full(len(row), -sign))
    return chained


def price_index(
    made: Builder, asked: Instance, price: np.ndarray, window: Window | None
) -> tuple[np.ndarray, np.ndarray]:
    """provider_index = Σ volume·price ÷ Σ volume·benchmark. Returns its column (-1 for a provider without volume) and the divisor."""
    pairs, count = asked.pairs, len(asked.providers)
    weight = pairs.volume * pairs.medicare_rate
    reference = np.bincount(pairs.provider, weight, minlength=count)
    seen = np.flatnonzero(reference > 0)
    column, row_at = np.full(count, -1), np.full(count, -1)
    low, high = (0.0, np.inf) if window is None else (window.index_low[seen], window.index_high[seen])
    column[seen] = made.column("provider_index", seen[:, None], low, high)
    row_at[seen] = made.row("price_index", seen[:, None], 0.0, 0.0)
    made.put(row_at[seen], column[seen], -1.0)
    at = np.flatnonzero(weight > 0)
    made.put(row_at[pairs.provider[at]], price[at], weight[at] / reference[pairs.provider[at]])
    return column, reference


@dataclass(frozen=True, eq=False)
class Steps:
    """The columns at_least: of which pair and tier, and the open tier next below."""

    column: np.ndarray
    pair: np.ndarray
    tier: np.ndarray
    before: np.ndarray


@dataclass(frozen=True, eq=False)
class Revenue:
    """Revenue in dollars as columns: `value[n]` per unit of `column[n]` for pair `pair[n]`, and a `constant` per pair.

    Where volumes do not answer to price, a provider's revenue is also its index times its `reference`.
    """

    pair: np.ndarray
    column: np.ndarray
    value: np.ndarray
    constant: np.ndarray
    index: np.ndarray
    reference: np.ndarray
    simple: bool

    def total(self, width: int, weight: np.ndarray) -> tuple[np.ndarray, float]:
        """Cost vector and offset of the spend, each pair times its weight."""
        cost = np.bincount(self.column, self.value * weight[self.pair], minlength=width)
        return cost.astype(float), float(self.constant @ weight)


def revenue(
    asked: Instance,
    seen: Reach,
    price: np.ndarray,
    cost: Pieces | None,
    piece: np.ndarray,
    steps: Steps,
    index: np.ndarray,
    reference: np.ndarray,
) -> Revenue:
    """Volume × price; or, where volumes answer to price, what the low ends of tiers earn and what each piece adds."""
    pairs, count = asked.pairs, len(asked.pairs)
    every = np.arange(count)
    if asked.elasticity is None or cost is None:
        value = pairs.volume * pairs.medicare_rate
        return Revenue(every, price, value, np.zeros(count), index, reference, simple=True)
    rise = cost.revenue_at[steps.pair, steps.tier] - cost.revenue_at[steps.pair, steps.before]
    return Revenue(
        pair=np.concatenate([steps.pair, cost.pair]),
        column=np.concatenate([steps.column, piece]),
        value=np.concatenate([rise, cost.revenue_slope * pairs.medicare_rate[cost.pair]]),
        constant=cost.revenue_at[every, seen.open.argmax(axis=1)],
        index=index,
        reference=reference,
        simple=False,
    )


def regional_spread(made: Builder, asked: Instance, price: np.ndarray, window: Window | None) -> None:
    """lowest_price ≤ every price of the market ≤ lowest_price + cap; lowest_price in units of the market's mean benchmark.

    A market whose prices a window holds needs no rows.
    """
    table, width = asked.of("regional_spread"), len(asked.regions)
    market = asked.pair_market
    is_loose = np.ones(len(market), bool) if window is None or window.price_low is None else np.isinf(window.price_low)
    size = np.bincount(market[is_loose], minlength=len(asked.procedures) * width)
    rule_market = table.subject[:, 0] * width + table.subject[:, 1]
    real = np.flatnonzero((size[rule_market] > 1) & np.isfinite(table.high))
    if not len(real):
        return
    rule_at = np.full(len(size), -1)
    rule_at[rule_market[real]] = np.arange(len(real))
    pair = np.flatnonzero(rule_at[market] >= 0)
    its, rate = rule_at[market[pair]], asked.pairs.medicare_rate
    scale = np.bincount(its, rate[pair]) / np.bincount(its)
    column = made.column("lowest_price", real[:, None], 0.0, np.inf)
    keys = np.stack([real[its], pair], 1)
    low = made.row("regional_spread_low", keys, 0.0, np.inf)
    high = made.row("regional_spread_high", keys, -np.inf, table.high[real][its] / rate[pair])
    for row in (low, high):
        made.put(row, price[pair], 1.0)
        made.put(row, column[its], -scale[its] / rate[pair])


def specialty_spread(made: Builder, asked: Instance, index: np.ndarray) -> None:
    """lowest_index ≤ index of every provider of the specialty ≤ lowest_index + cap."""
    table = asked.of("specialty_spread")
    if not len(table):
        return
    rule_at = np.full(len(asked.specialties) + 1, -1)
    rule_at[table.subject[:, 0]] = np.arange(len(table))
    its = rule_at[asked.provider_specialty]
    provider = np.flatnonzero((its >= 0) & (index >= 0))
    its = its[provider]
    column = made.column("lowest_index", np.arange(len(table))[:, None], 0.0, np.inf)
    keys = np.stack([its, provider], 1)
    low = made.row("specialty_spread_low", keys, 0.0, np.inf)
    high = made.row("specialty_spread_high", keys, -np.inf, table.high[its])
    for row in (low, high):
        made.put(row, index[provider], 1.0)
        made.put(row, column[its], -1.0)


def revenue_rules(made: Builder, asked: Instance, earned: Revenue) -> None:
    """revenue_floor, largest_loss: revenue of the provider, in units of its benchmark revenue, at least the limit."""
    for kind in ("revenue_floor", "largest_loss"):
        table = asked.of(kind)
        if not len(table):
            continue
        provider = table.subject[:, 0]
        scale = np.where(earned.reference[provider] > 0, earned.reference[provider], 1.0)
        low = table.low / scale
        if earned.simple:
            row = made.row(kind, np.arange(len(table))[:, None], low, np.inf)
            has = earned.index[provider] >= 0
            made.put(row[has], earned.index[provider[has]], 1.0)
            continue
        fixed = np.bincount(asked.pairs.provider, earned.constant, minlength=len(asked.providers))[provider]
        row = made.row(kind, np.arange(len(table))[:, None], low - fixed / scale, np.inf)
        row_of, scale_of = np.full(len(asked.providers), -1), np.ones(len(asked.providers))
        row_of[provider], scale_of[provider] = row, scale
        whose = asked.pairs.provider[earned.pair]
        has = row_of[whose] >= 0
        made.put(row_of[whose[has]], earned.column[has], earned.value[has] / scale_of[whose[has]])


def tier_rule(made: Builder, asked: Instance, at_least: np.ndarray) -> None:
    """The number of a rule's cells that are chosen at most its limit; where that is below one, reach.py has closed the cells."""
    table = asked.of("tier_rule")
    real = np.flatnonzero((table.high >= 1) & np.isfinite(table.high))
    if not len(real):
        return
    row_at = np.full(len(table), -1)
    row_at[real] = made.row("tier_rule", real[:, None], -np.inf, table.high[real])
    rule = table.rule_of_cell()
    has = (row_at[rule] >= 0) & asked.pairs.allowed[table.cell_pair, table.cell_tier]
    pair, tier, row = table.cell_pair[has], table.cell_tier[has], row_at[rule[has]]
    above = np.concatenate([at_least, np.full((len(at_least), 1), -2)], axis=1)
    made.put_step(row, at_least[pair, tier], np.ones(len(row)))
    made.put_step(row, above[pair, tier + 1], np.full(len(row), -1.0))


def lowest_tier_cap(made: Builder, asked: Instance, at_least: np.ndarray) -> None:
    """Σ (1 − at_least the second tier) over the market at most the cap."""
    table, width = asked.of("lowest_tier_cap"), len(asked.regions)
    second = at_least[:, 1] if at_least.shape[1] > 1 else np.full(len(at_least), -2)
    market = asked.pairs.procedure.astype(np.int64) * width + asked.pair_region
    could = np.flatnonzero(second != -1)
    size = np.bincount(market[could], minlength=len(asked.procedures) * width)
    rule_market = table.subject[:, 0] * width + table.subject[:, 1]
    real = np.flatnonzero((size[rule_market] > np.floor(table.high + 1e-9)) & np.isfinite(table.high))
    if not len(real):
        return
    cap = np.floor(table.high[real] + 1e-9)
    row_at = np.full(len(size), -1)
    row_at[rule_market[real]] = made.row("lowest_tier_cap", real[:, None], size[rule_market[real]] - cap, np.inf)
    pair = could[row_at[market[could]] >= 0]
    made.put_step(row_at[market[pair]], second[pair], np.ones(len(pair)))


def spend_rules(made: Builder, asked: Instance, earned: Revenue) -> None:
    """savings_target, budget: spend over all or some pairs, in units of the limit."""
    for kind in ("savings_target", "budget"):
        table = asked.of(kind)
        if not len(table):
            continue
        scale = np.maximum(np.abs(table.high), 1.0)
        row = made.row(kind, np.arange(len(table))[:, None], -np.inf, table.high / scale)
        for at in range(len(table)):
            if kind == "savings_target" and earned.simple:
                has = np.flatnonzero(earned.index >= 0)
                made.put(np.full(len(has), row[at]), earned.index[has], earned.reference[has] / scale[at])
                continue
            inside = np.full(len(earned.constant), kind == "savings_target")
            inside[table.cell_pair[table.cells_of(at)]] = True
            use = inside[earned.pair]
            made.put(np.full(int(use.sum()), row[at]), earned.column[use], earned.value[use] / scale[at])
            made.row_high[-1][at] -= earned.constant[inside].sum() / scale[at]
