"""Does a price list keep every rule? Read from the question alone, in decimals, by code that knows no model and no solver.

Belongs here: what each rule measures on a price list, the findings where it is broken, the spend. Does not: anything imported
from model.py, hull.py or solve.py (a test holds that), repairing a list, rounding it (cents.py).

Tolerance. A solver keeps a row to 1e-7 in the units it was given, here shares of a benchmark rate, and prices that sit on two
caps at once have no exact decimal. So by default a rule counts as kept if it is missed by at most one millionth of the size
of what it measures (the benchmark rate for a price, the largest price for a spread, the limit for revenue and spend, 1 for an
index): below half a cent for prices up to 5,000 dollars. Counts and tiers have no tolerance. A list meant for a contract is
rounded to cents first and then checked with `tolerance=0`, which is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pandas as pd

from optimization.pricing.instance import Instance, Pairs, Rules, exact

TOLERANCE = Decimal("1e-6")
ZERO, ONE = (
    np.array(Decimal(0), object),
    np.array(Decimal(1), object),
)  # as arrays: numpy compares those element by element


@dataclass(frozen=True)
class Finding:
    """One broken rule: what it measures, what it allows, and by how much it is missed, in its unit."""

    rule: str
    kind: str
    measured: Decimal | None
    limit: Decimal | None
    by: Decimal
    unit: str

    def __str__(self) -> str:
        if self.measured is None:
            return f"{self.rule} ({self.kind}): {self.unit}"
        return f"{self.rule} ({self.kind}): {self.measured:f} against {self.limit:f}, missed by {self.by:f} {self.unit}"


@dataclass(frozen=True, eq=False)
class PriceList:
    """A price list laid against an instance: one price and tier per pair, in the instance's order. Tier -1: in no band."""

    price: np.ndarray  # of Decimal
    tier: np.ndarray


@dataclass(frozen=True)
class Judged:
    """All that is worked out of a price list at once: broken rules, and what it costs (None where it cannot be laid)."""

    findings: list[Finding]
    spend: Decimal | None = None
    objective: Decimal | None = None
    deviation: Decimal | None = None


def check(asked: Instance, prices: pd.DataFrame, tolerance: Decimal | float = TOLERANCE) -> list[Finding]:
    """Every way in which a price list (provider, procedure, price and, if it says so, tier) breaks the instance's rules."""
    laid, findings = lay(asked, prices)
    return findings if laid is None else _broken(asked, laid, Decimal(str(tolerance)))


def judge(asked: Instance, prices: pd.DataFrame, tolerance: Decimal | float = TOLERANCE) -> Judged:
    """The check, the spend (with an elasticity: at the volumes that answer to the prices), the objective and the deviation.

    The objective is that of the instance (of `lexicographic` its first part, the spend). The deviation is
    Σ volume × penalty(|price − baseline|), the disruption that the objective's weight and steps make of the list.
    """
    laid, findings = lay(asked, prices)
    if laid is None:
        return Judged(findings)
    revenue = revenues(asked, laid)
    spent, moved = _total(revenue), _deviation(asked, laid)
    goal = asked.objective
    if goal.type == "quality_weighted":
        stars = asked.provider_stars[asked.pairs.provider]
        weights = {star: exact(goal.star_weight.get(star, 1.0)) for star in np.unique(stars).tolist()}
        reached = _total(revenue * np.array([weights[star] for star in stars.tolist()], object))
    elif goal.type in ("min_spend", "lexicographic"):
        reached = spent
    else:
        reached = moved if goal.type == "min_deviation" else moved + spent
    return Judged(_broken(asked, laid, Decimal(str(tolerance))), spent, reached, moved)


def _broken(asked: Instance, laid: PriceList, allowed: Decimal) -> list[Finding]:
    findings = _bands(asked, laid, allowed)
    for table in asked.rules.values():
        measured, size = _MEASURES[table.kind](asked, table, laid)
        low, high = limits(asked, table)
        miss = np.maximum(low - measured, measured - high)
        for row in np.flatnonzero(miss > size * allowed):
            limit = low[row] if measured[row] < low[row] else high[row]
            findings.append(Finding(table.ids[row], table.kind, measured[row], limit, miss[row], table.unit))
    return findings


