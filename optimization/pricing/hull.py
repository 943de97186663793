"""The pricing model as arrays for a solver: the same as model.py says in Pyomo, put together without a loop over pairs.

Belongs here: columns, rows and their names, the convex-hull form. Does not: running a solver (solve.py), what rules mean
(instance.py), which prices a pair can have (reach.py). Tests hold these arrays equal to the Pyomo model, row by row.

Columns. `price` of a pair in units of its benchmark rate. `at_least` of a pair and an open tier but the lowest: 1 if the pair's
tier is that one or a higher (the Pyomo model's `tier` is the difference of two neighbours; one column and one row less per pair,
and every row of a family is a difference of two columns). `family_lowest` of a family rule and a tier: 1 if all its pairs are in
that tier or a higher. `lowest_price` of a market (procedure and region) with a spread cap, `provider_index`, `lowest_index`
of a specialty. Where the objective or an elasticity needs it, `piece` of a pair: how far the price goes into each straight piece.
`slack` of a rule that is made elastic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from optimization.pricing.instance import Instance, ObjectiveType, Rules
from optimization.pricing.reach import PRICE_RULES, Reach, Window, left_in, pieces, reach


@dataclass(frozen=True, eq=False)
class Block:
    """Columns or rows that share a name: `first` to `first + len(keys)`, and for each the positions it is about."""

    first: int
    keys: np.ndarray  # (members, positions); what they number is said where the block is made

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def all(self) -> np.ndarray:
        return np.arange(self.first, self.first + len(self.keys))


@dataclass(eq=False)
class Arrays:
    """A mixed-integer program: least cost·v + offset, row_low ≤ matrix·v ≤ row_high, low ≤ v ≤ high, some v whole numbers."""

    cost: np.ndarray
    offset: float
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    matrix: sparse.csr_matrix
    row_low: np.ndarray
    row_high: np.ndarray
    columns: dict[str, Block]
    rows: dict[str, Block]
    reach: Reach
    at_least: np.ndarray  # (pairs, tiers): column that is 1 if the tier is this or a higher one; -1 always, -2 never
    goals: dict[str, tuple[np.ndarray, float]] = field(default_factory=dict)  # other objectives: spend, deviation


class _Builder:
    def __init__(self) -> None:
        self.columns: dict[str, Block] = {}
        self.rows: dict[str, Block] = {}
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.whole: list[np.ndarray] = []
        self.row_low: list[np.ndarray] = []
        self.row_high: list[np.ndarray] = []
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.width = self.height = 0

    def column(self, name: str, keys: np.ndarray, low: object, high: object, whole: bool = False) -> np.ndarray:
        block = Block(self.width, keys)
        self.columns[name] = block
        self.low.append(np.broadcast_to(np.asarray(low, float), (len(keys),)))
        self.high.append(np.broadcast_to(np.asarray(high, float), (len(keys),)))
        self.whole.append(np.full(len(keys), whole))
        self.width += len(keys)
        return block.all

    def row(self, name: str, keys: np.ndarray, low: object, high: object) -> np.ndarray:
        block = Block(self.height, keys)
        self.rows[name] = block
        self.row_low.append(np.array(np.broadcast_to(np.asarray(low, float), (len(keys),))))
        self.row_high.append(np.array(np.broadcast_to(np.asarray(high, float), (len(keys),))))
        self.height += len(keys)
        return block.all

    def put(self, row: np.ndarray, column: np.ndarray, value: object) -> None:
        self.entries.append((row, column, np.broadcast_to(np.asarray(value, float), np.shape(row))))

    def put_step(self, row: np.ndarray, column: np.ndarray, value: np.ndarray) -> None:
        """value × "at least this tier", where the column may be the constants 1 (-1) or 0 (-2)."""
        real = column >= 0
        self.put(row[real], column[real], value[real])
        sure = column == -1
        if sure.any():
            shift = np.bincount(row[sure], value[sure], minlength=self.height)
            place = 0
            for low, high in zip(self.row_low, self.row_high, strict=True):
                part = shift[place : place + len(low)]
                low -= part
                high -= part
                place += len(low)


def build(
    asked: Instance,
    *,
    goal: ObjectiveType | None = None,
    elastic: Mapping[str, float] | None = None,
    window: Window | None = None,
) -> Arrays:
    """The arrays of an instance. `goal` replaces the objective's type (lexicographic stands for its first part, the spend).

    `elastic` names rules that may be broken at a price per unit of theirs; the objective is then the cost of breaking them, and
    the column `slack` (keys: order of `elastic`) says by how much each is broken. Inside a `window` the spread rules need no rows: it holds prices and indices by bounds.
    """
    elastic = dict(elastic or {})
    goal = goal or asked.objective.type
    seen = reach(asked, elastic, window)
    made, pairs, count, tiers = _Builder(), asked.pairs, len(asked.pairs), len(asked.tiers)
    every, rate = np.arange(count), asked.pairs.medicare_rate

    # price and at_least
    with np.errstate(invalid="ignore"):
        least, most = np.fmin.reduce(seen.low, axis=1), np.fmax.reduce(seen.high, axis=1)
    price = made.column("price", every[:, None], least / rate, most / rate)
    rank = np.cumsum(seen.open, axis=1) - 1  # of an open tier among the open ones
    later = seen.open & (rank > 0)
    steps = np.argwhere(later)
    step_at = np.full((count, tiers), -1)
    step_at[later] = made.column("at_least", steps, 0.0, 1.0, whole=True)
    at_least = _at_least(seen, step_at)

    # tier_band: price between the lows and the highs of the tiers, by the hull
    simple = goal in ("min_spend", "lexicographic", "quality_weighted") and asked.elasticity is None and not elastic
    simple = simple or (asked.elasticity is None and bool(elastic))
    before = _step_before(seen)
    cost_pieces = None if simple else pieces(asked, seen)
    if cost_pieces is None:
        for side, ends, name in (("low", seen.low, "tier_band_low"), ("high", seen.high, "tier_band_high")):
            first = np.take_along_axis(ends, seen.open.argmax(axis=1)[:, None], axis=1)[:, 0] / rate
            bounds = (first, np.inf) if side == "low" else (-np.inf, first)
            row = made.row(name, every[:, None], *bounds)
            made.put(row, price, 1.0)
            rise = (ends[later] - ends[steps[:, 0], before[later]]) / rate[steps[:, 0]]
            made.put(row[steps[:, 0]], step_at[later], -rise)
        piece = np.zeros(0, np.int64)
    else:
        piece = made.column(
            "piece",
            np.stack([cost_pieces.pair, cost_pieces.tier, _order(cost_pieces)], 1),
            0.0,
            cost_pieces.width / rate[cost_pieces.pair],
        )
        first = np.take_along_axis(seen.low, seen.open.argmax(axis=1)[:, None], axis=1)[:, 0] / rate
        row = made.row("tier_band", every[:, None], first, first)
        made.put(row, price, 1.0)
        rise = (seen.low[later] - seen.low[steps[:, 0], before[later]]) / rate[steps[:, 0]]
        made.put(row[steps[:, 0]], step_at[later], -rise)
        made.put(row[cost_pieces.pair], piece, -1.0)
        row = made.row(
            "tier_piece", np.stack([cost_pieces.pair, cost_pieces.tier, _order(cost_pieces)], 1), -np.inf, 0.0
        )
        made.put(row, piece, 1.0)
        share = cost_pieces.width / rate[cost_pieces.pair]
        made.put_step(row, at_least[cost_pieces.pair, cost_pieces.tier], -share)
        above = np.concatenate([at_least, np.full((count, 1), -2)], axis=1)[cost_pieces.pair, cost_pieces.tier + 1]
        made.put_step(row, above, share)

    # the steps of a pair follow one another, unless a family's chain says so already
    families = left_in(asked.of("family_tiers"), {} if elastic is None else elastic)
    slack_rows: list[tuple[str, np.ndarray, float]] = []
    chained = _family(made, asked, asked.of("family_tiers"), at_least, elastic, slack_rows, families)
    following = later & (rank > 1) & ~chained[:, None]
    pair_of, tier_of = np.nonzero(following)
    row = made.row("tier_order", np.stack([pair_of, tier_of], 1), -np.inf, 0.0)
    made.put(row, step_at[following], 1.0)
    made.put(row, step_at[pair_of, before[following]], -1.0)

    index, reference = _index(made, asked, price, window)
    revenue = _Revenue(asked, made, price, piece, cost_pieces, at_least, step_at, steps, before, seen, index, reference)
    _prices(made, asked, price, elastic, slack_rows)
    if window is None or window.price_low is None:
        _spread(made, asked, price, elastic, slack_rows)
    if window is None:
        _specialty(made, asked, index, elastic, slack_rows)
    _floors(made, asked, revenue, elastic, slack_rows)
    _tier_rules(made, asked, at_least, elastic, slack_rows)
    _lowest(made, asked, at_least, elastic, slack_rows)
    _spend(made, asked, revenue, elastic, slack_rows)
    slack = _slacks(made, elastic, slack_rows)

    goals = {"spend": revenue.total(made.width)}
    if cost_pieces is not None:
        goals["deviation"] = _penalty(made.width, cost_pieces, piece, rate, step_at, steps, before, seen)
    if goal == "quality_weighted":
        stars = asked.provider_stars[pairs.provider]
        weight = np.array([asked.objective.star_weight.get(star, 1.0) for star in range(int(stars.max(initial=0)) + 1)])
        goals["quality"] = revenue.total(made.width, weight[stars])
    if elastic:
        cost, offset = np.zeros(made.width), 0.0
        cost[slack] = list(elastic.values())
    else:
        wanted = {
            "min_deviation": ["deviation"],
            "min_spend_plus_deviation": ["spend", "deviation"],
            "quality_weighted": ["quality"],
        }
        parts = [goals[name] for name in wanted.get(goal, ["spend"])]
        cost, offset = sum(part[0] for part in parts), sum(part[1] for part in parts)  # type: ignore[assignment]
    row_of, column_of, value = (np.concatenate(part) for part in zip(*made.entries, strict=True))
    matrix = sparse.coo_matrix((value, (row_of, column_of)), shape=(made.height, made.width)).tocsr()
    return Arrays(
        cost=cost,
        offset=offset,
        low=np.concatenate(made.low),
        high=np.concatenate(made.high),
        whole=np.concatenate(made.whole),
        matrix=matrix,
        row_low=np.concatenate(made.row_low),
        row_high=np.concatenate(made.row_high),
        columns=made.columns,
        rows=made.rows,
        reach=seen,
        at_least=at_least,
        goals=goals,
    )


def tiers_of(arrays: Arrays, values: np.ndarray) -> np.ndarray:
    """The tier of each pair in a solution (values of all columns)."""
    seen = arrays.reach
    reached = np.where(arrays.at_least >= 0, values[np.maximum(arrays.at_least, 0)] > 0.5, arrays.at_least == -1)
    highest = np.where(seen.open & reached, np.arange(seen.open.shape[1]), -1).max(axis=1)
    return np.where(highest >= 0, highest, seen.open.argmax(axis=1))


def _at_least(seen: Reach, step_at: np.ndarray) -> np.ndarray:
    """(pairs, tiers): the column of the first open tier from here upwards; -1 if the pair is surely this high, -2 if never."""
    count, tiers = seen.open.shape
    result = np.full((count, tiers), -2)
    ahead = np.full(count, -2)
    first = seen.open.argmax(axis=1)
    for tier in range(tiers - 1, -1, -1):
        is_open = seen.open[:, tier]
        ahead = np.where(is_open, step_at[:, tier], ahead)
        result[:, tier] = np.where(tier <= first, -1, ahead)
    result[~seen.open.any(axis=1)] = -2
    return result


def _step_before(seen: Reach) -> np.ndarray:
    """(pairs, tiers): the open tier next below."""
    at = np.where(seen.open, np.arange(seen.open.shape[1]), -1)
    running = np.maximum.accumulate(at, axis=1)
    return np.concatenate([np.full((len(at), 1), -1), running[:, :-1]], axis=1)


def _order(cost: object) -> np.ndarray:
    """The number of a piece within its pair and tier."""
    pair, tier = cost.pair, cost.tier  # type: ignore[attr-defined]
    heads = np.r_[True, (np.diff(pair) != 0) | (np.diff(tier) != 0)] if len(pair) else np.zeros(0, bool)
    at = np.arange(len(pair))
    return at - np.maximum.accumulate(np.where(heads, at, 0)) if len(pair) else at


Slacks = list[tuple[str, np.ndarray, float]]


def _elastic(rules: Rules, elastic: Mapping[str, float]) -> np.ndarray:
    """Which rules of a table are elastic."""
    if not elastic:
        return np.zeros(len(rules), bool)
    return np.fromiter((name in elastic for name in rules.ids), bool, len(rules))


def _family(
    made: _Builder,
    asked: Instance,
    table: Rules,
    at_least: np.ndarray,
    elastic: Mapping[str, float],
    slacks: Slacks,
    hard: Rules,
) -> np.ndarray:
    """family_tiers: at_least(t + k) of every pair ≤ family_lowest(t) ≤ at_least(t) of every pair, k the largest difference.

    Returns the pairs whose steps the chain puts in order (k = 1). An elastic rule's k grows by its slack: one whole slack column
    per unit would lose the chain, so such a rule is written by its highest and lowest tier as numbers.
    """
    tiers, width = len(asked.tiers), len(asked.families) + 1
    key = asked.pairs.provider.astype(np.int64) * width + asked.pair_family
    chained = np.zeros(len(asked.pairs), bool)
    if len(hard):
        rule_key = hard.subject[:, 0] * width + hard.subject[:, 1]
        order = np.argsort(rule_key)
        place = np.minimum(np.searchsorted(rule_key[order], key), len(order) - 1)
        member = np.flatnonzero((rule_key[order][place] == key) & (asked.pair_family >= 0))
        rule = order[place[member]]
        k = np.floor(hard.high + 1e-9).astype(np.int64)
        chained[member[k[rule] == 1]] = True
        span = np.arange(1, tiers)
        wanted = np.argwhere(span[None, :] + k[:, None] <= tiers - 1)
        wanted[:, 1] += 1
        column_at = np.full((len(hard), tiers), -1)
        column_at[wanted[:, 0], wanted[:, 1]] = made.column("family_lowest", wanted, 0.0, 1.0)
        for name, shift in (("family_tiers_low", 0), ("family_tiers_high", 1)):
            parts = []
            for tier in range(1, tiers):
                has = member[column_at[rule, tier] >= 0]
                its = rule[column_at[rule, tier] >= 0]
                parts.append((has, its, np.full(len(has), tier)))
            pair, its, tier_of = (np.concatenate(part) for part in zip(*parts, strict=True))
            row = made.row(name, np.stack([its, pair, tier_of], 1), -np.inf, 0.0)
            sign = 1.0 if shift == 0 else -1.0
            made.put(row, column_at[its, tier_of], sign)
            made.put_step(row, at_least[pair, tier_of + shift * k[its]], np.full(len(row), -sign))
    loose = np.flatnonzero(_elastic(table, elastic))
    if len(loose):
        rule_key = table.subject[loose, 0] * width + table.subject[loose, 1]
        pair, its = np.nonzero(key[:, None] == rule_key[None, :])
        column = made.column("family_lowest_number", loose[:, None], 0.0, float(tiers - 1))
        low = made.row("family_tiers_number_low", np.stack([loose[its], pair], 1), -np.inf, 0.0)
        high = made.row(
            "family_tiers_number_high", np.stack([loose[its], pair], 1), -np.inf, np.asarray(table.high[loose][its])
        )
        made.put(low, column[its], 1.0)
        made.put(high, column[its], -1.0)
        for tier in range(1, tiers):
            made.put_step(low, at_least[pair, tier], np.full(len(low), -1.0))
            made.put_step(high, at_least[pair, tier], np.full(len(high), 1.0))
        slacks += [(str(table.ids[at]), high[its == n], -1.0) for n, at in enumerate(loose)]
    return chained


def _index(made: _Builder, asked: Instance, price: np.ndarray, window: Window | None) -> tuple[np.ndarray, np.ndarray]:
    """index of a provider = Σ volume·price ÷ Σ volume·medicare_rate; -1 for a provider without volume."""
    pairs, count = asked.pairs, len(asked.providers)
    weight = pairs.volume * pairs.medicare_rate
    reference = np.bincount(pairs.provider, weight, minlength=count)
    seen = np.flatnonzero(reference > 0)
    column, row_at = np.full(count, -1), np.full(count, -1)
    low, high = (0.0, np.inf) if window is None else (window.index_low[seen], window.index_high[seen])
    column[seen] = made.column("provider_index", seen[:, None], low, high)
    row_at[seen] = made.row("price_index", seen[:, None], 0.0, 0.0)
    made.put(row_at[seen], column[seen], -1.0)
    at = np.flatnonzero((weight > 0) & (reference[pairs.provider] > 0))
    made.put(row_at[pairs.provider[at]], price[at], weight[at] / reference[pairs.provider[at]])
    return column, reference


class _Revenue:
    """Revenue as rows of columns: by the index of a provider, or, where volumes answer to price, by tiers and pieces."""

    def __init__(self, asked, made, price, piece, cost, at_least, step_at, steps, before, seen, index, reference):  # type: ignore[no-untyped-def]
        self.asked, self.made, self.price, self.piece, self.cost = asked, made, price, piece, cost
        self.step_at, self.steps, self.before, self.seen = step_at, steps, before, seen
        self.index, self.reference = index, reference
        self.simple = asked.elasticity is None

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(pair, column, dollars per unit of column) and the constant of each pair."""
        pairs, count = self.asked.pairs, len(self.asked.pairs)
        if self.simple:
            return np.arange(count), self.price, pairs.volume * pairs.medicare_rate, np.zeros(count)
        first = self.seen.open.argmax(axis=1)
        constant = self.cost.revenue_at[np.arange(count), first]
        at, tier = self.steps[:, 0], self.steps[:, 1]
        before = self.before[at, tier]
        rise = self.cost.revenue_at[at, tier] - self.cost.revenue_at[at, before]
        return (
            np.concatenate([at, self.cost.pair]),
            np.concatenate([self.step_at[at, tier], self.piece]),
            np.concatenate([rise, self.cost.revenue_slope * pairs.medicare_rate[self.cost.pair]]),
            constant,
        )

    def total(self, width: int, weight: np.ndarray | None = None) -> tuple[np.ndarray, float]:
        """Cost vector and offset of the spend, each pair times its weight."""
        pair, column, value, constant = self.parts()
        weight = np.ones(len(constant)) if weight is None else weight
        return np.bincount(column, value * weight[pair], minlength=width).astype(float), float(constant @ weight)


