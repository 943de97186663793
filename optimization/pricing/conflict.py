"""Why a question has no answer: a smallest set of rules in conflict, and what would resolve it.

Belongs here: the answer, the way to it for questions small and large, the smallest conflict of a small one. Does not: conflicts of
many pairs (large_conflict.py), repairs (repairs.py), the rows behind it (elastic.py), wording for people (explain.py).

A conflict is a set of rules that no price list keeps together, tiers discrete as they are; smallest means that no conflict has
fewer rules. It is found by hitting sets: every conflict contains a rule of every correction (a set of rules whose breaking
makes the rest possible), so the smallest set that meets all corrections known is either a conflict, and then a smallest one, or
leads to a further correction. Where the conflict has many rules (a target against all floors of a region) that takes too many
steps; then the rules are taken out one at a time instead, and what remains cannot be made smaller by leaving out any one rule,
but a conflict of fewer others may exist. Which of these it is, and how few rules a conflict has at least, is said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from optimization.pricing import large_conflict
from optimization.pricing.elastic import Elastic
from optimization.pricing.instance import Instance
from optimization.pricing.known_lists import ANY_LIST, KnownLists
from optimization.pricing.large_conflict import fewest_hitting, least_hitting, smallest_of
from optimization.pricing.proof import parts_of_proof, without_tiers
from optimization.pricing.repairs import (
    Repair,
    large_repair_alone,
    large_repair_together,
    never_of,
    repair_alone,
    repair_together,
    rounded_up,
    worth_of_a_unit,
)
from optimization.pricing.solve import solve

MOST_STEPS = 400
SMALL = 400  # pairs; above, conflicts and repairs are found by the relaxation and solve.py, not with slacks
FIRST_REPAIRED = ("savings_target", "budget")
FOR_A_BOUND = 2.0  # seconds at the end, for how few rules a conflict of a large question has
REPAIRS = 0.35  # of the time, for the repairs of a large question
BANDS_ALONE = "No price list fits the bands of the tiers, whatever the rules: look at the bands."
NO_TIME = "Time was up before a conflict was found; give it more."


@dataclass(frozen=True)
class Conflict:
    """Why a question is impossible. `rules` is empty where it is possible, or where the bands alone leave no price list. No
    conflict has fewer than `at_least` rules; `unproven` counts rules that were not proven to be needed."""

    rules: tuple[str, ...]
    is_smallest: bool
    only_because_tiers_are_discrete: bool
    single: tuple[Repair, ...] = ()
    joint: tuple[Repair, ...] = ()
    joint_cost: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""
    at_least: int = 1
    unproven: int = 0

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
    deadline = started + seconds
    kinds = {str(name): kind for kind, table in asked.rules.items() for name in table.ids}
    price = worth_of_a_unit(asked, weights)
    hard = never_of(price, kinds, never)
    soft = {rule: weight for rule, weight in price.items() if rule not in hard}
    answer = _of_large if len(asked.pairs) > SMALL else _of_small
    found, discrete, single, (slack, told) = answer(asked, kinds, soft, deadline)
    units = {kind: table.unit for kind, table in asked.rules.items()}
    joint = tuple(Repair(rule, kinds[rule], units[kinds[rule]], rounded_up(by)) for rule, by in (slack or {}).items())
    return Conflict(
        rules=found.rules,
        is_smallest=found.is_smallest,
        only_because_tiers_are_discrete=discrete,
        single=single,
        joint=joint,
        joint_cost=None if slack is None else sum(soft[one.rule] * (one.amount or 0) for one in joint),
        weights={one.rule: soft[one.rule] for one in joint},
        seconds=time.monotonic() - started,
        note=f"{_told(found)} {told}".strip(),
        at_least=found.at_least,
        unproven=len(found.unproven),
    )


Said = tuple[large_conflict.Found, bool, tuple[Repair, ...], tuple[dict[str, float] | None, str]]


def _told(found: large_conflict.Found) -> str:
    if found.note:
        return found.note
    if found.is_smallest:
        return ""
    few = (
        f"No conflict has fewer than {found.at_least} rules; this one has {len(found.rules)}."
        if found.at_least > 1
        else ""
    )
    if found.unproven:
        return f"Time was up with {len(found.unproven)} of them untried: some may be needless. {few}".strip()
    return f"No rule of it can be left out; that no other conflict has fewer rules was not proven. {few}".strip()


def _of_small(asked: Instance, kinds: Mapping[str, str], soft: Mapping[str, float], deadline: float) -> Said:
    whole = Elastic(asked)
    discrete = whole.solve(relaxed=True).is_feasible
    _refuse_possible(asked, discrete, deadline)
    found = _smallest(asked, whole, deadline)
    if not found.rules:
        return found, discrete, (), (None, "")
    single = []
    for at, rule in enumerate(found.rules):
        limit = (deadline - time.monotonic()) / (len(found.rules) - at)
        single.append(repair_alone(whole, rule, kinds[rule], limit))
    limit = max(1.0, (deadline - time.monotonic()), 0.1 * len(found.rules))
    return found, discrete, tuple(single), repair_together(whole, soft, limit)


def _of_large(asked: Instance, kinds: Mapping[str, str], soft: Mapping[str, float], deadline: float) -> Said:
    loose = Elastic(without_tiers(asked))
    discrete = not parts_of_proof(loose.asked) and Elastic(asked).solve(relaxed=True).is_feasible
    known = KnownLists(asked)
    found = large_conflict.find(
        asked, worth_of_a_unit(asked), deadline - REPAIRS * (deadline - time.monotonic()), known
    )
    if found is None:
        _refuse_possible(asked, discrete, deadline)
        return large_conflict.Found((), (), 1, NO_TIME), discrete, (), (None, "")
    repairs: dict[str, Repair] = {}
    joint_until = _halfway(deadline)
    # Rules that tie regions together come first: a target can most often be eased alone, and its repair is one for the whole too.
    for at, rule in enumerate(sorted(found.rules, key=lambda rule: (kinds[rule] not in FIRST_REPAIRED, rule))):
        left = joint_until - time.monotonic()
        share = 2 if kinds[rule] in FIRST_REPAIRED else len(found.rules) - at
        repairs[rule] = large_repair_alone(
            known, loose, found.rules, rule, kinds[rule], time.monotonic() + left / share
        )
    single = tuple(repairs[rule] for rule in found.rules)
    slack, told = large_repair_together(asked, found.rules, single, soft, deadline)
    if slack is not None and len(slack) == 1:
        # A joint repair of one rule is a repair of it alone, and perhaps a smaller one.
        rule, amount = next(iter(slack.items()))
        known_amount = repairs[rule].amount if rule in repairs else 0.0
        if rule in repairs and (known_amount is None or amount < known_amount):
            repairs[rule] = replace(repairs[rule], amount=amount, note=told and repairs[rule].note)
            single = tuple(repairs[rule] for rule in found.rules)
    # Lists found for repairs are corrections too: what meets all lists known now is no smaller than a conflict can be.
    least = fewest_hitting(smallest_of(known.broken), known.rules, FOR_A_BOUND)
    found = replace(found, at_least=max(found.at_least, min(least, len(found.rules))))
    return found, discrete, single, (slack, told)


def _refuse_possible(asked: Instance, discrete: bool, deadline: float) -> None:
    seconds = (deadline - time.monotonic()) / 4
    if discrete and len(solve(asked, time_limit=seconds, gap=ANY_LIST).prices):
        raise StillPossible("a price list keeps every rule of this question; there is no conflict to explain")


def _halfway(deadline: float) -> float:
    now = time.monotonic()
    return now + (deadline - now) / 2


def _smallest(asked: Instance, whole: Elastic, deadline: float) -> large_conflict.Found:
    """The smallest conflict of a small question, or where steps or time ran out one without a needless rule."""
    scale = worth_of_a_unit(asked)  # so that a correction breaks few rules by much money rather than many by cents
    corrections: list[set[str]] = []
    until = _halfway(_halfway(deadline))
    for _ in range(MOST_STEPS):
        core = least_hitting(corrections, whole.rule_ids)
        if time.monotonic() > until:
            break
        left = {rule: scale[rule] for rule in whole.rule_ids if rule not in core}
        outcome = whole.solve(left, time_limit=max(1.0, until - time.monotonic()), gap=0.05)
        if outcome.status == "infeasible":
            ordered = tuple(sorted(core, key=whole.rule_ids.index))
            return large_conflict.Found(ordered, (), len(ordered), "" if ordered else BANDS_ALONE)
        if not outcome.is_feasible or not outcome.slack:
            break
        corrections.append(_without_idle(whole, outcome.slack, scale, until))
    found = large_conflict.find(asked, scale, _halfway(deadline))
    return found or large_conflict.Found((), (), 1, NO_TIME)


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
