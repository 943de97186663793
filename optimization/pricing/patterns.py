"""Rules said once for many subjects, made into the rows of a table: "every family", "providers of five stars", "15 % a year".

Belongs here: functions from an instance (its pairs, its providers) and a sentence to a table of rules for `with_rules`.
Does not: single rules with limits of their own (instance.rules), reading a scenario's text (scenario.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import numpy as np

from optimization.pricing.instance import KINDS, Instance, NotAnInstance, Rules, exact, rules

Measure = Literal["stars", "volume", "market_share", "sole_provider"]


def names_of(asked: Instance, kind: str, subject: np.ndarray) -> list[str]:
    """Ids of rules of a kind with these subjects: its prefix and the ids of what it is about, joined by colons."""
    known = {
        "provider": asked.providers,
        "procedure": asked.procedures,
        "region": asked.regions,
        "specialty": asked.specialties,
        "family": asked.families,
    }
    columns: list[list[str]] = []
    for place, name in enumerate(KINDS[kind].subject):
        at = subject[:, place]
        if name == "pair":
            columns.append(np.array(asked.providers, object)[asked.pairs.provider[at]].tolist())
            columns.append(np.array(asked.procedures, object)[asked.pairs.procedure[at]].tolist())
        else:
            columns.append(np.array(known[name], object)[at].tolist())
    prefix = KINDS[kind].prefix
    return [":".join((prefix, *parts)) for parts in zip(*columns, strict=True)] if columns else [prefix]


def about(asked: Instance, kind: str, subject: np.ndarray, **limits: object) -> Rules:
    """A table of one kind with the ids that its subjects give; `limits` as in instance.rules."""
    at = np.asarray(subject, np.int64).reshape(len(subject), len(KINDS[kind].subject))
    return rules(kind, names_of(asked, kind, at), at, **limits)  # type: ignore[arg-type]


def legal_shares(asked: Instance, low: float | None, high: float | None, *, reason: str, source: str) -> Rules:
    """Every pair's price within these shares of its benchmark rate."""
    rate, every = asked.pairs.medicare_rate, np.arange(len(asked.pairs))
    return about(
        asked,
        "legal_band",
        every,
        low=-np.inf if low is None else product(rate, low),
        high=np.inf if high is None else product(rate, high),
        share=np.nan if low is None else low,
        reason=reason,
        source=source,
    )


def largest_change(asked: Instance, share: float, *, reason: str, source: str) -> Rules:
    """No price further than this share from its baseline."""
    base, every = asked.pairs.baseline_price, np.arange(len(asked.pairs))
    low, high = product(base, float(1 - exact(share))), product(base, float(1 + exact(share)))
    return about(asked, "largest_change", every, low=low, high=high, share=share, reason=reason, source=source)