def _prices(made: _Builder, asked: Instance, price: np.ndarray, elastic: Mapping[str, float], slacks: Slacks) -> None:
    """legal_band, minimum_price, largest_change: rows only where a rule is elastic; else reach.py has cut the bands by them."""
    for kind in PRICE_RULES:
        table = asked.of(kind)
        loose = np.flatnonzero(_elastic(table, elastic))
        if not len(loose):
            continue
        at, rate = table.subject[loose, 0], asked.pairs.medicare_rate[table.subject[loose, 0]]
        for side, limit in (("low", table.low[loose] / rate), ("high", table.high[loose] / rate)):
            has = np.isfinite(limit)
            if has.any():
                bounds = (limit[has], np.inf) if side == "low" else (-np.inf, limit[has])
                row = made.row(f"{kind}_{side}", loose[has][:, None], *bounds)
                made.put(row, price[at[has]], 1.0)
                sign = 1.0 if side == "low" else -1.0
                slacks += [
                    (str(table.ids[n]), row[i : i + 1], sign / r)
                    for i, (n, r) in enumerate(zip(loose[has], rate[has], strict=True))
                ]


def _spread(made: _Builder, asked: Instance, price: np.ndarray, elastic: Mapping[str, float], slacks: Slacks) -> None:
    """regional_spread: lowest_price ≤ every price of the market ≤ lowest_price + cap."""
    table, width = asked.of("regional_spread"), len(asked.regions)
    market = asked.pairs.procedure.astype(np.int64) * width + asked.pair_region
    size = np.bincount(market, minlength=len(asked.procedures) * width)
    rule_market = table.subject[:, 0] * width + table.subject[:, 1]
    real = np.flatnonzero((size[rule_market] > 1) & np.isfinite(table.high))
    if not len(real):
        return
    rule_at = np.full(len(size), -1)
    rule_at[rule_market[real]] = np.arange(len(real))
    pair = np.flatnonzero(rule_at[market] >= 0)
    its, rate = rule_at[market[pair]], asked.pairs.medicare_rate
    scale = np.bincount(its, rate[pair]) / np.bincount(its)  # mean benchmark of the market
    column = made.column("lowest_price", real[:, None], 0.0, np.inf)
    low = made.row("regional_spread_low", np.stack([real[its], pair], 1), 0.0, np.inf)
    high = made.row("regional_spread_high", np.stack([real[its], pair], 1), -np.inf, table.high[real][its] / rate[pair])
    for row in (low, high):
        made.put(row, price[pair], 1.0)
        made.put(row, column[its], -scale[its] / rate[pair])
    loose = _elastic(table, elastic)[real]
    for n in np.flatnonzero(loose):
        mine = its == n
        for row, r in zip(high[mine], rate[pair[mine]], strict=True):
            slacks.append((str(table.ids[real[n]]), np.array([row]), -1.0 / r))


