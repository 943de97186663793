"""Multiples of a step near solved prices, tiers as they are, for lists of any size: market by market, then provider by provider.

Belongs here: the window of each market on the grid, raising each provider to what it must earn, which rule leaves no multiple.
Does not: judging the list (check.py has the last word), choosing multiples all together, or tiers anew (cents.py).

Why it is enough. A market with a cap is given a window as wide as the cap, its low end on the grid, so that no spread in it is
broken; a window that leaves every pair a multiple exists or it does not, which two numbers per market decide. Inside the
windows pairs meet in their provider's revenue alone (floors, losses, its index). Prices begin at the multiple below; a provider
that then earns too little gets steps back, those of its large volumes first, and overshoots by less than one step of its smallest.
All that is done with arrays over pairs; the loop is over the places that a pair can have in its provider's order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimization.pricing.instance import Instance
from optimization.pricing.reach import reach

LIFTS = 5  # times that the windows of a provider that earns too little are moved up: by 1, 1, 2, 4 and 8 steps
HAIR = 1e-9  # of a step: a float that is a multiple but for its last digits is one


@dataclass(frozen=True, eq=False)
class Multiples:
    """How many steps each pair's price is (`count`; a price without a step stays). `broken` names rules that leave none in these
    tiers: `poor` providers (a mask) earn too little, `stuck` markets have no window."""

    count: np.ndarray
    broken: tuple[str, ...]
    poor: np.ndarray
    stuck: np.ndarray
    needed: np.ndarray  # USD of revenue per provider, by its floors and its specialty; -inf where nothing is


@dataclass(frozen=True, eq=False)
class _Room:
    """Per pair the step (0: the price stays), and the least and most steps that its band, its rules and its market leave."""

    step: np.ndarray
    least: np.ndarray
    most: np.ndarray


def multiples(asked: Instance, tier: np.ndarray, price: np.ndarray, step: np.ndarray) -> Multiples:
    """The multiples for solved prices (USD, floats) in these tiers; `step` per pair. Not for volumes that answer to price."""
    seen, rows = reach(asked), np.arange(len(tier))
    size = np.where(step > 0, step, 1.0)
    low, high = seen.low[rows, tier], seen.high[rows, tier]
    least = np.where(step > 0, np.ceil(low / size - HAIR), price / size)
    most = np.where(step > 0, np.floor(high / size + HAIR), price / size)
    lifted = np.zeros(len(asked.procedures) * len(asked.regions))
    for attempt in range(LIFTS + 1):
        room, tight = _in_markets(asked, price, _Room(size, least, most), lifted)
        start = np.where(step > 0, np.floor(price / size + HAIR), price / size)
        count = np.clip(start, room.least, room.most)
        count, poor, needed = _raised(asked, count, room)
        full = poor[asked.pairs.provider] & (room.most < most)
        if not full.any():
            break
        # Too little even at the tops of their windows: these providers' markets begin some steps higher.
        lifted[np.unique(asked.pair_market[full])] += 2.0 ** max(0, attempt - 1)
    spread = asked.of("regional_spread")
    stuck = spread.subject[tight] @ np.array([len(asked.regions), 1])
    return Multiples(count, (*spread.ids[tight].tolist(), *_floors_of(asked, poor)), poor, stuck, needed)


def _in_markets(asked: Instance, price: np.ndarray, room: _Room, lifted: np.ndarray) -> tuple[_Room, np.ndarray]:
    """Room within a window per market with a cap on spread, and which caps no window keeps."""
    table, market = asked.of("regional_spread"), asked.pair_market
    if not len(table):
        return room, np.zeros(0, np.int64)
    ruled = table.subject @ np.array([len(asked.regions), 1])
    count = len(lifted)
    cap = np.full(count, np.inf)
    np.minimum.at(cap, ruled, table.high)
    bottom, top, lowest, coarse = (np.full(count, value) for value in (-np.inf, np.inf, np.inf, 0.0))
    np.maximum.at(bottom, market, room.least * room.step)
    np.minimum.at(top, market, room.most * room.step)
    np.minimum.at(lowest, market, price)
    np.maximum.at(coarse, market, room.step)
    first, last = bottom - cap, top  # between these the window may begin
    size = np.where(coarse > 0, coarse, 1.0)
    with np.errstate(invalid="ignore"):
        wanted = (np.floor(lowest / size + HAIR) + lifted) * size
        begin = np.where(np.isfinite(cap), np.clip(wanted, first, last), -np.inf)
        end = np.where(np.isfinite(cap), begin + cap, np.inf)
    none = (first > last + HAIR * size)[ruled]
    least = np.maximum(room.least, np.ceil(begin[market] / room.step - HAIR))
    most = np.minimum(room.most, np.floor(end[market] / room.step + HAIR))
    stays = room.least == room.most
    least, most = np.where(stays, room.least, least), np.where(stays, room.most, most)
    return replace(room, least=np.minimum(least, most), most=most), np.flatnonzero(none)


def _raised(asked: Instance, count: np.ndarray, room: _Room) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps added until each provider earns its floors, then until its index is within its specialty's cap; who cannot; what each needs."""
    pairs, many = asked.pairs, len(asked.providers)
    value = pairs.volume * room.step  # what one step earns
    needed = np.full(many, -np.inf)
    for kind in ("revenue_floor", "largest_loss"):
        table = asked.of(kind)
        np.maximum.at(needed, table.subject[:, 0], table.low)
    count, poor = _steps_added(pairs.provider, count, room, value, needed)
    special = asked.of("specialty_spread")
    if not len(special):
        return count, poor, needed
    reference = np.bincount(pairs.provider, pairs.volume * pairs.medicare_rate, minlength=many)
    index = np.bincount(pairs.provider, count * value, minlength=many) / np.where(reference > 0, reference, 1)
    seen = (reference > 0) & (asked.provider_specialty >= 0)
    highest, cap = np.full(len(asked.specialties), -np.inf), np.full(len(asked.specialties), np.inf)
    np.maximum.at(highest, asked.provider_specialty[seen], index[seen])
    np.minimum.at(cap, special.subject[:, 0], special.high)
    lowest = (highest - cap)[asked.provider_specialty] * reference * (1 + 1e-12)
    needed = np.maximum(needed, np.where(seen, lowest, -np.inf))
    count, poor = _steps_added(pairs.provider, count, room, value, needed)
    return count, poor, needed