def family_everywhere(asked: Instance, difference: int, *, reason: str = "", source: str = "") -> Rules:
    """Within each provider and family of two pairs or more, tiers differ by at most `difference`."""
    family = asked.pair_family
    key = asked.pairs.provider.astype(np.int64) * (len(asked.families) + 1) + family
    found, count = np.unique(key[family >= 0], return_counts=True)
    found = found[count > 1]
    subject = np.stack([found // (len(asked.families) + 1), found % (len(asked.families) + 1)], axis=1)
    return about(asked, "family_tiers", subject, high=float(difference), reason=reason, source=source)


def savings_target(asked: Instance, fraction: float, *, reason: str = "", source: str = "") -> Rules:
    """Spend at most (1 − fraction) × baseline."""
    limit = float(asked.baseline_spend * (1 - exact(fraction)))
    return rules(
        "savings_target", ["target"], np.zeros((1, 0)), high=limit, share=fraction, reason=reason, source=source
    )


def largest_loss(
    asked: Instance, fraction: Mapping[int, float] | float, *, reason: str = "", source: str = ""
) -> Rules:
    """Revenue at least (1 − fraction) × that at baseline, for all providers or for those (positions) that are named."""
    every = (
        dict.fromkeys(np.unique(asked.pairs.provider).tolist(), fraction)
        if isinstance(fraction, float | int)
        else fraction
    )
    share = np.array([every[provider] for provider in every], float)  # type: ignore[index]
    revenue = np.bincount(
        asked.pairs.provider, asked.pairs.volume * asked.pairs.baseline_price, minlength=len(asked.providers)
    )
    subject = np.array(list(every), np.int64)
    low = np.round(revenue[subject] * (1 - share), 2)
    return about(asked, "largest_loss", subject, low=low, share=share, reason=reason, source=source)


def budget(
    asked: Instance, name: str, members: np.ndarray, amount: float, *, reason: str = "", source: str = ""
) -> Rules:
    """Spend over `members` (positions of pairs: a region's, a line of business's, a group's) at most `amount`; id `budget:<name>`."""
    return rules(
        "budget",
        [f"budget:{name}"],
        np.zeros((1, 0)),
        high=amount,
        reason=reason,
        source=source,
        cells=[(np.asarray(members, np.int64), None)],
    )


def threshold(
    asked: Instance,
    prefix: str,
    measure: Measure,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    forbid: Sequence[str] = (),
    require: Sequence[str] = (),
    procedures: Iterable[str] | None = None,
    reason: str = "",
    source: str = "",
) -> Rules:
    """Tiers forbidden (or required: all others forbidden) where a measure lies between two bounds.

    stars          of the provider; one rule `<prefix>:<provider>` over its pairs. Unknown stars (0) match nothing.
    volume         of the pair; one rule `<prefix>:<provider>:<procedure>`, as for the next two
    market_share   volume of the pair ÷ volume of its procedure in its region
    sole_provider  1 where the pair is the only one of its procedure in its region, else 0; bounds default to 1
    """
    unknown = sorted({*forbid, *require} - set(asked.tiers))
    if unknown or bool(forbid) == bool(require):
        raise NotAnInstance(
            f"rule {prefix}: {'there is no tier ' + unknown[0] if unknown else 'name tiers to forbid or tiers to require, one of both'}."
        )
    closed = np.array([name in forbid if forbid else name not in require for name in asked.tiers])
    pairs = asked.pairs
    market = asked.pair_market
    if measure == "stars":
        value = asked.provider_stars[pairs.provider].astype(float)
        value[value == 0] = np.nan
    elif measure == "volume":
        value = pairs.volume
    elif measure == "market_share":
        total = np.bincount(market, pairs.volume)[market]
        value = np.divide(pairs.volume, total, out=np.zeros(len(pairs)), where=total > 0)
    else:
        value = (np.bincount(market)[market] == 1).astype(float)
        at_least = 1.0 if at_least is None and at_most is None else at_least
    hit = ~np.isnan(value)
    hit &= value >= at_least if at_least is not None else True
    hit &= value <= at_most if at_most is not None else True
    if procedures is not None:
        place = {name: at for at, name in enumerate(asked.procedures)}
        hit &= np.isin(pairs.procedure, [place[name] for name in procedures])
    members = np.flatnonzero(hit)
    group = pairs.provider[members] if measure == "stars" else members
    order = np.argsort(group, kind="stable")
    members, group = members[order], group[order]
    heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, np.int64)
    tiers = np.flatnonzero(closed)
    names = np.array(asked.providers, object)[pairs.provider[members[heads]]]
    if measure != "stars":
        names = names + ":" + np.array(asked.procedures, object)[pairs.procedure[members[heads]]]
    return rules(
        "tier_rule",
        [f"{prefix}:{name}" for name in names],
        np.zeros((len(heads), 0)),
        high=0.0,
        reason=reason,
        source=source,
        cells=[(np.repeat(part, len(tiers)), np.tile(tiers, len(part))) for part in np.split(members, heads[1:])]
        if len(heads)
        else [],
    )


def joined(*tables: Rules) -> Rules:
    """Tables of one kind, one after the other."""
    first, offset, starts = tables[0], 0, [np.zeros(1, np.int64)]
    for table in tables:
        starts.append(table.start[1:] + offset)
        offset += len(table.cell_pair)
    columns = ("ids", "subject", "low", "high", "share", "reason", "source", "cell_pair", "cell_tier")
    return Rules(
        kind=first.kind,
        start=np.concatenate(starts),
        **{name: np.concatenate([getattr(table, name) for table in tables]) for name in columns},
    )


def product(rates: np.ndarray, share: float) -> np.ndarray:
    """rates × share as the nearest floats of the exact products, so that 900 × 0.85 is 765 and not 764.99…"""
    factor = exact(share)
    return np.array([float(Decimal(repr(rate)) * factor) for rate in rates.tolist()])