def _specialty(
    made: _Builder, asked: Instance, index: np.ndarray, elastic: Mapping[str, float], slacks: Slacks
) -> None:
    """specialty_spread: lowest_index ≤ index of every provider of the specialty ≤ lowest_index + cap."""
    table = asked.of("specialty_spread")
    if not len(table):
        return
    rule_at = np.full(len(asked.specialties) + 1, -1)
    rule_at[table.subject[:, 0]] = np.arange(len(table))
    its = rule_at[asked.provider_specialty]
    provider = np.flatnonzero((its >= 0) & (index >= 0))
    its = its[provider]
    column = made.column("lowest_index", np.arange(len(table))[:, None], 0.0, np.inf)
    low = made.row("specialty_spread_low", np.stack([its, provider], 1), 0.0, np.inf)
    high = made.row("specialty_spread_high", np.stack([its, provider], 1), -np.inf, table.high[its])
    for row in (low, high):
        made.put(row, index[provider], 1.0)
        made.put(row, column[its], -1.0)
    slacks += [(str(table.ids[n]), high[its == n], -1.0) for n in np.flatnonzero(_elastic(table, elastic))]


def _floors(made: _Builder, asked: Instance, revenue: _Revenue, elastic: Mapping[str, float], slacks: Slacks) -> None:
    """revenue_floor, largest_loss: revenue of the provider, in units of its benchmark revenue, at least the limit."""
    for kind in ("revenue_floor", "largest_loss"):
        table = asked.of(kind)
        if not len(table):
            continue
        provider = table.subject[:, 0]
        scale = np.where(revenue.reference[provider] > 0, revenue.reference[provider], 1.0)
        low = table.low / scale
        row = made.row(kind, np.arange(len(table))[:, None], low, np.inf)
        if revenue.simple:
            has = revenue.index[provider] >= 0
            made.put(row[has], revenue.index[provider[has]], 1.0)
        else:
            pair, column, value, constant = revenue.parts()
            row_of = np.full(len(asked.providers), -1)
            row_of[provider] = row
            scale_of = np.ones(len(asked.providers))
            scale_of[provider] = scale
            whose = asked.pairs.provider[pair]
            has = row_of[whose] >= 0
            made.put(row_of[whose[has]], column[has], value[has] / scale_of[whose[has]])
            fixed = np.bincount(asked.pairs.provider, constant, minlength=len(asked.providers))[provider] / scale
            made.row_low[-1] -= fixed
        slacks += [
            (str(table.ids[n]), row[n : n + 1], 1.0 / scale[n]) for n in np.flatnonzero(_elastic(table, elastic))
        ]