def _steps_added(
    provider: np.ndarray, count: np.ndarray, room: _Room, value: np.ndarray, needed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each provider's revenue raised to what it needs: as many steps as fit of its largest volume, then of the next; at last one
    more of the smallest that has room. Returns the steps, and a mask of providers that stay below."""
    count = count.copy()
    many = len(needed)
    short = needed - np.bincount(provider, count * value, minlength=many)
    order = np.lexsort((-value, provider))
    place = np.arange(len(order)) - np.searchsorted(provider[order], provider[order])
    for at in range(int(place.max(initial=-1)) + 1):
        pair = order[place == at]  # one of each provider
        here = provider[pair]
        free = np.where(value[pair] > 0, room.most[pair] - count[pair], 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            more = np.floor(np.where(value[pair] > 0, np.maximum(short[here], 0) / value[pair], 0))
        more = np.clip(np.minimum(more, np.floor(free)), 0, None)
        count[pair] += more
        short[here] -= more * value[pair]
    left = np.flatnonzero((short[provider] > 0) & (room.most - count >= 1) & (value > 0))
    cheapest = left[np.lexsort((value[left], provider[left]))]
    last = cheapest[np.unique(provider[cheapest], return_index=True)[1]]
    count[last] += 1
    short[provider[last]] -= value[last]
    return count, short > 0


def _floors_of(asked: Instance, poor: np.ndarray) -> list[str]:
    """The rules about these providers' revenue, or their specialty's where they have none."""
    found: list[str] = []
    for kind in ("revenue_floor", "largest_loss"):
        table = asked.of(kind)
        found += table.ids[poor[table.subject[:, 0]]].tolist()
    if poor.any() and not found:
        special = asked.of("specialty_spread")
        found = special.ids[np.isin(special.subject[:, 0], asked.provider_specialty[poor])].tolist()
    return found
