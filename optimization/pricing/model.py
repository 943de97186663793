"""The pricing model in Pyomo: the one readable definition. One function per constraint, each with the name it has everywhere.

Belongs here: sets, variables, constraints and objectives in dollars, as the question states them. Does not: arrays (hull.py, which
tests hold equal to this), solvers (solve.py, cbc.py), what a rule's limit is (instance.py).

Sets. `pair` ("provider:procedure"), `tier` of a pair where it has a band. Variables. `price` of a pair in USD; `tier`, 1 for the
pair's tier; `lowest_price` of a market; `provider_index`; `lowest_index` of a specialty; `family_lowest` of a family and a
tier, 1 if all pairs of the family are in that tier or a higher; `piece`, how far the price goes into each straight piece of what
it costs, where the objective has a penalty or volumes answer to price. Building needs no solver.

Bands are written as their convex hull (Σ low·tier ≤ price ≤ Σ high·tier) and a family as a chain (family_lowest) instead of one
row for each two pairs, because that is what solvers need; tests/bench/pricing_textbook.py has the other way, to compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr import LinearExpression

from optimization.pricing.instance import Instance
from optimization.pricing.reach import Pieces, Reach, pieces

Terms = Iterable[tuple[float, Any]]


@dataclass(eq=False)
class Said:
    """What the constraints refer to: the instance, and its members by name."""

    asked: Instance
    pair: list[str]
    tiers: list[list[int]]  # of each pair, those with a band
    of_provider: dict[int, list[int]]
    of_market: dict[tuple[int, int], list[int]]
    of_family: dict[tuple[int, int], list[int]]
    cost: Pieces | None
    pieces_of: dict[tuple[int, int], list[int]]
    price: list[Any] = field(default_factory=list)  # the variables by position of the pair,
    tier: list[dict[int, Any]] = field(default_factory=list)  # and by tier: plain lists are quicker to look into


def model(asked: Instance, drop: Sequence[str] = ()) -> pyo.ConcreteModel:
    """The model of an instance; constraints named in `drop` are left out (for tests that see what each is there for)."""
    m, said = pyo.ConcreteModel(name=asked.name or "pricing"), _said(asked)
    with PauseGC():  # a million small objects that all stay: collecting garbage meanwhile doubles the time
        _variables(m, said)
        for constraint in CONSTRAINTS:
            if constraint.__name__ not in drop:
                constraint(m, said)
        m.objective = pyo.Objective(expr=_objective(m, said))
    return m


def tier_choice(m: pyo.ConcreteModel, said: Said) -> None:
    """Every pair is in exactly one of its tiers."""
    _rows(m, "tier_choice", said.pair, lambda p, i: (1.0, [(1.0, said.tier[p][t]) for t in said.tiers[p]], 1.0))


def tier_band(m: pyo.ConcreteModel, said: Said) -> None:
    """The price lies in the band of the pair's tier [USD]."""
    if said.cost is not None:
        return _tier_band_by_pieces(m, said)
    low, high = said.asked.pairs.band_low.tolist(), said.asked.pairs.band_high.tolist()
    _rows(
        m,
        "tier_band_low",
        said.pair,
        lambda p, i: (0.0, [(1.0, said.price[p])] + [(-low[p][t], said.tier[p][t]) for t in said.tiers[p]], None),
    )
    _rows(
        m,
        "tier_band_high",
        said.pair,
        lambda p, i: (None, [(1.0, said.price[p])] + [(-high[p][t], said.tier[p][t]) for t in said.tiers[p]], 0.0),
    )
    return None


def _tier_band_by_pieces(m: pyo.ConcreteModel, said: Said) -> None:
    """The same, where the price is the low end of its tier and what it goes into that tier's pieces."""
    low, cost = said.asked.pairs.band_low.tolist(), said.cost
    assert cost is not None
    of_pair: dict[int, list[int]] = defaultdict(list)
    for n, p in enumerate(cost.pair.tolist()):
        of_pair[p].append(n)
    _rows(
        m,
        "tier_band",
        said.pair,
        lambda p, i: (
            0.0,
            [(1.0, said.price[p])]
            + [(-low[p][t], said.tier[p][t]) for t in said.tiers[p]]
            + [(-1.0, m.piece[n]) for n in of_pair[p]],
            0.0,
        ),
    )
    pair, tier, width = cost.pair.tolist(), cost.tier.tolist(), cost.width.tolist()
    _rows(
        m,
        "tier_piece",
        range(len(pair)),
        lambda n, _: (None, [(1.0, m.piece[n]), (-width[n], said.tier[pair[n]][tier[n]])], 0.0),
    )