def _tier_rules(
    made: _Builder, asked: Instance, at_least: np.ndarray, elastic: Mapping[str, float], slacks: Slacks
) -> None:
    """tier_rule: the number of its cells that are chosen at most its limit; rows only where that is one or more, or elastic."""
    table = asked.of("tier_rule")
    loose = _elastic(table, elastic)
    real = np.flatnonzero(loose | ((table.high >= 1) & np.isfinite(table.high)))
    if not len(real):
        return
    row_at = np.full(len(table), -1)
    row_at[real] = made.row("tier_rule", real[:, None], -np.inf, table.high[real])
    rule = table.rule_of_cell()
    has = row_at[rule] >= 0
    pair, tier, row = table.cell_pair[has], table.cell_tier[has], row_at[rule[has]]
    chosen = asked.pairs.allowed[pair, tier]
    pair, tier, row = pair[chosen], tier[chosen], row[chosen]
    above = np.concatenate([at_least, np.full((len(at_least), 1), -2)], axis=1)
    made.put_step(row, at_least[pair, tier], np.ones(len(row)))
    made.put_step(row, above[pair, tier + 1], np.full(len(row), -1.0))
    slacks += [(str(table.ids[n]), row_at[n : n + 1], -1.0) for n in np.flatnonzero(loose)]


