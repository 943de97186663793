"""A question with few of its rules, cut down to the pairs that those are about: as possible or impossible as with all pairs.

Belongs here: which pairs a rule is about, the smaller instance, its list laid back over all pairs. Does not: which rules to ask
about (large_conflict.py), solving (solve.py), regions as parts (parts.py).

A pair that no kept rule is about can have any price of its bands, so it stands in nobody's way. One that only a target or a
budget is about is best at its lowest price, and its spend there is taken off the limit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from optimization.pricing.instance import Instance, Pairs, Rules
from optimization.pricing.solve import price_frame

SPEND = ("savings_target", "budget")
ABOUT_A_PAIR = ("legal_band", "minimum_price", "largest_change")


@dataclass(frozen=True, eq=False)
class Narrow:
    """`asked` is the smaller question, `pairs` are the positions of its pairs in the whole one."""

    whole: Instance
    asked: Instance
    pairs: np.ndarray

    def laid_back(self, prices: pd.DataFrame) -> pd.DataFrame:
        """A list of the smaller question as one of the whole: every other pair in its lowest tier, at the lowest price."""
        bands = self.whole.pairs
        tier = bands.allowed.argmax(axis=1)
        price = bands.band_low[np.arange(len(bands)), tier]
        tier[self.pairs] = pd.Index(self.whole.tiers).get_indexer(prices["tier"])
        price[self.pairs] = prices["price"].to_numpy(float)
        return price_frame(self.whole, tier, price)


def narrow(asked: Instance, rules: Collection[str]) -> Narrow:
    """The question with just these rules, on the pairs that they are about. With an elasticity all pairs stay: the lowest price is
    then not surely the least spend."""
    kept = asked.only(rules)
    if kept.elasticity is not None:
        return Narrow(asked, kept, np.arange(len(kept.pairs)))
    touched = np.zeros(len(kept.pairs), bool)
    for kind, table in kept.rules.items():
        if kind not in SPEND:
            touched |= touched_by(kept, table)
    members = np.flatnonzero(touched)
    if not len(members):
        members = np.arange(min(1, len(kept.pairs)))
    whole = kept.pairs
    columns = ("provider", "procedure", "volume", "baseline_price", "medicare_rate", "band_low", "band_high")
    pairs = Pairs(*(getattr(whole, name)[members] for name in columns))
    place = np.full(len(whole), -1)
    place[members] = np.arange(len(members))
    least = whole.volume * np.nanmin(whole.band_low, axis=1)
    left = {kind: _moved(table, place, least) for kind, table in kept.rules.items()}
    return Narrow(asked, replace(kept, pairs=pairs, rules={kind: t for kind, t in left.items() if len(t)}), members)


def touched_by(asked: Instance, table: Rules) -> np.ndarray:
    """Pairs that a rule of this table is about, as a mask; a target is about all."""
    pairs, kind, subject = asked.pairs, table.kind, table.subject
    made = np.zeros(len(pairs), bool)
    if not len(table):
        return made
    if kind in ABOUT_A_PAIR:
        made[subject[:, 0]] = True
    elif kind in ("regional_spread", "lowest_tier_cap"):
        made = np.isin(asked.pair_market, subject @ np.array([len(asked.regions), 1]))
    elif kind == "specialty_spread":
        made = np.isin(asked.provider_specialty[pairs.provider], subject[:, 0])
    elif kind in ("revenue_floor", "largest_loss"):
        made = np.isin(pairs.provider, subject[:, 0])
    elif kind == "family_tiers":
        width = len(asked.families) + 1
        made = np.isin(pairs.provider.astype(np.int64) * width + asked.pair_family, subject @ np.array([width, 1]))
        made &= asked.pair_family >= 0
    elif kind == "savings_target":
        made[:] = True
    else:
        made[table.cell_pair] = True
    return made


def rules_about(asked: Instance, chosen: np.ndarray) -> list[str]:
    """Ids of rules that are about any of these pairs (a mask), those apart that tie regions together."""
    pairs, width = asked.pairs, len(asked.families) + 1
    family = pairs.provider.astype(np.int64) * width + asked.pair_family
    found: list[str] = []
    for kind, table in asked.rules.items():
        subject = table.subject
        if kind in (*SPEND, "specialty_spread"):
            continue
        if kind in ABOUT_A_PAIR:
            hit = chosen[subject[:, 0]]
        elif kind in ("regional_spread", "lowest_tier_cap"):
            hit = np.isin(subject @ np.array([len(asked.regions), 1]), asked.pair_market[chosen])
        elif kind in ("revenue_floor", "largest_loss"):
            hit = np.isin(subject[:, 0], pairs.provider[chosen])
        elif kind == "family_tiers":
            hit = np.isin(subject @ np.array([width, 1]), family[chosen])
        else:
            hit = np.bincount(table.rule_of_cell(), chosen[table.cell_pair], minlength=len(table)) > 0
        found += table.ids[hit].tolist()
    return found


def _moved(table: Rules, place: np.ndarray, least: np.ndarray) -> Rules:
    """The table with its pairs' new positions; limits on spend less what pairs that are left out spend at their lowest."""
    if table.kind in ABOUT_A_PAIR:
        return replace(table, subject=place[table.subject])
    if table.kind == "savings_target":
        share = np.full(len(table), np.nan)  # of another baseline, so it means nothing here
        return replace(table, high=table.high - least[place < 0].sum(), share=share)
    if not len(table.cell_pair):
        return table
    here, rule = place[table.cell_pair] >= 0, table.rule_of_cell()
    count = np.bincount(rule[here], minlength=len(table))
    gone = np.bincount(rule[~here], least[table.cell_pair[~here]], minlength=len(table))
    return replace(
        table,
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        cell_pair=place[table.cell_pair[here]],
        cell_tier=table.cell_tier[here] if len(table.cell_tier) else table.cell_tier,
        high=table.high - gone if table.kind == "budget" else table.high,
    )
