"""What a price list changes, and which rules hold it where it is: tables that a contracting team can defend.

Belongs here: totals, changes per pair and provider, moves between tiers, spreads and indices against their caps, rules at their
limit and the pairs they hold. Does not: solving, plots and pages (report.py), money in decimals (check.py has that; tables
for people are floats).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from optimization.pricing import check
from optimization.pricing.instance import KINDS, Instance, NotAnInstance

AT_LIMIT = 1e-5  # share of the limit (or of 1): closer than this a rule binds
WHOLE = ("tier_rule", "lowest_tier_cap", "family_tiers")  # counts: at the limit or not
EVERYWHERE = ("savings_target", "budget")  # rules about money of many pairs, which hold no single one


@dataclass(frozen=True)
class Totals:
    """Of a whole list, USD a year."""

    baseline_spend: Decimal
    spend: Decimal
    savings: Decimal
    savings_share: float
    pairs: int
    providers: int
    cheaper: int
    dearer: int
    unchanged: int
    disruption: float  # Σ volume × |price − baseline|


def totals(asked: Instance, prices: pd.DataFrame) -> Totals:
    """Spend before and after, exact; how many prices fall, rise, stay."""
    laid = _laid(asked, prices)
    spend = check.spend(asked, prices)
    move = laid.price.astype(float) - asked.pairs.baseline_price
    base = asked.baseline_spend
    return Totals(
        baseline_spend=base,
        spend=spend,
        savings=base - spend,
        savings_share=float((base - spend) / base) if base else 0.0,
        pairs=len(asked.pairs),
        providers=len(np.unique(asked.pairs.provider)),
        cheaper=int((move < -5e-7).sum()),
        dearer=int((move > 5e-7).sum()),
        unchanged=int((np.abs(move) <= 5e-7).sum()),
        disruption=float(asked.pairs.volume @ np.abs(move)),
    )


def changes(asked: Instance, prices: pd.DataFrame, solved: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per pair: provider, procedure, region, specialty, family, volume, medicare_rate, baseline_price, price, change (USD per
    procedure), change_share, tier_before, tier, revenue_change (USD a year, at the stated volume), binding_rules (ids, by
    semicolons; a target or budget holds no single pair and is not among them). Where `prices` were rounded, `solved` is the list
    before: a rule that holds a price to the last decimal there is a cent away from it here."""
    laid = _laid(asked, prices)
    price = laid.price.astype(float)
    pairs = asked.pairs
    frame = asked.pair_frame()
    frame.insert(3, "specialty", _named(asked.specialties, asked.provider_specialty[pairs.provider]))
    frame.insert(4, "family", _named(asked.families, asked.pair_family))
    base = pairs.baseline_price
    held = holding(asked, prices if solved is None else solved).groupby("pair")["rule"].agg("; ".join)
    return frame.assign(
        price=laid.price,
        change=price - base,
        change_share=np.divide(price - base, base, out=np.full(len(base), np.nan), where=base > 0),
        tier_before=tier_of_baseline(asked),
        tier=_named(asked.tiers, laid.tier),
        revenue_change=pairs.volume * (price - base),
        binding_rules=held.reindex(np.arange(len(pairs))).fillna("").to_numpy(),
    )


def tier_of_baseline(asked: Instance) -> np.ndarray:
    """The tier whose band holds today's price, or between which tiers, below or above all of them it lies."""
    pairs, tiers = asked.pairs, np.array(asked.tiers, object)
    price = pairs.baseline_price[:, None]
    inside = (pairs.band_low <= price + 1e-9) & (price <= pairs.band_high + 1e-9)
    below = pairs.band_high < price  # bands that lie wholly below the price; NaN compares false
    above = pairs.band_low > price
    under, over = below.sum(axis=1) > 0, above.sum(axis=1) > 0
    last_below = len(tiers) - 1 - np.argmax(below[:, ::-1], axis=1)
    first_above = np.argmax(above, axis=1)
    outside = np.where(
        under & over,
        "between " + tiers[last_below] + " and " + tiers[first_above],
        np.where(under, "above " + tiers[last_below], "below " + tiers[first_above]),
    )
    return np.where(inside.any(axis=1), tiers[np.argmax(inside, axis=1)], outside)