def legal_band(m: pyo.ConcreteModel, said: Said) -> None:
    """The price lies within the share of its benchmark rate that the law allows [USD]."""
    _price_rule(m, said, "legal_band")


def minimum_price(m: pyo.ConcreteModel, said: Said) -> None:
    """The price is not below the pair's floor [USD]."""
    _price_rule(m, said, "minimum_price")


def largest_change(m: pyo.ConcreteModel, said: Said) -> None:
    """The price is no further from its baseline than a year may move it [USD]."""
    _price_rule(m, said, "largest_change")


def regional_spread(m: pyo.ConcreteModel, said: Said) -> None:
    """Prices of one procedure within a region differ by at most the cap [USD per procedure]."""
    table = said.asked.of("regional_spread")
    cap = {
        (q, r): limit
        for (q, r), limit in zip(table.subject.tolist(), table.high.tolist(), strict=True)
        if np.isfinite(limit)
    }
    members = [
        (n, p) for n, market in enumerate(cap) if len(said.of_market[market]) > 1 for p in said.of_market[market]
    ]
    caps = list(cap.values())
    _rows(
        m,
        "regional_spread_low",
        members,
        lambda _, k: (0.0, [(1.0, said.price[k[1]]), (-1.0, m.lowest_price[k[0]])], None),
    )
    _rows(
        m,
        "regional_spread_high",
        members,
        lambda _, k: (None, [(1.0, said.price[k[1]]), (-1.0, m.lowest_price[k[0]])], caps[k[0]]),
    )


def price_index(m: pyo.ConcreteModel, said: Said) -> None:
    """A provider's index is Σ volume·price ÷ Σ volume·benchmark rate, at the stated volumes."""
    volume, rate = said.asked.pairs.volume.tolist(), said.asked.pairs.medicare_rate.tolist()

    def row(_: int, j: int) -> tuple[float, Terms, float]:
        pairs = said.of_provider[j]
        reference = sum(volume[p] * rate[p] for p in pairs)
        return (
            0.0,
            [(volume[p] / reference, said.price[p]) for p in pairs if volume[p]] + [(-1.0, m.provider_index[j])],
            0.0,
        )

    _rows(m, "price_index", list(m.provider_index), row)


def specialty_spread(m: pyo.ConcreteModel, said: Said) -> None:
    """Indices of the providers of a specialty differ by at most the cap."""
    table, seen = said.asked.of("specialty_spread"), set(m.provider_index)
    cap = table.high.tolist()
    special = said.asked.provider_specialty.tolist()
    members = [(n, j) for n, (s,) in enumerate(table.subject.tolist()) for j in sorted(seen) if special[j] == s]
    _rows(
        m,
        "specialty_spread_low",
        members,
        lambda _, k: (0.0, [(1.0, m.provider_index[k[1]]), (-1.0, m.lowest_index[k[0]])], None),
    )
    _rows(
        m,
        "specialty_spread_high",
        members,
        lambda _, k: (None, [(1.0, m.provider_index[k[1]]), (-1.0, m.lowest_index[k[0]])], cap[k[0]]),
    )


def revenue_floor(m: pyo.ConcreteModel, said: Said) -> None:
    """A provider's revenue is not below its floor [USD a year]."""
    _revenue_rule(m, said, "revenue_floor")


def largest_loss(m: pyo.ConcreteModel, said: Said) -> None:
    """A provider loses no more revenue than this against the baseline [USD a year]."""
    _revenue_rule(m, said, "largest_loss")


def tier_rule(m: pyo.ConcreteModel, said: Said) -> None:
    """Of the cells (pair, tier) that a rule names, at most so many are chosen: none, where it forbids them."""
    table = said.asked.of("tier_rule")
    pair, tier = table.cell_pair.tolist(), table.cell_tier.tolist()

    def row(n: int, _: str) -> tuple[None, Terms, float]:
        cells = table.cells_of(n)
        named = zip(pair[cells], tier[cells], strict=True)
        return None, [(1.0, said.tier[p][t]) for p, t in named if t in said.tiers[p]], float(table.high[n])

    _rows(m, "tier_rule", table.ids.tolist(), row)


def lowest_tier_cap(m: pyo.ConcreteModel, said: Said) -> None:
    """At most so many pairs of a procedure in a region are in the lowest tier, so that patients find a provider outside it."""
    table = said.asked.of("lowest_tier_cap")
    markets = [tuple(key) for key in table.subject.tolist()]
    cap = np.floor(table.high + 1e-9).tolist()

    def row(n: int, _: str) -> tuple[None, Terms, float]:
        return None, [(1.0, said.tier[p][0]) for p in said.of_market[markets[n]] if 0 in said.tiers[p]], cap[n]

    _rows(m, "lowest_tier_cap", table.ids.tolist(), row)


