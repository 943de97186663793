"""Why a question has no answer: a smallest set of rules in conflict, and what would resolve it.

Belongs here: the smallest conflict by business rule, the least change of one rule that resolves everything, the cheapest change
of several under weights. Does not: the rows behind it (elastic.py), wording for people (explain.py).

A conflict is a set of rules that no price list keeps together, tiers discrete as they are; smallest means that no conflict has
fewer rules. It is found by hitting sets: every conflict contains a rule of every correction (a set of rules whose breaking
makes the rest possible), so the smallest set that meets all corrections known is either a conflict, and then a smallest one, or
leads to a further correction. Where the conflict has many rules (a target against all floors of a region) that takes too many
steps; then the rules are taken out one at a time instead, and what remains cannot be made smaller by leaving out any one rule,
but a conflict of fewer others may exist. Which of the two it is, is said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from optimization.pricing.elastic import SAME, Elastic
from optimization.pricing.instance import Instance

MOST_STEPS = 60
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
    if whole.solve(time_limit=seconds).is_feasible:
        raise StillPossible("a price list keeps every rule of this question; there is no conflict to explain")
    discrete = whole.solve(relaxed=True).is_feasible
    found, is_smallest = _smallest(asked, whole, deadline)
    if not found:
        note = "No price list fits the bands of the tiers, whatever the rules: look at the bands."
        return Conflict((), True, discrete, seconds=time.monotonic() - started, note=note)
    kinds = _kinds(asked)
    single = tuple(_repair_alone(whole, rule, kinds[rule], deadline) for rule in found)
    price = worth_of_a_unit(asked, weights)
    hard = {rule for rule in whole.rule_ids if rule in set(never) or kinds[rule] in set(never)}
    soft = {rule: weight for rule, weight in price.items() if rule not in hard}
    outcome = whole.solve(soft, time_limit=max(1.0, deadline - time.monotonic()), gap=1e-6)
    note = (
        "" if is_smallest else "No rule of it can be left out; that no other conflict has fewer rules was not proven."
    )
    if not outcome.is_feasible:
        note += " No joint repair leaves the rules alone that it must not touch."
    elif outcome.status == "feasible":
        note += " Time was up before the joint repair was proven cheapest."
    joint = tuple(
        Repair(rule, kinds[rule], whole.units[rule], _amount(amount)) for rule, amount in outcome.slack.items()
    )
    return Conflict(
        rules=tuple(found),
        is_smallest=is_smallest,
        only_because_tiers_are_discrete=discrete,
        single=single,
        joint=joint,
        joint_cost=sum(soft[one.rule] * (one.amount or 0) for one in joint) if outcome.is_feasible else None,
        weights={one.rule: soft[one.rule] for one in joint},
        seconds=time.monotonic() - started,
        note=note.strip(),
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
    market = pairs.procedure.astype(np.int64) * len(asked.regions) + asked.pair_region
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


def _smallest(asked: Instance, whole: Elastic, deadline: float) -> tuple[list[str], bool]:
    """A smallest conflict and True, or one without a needless rule and False."""
    scale = worth_of_a_unit(asked)  # so that a correction breaks few rules by much money rather than many by cents
    corrections: list[set[str]] = []
    half = time.monotonic() + (deadline - time.monotonic()) / 2
    for _ in range(MOST_STEPS):
        if time.monotonic() > half:
            break
        core = _least_hitting(corrections, whole.rule_ids)
        left = {rule: scale[rule] for rule in whole.rule_ids if rule not in core}
        outcome = whole.solve(left, time_limit=max(1.0, half - time.monotonic()), gap=0.05)
        if outcome.status == "infeasible":
            return _in_order(core, whole), True
        if not outcome.is_feasible:
            break
        corrections.append(set(outcome.slack))
    return _without_needless(asked, whole, deadline), False


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


def _without_needless(asked: Instance, whole: Elastic, deadline: float) -> list[str]:
    """Elastic filter, then deletion filter: rules that must be broken are made hard until nothing is possible; of these, each
    that the rest conflicts without is let go. Until the deadline; what was not tried stays."""
    scale = worth_of_a_unit(asked)
    hard: list[str] = []
    while True:
        left = {rule: scale[rule] for rule in whole.rule_ids if rule not in hard}
        limit = max(1.0, deadline - time.monotonic())
        outcome = whole.solve(left, relaxed=True, time_limit=limit)
        if (
            outcome.is_feasible and not outcome.slack
        ):  # the relaxation is satisfied: the tiers themselves are in the way
            outcome = whole.solve(left, time_limit=limit, gap=0.05)
        if not outcome.is_feasible:
            break
        hard += [rule for rule in outcome.slack if rule not in hard]
        if not left or not outcome.slack:
            break
    needed = list(hard)
    for rule in hard:
        if time.monotonic() > deadline:
            break
        trial = asked.only([other for other in needed if other != rule])
        rows = Elastic(trial)
        limit = max(1.0, deadline - time.monotonic())
        if not rows.solve(relaxed=True, time_limit=limit).is_feasible or (
            rows.solve(time_limit=limit).status == "infeasible"
        ):
            needed.remove(rule)
    return _in_order(needed, whole)


def _repair_alone(whole: Elastic, rule: str, kind: str, deadline: float) -> Repair:
    outcome = whole.solve({rule: 1.0}, time_limit=max(1.0, deadline - time.monotonic()))
    unit = whole.units[rule]
    if outcome.status == "infeasible":
        return Repair(rule, kind, unit, None, "no change of it alone does: another conflict remains")
    if outcome.status == "no_answer":
        return Repair(rule, kind, unit, None, "time was up: unknown")
    note = "" if outcome.status == "optimal" else "at most; time was up before less was ruled out"
    return Repair(rule, kind, unit, _amount(outcome.slack.get(rule, 0.0)), note)


def _amount(value: float) -> float:
    """The solver's number to six decimals, upwards beyond its tolerance, so that a rule eased by it is kept."""
    nearest = round(value, DECIMALS)
    return nearest if nearest >= value - 1e-7 else nearest + 10**-DECIMALS


def _kinds(asked: Instance) -> dict[str, str]:
    return {str(name): kind for kind, table in asked.rules.items() for name in table.ids}


def _in_order(rules: Collection[str], whole: Elastic) -> list[str]:
    return sorted(rules, key=whole.rule_ids.index)
