"""The pricing model as a textbook writes it, for comparison only: big-M bands, one row for each two pairs of a family.

Belongs here: that model in Pyomo, and running it through Pyomo with CBC or HiGHS. Does not: the model that is used (model.py).
Rules of the shared and generated instances only: legal bands, spreads, specialties, floors, lowest-tier caps, families, tier rules
that forbid, a savings target; least spend.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimization.pricing.instance import Instance


def textbook(asked: Instance) -> pyo.ConcreteModel:
    """Variables x (price), a (tier), x_min and x_max of a market, as a first reading of the rules gives them."""
    m, pairs = pyo.ConcreteModel(), asked.pairs
    every = range(len(pairs))
    cells = [tuple(cell) for cell in np.argwhere(pairs.allowed).tolist()]
    tiers = [[t for t, has in enumerate(row) if has] for row in pairs.allowed.tolist()]
    low, high = pairs.band_low.tolist(), pairs.band_high.tolist()
    big = float(np.nanmax(pairs.band_high))
    m.x = pyo.Var(every, domain=pyo.NonNegativeReals)
    m.a = pyo.Var(cells, domain=pyo.Binary)
    m.one_tier = pyo.Constraint(every, rule=lambda m, p: sum(m.a[p, t] for t in tiers[p]) == 1)
    m.band_low = pyo.Constraint(cells, rule=lambda m, p, t: m.x[p] >= low[p][t] - big * (1 - m.a[p, t]))
    m.band_high = pyo.Constraint(cells, rule=lambda m, p, t: m.x[p] <= high[p][t] + big * (1 - m.a[p, t]))
    legal = asked.of("legal_band")
    m.legal = pyo.ConstraintList()
    for (p,), least, most in zip(legal.subject.tolist(), legal.low.tolist(), legal.high.tolist(), strict=True):
        m.legal.add(pyo.inequality(least, m.x[p], most))
    _spreads(m, asked)
    provider, volume, rate = pairs.provider.tolist(), pairs.volume.tolist(), pairs.medicare_rate.tolist()
    of: dict[int, list[int]] = {}
    for p in every:
        of.setdefault(provider[p], []).append(p)
    special = asked.of("specialty_spread")
    m.i_min, m.i_max = pyo.Var(range(len(special))), pyo.Var(range(len(special)))
    m.specialty = pyo.ConstraintList()
    for n, (s,) in enumerate(special.subject.tolist()):
        m.specialty.add(m.i_max[n] - m.i_min[n] <= special.high[n])
        for i in np.flatnonzero(asked.provider_specialty == s).tolist():
            if i in of:
                index = sum(volume[p] * m.x[p] for p in of[i]) / sum(volume[p] * rate[p] for p in of[i])
                m.specialty.add(index >= m.i_min[n])
                m.specialty.add(index <= m.i_max[n])
    floors = asked.of("revenue_floor")
    m.floor = pyo.ConstraintList()
    for (i,), least in zip(floors.subject.tolist(), floors.low.tolist(), strict=True):
        m.floor.add(sum(volume[p] * m.x[p] for p in of[i]) >= least)
    forbidding = asked.of("tier_rule")
    m.forbidden = pyo.ConstraintList()
    for p, t in zip(forbidding.cell_pair.tolist(), forbidding.cell_tier.tolist(), strict=True):
        if t in tiers[p]:
            m.forbidden.add(m.a[p, t] == 0)
    _families(m, asked, of, tiers)
    m.target = pyo.ConstraintList()
    for limit in asked.of("savings_target").high.tolist():
        m.target.add(sum(volume[p] * m.x[p] for p in every) <= limit)
    m.spend = pyo.Objective(expr=sum(volume[p] * m.x[p] for p in every))
    return m


def _markets(asked: Instance) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for p, key in enumerate(zip(asked.pairs.procedure.tolist(), asked.pair_region.tolist(), strict=True)):
        found.setdefault(key, []).append(p)
    return found


def _spreads(m: pyo.ConcreteModel, asked: Instance) -> None:
    markets, spread, lowest = _markets(asked), asked.of("regional_spread"), asked.of("lowest_tier_cap")
    m.x_min, m.x_max = pyo.Var(range(len(spread))), pyo.Var(range(len(spread)))
    m.spread, m.lowest = pyo.ConstraintList(), pyo.ConstraintList()
    for n, (q, r) in enumerate(spread.subject.tolist()):
        m.spread.add(m.x_max[n] - m.x_min[n] <= spread.high[n])
        for p in markets.get((q, r), []):
            m.spread.add(m.x[p] >= m.x_min[n])
            m.spread.add(m.x[p] <= m.x_max[n])
    for n, (q, r) in enumerate(lowest.subject.tolist()):
        cells = [m.a[p, 0] for p in markets.get((q, r), []) if (p, 0) in m.a]
        if cells:
            m.lowest.add(sum(cells) <= lowest.high[n])


def _families(m: pyo.ConcreteModel, asked: Instance, of: dict[int, list[int]], tiers: list[list[int]]) -> None:
    family, rule = asked.pair_family.tolist(), asked.of("family_tiers")
    m.family = pyo.ConstraintList()
    for (i, f), most in zip(rule.subject.tolist(), rule.high.tolist(), strict=True):
        members = [p for p in of[i] if family[p] == f]
        number = {p: sum(t * m.a[p, t] for t in tiers[p]) for p in members}
        for one, other in itertools.permutations(members, 2):
            m.family.add(number[one] - number[other] <= most)


def run_textbook(asked: Instance, solver: str, time_limit: float, gap: float) -> dict[str, Any]:
    """Seconds (building and writing included), objective, bound, gap and nodes as far as the solver says them."""
    began = time.perf_counter()
    m = textbook(asked)
    built = time.perf_counter() - began
    if solver == "cbc":
        result = pyo.SolverFactory("cbc").solve(m, options={"ratio": gap, "seconds": time_limit}, load_solutions=False)
        has = len(result.solution) > 0
        best = float(result.problem.upper_bound) if has and result.problem.upper_bound is not None else None
        low = float(result.problem.lower_bound) if result.problem.lower_bound is not None else None
        finished = has and result.solver.termination_condition == pyo.TerminationCondition.optimal
        nodes = int(result.solver.statistics.branch_and_bound.number_of_bounded_subproblems or 0)
    else:
        from pyomo.contrib.solver.common.factory import SolverFactory

        result = SolverFactory("highs").solve(
            m,
            time_limit=time_limit,
            rel_gap=gap,
            load_solutions=False,
            raise_exception_on_nonoptimal_result=False,
        )
        best, low = result.incumbent_objective, result.objective_bound
        has = best is not None
        finished = "convergenceCriteriaSatisfied" in str(result.termination_condition)
        nodes = -1
    return {
        "seconds": time.perf_counter() - began,
        "build_seconds": built,
        "objective": best,
        "bound": low if low is not None and np.isfinite(low) else None,
        "finished": bool(finished),
        "nodes": nodes,
    }
