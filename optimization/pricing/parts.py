"""An instance cut by region: the pairs and rules of some providers as an instance of their own.

Belongs here: which rules go with which part, the share of a joint limit (target, budget) that a part is given.
Does not: solving parts (decompose.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimization.pricing.instance import Elasticity, Instance, Pairs, Rules
from optimization.pricing.reach import Window

JOINT = ("savings_target", "budget")


@dataclass(frozen=True, eq=False)
class Part:
    """Some pairs of a whole: their positions there, and the instance that they make."""

    pairs: np.ndarray
    asked: Instance


def part(asked: Instance, members: np.ndarray, share: Mapping[str, np.ndarray]) -> Part:
    """The instance of these pairs: all pairs of some regions. `share` gives, per kind of joint rule, this part's limits.

    Providers, procedures and their positions stay as they are. Rules about single pairs, markets, providers and families go
    with their pairs; specialties are left out (a window holds the indices); a rule whose pairs are elsewhere is left out.
    """
    place = np.full(len(asked.pairs), -1)
    place[members] = np.arange(len(members))
    whole = asked.pairs
    pairs = Pairs(
        provider=whole.provider[members],
        procedure=whole.procedure[members],
        volume=whole.volume[members],
        baseline_price=whole.baseline_price[members],
        medicare_rate=whole.medicare_rate[members],
        band_low=whole.band_low[members],
        band_high=whole.band_high[members],
    )
    here = np.zeros(len(asked.providers), bool)
    here[pairs.provider] = True
    region_here = np.zeros(len(asked.regions), bool)
    region_here[asked.provider_region[here]] = True
    left: dict[str, Rules] = {}
    for kind, table in asked.rules.items():
        if kind == "specialty_spread":
            continue
        if kind in ("legal_band", "minimum_price", "largest_change"):
            mine = table.kept(place[table.subject[:, 0]] >= 0)
            left[kind] = replace(mine, subject=place[mine.subject])
        elif kind in ("revenue_floor", "largest_loss", "family_tiers"):
            left[kind] = table.kept(here[table.subject[:, 0]])
        elif kind in ("regional_spread", "lowest_tier_cap"):
            left[kind] = table.kept(region_here[table.subject[:, 1]])
        elif kind == "savings_target":
            left[kind] = replace(table, high=share[kind], share=np.full(len(table), np.nan))
        else:
            limited = replace(table, high=share[kind]) if kind in share else table
            left[kind] = _cells_here(limited, place)
    elastic = asked.elasticity
    return Part(
        members,
        replace(
            asked,
            pairs=pairs,
            rules={kind: table for kind, table in left.items() if len(table)},
            elasticity=None if elastic is None else Elasticity(elastic.per_pair[members], elastic.source),
        ),
    )


def window_of(window: Window, members: np.ndarray) -> Window:
    """The window of a part."""
    if window.price_low is None or window.price_high is None:
        return window
    return replace(window, price_low=window.price_low[members], price_high=window.price_high[members])


def _cells_here(table: Rules, place: np.ndarray) -> Rules:
    """The rules with cells in this part, and only those cells."""
    inside = place[table.cell_pair] >= 0
    rule = table.rule_of_cell()[inside]
    count = np.bincount(rule, minlength=len(table))
    reduced = replace(
        table,
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        cell_pair=place[table.cell_pair[inside]],
        cell_tier=table.cell_tier[inside] if len(table.cell_tier) else table.cell_tier,
    )
    return reduced.kept(count > 0)