def providers(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """One row per provider: region, specialty, stars, pairs, revenue_before, revenue_after, change, change_share, index_before,
    index_after (revenue ÷ revenue at the benchmark rate); the largest losers first. Revenue at the stated volumes."""
    laid = _laid(asked, prices)
    pairs, count = asked.pairs, len(asked.providers)

    def revenue(price: np.ndarray) -> np.ndarray:
        return np.bincount(pairs.provider, pairs.volume * price, minlength=count)

    before, after, benchmark = (
        revenue(value) for value in (pairs.baseline_price, laid.price.astype(float), pairs.medicare_rate)
    )
    ratio = np.divide(after - before, before, out=np.full(count, np.nan), where=before > 0)
    made = pd.DataFrame(
        {
            "provider": asked.providers,
            "region": _named(asked.regions, asked.provider_region),
            "specialty": _named(asked.specialties, asked.provider_specialty),
            "quality_stars": asked.provider_stars,
            "pairs": np.bincount(pairs.provider, minlength=count),
            "revenue_before": before,
            "revenue_after": after,
            "change": after - before,
            "change_share": ratio,
            "index_before": np.divide(before, benchmark, out=np.full(count, np.nan), where=benchmark > 0),
            "index_after": np.divide(after, benchmark, out=np.full(count, np.nan), where=benchmark > 0),
        }
    )
    return made[made["pairs"] > 0].sort_values(["change", "provider"], kind="stable").reset_index(drop=True)


def tier_moves(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """One row per tier before and after: pairs, baseline_spend, change (USD a year)."""
    frame = changes(asked, prices)
    frame["baseline_spend"] = frame["volume"] * frame["baseline_price"]
    grouped = frame.groupby(["tier_before", "tier"], sort=True)
    made = grouped.agg(
        pairs=("price", "size"), baseline_spend=("baseline_spend", "sum"), change=("revenue_change", "sum")
    )
    return made.reset_index().sort_values("baseline_spend", ascending=False, kind="stable").reset_index(drop=True)


def caps(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """One row per spread cap (regional_spread and specialty_spread): id, kind, unit, before, after, cap, used (after ÷ cap); spreads of
    the prices themselves, the fullest first."""
    now = asked.pair_frame()[["provider", "procedure"]].assign(price=asked.pairs.baseline_price)
    kinds = ["regional_spread", "specialty_spread"]
    parts = []
    for name, frame in (("before", _any_tier(asked, now)), ("after", prices)):
        measured = check.measure(asked, frame)
        measured = measured[measured["kind"].isin(kinds)]
        parts.append(measured.set_index("id")["measured"].astype(float).rename(name))
    about = check.measure(asked, prices)
    about = about[about["kind"].isin(kinds)].set_index("id")[["kind", "unit", "high"]]
    made = about.join(parts).rename(columns={"high": "cap"}).reset_index()
    made["cap"] = made["cap"].astype(float)
    made["used"] = np.divide(made["after"], made["cap"], out=np.full(len(made), np.nan), where=made["cap"] > 0)
    order = ["id", "kind", "unit", "before", "after", "cap", "used"]
    return made[order].sort_values(["used", "id"], ascending=[False, True], kind="stable").reset_index(drop=True)


def binding(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """Rules at their limit: id, kind, unit, measured, limit, reason, source. Tier rules are among them where one of their pairs is in a
    tier above one that they forbid, since only there they may hold anything."""
    measured = check.measure(asked, prices)
    about = asked.rule_frame().set_index("id")[["reason", "source"]]
    if measured.empty:
        return measured.assign(limit=[], reason=[], source=[])[
            ["id", "kind", "unit", "measured", "limit", "reason", "source"]
        ]
    value, low, high = (measured[name].astype(float).to_numpy() for name in ("measured", "low", "high"))
    slack = measured["slack"].astype(float).to_numpy()
    limit = np.where(np.abs(value - low) <= np.abs(high - value), low, high)
    near = np.where(
        measured["kind"].isin(WHOLE), 0.0, AT_LIMIT * np.maximum(1.0, np.abs(np.where(np.isfinite(limit), limit, 0)))
    )
    at = slack <= near
    table = asked.of("tier_rule")
    if len(table):
        laid = _laid(asked, prices)
        holds = np.zeros(len(table), bool)
        np.logical_or.at(holds, table.rule_of_cell(), laid.tier[table.cell_pair] > table.cell_tier)
        idle = set(table.ids[~holds])
        at &= ~measured["id"].isin(idle).to_numpy()
    found = measured[at].assign(limit=limit[at]).join(about, on="id")
    return found[["id", "kind", "unit", "measured", "limit", "reason", "source"]].reset_index(drop=True)


def holding(asked: Instance, prices: pd.DataFrame) -> pd.DataFrame:
    """Which rule holds which pair: rule, kind, pair (position). A spread holds the pairs at its two ends, an index the pairs of the
    providers at its ends, a revenue rule the pairs of its provider; a target or a budget holds none in particular."""
    laid = _laid(asked, prices)
    at = set(binding(asked, prices)["id"])
    parts = [pd.DataFrame({"rule": [], "kind": [], "pair": np.zeros(0, np.int64)})]
    for kind, table in asked.rules.items():
        rows = np.flatnonzero([name in at for name in table.ids])
        if kind in EVERYWHERE or not len(rows):
            continue
        rule, pair = _held(asked, laid, kind, rows)
        parts.append(pd.DataFrame({"rule": table.ids[rule], "kind": kind, "pair": pair}))
    return pd.concat(parts, ignore_index=True).sort_values(["pair", "rule"], kind="stable").reset_index(drop=True)


def _held(asked: Instance, laid: check.PriceList, kind: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rule, pair) positions for the rules `rows` of a kind."""
    table, pairs = asked.rules[kind], asked.pairs
    subject = KINDS[kind].subject
    if subject == ("pair",):
        return rows, table.subject[rows, 0]
    if kind == "tier_rule":
        rule = table.rule_of_cell()
        hit = np.isin(rule, rows) & (laid.tier[table.cell_pair] > table.cell_tier)
        found = np.unique(np.stack([rule[hit], table.cell_pair[hit]], axis=1), axis=0)
        return found[:, 0], found[:, 1]
    width = max(len(asked.regions), len(asked.families)) + 1
    if subject == ("procedure", "region"):
        key, wanted = pairs.procedure * width + asked.pair_region, table.subject[:, 0] * width + table.subject[:, 1]
    elif subject == ("provider", "family"):
        key, wanted = pairs.provider * width + asked.pair_family, table.subject[:, 0] * width + table.subject[:, 1]
    elif subject == ("specialty",):
        key, wanted = asked.provider_specialty[pairs.provider], table.subject[:, 0]
    else:
        key, wanted = pairs.provider, table.subject[:, 0]
    rule_of_key = pd.Series(rows, index=wanted[rows])
    rule = rule_of_key.reindex(key).to_numpy()
    pair = np.flatnonzero(~np.isnan(rule.astype(float)))
    rule = rule[pair].astype(np.int64)
    if kind in ("regional_spread", "specialty_spread", "family_tiers"):
        value = _value(asked, laid, kind)[pair]
        ends = pd.Series(value).groupby(rule)
        near = 1e-6 * np.maximum(1.0, np.abs(value))
        hit = (value <= ends.transform("min") + near) | (value >= ends.transform("max") - near)
        return rule[hit], pair[hit]
    if kind == "lowest_tier_cap":
        hit = laid.tier[pair] > 0  # those that the cap keeps out of the lowest tier
        return rule[hit], pair[hit]
    return rule, pair


def _value(asked: Instance, laid: check.PriceList, kind: str) -> np.ndarray:
    """What the ends of a spread are compared by, per pair."""
    if kind == "family_tiers":
        return laid.tier.astype(float)
    price = laid.price.astype(float)
    if kind == "regional_spread":
        return price
    pairs, count = asked.pairs, len(asked.providers)
    revenue, worth = (
        np.bincount(pairs.provider, pairs.volume * value, minlength=count) for value in (price, pairs.medicare_rate)
    )
    return np.divide(revenue, worth, out=np.zeros(count), where=worth > 0)[pairs.provider]


def in_words(asked: Instance, rule: str) -> str:
    """A rule as a sentence with its limit: "prices of MRI in North at most 60 apart"."""
    for kind, table in asked.rules.items():
        found = np.flatnonzero(table.ids == rule)
        if len(found):
            return _sentence(asked, kind, int(found[0]))
    raise NotAnInstance(f"no rule has the id {rule!r}.")


def _sentence(asked: Instance, kind: str, row: int) -> str:
    table = asked.rules[kind]
    known = {
        "procedure": asked.procedures,
        "region": asked.regions,
        "provider": asked.providers,
        "specialty": asked.specialties,
        "family": asked.families,
    }
    names = [known[what][at] for what, at in zip(KINDS[kind].subject, table.subject[row], strict=True) if what in known]
    low, high = (f"{value:,.10g}" for value in (table.low[row], table.high[row]))
    if KINDS[kind].subject == ("pair",):
        at = int(table.subject[row, 0])
        words = f"{asked.providers[asked.pairs.provider[at]]} for {asked.procedures[asked.pairs.procedure[at]]}"
        sides = [f"at least {low}"] * bool(np.isfinite(table.low[row])) + [f"at most {high}"] * bool(
            np.isfinite(table.high[row])
        )
        return f"price of {words} {' and '.join(sides)}"
    if kind in ("revenue_floor", "largest_loss"):
        return f"revenue of {names[0]} at least {low}"
    if kind == "regional_spread":
        return f"prices of {names[0]} in {names[1]} at most {high} apart"
    if kind == "specialty_spread":
        return f"price indices in {names[0]} at most {high} apart"
    if kind == "lowest_tier_cap":
        return f"at most {high} providers of {names[0]} in {names[1]} in {asked.tiers[0]}"
    if kind == "family_tiers":
        return f"tiers of {names[0]} within {names[1]} at most {high} apart"
    if kind == "savings_target":
        share = f" ({table.share[row] * 100:.6g} % less)" if np.isfinite(table.share[row]) else ""
        return f"spend at most {high}, of {asked.baseline_spend:,.2f} today{share}"
    cells = table.cells_of(row)
    pair = np.unique(table.cell_pair[cells])
    if kind == "budget":
        return f"spend over {len(pair):,} pairs at most {high}"
    of = sorted({asked.providers[place] for place in asked.pairs.provider[pair]})
    about = sorted({asked.procedures[place] for place in asked.pairs.procedure[pair]})
    tiers = [asked.tiers[place] for place in np.unique(table.cell_tier[cells])]
    return f"{_few(of, 'providers')} for {_few(about, 'procedures')}: not {' nor '.join(tiers)}" + (
        "" if table.high[row] == 0 else f" more than {high} times"
    )


def _few(names: list[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names):,} {what}"


def compare(asked: Instance, prices: pd.DataFrame, other: Instance, other_prices: pd.DataFrame) -> pd.DataFrame:
    """Prices of two lists side by side for pairs that both have: provider, procedure, tier_a, price_a, tier_b, price_b, difference,
    revenue_difference (USD a year at the first's volume); the largest first."""
    left = asked.pair_frame()[["provider", "procedure", "volume"]].merge(prices, on=["provider", "procedure"])
    both = left.merge(other_prices, on=["provider", "procedure"], suffixes=("_a", "_b"))
    difference = both["price_b"].astype(float) - both["price_a"].astype(float)
    both = both.assign(difference=difference, revenue_difference=difference * both["volume"])
    order = ["provider", "procedure", "tier_a", "price_a", "tier_b", "price_b", "difference", "revenue_difference"]
    return both.sort_values("revenue_difference", key=np.abs, ascending=False, kind="stable")[order].reset_index(
        drop=True
    )


def rules_that_differ(asked: Instance, other: Instance) -> pd.DataFrame:
    """Rules that only one of two questions has, or has with other bounds: id, kind, unit, low_a, high_a, low_b, high_b."""
    frames = [one.rule_frame().set_index("id")[["kind", "unit", "low", "high"]] for one in (asked, other)]
    both = frames[0].join(frames[1], how="outer", suffixes=("_a", "_b"))
    both["kind"], both["unit"] = both["kind_a"].fillna(both["kind_b"]), both["unit_a"].fillna(both["unit_b"])
    same = (both["low_a"] == both["low_b"]) & (both["high_a"] == both["high_b"])
    return both[~same][["kind", "unit", "low_a", "high_a", "low_b", "high_b"]].reset_index()


def _any_tier(asked: Instance, frame: pd.DataFrame) -> pd.DataFrame:
    """Today's prices lie in no tier as a rule; spreads do not ask for one."""
    return frame.assign(tier=asked.tiers[0])


def _laid(asked: Instance, prices: pd.DataFrame) -> check.PriceList:
    laid, findings = check.lay(asked, prices)
    if laid is None:
        raise ValueError(f"this is no price list of the question: {findings[0]}")
    return laid


def _named(names: tuple[str, ...], at: np.ndarray) -> np.ndarray:
    return np.array([*names, ""], object)[at]
