"""Why a question has no answer: a smallest set of rules in conflict, and what would resolve it.

Belongs here: the smallest conflict by business rule, the least change of one rule that resolves everything, the cheapest change
of several under weights. Does not: the rows behind it (elastic.py), wording for people (explain.py).

A conflict is a set of rules that no price list keeps together, tiers discrete as they are; smallest means that no conflict has
fewer rules. It is found by hitting sets: every conflict contains a rule of every correction (a set of rules whose breaking
makes the rest possible), so the smallest set that meets all corrections known is either a conflict, and then a smallest one, or
leads to a further correction. Where the conflict has many rules (a target against all floors of a region) that takes too many
steps; then the rules are taken out one at a time instead, and what remains cannot be made smaller by leaving out any one rule,
but a conflict of fewer others may exist. Large questions are asked of their relaxation first. Which of these it is, is said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from optimization.pricing.elastic import SAME, Elastic
from optimization.pricing.instance import Instance, Objective
from optimization.pricing.solve import solve

MOST_STEPS = 400
SMALL = 400  # pairs; above, the form with slacks is asked for its relaxation, and lists are found by solve.py
ABOVE = (1e-6, 1e-4, 1e-3, 1e-2)  # shares above the relaxation's least amount at which a list is looked for
ANY_LIST = 0.5  # a gap that the first list meets
WHOLE = ("tier_rule", "lowest_tier_cap", "family_tiers")  # what gives way in whole steps
NOT_ALONE = "no change of it alone does: another conflict remains"
BANDS_ALONE = "No price list fits the bands of the tiers, whatever the rules: look at the bands."
NOT_SMALLEST = "No rule of it can be left out; that no other conflict has fewer rules was not proven."
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


@dataclass(frozen=True)
class Conflict:
    """Why a question is impossible. `rules` is empty where it is possible, or where the bands alone leave no price list."""

    rules: tuple[str, ...]
    is_smallest: bool
    only_because_tiers_are_discrete: bool
    single: tuple[Repair, ...] = ()
    joint: tuple[Repair, ...] = ()
    joint_cost: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""

    def repair_of(self) -> dict[str, dict[str, object]]:
        """`single_rule_repair` as the JSON forms write it; a rule that no change of it alone resolves has amount None."""
        return {one.rule: {"amount": one.amount, "unit": one.unit} for one in self.single}


class StillPossible(ValueError):
    """Asked why a question is impossible that has an answer."""


def why_impossible(
    asked: Instance,
    *,
    weights: Mapping[str, float] | None = None,
    never: Collection[str] = (),
    seconds: float = 120.0,
) -> Conflict:
    """A smallest conflict, single-rule repairs of its rules, and the cheapest joint repair.

    `weights` (by rule id or kind) is what a unit of change costs; `never` (ids or kinds) are rules that the joint repair leaves
    alone. Raises StillPossible where a price list keeps all rules."""
    started = time.monotonic()
    whole = Elastic(asked)
    deadline = started + seconds
    discrete = whole.solve(relaxed=True).is_feasible
    if discrete and len(solve(asked, time_limit=seconds / 4, gap=ANY_LIST).prices):
        raise StillPossible("a price list keeps every rule of this question; there is no conflict to explain")
    found, is_smallest, note = _smallest(asked, whole, discrete, deadline)
    if not found:
        return Conflict((), is_smallest, discrete, seconds=time.monotonic() - started, note=note)
    kinds = _kinds(asked)
    single = tuple(_repair_alone(whole, rule, kinds[rule], deadline, len(found) - at) for at, rule in enumerate(found))
    price = worth_of_a_unit(asked, weights)
    hard = {rule for rule in whole.rule_ids if rule in set(never) or kinds[rule] in set(never)}
    soft = {rule: weight for rule, weight in price.items() if rule not in hard}
    slack, told = _repair_together(whole, soft, max(deadline, time.monotonic() + seconds / 10))
    joint = tuple(Repair(rule, kinds[rule], whole.units[rule], _amount(by)) for rule, by in (slack or {}).items())
    return Conflict(
        rules=tuple(found),
        is_smallest=is_smallest,
        only_because_tiers_are_discrete=discrete,
        single=single,
        joint=joint,
        joint_cost=None if slack is None else sum(soft[one.rule] * (one.amount or 0) for one in joint),
        weights={one.rule: soft[one.rule] for one in joint},
        seconds=time.monotonic() - started,
        note=f"{note} {told}".strip(),
    )


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
        elif kind in ("tier_rule", "lowest_tier_cap", "family_tiers"):
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


def _smallest(asked: Instance, whole: Elastic, discrete: bool, deadline: float) -> tuple[list[str], bool, str]:
    """A smallest conflict and True; or one without a needless rule, False, and what was not proven."""
    if len(asked.pairs) <= SMALL or discrete:
        found = _by_hitting(asked, whole, _halfway(deadline))
        if found is not None:
            return (found, True, "") if found else ([], True, BANDS_ALONE)
    found, untried = _without_needless(
        asked, whole, not discrete, _halfway(deadline)
    )  # the rest of the time is for repairs
    if not found:
        return [], False, "Time was up before a conflict was found; give it more."
    return (
        found,
        False,
        f"Time was up with {untried} of them untried: some may be needless." if untried else NOT_SMALLEST,
    )


def _halfway(deadline: float) -> float:
    now = time.monotonic()
    return now + (deadline - now) / 2


def _by_hitting(asked: Instance, whole: Elastic, deadline: float) -> list[str] | None:
    """The smallest conflict; None where steps or time ran out."""
    scale = worth_of_a_unit(asked)  # so that a correction breaks few rules by much money rather than many by cents
    corrections: list[set[str]] = []
    for _ in range(MOST_STEPS):
        if time.monotonic() > deadline:
            return None
        core = _least_hitting(corrections, whole.rule_ids)
        left = {rule: scale[rule] for rule in whole.rule_ids if rule not in core}
        limit = max(1.0, deadline - time.monotonic())
        outcome = whole.solve(left, time_limit=limit, gap=0.05)
        if outcome.status == "infeasible":
            return _in_order(core, whole)
        if not outcome.is_feasible or not outcome.slack:
            return None
        corrections.append(_without_idle(whole, outcome.slack, scale, deadline))
    return None


def _without_idle(whole: Elastic, broken: Mapping[str, float], scale: Mapping[str, float], deadline: float) -> set[str]:
    """A correction none of whose rules could be kept after all: the smaller corrections are, the fewer are needed."""
    left, tried = dict(broken), set[str]()
    while waiting := sorted(set(left) - tried, key=lambda rule: left[rule] * scale[rule]):
        tried.add(waiting[0])
        soft = {rule: scale[rule] for rule in left if rule != waiting[0]}
        outcome = whole.solve(soft, time_limit=max(1.0, deadline - time.monotonic()), gap=0.05)
        if outcome.is_feasible:
            left = dict(outcome.slack)
    return set(left)


def _least_hitting(corrections: Sequence[set[str]], order: Sequence[str]) -> set[str]:
    """The fewest rules that meet every correction; among equals those that come first, so that an answer is the same again."""
    if not corrections:
        return set()
    rules = [rule for rule in order if any(rule in one for one in corrections)]
    place = {rule: at for at, rule in enumerate(rules)}
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for at in range(len(rules)):
        solver.addVar(0, 1)
        solver.changeColCost(at, 1 + 1e-6 * at / max(1, len(rules)))
        solver.changeColIntegrality(at, highspy.HighsVarType.kInteger)
    for one in corrections:
        members = np.array(sorted(place[rule] for rule in one), dtype=np.int32)
        solver.addRow(1, highspy.kHighsInf, len(members), members, np.ones(len(members)))
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.run()
    return {rules[at] for at, value in enumerate(solver.getSolution().col_value) if value > 0.5}


def _without_needless(asked: Instance, whole: Elastic, relaxed: bool, deadline: float) -> tuple[list[str], int]:
    """A conflict, then a deletion filter: each rule that the rest conflicts without is let go.

    Where the relaxation is impossible, its proof names the rules that it needs. Else an elastic filter does: rules that must be
    broken are made hard until nothing is possible. Empty where time ended before that; else also how many rules were not tried."""
    scale = worth_of_a_unit(asked)
    hard: list[str] = whole.rules_of_proof() if relaxed else []
    while not hard or not relaxed:
        left = {rule: scale[rule] for rule in whole.rule_ids if rule not in hard}
        outcome = whole.solve(left, relaxed=relaxed, time_limit=max(1.0, deadline - time.monotonic()), gap=0.05)
        if outcome.status == "infeasible":
            break
        if not outcome.is_feasible or not outcome.slack:
            return [], 0
        hard += [rule for rule in outcome.slack if rule not in hard]
    needed, waiting = list(hard), list(hard)
    while waiting:
        if time.monotonic() > deadline:
            return _in_order(needed, whole), len(waiting)
        rule = waiting.pop()
        rows = Elastic(asked.only([other for other in needed if other != rule]))
        if relaxed:
            proof = rows.rules_of_proof()  # which may do without more than this rule
            needed = proof or needed
            waiting = [other for other in waiting if other in needed]
        elif rows.solve(time_limit=max(1.0, deadline - time.monotonic())).status == "infeasible":
            needed.remove(rule)
    return _in_order(needed, whole), 0


def _repair_alone(whole: Elastic, rule: str, kind: str, deadline: float, waiting: int) -> Repair:
    unit = whole.units[rule]
    limit = max(1.0, (deadline - time.monotonic()) / waiting)
    if kind == "savings_target" and len(whole.asked.pairs) > SMALL:
        return _target_alone(whole.asked, rule, unit, max(limit, 20.0))
    if time.monotonic() > deadline:
        return Repair(rule, kind, unit, None, "time was up: unknown")
    least = whole.solve({rule: 1.0}, relaxed=True, time_limit=limit)
    if least.status == "infeasible":
        return Repair(rule, kind, unit, None, NOT_ALONE)
    if len(whole.asked.pairs) > SMALL and least.is_feasible and kind not in WHOLE:
        found = _just_above(whole, {rule: least.slack.get(rule, 0.0)}, limit)
        if found is not None:
            share, amounts = found
            return Repair(rule, kind, unit, amounts.get(rule, 0.0), f"at most {share:.2%} above the least")
    outcome = whole.solve({rule: 1.0}, time_limit=limit)
    if outcome.status == "infeasible":
        return Repair(rule, kind, unit, None, NOT_ALONE)
    if outcome.status == "no_answer":
        return Repair(rule, kind, unit, None, "time was up: unknown")
    note = "" if outcome.status == "optimal" else "at most; time was up before less was ruled out"
    return Repair(rule, kind, unit, _amount(outcome.slack.get(rule, 0.0)), note)


def _target_alone(asked: Instance, rule: str, unit: str, seconds: float) -> Repair:
    """What the target misses is the least spend without it, which solve.py finds fast."""
    free = replace(asked.without([rule]), objective=Objective("min_spend"))
    answer = solve(free, time_limit=seconds)
    if answer.status == "infeasible":
        return Repair(rule, "savings_target", unit, None, NOT_ALONE)
    if answer.spend is None or answer.best_bound is None:
        return Repair(rule, "savings_target", unit, None, "time was up: unknown")
    limit = float(asked.of("savings_target").high[0])
    least = answer.best_bound - limit
    share = (float(answer.spend) - answer.best_bound) / max(least, SAME)
    return Repair(
        rule, "savings_target", unit, _amount(float(answer.spend) - limit), f"at most {share:.2%} above the least"
    )


def _repair_together(whole: Elastic, soft: Mapping[str, float], deadline: float) -> tuple[dict[str, float] | None, str]:
    """The amounts by which rules give at the least cost, and what is to be said of them."""
    limit = max(1.0, deadline - time.monotonic())
    if len(whole.asked.pairs) > SMALL:
        loose = whole.solve(soft, relaxed=True, time_limit=limit)
        if loose.is_feasible:
            found = _just_above(whole, loose.slack, limit / 2)
            if found is not None:
                return found[1], f"The joint repair is at most {found[0]:.2%} above the cheapest."
    outcome = whole.solve(soft, time_limit=limit, gap=1e-6)
    if outcome.status == "infeasible":
        return None, "No joint repair leaves the rules alone that it must not touch."
    if not outcome.is_feasible:
        return None, "Time was up before a joint repair was found."
    told = "" if outcome.status == "optimal" else "Time was up before the joint repair was proven cheapest."
    return outcome.slack, told


def _just_above(whole: Elastic, amounts: Mapping[str, float], seconds: float) -> tuple[float, dict[str, float]] | None:
    """The relaxation's amounts are the least that any list needs; by how little more a list is found that makes do (share, amounts)."""
    for share in ABOVE:
        more = {rule: _amount(by * (1 + share)) for rule, by in amounts.items()}
        answer = solve(whole.asked.eased(more), time_limit=max(1.0, seconds / len(ABOVE)), gap=ANY_LIST)
        if len(answer.prices):
            return share, more
    return None


def _amount(value: float) -> float:
    """The solver's number to six decimals, upwards beyond its tolerance, so that a rule eased by it is kept."""
    nearest = round(value, DECIMALS)
    return nearest if nearest >= value - 1e-7 else nearest + 10**-DECIMALS


def _kinds(asked: Instance) -> dict[str, str]:
    return {str(name): kind for kind, table in asked.rules.items() for name in table.ids}


def _in_order(rules: Collection[str], whole: Elastic) -> list[str]:
    return sorted(rules, key=whole.rule_ids.index)