def _lowest(
    made: _Builder, asked: Instance, at_least: np.ndarray, elastic: Mapping[str, float], slacks: Slacks
) -> None:
    """lowest_tier_cap: Σ (1 − at_least the second tier) over the market at most the cap."""
    table, width = asked.of("lowest_tier_cap"), len(asked.regions)
    market = asked.pairs.procedure.astype(np.int64) * width + asked.pair_region
    seen_low = np.flatnonzero((at_least[:, 1] != -1) if at_least.shape[1] > 1 else np.ones(len(market), bool))
    size = np.bincount(market[seen_low], minlength=len(asked.procedures) * width)
    rule_market = table.subject[:, 0] * width + table.subject[:, 1]
    loose = _elastic(table, elastic)
    real = np.flatnonzero((size[rule_market] > np.floor(table.high + 1e-9)) & np.isfinite(table.high))
    if not len(real):
        return
    cap = np.floor(table.high[real] + 1e-9)
    row_at = np.full(len(size), -1)
    row_at[rule_market[real]] = made.row("lowest_tier_cap", real[:, None], size[rule_market[real]] - cap, np.inf)
    has = row_at[market[seen_low]] >= 0
    pair = seen_low[has]
    column = at_least[pair, 1] if at_least.shape[1] > 1 else np.full(len(pair), -2)
    made.put_step(row_at[market[pair]], column, np.ones(len(pair)))
    slacks += [(str(table.ids[n]), row_at[rule_market[n : n + 1]], 1.0) for n in real if loose[n]]