def family_tiers(m: pyo.ConcreteModel, said: Said) -> None:
    """Tiers of one provider within a family differ by at most k: family_lowest(t) holds every pair up to t, and below t + k."""
    last = len(said.asked.tiers) - 1
    keys, k = _families(said)
    low = [(n, p, t) for n, key in enumerate(keys) for t in range(1, last - k[n] + 1) for p in said.of_family[key]]

    def at_least(p: int, t: int) -> list[tuple[float, Any]]:
        return [(1.0, said.tier[p][s]) for s in said.tiers[p] if s >= t]

    _rows(
        m,
        "family_tiers_low",
        low,
        lambda _, at: (0.0, [*at_least(at[1], at[2]), (-1.0, m.family_lowest[at[0], at[2]])], None),
    )
    _rows(
        m,
        "family_tiers_high",
        low,
        lambda _, at: (None, [*at_least(at[1], at[2] + k[at[0]]), (-1.0, m.family_lowest[at[0], at[2]])], 0.0),
    )


def savings_target(m: pyo.ConcreteModel, said: Said) -> None:
    """Spend over all pairs is not above (1 − target) × baseline [USD a year]."""
    table = said.asked.of("savings_target")
    _rows(
        m, "savings_target", table.ids.tolist(), lambda n, _: _spend_row(m, said, range(len(said.pair)), table.high[n])
    )


def budget(m: pyo.ConcreteModel, said: Said) -> None:
    """Spend over a region's, a line of business's or a group's pairs is not above its budget [USD a year]."""
    table = said.asked.of("budget")
    _rows(
        m,
        "budget",
        table.ids.tolist(),
        lambda n, _: _spend_row(m, said, table.cell_pair[table.cells_of(n)].tolist(), table.high[n]),
    )


CONSTRAINTS: tuple[Callable[[pyo.ConcreteModel, Said], None], ...] = (
    tier_choice, tier_band, legal_band, minimum_price, largest_change, regional_spread, price_index, specialty_spread,
    revenue_floor, largest_loss, tier_rule, lowest_tier_cap, family_tiers, savings_target, budget,
)  # fmt: skip


def _said(asked: Instance) -> Said:
    pairs = asked.pairs
    provider = np.array(asked.providers, object)[pairs.provider]
    procedure = np.array(asked.procedures, object)[pairs.procedure]
    of_provider, of_market, of_family = defaultdict(list), defaultdict(list), defaultdict(list)
    keys = zip(
        pairs.provider.tolist(),
        pairs.procedure.tolist(),
        asked.pair_region.tolist(),
        asked.pair_family.tolist(),
        strict=True,
    )
    for p, (i, q, r, f) in enumerate(keys):
        of_provider[i].append(p)
        of_market[q, r].append(p)
        if f >= 0:
            of_family[i, f].append(p)
    tiers = [[t for t, has in enumerate(row) if has] for row in pairs.allowed.tolist()]
    plain = asked.objective.type in ("min_spend", "lexicographic", "quality_weighted") and asked.elasticity is None
    cost = None if plain else pieces(asked, Reach(pairs.allowed, pairs.band_low, pairs.band_high))
    pieces_of: dict[tuple[int, int], list[int]] = defaultdict(list)
    if cost is not None:
        for n, key in enumerate(zip(cost.pair.tolist(), cost.tier.tolist(), strict=True)):
            pieces_of[key].append(n)
    return Said(asked, (provider + ":" + procedure).tolist(), tiers, of_provider, of_market, of_family, cost, pieces_of)


def _variables(m: pyo.ConcreteModel, said: Said) -> None:
    asked = said.asked
    m.price = pyo.Var(said.pair, domain=pyo.NonNegativeReals)
    m.tier = pyo.Var([(i, t) for i, tiers in zip(said.pair, said.tiers, strict=True) for t in tiers], domain=pyo.Binary)
    variables = iter(m.tier.values())
    said.price = list(m.price.values())
    said.tier = [{t: next(variables) for t in tiers} for tiers in said.tiers]
    m.lowest_price = pyo.Var(range(len(asked.of("regional_spread"))), domain=pyo.NonNegativeReals)
    weight = asked.pairs.volume * asked.pairs.medicare_rate
    reference = np.bincount(asked.pairs.provider, weight, minlength=len(asked.providers))
    m.provider_index = pyo.Var(np.flatnonzero(reference > 0).tolist(), domain=pyo.NonNegativeReals)
    m.lowest_index = pyo.Var(range(len(asked.of("specialty_spread"))), domain=pyo.NonNegativeReals)
    keys, k = _families(said)
    last = len(asked.tiers) - 1
    m.family_lowest = pyo.Var(
        [(n, t) for n in range(len(keys)) for t in range(1, last - k[n] + 1)], domain=pyo.UnitInterval
    )
    if said.cost is not None:
        m.piece = pyo.Var(range(len(said.cost.pair)), domain=pyo.NonNegativeReals)