def measure(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """One row per rule: id, kind, unit, measured, low, high, slack (distance to the nearer bound, negative where broken); decimals."""
    laid, findings = lay(asked, prices)
    if laid is None:
        raise ValueError(f"this price list cannot be measured: {findings[0]}")
    frames = []
    for table in asked.rules.values():
        measured, _ = _MEASURES[table.kind](asked, table, laid)
        low, high = limits(asked, table)
        slack = np.minimum(measured - low, high - measured)
        frames.append(
            pd.DataFrame(
                {"id": table.ids, "kind": table.kind, "unit": table.unit}
                | {"measured": measured, "low": low, "high": high, "slack": slack}
            )
        )
    columns = ["id", "kind", "unit", "measured", "low", "high", "slack"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def spend(asked: Instance, prices: pd.DataFrame) -> Decimal:
    """What the list costs in a year, exact."""
    return _had(judge(asked, prices), "spend")


def objective(asked: Instance, prices: pd.DataFrame) -> Decimal:
    """What the instance's objective makes of the list; of `lexicographic` its first part, the spend."""
    return _had(judge(asked, prices), "objective")


def deviation(asked: Instance, prices: pd.DataFrame) -> Decimal:
    """Σ volume × penalty(|price − baseline|)."""
    return _had(judge(asked, prices), "deviation")


def _had(judged: Judged, name: str) -> Decimal:
    value: Decimal | None = getattr(judged, name)
    if value is None:
        raise ValueError(f"this price list has no {name}: {judged.findings[0]}")
    return value


def _deviation(asked: Instance, laid: PriceList) -> Decimal:
    base, goal = exact_pairs(asked.pairs).baseline, asked.objective
    left = np.abs(laid.price - base)
    if not goal.steps:
        return _total(exact_pairs(asked.pairs).volume * left) * exact(goal.deviation_weight)
    cost, below = np.full(len(base), Decimal(0)), np.full(len(base), Decimal(0))
    for step in goal.steps:
        top = base * exact(step.up_to) if np.isfinite(step.up_to) else left
        within = np.maximum(np.minimum(left, top) - below, ZERO)
        cost, below = cost + within * exact(step.rate), top
    return _total(exact_pairs(asked.pairs).volume * cost) * exact(goal.deviation_weight)


def lay(asked: Instance, prices: pd.DataFrame) -> tuple[PriceList | None, list[Finding]]:
    """The list in the instance's order, or the reasons why it is not a list of this instance's pairs, each with one price."""
    missing = {"provider", "procedure", "price"} - set(prices.columns)
    if missing:
        return None, [
            Finding("prices", "tier_choice", None, None, Decimal(0), f"there is no column {sorted(missing)[0]!r}")
        ]
    place, findings = _places(asked, prices)
    given = prices["price"].tolist()
    try:
        amounts = [Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value)) for value in given]
    except ArithmeticError:
        amounts = []
    if len(amounts) != len(given) or not all(amount.is_finite() for amount in amounts):
        findings.append(Finding("prices", "tier_choice", None, None, Decimal(0), "a price is not a number"))
    if findings:
        return None, findings
    price = np.array(amounts, object) if amounts else np.zeros(0, object)
    order = slice(None) if place is None else np.argsort(place)
    price = price[order]
    if "tier" in prices.columns:
        tier = pd.Index(asked.tiers).get_indexer(prices["tier"])[order]
    else:
        tier = _tier_of(asked, price)
    return PriceList(price, np.asarray(tier, np.int64)), []


def as_floats(asked: Instance, prices: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Prices and tiers in the instance's order, for those who judge nothing by them (a list to start from); None where `lay` finds
    fault with the list, or a price is in no tier of its own."""
    if {"provider", "procedure", "price", "tier"} - set(prices.columns):
        return None
    place, findings = _places(asked, prices)
    if findings:
        return None
    order = slice(None) if place is None else np.argsort(place)
    price = pd.to_numeric(prices["price"], errors="coerce").to_numpy(float)[order]
    tier = pd.Index(asked.tiers).get_indexer(prices["tier"])[order].astype(np.int64)
    return (price, tier) if np.isfinite(price).all() and (tier >= 0).all() else None


def _places(asked: Instance, prices: pd.DataFrame) -> tuple[np.ndarray | None, list[Finding]]:
    """The position of each row's pair (None: rows are in the instance's order), and what is no list of its pairs."""
    names = _names(asked.pairs, asked.providers, asked.procedures)
    if len(prices) == len(names) and all((prices[name].array == names[name].array).all() for name in names):
        return None, []
    provider = pd.Index(asked.providers).get_indexer(prices["provider"])
    procedure = pd.Index(asked.procedures).get_indexer(prices["procedure"])
    width = len(asked.procedures)
    key = np.where((provider < 0) | (procedure < 0), -1, provider.astype(np.int64) * width + procedure)
    own = asked.pairs.provider.astype(np.int64) * width + asked.pairs.procedure
    place = pd.Index(own).get_indexer(key)
    findings = [_about_pair(prices, row, "is no pair of this instance") for row in np.flatnonzero(place < 0)]
    findings += [
        _about_pair(prices, row, "has more than one price")
        for row in np.flatnonzero(pd.Series(key).duplicated() & (place >= 0))
    ]
    findings += [_about_pair(names, row, "has no price") for row in np.flatnonzero(~np.isin(own, key))]
    return place, findings


def limits(asked: Instance, table: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of a table in decimals. A target given as a share is worked out from the exact baseline."""
    low, high = _exact_limits(table)
    if table.kind == "savings_target" and len(table) and not np.isnan(table.share[0]):
        high = np.array([asked.baseline_spend * (1 - exact(table.share[0]))], object)
    return low, high


