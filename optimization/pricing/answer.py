"""What a solve hands back: a status, numbers with their bound, a price list that was checked, and where it all came from.

Belongs here: the type and its JSON form. Does not: solving (solve.py), checking (check.py), telling it to people (report.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from optimization.pricing.check import Finding

Status = Literal["optimal", "feasible", "infeasible", "no_answer"]


@dataclass(frozen=True)
class Moment:
    """Where the search stood: seconds since its start, best bound, and objective of the best list (NaN before the first)."""

    seconds: float
    bound: float
    incumbent: float


@dataclass(frozen=True, eq=False)
class Memory:
    """What a solve leaves for the next one about the same pairs: row duals of its relaxation, for which objective."""

    goal: str
    duals: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer:
    """The outcome of one solve.

    optimal     a list within the gap that was asked for
    feasible    a list that keeps every rule; the time limit came before the gap
    infeasible  proven: no list keeps all rules
    no_answer   the time limit came before any list, or the solver's list did not pass the check; `note` says which

    `objective` is worked out in decimals from the prices, not taken from the solver. `prices` has provider, procedure, tier,
    price, one row per pair in the instance's order; it is empty unless the status is optimal or feasible, and then `findings`
    is empty: a list that breaks a rule is never handed out.
    """

    status: Status
    objective: float | None
    best_bound: float | None
    relative_gap: float | None
    spend: Decimal | None
    baseline_spend: Decimal
    deviation: Decimal | None
    prices: pd.DataFrame
    seconds: float
    solver: str
    solver_version: str
    fingerprint: str
    gap_asked: float
    nodes: int = 0
    method: str = ""  # whole (one model) or parts (decomposition)
    note: str = ""
    history: tuple[Moment, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    log: str = field(default="", repr=False)  # what the solver itself wrote, where that was asked for (solver_log.py)
    memory: Memory | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """A plain object with `status`, `objective`, `best_bound`, `relative_gap`, `spend`, `baseline_spend`, `prices`, and more."""
        return {
            "status": self.status,
            "objective": self.objective,
            "best_bound": self.best_bound,
            "relative_gap": self.relative_gap,
            "spend": None if self.spend is None else float(self.spend),
            "baseline_spend": float(self.baseline_spend),
            "deviation": None if self.deviation is None else float(self.deviation),
            "prices": self.prices.to_dict("records"),
            "seconds": self.seconds,
            "solver": self.solver,
            "solver_version": self.solver_version,
            "fingerprint": self.fingerprint,
            "gap_asked": self.gap_asked,
            "nodes": self.nodes,
            "method": self.method,
            "note": self.note,
        }


def no_prices() -> pd.DataFrame:
    """A price list without rows."""
    return pd.DataFrame({"provider": [], "procedure": [], "tier": [], "price": []})