def _families(said: Said) -> tuple[list[tuple[int, int]], list[int]]:
    """(provider, family) and largest difference of each family rule."""
    table = said.asked.of("family_tiers")
    return [(i, f) for i, f in table.subject.tolist()], np.floor(table.high + 1e-9).astype(int).tolist()


def _price_rule(m: pyo.ConcreteModel, said: Said, kind: str) -> None:
    table = said.asked.of(kind)
    at, low, high = table.subject[:, 0].tolist(), table.low.tolist(), table.high.tolist()

    def bound(limit: float) -> float | None:
        return limit if np.isfinite(limit) else None

    _rows(m, kind, table.ids.tolist(), lambda n, _: (bound(low[n]), [(1.0, said.price[at[n]])], bound(high[n])))


def _revenue(
    m: pyo.ConcreteModel, said: Said, pairs: Iterable[int], weight: Callable[[int], float] = lambda _: 1.0
) -> Terms:
    """Volume × price, or, where volumes answer to price, what each tier's low end earns and what each piece adds."""
    volume = said.asked.pairs.volume
    if said.asked.elasticity is None or said.cost is None:
        return [(float(volume[p]) * weight(p), said.price[p]) for p in pairs]
    terms = []
    for p in pairs:
        for t in said.tiers[p]:
            terms.append((float(said.cost.revenue_at[p, t]) * weight(p), said.tier[p][t]))
            terms += [(float(said.cost.revenue_slope[n]) * weight(p), m.piece[n]) for n in said.pieces_of[p, t]]
    return terms


def _revenue_rule(m: pyo.ConcreteModel, said: Said, kind: str) -> None:
    table = said.asked.of(kind)
    whose = table.subject[:, 0].tolist()
    _rows(
        m,
        kind,
        table.ids.tolist(),
        lambda n, _: (float(table.low[n]), _revenue(m, said, said.of_provider[whose[n]]), None),
    )


def _spend_row(m: pyo.ConcreteModel, said: Said, pairs: Iterable[int], limit: float) -> tuple[None, Terms, float]:
    return None, _revenue(m, said, pairs), float(limit)


def _objective(m: pyo.ConcreteModel, said: Said) -> Any:
    asked, every = said.asked, range(len(said.pair))
    goal = asked.objective
    if goal.type == "quality_weighted":
        stars = asked.provider_stars[asked.pairs.provider].tolist()
        return _sum(_revenue(m, said, every, lambda p: goal.star_weight.get(stars[p], 1.0)))
    if goal.type in ("min_spend", "lexicographic"):
        return _sum(_revenue(m, said, every))
    assert said.cost is not None
    moved: list[tuple[float, Any]] = [
        (float(said.cost.penalty_at[p, t]), said.tier[p][t]) for p, i in enumerate(said.pair) for t in said.tiers[p]
    ]
    moved += [(float(slope), m.piece[n]) for n, slope in enumerate(said.cost.penalty_slope)]
    return _sum(moved if goal.type == "min_deviation" else [*_revenue(m, said, every), *moved])


def _sum(terms: Terms) -> LinearExpression:
    listed = list(terms)
    return LinearExpression(constant=0.0, linear_coefs=[c for c, _ in listed], linear_vars=[v for _, v in listed])


def _rows(
    m: pyo.ConcreteModel,
    name: str,
    keys: Iterable[Any],
    row: Callable[[int, Any], tuple[float | None, Terms, float | None]],
) -> None:
    """A constraint `name`, one row (low, terms, high) per key. A row without terms is kept only if it cannot hold."""
    listed = list(keys)
    if not listed:
        return
    constraint = pyo.Constraint(listed)
    setattr(m, name, constraint)
    for n, key in enumerate(listed):
        low, terms, high = row(n, key)
        body = list(terms)
        if body:
            constraint.add(key, (low, _sum(body), high))
        elif (low is not None and low > 0) or (high is not None and high < 0):
            constraint.add(key, pyo.Constraint.Infeasible)