@lru_cache(maxsize=64)
def _exact_limits(table: Rules) -> tuple[np.ndarray, np.ndarray]:
    return decimals(table.low), decimals(table.high)


@dataclass(frozen=True, eq=False)
class ExactPairs:
    """What is known of pairs beside their bands, in decimals."""

    volume: np.ndarray
    rate: np.ndarray
    baseline: np.ndarray


# Pairs and tables are the same objects in a question that is asked again with one rule changed, and are never written to.
@lru_cache(maxsize=2)
def exact_pairs(pairs: Pairs) -> ExactPairs:
    """Volumes, benchmark rates and baseline prices, once for all lists of the same pairs."""
    return ExactPairs(decimals(pairs.volume), decimals(pairs.medicare_rate), decimals(pairs.baseline_price))


@lru_cache(maxsize=2)
def _names(pairs: Pairs, providers: tuple[str, ...], procedures: tuple[str, ...]) -> pd.DataFrame:
    """Provider and procedure of each pair, by id."""
    return pd.DataFrame(
        {
            "provider": np.array(providers, object)[pairs.provider],
            "procedure": np.array(procedures, object)[pairs.procedure],
        }
    )


def decimals(values: np.ndarray) -> np.ndarray:
    """The decimals that floats were read from, element by element."""
    return np.array([Decimal(repr(value)) for value in np.asarray(values, float).tolist()], object)


def _about_pair(frame: pd.DataFrame, row: np.integer, what: str) -> Finding:
    name = f"{frame['provider'].iloc[int(row)]}:{frame['procedure'].iloc[int(row)]}"
    return Finding(name, "tier_choice", None, None, Decimal(0), what)


def _tier_of(asked: Instance, price: np.ndarray) -> np.ndarray:
    """The lowest tier whose band holds the price, -1 where none does."""
    values = price.astype(float)[:, None]
    slack = 1e-9 * asked.pairs.medicare_rate[:, None]
    inside = (asked.pairs.band_low - slack <= values) & (values <= asked.pairs.band_high + slack)  # NaN compares false
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)


def _bands(asked: Instance, laid: PriceList, tolerance: Decimal) -> list[Finding]:
    """tier_choice: the tier is one that the pair may have. tier_band: the price lies in its band."""
    rows = np.arange(len(asked.pairs))
    known = (laid.tier >= 0) & asked.pairs.allowed[rows, np.maximum(laid.tier, 0)]
    findings = [
        _about_pair(asked.pair_frame(), row, "is in no tier that it may have") for row in np.flatnonzero(~known)
    ]
    at = rows[known]
    at = at[_near_an_end(asked, laid, at)]
    low = decimals(asked.pairs.band_low[at, laid.tier[at]])
    high = decimals(asked.pairs.band_high[at, laid.tier[at]])
    price = laid.price[at]
    miss = np.maximum(low - price, price - high)
    for row in np.flatnonzero(miss > exact_pairs(asked.pairs).rate[at] * tolerance):
        name = f"{asked.providers[asked.pairs.provider[at[row]]]}:{asked.procedures[asked.pairs.procedure[at[row]]]}"
        limit = low[row] if price[row] < low[row] else high[row]
        findings.append(Finding(name, "tier_band", price[row], limit, miss[row], "USD per procedure"))
    return findings


def _near_an_end(asked: Instance, laid: PriceList, at: np.ndarray) -> np.ndarray:
    """Pairs whose price is not surely inside its band: a float is within 2⁻⁵³ of its decimal, and surely is a billionth further in."""
    low, high = (band[at, laid.tier[at]] for band in (asked.pairs.band_low, asked.pairs.band_high))
    price = laid.price[at].astype(float)
    further = 1e-9 * np.maximum(np.abs(high), np.abs(price))
    return ~((price > low + further) & (price < high - further))


def _total(values: np.ndarray) -> Decimal:
    return sum(values.tolist(), Decimal(0))


def revenues(asked: Instance, laid: PriceList) -> np.ndarray:
    """Volume × price of each pair; with an elasticity the straight line between the ends of its tier's band (see instance.Elasticity)."""
    volume = exact_pairs(asked.pairs).volume
    if asked.elasticity is None:
        return volume * laid.price
    rows, tier = np.arange(len(asked.pairs)), np.maximum(laid.tier, 0)
    low, high = decimals(asked.pairs.band_low[rows, tier]), decimals(asked.pairs.band_high[rows, tier])
    base, answer = exact_pairs(asked.pairs).baseline, decimals(asked.elasticity.per_pair)
    base = np.where(base == 0, ONE, base)  # such a pair does not answer to price

    def at(price: np.ndarray) -> np.ndarray:
        return price * volume * (1 + answer * (price - base) / base)

    width = np.where(high == low, ONE, high - low)
    return at(low) + (at(high) - at(low)) / width * (laid.price - low)


