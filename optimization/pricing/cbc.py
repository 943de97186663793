"""The same question by way of the Pyomo model and CBC, for those who have it (Debian's coinor-cbc) and for second opinions.

Belongs here: finding CBC, running it through Pyomo, its answer. Does not: anything that the default way needs (solve.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import replace

import numpy as np
import pyomo.environ as pyo

from optimization.pricing.answer import Answer
from optimization.pricing.decompose import at_tiers
from optimization.pricing.instance import Instance
from optimization.pricing.model import model
from optimization.pricing.solver_log import caught


def cbc_version() -> str | None:
    """The version of the CBC on the path, None where there is none."""
    found = shutil.which("cbc")
    if found is None:
        return None
    said = subprocess.run([found, "-quit"], capture_output=True, text=True, timeout=20).stdout
    number = re.search(r"Version:?\s+(\S+)", said)
    return number.group(1) if number else "unknown"


def solve_by_cbc(asked: Instance, *, time_limit: float | None, gap: float) -> Answer:
    """As solve.solve. Raises ValueError where CBC is not installed, or for an objective in two parts."""
    from optimization.pricing.solve import answered, begun, bounded, found_by, impossible_at_once

    installed = cbc_version()
    if installed is None:
        raise ValueError(
            "solver 'cbc' is not on this machine; install coinor-cbc (Debian, Ubuntu), or leave the solver out for HiGHS."
        )
    if asked.objective.type == "lexicographic":
        raise ValueError(
            "the lexicographic objective is solved in two parts by HiGHS only; name min_spend, or leave the solver out."
        )
    state = impossible_at_once(asked, begun(gap, time_limit))
    if state.infeasible:
        return _named(answered(asked, state), installed)
    m = model(asked)
    solver = pyo.SolverFactory("cbc")
    options: dict[str, float] = {"ratio": gap / 2, "primalTolerance": 1e-7}
    if time_limit is not None:
        options["seconds"] = max(time_limit - (time.perf_counter() - state.began), 0.1)
    with caught() as written:
        result = solver.solve(
            m, options=options, load_solutions=False, logfile=None if written is None else str(written)
        )
    ended = result.solver.termination_condition
    if ended == pyo.TerminationCondition.infeasible:
        return _named(answered(asked, replace(state, infeasible=True, method="whole")), installed)
    low = result.problem.lower_bound
    if low is not None and np.isfinite(float(low)):
        state = bounded(state, float(low))
    if len(result.solution):
        m.solutions.load_from(result)
        price = np.array([variable.value for variable in m.price.values()], float)
        tiers = np.full(len(price), -1)
        place = {name: at for at, name in enumerate(m.price)}
        for (name, tier), variable in m.tier.items():
            if variable.value is not None and variable.value > 0.5:
                tiers[place[name]] = tier
        if (tiers >= 0).all():
            finer = at_tiers(asked, tiers)  # CBC writes its values with few digits
            price = price if finer is None else finer
            state = found_by(asked, state, tiers, price, "whole")
    return _named(answered(asked, state), installed)


def _named(answer: Answer, installed: str) -> Answer:
    return replace(answer, solver="cbc", solver_version=installed)