def _spend(
    made: _Builder,
    asked: Instance,
    revenue: _Revenue,
    elastic: Mapping[str, float],
    slacks: Slacks,
) -> None:
    """savings_target, budget: spend over all or some pairs, in units of the limit."""
    limits: list[tuple[str, int, str, float, np.ndarray | None]] = []
    for kind in ("savings_target", "budget"):
        table = asked.of(kind)
        for n in range(len(table)):
            members = table.cell_pair[table.cells_of(n)] if kind == "budget" else None
            limits.append((kind, n, str(table.ids[n]), float(table.high[n]), members))
    for kind in dict.fromkeys(entry[0] for entry in limits):
        mine = [entry for entry in limits if entry[0] == kind]
        scale = np.array([max(abs(entry[3]), 1.0) for entry in mine])
        row = made.row(
            kind, np.array([[entry[1]] for entry in mine]), -np.inf, np.array([entry[3] for entry in mine]) / scale
        )
        pair, column, value, constant = revenue.parts()
        for at, (_, _, name, _, members) in enumerate(mine):
            if members is None and revenue.simple:
                has = np.flatnonzero(revenue.index >= 0)
                made.put(np.full(len(has), row[at]), revenue.index[has], revenue.reference[has] / scale[at])
            else:
                inside = np.ones(len(constant), bool)
                if members is not None:
                    inside = np.zeros(len(constant), bool)
                    inside[members] = True
                use = inside[pair]
                made.put(np.full(int(use.sum()), row[at]), column[use], value[use] / scale[at])
                made.row_high[-1][at] -= constant[inside].sum() / scale[at]
            if name in elastic:
                slacks.append((name, row[at : at + 1], -1.0 / scale[at]))


def _slacks(made: _Builder, elastic: Mapping[str, float], slacks: Slacks) -> np.ndarray:
    """One column per elastic rule: by how much it is broken, in its unit."""
    if not elastic:
        return np.zeros(0, np.int64)
    place = {name: at for at, name in enumerate(elastic)}
    column = made.column("slack", np.arange(len(elastic))[:, None], 0.0, np.inf)
    for name, rows, value in slacks:
        made.put(rows, np.full(len(rows), column[place[name]]), value)
    return column


def _penalty(width, cost, piece, rate, step_at, steps, before, seen):  # type: ignore[no-untyped-def]
    """Cost vector and offset of the deviation."""
    at, tier = steps[:, 0], steps[:, 1]
    rise = cost.penalty_at[at, tier] - cost.penalty_at[at, before[at, tier]]
    vector = np.zeros(width)
    vector[step_at[at, tier]] += rise
    vector[piece] += cost.penalty_slope * rate[cost.pair]
    first = seen.open.argmax(axis=1)
    return vector, float(np.nansum(cost.penalty_at[np.arange(len(first)), first]))
