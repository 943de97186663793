"""Which sets of rules a price list keeps together: asked of the solver once, remembered, and answered from what is known after that.

Belongs here: the memory of lists found and of sets proven impossible. Does not: which sets are asked of, and why (large_conflict.py).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from optimization.pricing import check
from optimization.pricing.instance import Instance
from optimization.pricing.narrow import narrow
from optimization.pricing.solve import solve

ANY_LIST = 0.5  # a gap that the first list meets: whether there is one is all that is asked
LEAST = 0.2  # seconds that a question is given at least


class KnownLists:
    """Lists of one question, each by the rules that it breaks, and sets of rules that no list keeps."""

    def __init__(self, asked: Instance) -> None:
        self.asked = asked
        wide = [asked.of(kind) for kind in ("savings_target", "budget", "specialty_spread")]
        self.wide = {str(name) for table in wide for name in table.ids}  # rules that tie regions together
        self.rules = [str(name) for table in asked.rules.values() for name in table.ids]
        self.broken: list[dict[str, float]] = []  # rule → by how much it is missed, in its unit
        self.impossible: list[frozenset[str]] = []
        self.first: frozenset[str] = frozenset()  # where an impossible set is likely to be so already: asked of first
        self.solves = 0

    def keeps(self, rules: Collection[str], deadline: float, most: float = 20.0) -> bool | None:
        """Whether some list keeps these rules, whatever it does to others; None where the time (at most `most` seconds) was up."""
        wanted = frozenset(rules)
        if any(wanted.isdisjoint(one) for one in self.broken):
            return True
        if any(one <= wanted for one in self.impossible):
            return False
        nearer = wanted & self.first
        if nearer and len(nearer) < len(wanted) and self.keeps(nearer, deadline, most / 2) is False:
            return False
        left = min(most, deadline - time.monotonic())
        if left < LEAST:
            return None
        piece = narrow(self.asked, wanted)
        self.solves += 1
        answer = solve(piece.asked, time_limit=left, gap=ANY_LIST)
        if len(answer.prices):
            # Judged by the check over the whole question, so that what is remembered of a list is what it breaks.
            found = check.check(self.asked, piece.laid_back(answer.prices))
            broken = {one.rule: float(one.by) for one in found}
            if wanted.isdisjoint(broken):
                self.broken.append(broken)
            return True
        if answer.status == "infeasible":
            self.impossible.append(wanted)
            return False
        return None

    def list_breaking(self, rules: Collection[str]) -> dict[str, float]:
        """What the known list that keeps all but these rules breaks of them, and by how much: the one that breaks fewest."""
        allowed = frozenset(rules)
        return min((one for one in self.broken if allowed.issuperset(one)), key=len)
