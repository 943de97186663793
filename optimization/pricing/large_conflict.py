"""A conflict of a question of many pairs: few rules, none of which can be left out, and how few a conflict can have.

Belongs here: from all rules down to a conflict, the proof that none of it is idle, the search for a smaller one.
Does not: the smallest conflict of a small question (conflict.py), repairs (repairs.py), the relaxation's proof (proof.py).

Two ways lead down. Where the relaxation is impossible, its proof says which rules it needs and how much each gives to it; those that
give least go first, many at once, until what is left is no proof. Where it is possible, and only discrete tiers are in the way,
halves of the rules are left out by turns (QuickXplain: Junker, 2004), in the one region that is impossible by itself if there is one.
A set of few rules is a small question (narrow.py), so either way ends in seconds. Then each rule is left out once more and a
list of the rest is found, tiers discrete: that is the proof that it is needed. At last hitting sets, as for small questions, say how few
rules a conflict can have: fewer than meet every correction known, none. Every list found on the way is such a correction, so that a
bound comes for nothing; where a conflict has many rules, no more than that is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from optimization.pricing.elastic import Elastic
from optimization.pricing.instance import Instance
from optimization.pricing.known_lists import LEAST, KnownLists
from optimization.pricing.narrow import narrow, rules_about
from optimization.pricing.parts import JOINT, part
from optimization.pricing.proof import parts_of_proof, without_tiers

MOST_TO_SHRINK = 12  # rules of a correction that are tried one by one: a list of many breaks more than it must anyway
FEW = 25  # rules of a conflict above which corrections would have to be too many for the search for a smaller one
IN_VAIN = 15  # corrections after which no more are looked for, if none of them raised the least number of rules
MOST_FOR_A_BOUND = 10.0  # seconds for how few rules meet what all known lists break
HURRIED = 6  # of the time left, at most a part for a list that keeps nearly all rules: one that breaks more is a correction too


@dataclass(frozen=True)
class Found:
    """A conflict. `unproven` rules may be idle: time was up before a list without them was found. No conflict has fewer than
    `at_least` rules."""

    rules: tuple[str, ...]
    unproven: tuple[str, ...]
    at_least: int
    note: str = ""  # where there is something else to say

    @property
    def is_smallest(self) -> bool:
        return not self.unproven and self.at_least >= len(self.rules)


def find(
    asked: Instance, weights: Mapping[str, float], deadline: float, known: KnownLists | None = None
) -> Found | None:
    """A conflict of an impossible question; None where time was up before any. `weights` is what a unit of each rule is worth."""
    known = known or KnownLists(asked)
    loose = without_tiers(asked)
    parts = parts_of_proof(loose)
    if parts:
        core: list[str] | None = by_proof(lambda rules: parts_of_proof(loose, rules), parts, _some(deadline, 0.5))
    else:
        core = _by_halves(known, _where_impossible(asked, deadline), _some(deadline, 0.5))
    if core is None:
        return None
    known.impossible.append(frozenset(core))
    if not parts:
        known.first = frozenset(_near(known, core))
    core, unproven = _without_idle(known, core, _some(deadline, 0.9 if len(core) > FEW else 0.5))
    best, at_least = _smaller(known, loose, weights, core, unproven, deadline)
    order = {rule: place for place, rule in enumerate(known.rules)}
    ordered = tuple(sorted(best, key=order.__getitem__))
    return Found(ordered, tuple(rule for rule in ordered if rule in unproven and best == core), at_least)


def _some(deadline: float, share: float) -> float:
    now = time.monotonic()
    return now + (deadline - now) * share


def by_proof(
    prove: Callable[[Collection[str]], Mapping[str, float]], parts: Mapping[str, float], deadline: float
) -> list[str]:
    """The fewest rules found that the relaxation proves impossible, those that give least to the proof let go first.

    Each proof says again what its rules give, so the order follows what is left. One rule at a time only when many at once fail."""
    needed, tried = dict(parts), set[str]()
    many = True
    while time.monotonic() < deadline:
        order = sorted(needed, key=lambda rule: needed[rule])
        if many:
            going = int((np.cumsum([needed[rule] for rule in order]) < 1.0).sum())
            found: Mapping[str, float] = {}
            while going > 0 and not found:
                found, going = prove(order[going:]), going // 2
            many, needed = bool(found), dict(found) or needed
            continue
        waiting = [rule for rule in order if rule not in tried]
        if not waiting:
            break
        tried.add(waiting[0])
        needed = dict(prove([rule for rule in needed if rule != waiting[0]])) or needed
    return list(needed)


def _where_impossible(asked: Instance, deadline: float) -> list[str]:
    """The rules of a region that is impossible by itself, with no target, budget or specialty; all rules where none is."""
    local = asked.without(kinds=[kind for kind in JOINT if kind in asked.rules])
    for region in np.unique(asked.pair_region):
        piece = part(local, np.flatnonzero(asked.pair_region == region), {}).asked
        apart = KnownLists(piece)
        if apart.keeps(apart.rules, deadline) is False:
            return apart.rules
    return [str(name) for table in asked.rules.values() for name in table.ids]


def _by_halves(known: KnownLists, rules: Sequence[str], deadline: float) -> list[str] | None:
    """A conflict among these rules; where time is up a larger one, None where not even all of them were proven impossible."""
    if known.keeps(rules, deadline, most=max(20.0, (deadline - time.monotonic()) / 2)) is not False:
        return None

    def among(base: list[str], is_new: bool, candidates: list[str]) -> list[str]:
        if is_new and known.keeps(base, deadline) is False:
            return []
        if len(candidates) == 1:
            return candidates
        half = len(candidates) // 2
        first, second = candidates[:half], candidates[half:]
        of_second = among(base + first, True, second)
        return among(base + of_second, bool(of_second), first) + of_second

    return among([], False, list(rules))


def _without_idle(known: KnownLists, core: Sequence[str], deadline: float) -> tuple[list[str], list[str]]:
    """The conflict without rules that the rest conflicts without; and those of which that stays unknown."""
    needed, unproven = list(core), []
    for rule in core:
        kept = known.keeps([other for other in needed if other != rule], deadline)
        if kept is False:
            needed.remove(rule)
        elif kept is None:
            unproven.append(rule)
    return needed, unproven


def _smaller(
    known: KnownLists,
    loose: Instance,
    weights: Mapping[str, float],
    core: list[str],
    unproven: list[str],
    deadline: float,
) -> tuple[list[str], int]:
    """The conflict, or a smaller one, and how many rules every conflict has at least."""
    # Of a conflict of many rules only those are asked of alone that tie regions together: a target is often in every conflict.
    alone = core if len(core) <= FEW else [rule for rule in core if rule in known.wide]
    for rule in alone:
        known.keeps(set(known.rules) - {rule}, deadline, most=_hurried(deadline))
    corrections = smallest_of(known.broken)
    rows, in_vain = Elastic(loose), 0
    at_least = max(1, fewest_hitting(corrections, known.rules, max(LEAST, min(MOST_FOR_A_BOUND, _left(deadline)))))
    if len(core) > FEW:
        return core, min(at_least, len(core))
    while time.monotonic() < deadline and in_vain < IN_VAIN:
        meeting = least_hitting(corrections, known.rules)
        in_vain = 0 if len(meeting) > at_least else in_vain + 1
        at_least = max(at_least, len(meeting))
        if at_least >= len(core):
            break
        kept = known.keeps(meeting, deadline)
        if kept is False:
            return list(meeting), at_least
        correction = _correction(known, rows, weights, meeting, core, deadline) if kept else None
        if correction is None:
            break
        corrections.append(correction)
    return core, min(at_least, len(core))


def _correction(
    known: KnownLists,
    rows: Elastic,
    weights: Mapping[str, float],
    kept: Collection[str],
    core: Collection[str],
    deadline: float,
) -> frozenset[str] | None:
    """Rules that a list may break to keep all others, these among them; few, so that few corrections are needed."""
    soft = {rule: weights[rule] for rule in rows.rule_ids if rule not in kept}
    loose = rows.solve(soft, relaxed=True, time_limit=max(1.0, deadline - time.monotonic()))
    if not loose.is_feasible:
        return None
    broken = set(loose.slack)
    while not known.keeps(set(known.rules) - broken, deadline, most=_hurried(deadline)):
        # Only discrete tiers are in the way now: what the conflict at hand is about gives as well, or another conflict's rule.
        giving = [rule for rule in core if rule not in kept and rule not in broken]
        if not giving:
            more = _another(known, core, broken, deadline)
            giving = sorted((rule for rule in more or [] if rule not in kept), key=lambda rule: weights[rule])[:1]
        if not giving or time.monotonic() > deadline:
            return None
        broken.update(giving)
    broken = set(known.list_breaking(broken))
    for rule in sorted(broken, key=lambda rule: weights[rule])[:MOST_TO_SHRINK]:
        if rule in broken and known.keeps(set(known.rules) - broken | {rule}, deadline, most=_hurried(deadline)):
            broken = set(known.list_breaking(broken - {rule}))
    return frozenset(broken)


def _near(known: KnownLists, core: Collection[str]) -> list[str]:
    """Rules about the pairs that the conflict is about, whatever else they are about."""
    chosen = np.zeros(len(known.asked.pairs), bool)
    chosen[narrow(known.asked, [rule for rule in core if rule not in known.wide]).pairs] = True
    return rules_about(known.asked, chosen)


def _another(
    known: KnownLists, core: Collection[str], broken: Collection[str], deadline: float
) -> Collection[str] | None:
    """A conflict without the broken rules: among those about the same pairs if there is one, else among all."""
    for rules in (_near(known, core), known.rules):
        found = _by_halves(known, [rule for rule in rules if rule not in broken], deadline)
        if found is not None:
            known.impossible.append(frozenset(found))
            return found
    return None


def _hurried(deadline: float) -> float:
    return max(2.0, _left(deadline) / HURRIED)


def _left(deadline: float) -> float:
    return deadline - time.monotonic()


def smallest_of(broken: Collection[Collection[str]]) -> list[frozenset[str]]:
    """What lists break, without those that break all that another one does: a conflict that meets the smaller set meets both."""
    made: list[frozenset[str]] = []
    for one in sorted({frozenset(one) for one in broken}, key=lambda one: (len(one), sorted(one))):
        if not any(smaller <= one for smaller in made):
            made.append(one)
    return made


def fewest_hitting(corrections: Sequence[Collection[str]], order: Sequence[str], seconds: float) -> int:
    """How many rules a set has at least that meets every correction, as far as that is proven within `seconds`."""
    if not corrections:
        return 0
    solver, rules = _hitting(corrections, order)
    solver.setOptionValue("time_limit", seconds)
    solver.run()
    bound = solver.getInfo().mip_dual_bound
    # What the order of rules adds to their number stays below 1e-6 each.
    return max(0, int(np.ceil(bound - 1e-6 * len(rules) - 1e-6))) if np.isfinite(bound) else 1


def least_hitting(corrections: Sequence[Collection[str]], order: Sequence[str]) -> set[str]:
    """The fewest rules that meet every correction; among equals those that come first, so that an answer is the same again."""
    if not corrections:
        return set()
    solver, rules = _hitting(corrections, order)
    solver.run()
    return {rules[at] for at, value in enumerate(solver.getSolution().col_value) if value > 0.5}


def _hitting(corrections: Sequence[Collection[str]], order: Sequence[str]) -> tuple[highspy.Highs, list[str]]:
    """The question which rules meet every correction, ready to run, and the rules that its columns stand for."""
    named = set().union(*corrections)
    rules = [rule for rule in order if rule in named]
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
    return solver, rules
