"""What would resolve an impossible question: the least change of one rule alone, and the cheapest change of several.

Belongs here: repairs, what a unit of change of each rule is worth. Does not: which rules are in conflict (conflict.py,
large_conflict.py), the rows behind it (elastic.py).

A small question is asked with slacks, whole. A large one from below and above: the relaxation, or the region of the rule by itself,
says the least that is needed; then lists are looked for at that amount and a little more. By how much more is said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimization.pricing.elastic import SAME, Elastic, Outcome
from optimization.pricing.instance import Instance, Objective
from optimization.pricing.known_lists import ANY_LIST, LEAST, KnownLists
from optimization.pricing.large_conflict import find
from optimization.pricing.narrow import narrow
from optimization.pricing.proof import without_tiers
from optimization.pricing.solve import solve

ABOVE = (1e-4, 1e-3, 1e-2, 1e-1, 0.5, 2.0)  # shares above the least amount at which a list is looked for
ROUNDS = 6  # conflicts that a joint repair resolves one after the other
TRIES = 8  # amounts at which a list is looked for, for one rule
WHOLE = ("tier_rule", "lowest_tier_cap", "family_tiers")  # what gives way in whole steps
NOT_ALONE = "no change of it alone does: another conflict remains"
UNKNOWN = "time was up: unknown"
DECIMALS = 6  # of an amount, in the rule's own unit
TIER_WORTH = 0.1  # a tier is taken to be this share of the benchmark, to weigh a tier rule against one in dollars


@dataclass(frozen=True)
class Repair:
    """The least change of one rule that makes the question possible, in the rule's unit; None: no change of it alone does."""

    rule: str
    kind: str
    unit: str
    amount: float | None
    note: str = ""