def _sums(group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return _grouped(np.add, group, values, count)


def _grouped(how: np.ufunc, group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Per group the sum, least or largest of object values; 0 for a group without members."""
    result = np.full(count, Decimal(0), object)
    if len(group):
        order = np.argsort(group, kind="stable")
        heads = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
        result[group[order][heads]] = how.reduceat(values[order], heads)
    return result


def _of_price(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    at = table.subject[:, 0]
    return laid.price[at], exact_pairs(asked.pairs).rate[at]


def _market(asked: Instance, table: Rules) -> tuple[np.ndarray, np.ndarray, int]:
    """The market (procedure and region) of each pair and of each rule."""
    width = len(asked.regions)
    of_pair = asked.pairs.procedure.astype(np.int64) * width + asked.pair_region
    return of_pair, table.subject[:, 0] * width + table.subject[:, 1], len(asked.procedures) * width


def _of_spread(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    market, wanted, count = _market(asked, table)
    largest, least = (_grouped(how, market, laid.price, count)[wanted] for how in (np.maximum, np.minimum))
    return largest - least, largest


def _of_specialty(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    count, volume = len(asked.providers), exact_pairs(asked.pairs).volume
    paid = _sums(asked.pairs.provider, volume * laid.price, count)
    reference = _sums(asked.pairs.provider, volume * exact_pairs(asked.pairs).rate, count)
    seen = np.flatnonzero((reference > 0) & (asked.provider_specialty >= 0))
    index, group = paid[seen] / reference[seen], asked.provider_specialty[seen]
    largest, least = (_grouped(how, group, index, len(asked.specialties)) for how in (np.maximum, np.minimum))
    return (largest - least)[table.subject[:, 0]], np.full(len(table), Decimal(1))


def _of_revenue(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    revenue = _sums(asked.pairs.provider, revenues(asked, laid), len(asked.providers))[table.subject[:, 0]]
    return revenue, np.maximum(decimals(np.where(np.isfinite(table.low), np.abs(table.low), 0)), ONE)


def _of_cells(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    chosen = (laid.tier[table.cell_pair] == table.cell_tier).astype(np.int64)
    return _counts(np.bincount(table.rule_of_cell(), chosen, minlength=len(table)))


def _of_lowest(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    market, wanted, count = _market(asked, table)
    return _counts(np.bincount(market, laid.tier == 0, minlength=count)[wanted])


def _of_family(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    width = len(asked.families) + 1
    group = asked.pairs.provider.astype(np.int64) * width + asked.pair_family
    inside = np.flatnonzero(asked.pair_family >= 0)
    order = inside[np.argsort(group[inside], kind="stable")]
    heads = np.flatnonzero(np.diff(group[order], prepend=-1))
    wanted = table.subject[:, 0] * width + table.subject[:, 1]
    if not len(heads):
        return _counts(np.zeros(len(table), np.int64))
    found = group[order][heads]
    spread = np.maximum.reduceat(laid.tier[order], heads) - np.minimum.reduceat(laid.tier[order], heads)
    place = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
    return _counts(np.where(found[place] == wanted, spread[place], 0))


def _of_spend(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    total = np.full(len(table), _total(revenues(asked, laid)), object)
    return total, np.maximum(decimals(np.abs(table.high)), ONE)


def _of_budget(asked: Instance, table: Rules, laid: PriceList) -> tuple[np.ndarray, np.ndarray]:
    total = _sums(table.rule_of_cell(), revenues(asked, laid)[table.cell_pair], len(table))
    return total, np.maximum(decimals(np.abs(table.high)), ONE)


def _counts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, place = np.unique(values, return_inverse=True)
    return np.array([Decimal(int(value)) for value in found], object)[place], np.full(len(values), Decimal(0))


_MEASURES: dict[str, Callable[[Instance, Rules, PriceList], tuple[np.ndarray, np.ndarray]]] = {
    "legal_band": _of_price,
    "regional_spread": _of_spread,
    "specialty_spread": _of_specialty,
    "minimum_price": _of_price,
    "revenue_floor": _of_revenue,
    "largest_loss": _of_revenue,
    "tier_rule": _of_cells,
    "lowest_tier_cap": _of_lowest,
    "family_tiers": _of_family,
    "savings_target": _of_spend,
    "budget": _of_budget,
    "largest_change": _of_price,
}