def worth_of_a_unit(asked: Instance, weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """What one unit of change of each rule costs in the joint repair: dollars at stake, unless a person says otherwise.

    A dollar of revenue, spend or budget is a dollar; a dollar of price is the volume that it is paid for; a dollar of spread the
    volume of the procedure in the region; a point of an index the specialty's spend at the benchmark; one assignment or tier
    step a tenth of the benchmark spend of the pairs it is about, on average. `weights` multiply nothing: they replace."""
    given = dict(weights or {})
    pairs = asked.pairs
    worth = pairs.volume * pairs.medicare_rate
    mean = float(worth.mean()) * TIER_WORTH
    market = asked.pair_market
    volume_of_market = np.bincount(market, pairs.volume, minlength=len(asked.procedures) * len(asked.regions))
    of_specialty = np.bincount(
        asked.provider_specialty[pairs.provider] + 1, worth, minlength=len(asked.specialties) + 1
    )
    made: dict[str, float] = {}
    for kind, table in asked.rules.items():
        subject = table.subject
        if kind in ("legal_band", "minimum_price", "largest_change"):
            value = pairs.volume[subject[:, 0]]
        elif kind == "regional_spread":
            value = volume_of_market[subject[:, 0] * len(asked.regions) + subject[:, 1]]
        elif kind == "specialty_spread":
            value = of_specialty[subject[:, 0] + 1]
        elif kind in WHOLE:
            value = np.full(len(table), mean)
        else:
            value = np.ones(len(table))
        made.update(
            {
                str(name): float(given.get(str(name), given.get(kind, max(one, SAME))))
                for name, one in zip(table.ids, value, strict=True)
            }
        )
    return made


# Small questions: the form with slacks, whole.


def repair_alone(whole: Elastic, rule: str, kind: str, limit: float) -> Repair:
    """The least change of one rule, within `limit` seconds."""
    unit = whole.units[rule]
    if limit <= 0:
        return Repair(rule, kind, unit, None, UNKNOWN)
    if whole.solve({rule: 1.0}, relaxed=True, time_limit=limit).status == "infeasible":
        return Repair(rule, kind, unit, None, NOT_ALONE)
    return _said(rule, kind, unit, whole.solve({rule: 1.0}, time_limit=limit))


def _said(rule: str, kind: str, unit: str, outcome: Outcome) -> Repair:
    if outcome.status == "infeasible":
        return Repair(rule, kind, unit, None, NOT_ALONE)
    if outcome.status == "no_answer":
        return Repair(rule, kind, unit, None, UNKNOWN)
    note = "" if outcome.status == "optimal" else "at most; time was up before less was ruled out"
    return Repair(rule, kind, unit, rounded_up(outcome.slack.get(rule, 0.0)), note)


def repair_together(whole: Elastic, soft: Mapping[str, float], limit: float) -> tuple[dict[str, float] | None, str]:
    """The amounts by which rules give at the least cost, and what is to be said of them."""
    outcome = whole.solve(soft, time_limit=limit, gap=1e-6)
    if outcome.status == "infeasible":
        return None, "No joint repair leaves the rules alone that it must not touch."
    if not outcome.is_feasible:
        return None, "Time was up before a joint repair was found."
    told = "" if outcome.status == "optimal" else "Time was up before the joint repair was proven cheapest."
    return outcome.slack, told


# Large questions: from the least that is needed, upwards.


def large_repair_alone(
    known: KnownLists, loose: Elastic, conflict: Collection[str], rule: str, kind: str, deadline: float
) -> Repair:
    """The least change of one rule of a conflict, and by how much it may be above the least.

    What the relaxation asks of it, and what the conflict by itself asks with tiers discrete, is the least that is needed; a list that
    breaks no other rule says what is surely enough."""
    asked = known.asked
    unit = asked.rules[kind].unit
    alone = known.keeps(set(known.rules) - {rule}, deadline, most=max(20.0, deadline - time.monotonic()))
    if alone is False:
        return Repair(rule, kind, unit, None, NOT_ALONE)
    if not alone:
        return Repair(rule, kind, unit, None, UNKNOWN)
    if kind == "savings_target":
        return _target_alone(asked, rule, unit, max(1.0, deadline - time.monotonic()))
    least = 0.0
    for rows, relaxed in ((loose, True), (Elastic(narrow(asked, conflict).asked), False)):
        if rule in rows.units:
            limit = max(0.5, (deadline - time.monotonic()) / 3)
            bound = rows.solve({rule: 1.0}, relaxed=relaxed, time_limit=limit, gap=1e-6).bound
            least = max(least, bound if np.isfinite(bound) else 0.0)
    most = known.list_breaking({rule}).get(rule, 0.0)
    if kind in WHOLE:
        least = float(np.ceil(least - 1e-6))
    amount = _narrowed(asked, rule, least, most, deadline, whole=kind in WHOLE)
    return Repair(rule, kind, unit, amount, _how_far(amount, least))


def _narrowed(asked: Instance, rule: str, least: float, enough: float, deadline: float, *, whole: bool) -> float:
    """The smallest amount at which a list was found: at the least, a thousandth more, then by halves (of the ratio) below what is
    known to be enough. An amount at which none was found in its time is not ruled out by that."""
    below = least
    for step in range(TRIES):
        left = deadline - time.monotonic()
        if whole:
            amount = least + step
        else:
            first = rounded_up(max(least, SAME) * (1 + (1e-6, 1e-3)[step])) if step < 2 else None
            amount = first or rounded_up(max(below, SAME) ** 0.5 * enough**0.5)
        if amount >= enough or left <= 0:
            break
        answer = solve(asked.eased({rule: amount}), time_limit=max(LEAST, left / (2 if step == 0 else 3)), gap=ANY_LIST)
        if len(answer.prices):
            enough = amount
            if step < 2 or whole:
                break
        else:
            below = amount
    return rounded_up(enough)


def _how_far(amount: float, least: float) -> str:
    if amount - least <= 2e-6 * max(least, 1.0):
        return ""
    return f"enough; the least lies between {least:,.6g} and this"


def _target_alone(asked: Instance, rule: str, unit: str, seconds: float) -> Repair:
    """What the target misses is the least spend without it, which solve.py finds fast."""
    free = replace(asked.without([rule]), objective=Objective("min_spend"))
    answer = solve(free, time_limit=seconds)
    if answer.status == "infeasible":
        return Repair(rule, "savings_target", unit, None, NOT_ALONE)
    if answer.spend is None or answer.best_bound is None:
        return Repair(rule, "savings_target", unit, None, UNKNOWN)
    limit = float(asked.of("savings_target").high[0])
    amount = rounded_up(float(answer.spend) - limit)
    return Repair(rule, "savings_target", unit, amount, _how_far(amount, max(answer.best_bound - limit, 0.0)))


def large_repair_together(
    asked: Instance, conflict: Collection[str], single: Collection[Repair], soft: Mapping[str, float], deadline: float
) -> tuple[dict[str, float] | None, str]:
    """Amounts by which rules of a large question give, and how far their cost may be from the least.

    Tried are what the relaxation asks and what the conflict by itself asks with tiers discrete; where another conflict remains, what
    both ask; then a little more of each, and the cheapest repair of one rule."""
    loose = Elastic(without_tiers(asked))
    alone = {one.rule: one.amount for one in single if one.amount is not None and one.rule in soft}
    at_most = min((soft[rule] * amount for rule, amount in alone.items()), default=np.inf)
    rules, bound, tried = set(conflict), 0.0, list[dict[str, float]]()
    for round_ in range(ROUNDS):
        by_itself = Elastic(narrow(asked, rules).asked)
        for rows, relaxed in ((loose, True), (by_itself, False)) if not round_ else ((by_itself, False),):
            priced = {rule: weight for rule, weight in soft.items() if rule in rows.units}
            limit = max(1.0, (deadline - time.monotonic()) / 3)
            outcome = rows.solve(priced, relaxed=relaxed, time_limit=limit, gap=1e-6)
            if outcome.status == "infeasible":
                return None, "No joint repair leaves the rules alone that it must not touch."
            if outcome.is_feasible and outcome.slack:
                bound = max(bound, outcome.bound)
                tried.append(dict(outcome.slack))
        tried.sort(key=lambda one: -_cost(one, soft))
        eased = [_enlarged(amounts, 1e-6) for amounts in tried]
        for more in eased:
            if _cost(more, soft) < at_most and _has_list(asked.eased(more), deadline, 4):
                return more, _joint_told(_cost(more, soft), bound)
        # Another conflict remains: its rules are asked together with those known.
        left = asked.eased(eased[0]) if eased else asked
        another = find(left, worth_of_a_unit(asked), time.monotonic() + max(0.0, deadline - time.monotonic()) / 3)
        if another is None or rules.issuperset(another.rules):
            break
        rules |= set(another.rules)
    for share in ABOVE:
        for amounts in tried:
            more = _enlarged(amounts, share)
            if _cost(more, soft) < at_most and _has_list(asked.eased(more), deadline, 3):
                return more, _joint_told(_cost(more, soft), bound)
    if alone:
        cheapest = min(alone, key=lambda rule: soft[rule] * alone[rule])
        return {cheapest: alone[cheapest]}, _joint_told(at_most, bound)
    return repair_together(Elastic(asked), soft, max(1.0, deadline - time.monotonic()))


def _enlarged(amounts: Mapping[str, float], share: float) -> dict[str, float]:
    return {rule: rounded_up(by * (1 + share)) for rule, by in amounts.items()}


def _has_list(asked: Instance, deadline: float, turns: int) -> bool:
    left = deadline - time.monotonic()
    return left > 0 and len(solve(asked, time_limit=max(LEAST, left / turns), gap=ANY_LIST).prices) > 0


def _cost(amounts: Mapping[str, float], soft: Mapping[str, float]) -> float:
    return sum(soft[rule] * by for rule, by in amounts.items())


def _joint_told(cost: float, bound: float) -> str:
    if cost - bound <= 1e-5 * max(bound, 1.0):
        return ""
    return f"The joint repair is enough at {cost:,.2f}; the cheapest costs between {max(bound, 0.0):,.2f} and that."


def rounded_up(value: float) -> float:
    """The solver's number to six decimals, upwards beyond its tolerance, so that a rule eased by it is kept."""
    nearest = round(value, DECIMALS)
    return nearest if nearest >= value - 1e-7 else round(nearest + 10**-DECIMALS, DECIMALS)


def never_of(rules: Collection[str], kinds: Mapping[str, str], never: Collection[str]) -> set[str]:
    """Rules that a joint repair leaves alone, named by id or kind."""
    return {rule for rule in rules if rule in never or kinds[rule] in never}
