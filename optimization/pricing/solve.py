"""From a question to an answer: which way to solve it, when to stop, and that no list is handed out unchecked.

Belongs here: the choice of the way (whole, or by parts), gap, time limit, warm starts, lexicographic objectives, the answer.
Does not: the formulation (hull.py), the parts (decompose.py), the check (check.py), which knows nothing of all this.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from optimization.pricing import check, highs
from optimization.pricing.answer import Answer, Memory, Moment, Status, no_prices
from optimization.pricing.decompose import (
    at_tiers,
    bound_again,
    by_region,
    mend,
    polished,
    refined,
    regions_broken,
    relax,
    windows,
)
from optimization.pricing.hull import build, tiers_of
from optimization.pricing.instance import Instance, rules
from optimization.pricing.reach import impossible, reach
from optimization.pricing.solver_log import SolverLog, listening

SMALL = 150  # pairs; below, one model is solved whole at once
FULL_LP = 20_000  # pairs; above, the LP with tiers is not tried, it takes longer than it helps
DECIMALS = 9  # of a price: far below what the check tolerates, and 799.9999999999 becomes 800


@dataclass(frozen=True, eq=False)
class Search:
    """What is known so far: a bound, and the best list that passed the check."""

    began: float
    gap: float
    deadline: float | None
    bound: float = -np.inf
    tiers: np.ndarray | None = None
    price: np.ndarray | None = None
    listed: pd.DataFrame | None = None  # tiers and prices as a list
    judged: check.Judged | None = None
    infeasible: bool = False
    nodes: int = 0
    method: str = ""
    note: str = ""
    history: tuple[Moment, ...] = ()
    memory: Memory | None = None

    @property
    def objective(self) -> Decimal | None:
        return None if self.judged is None else self.judged.objective

    @property
    def left(self) -> float | None:
        """Seconds until the limit; None without one."""
        return None if self.deadline is None else self.deadline - time.perf_counter()

    @property
    def some(self) -> float | None:
        """Seconds for a step that others follow: half of what is left."""
        return None if self.left is None else self.left / 2

    @property
    def over(self) -> bool:
        return self.left is not None and self.left <= 0

    @property
    def relative_gap(self) -> float:
        return np.inf if self.objective is None else gap_between(float(self.objective), self.bound)

    @property
    def done(self) -> bool:
        return self.infeasible or self.relative_gap <= self.gap


def gap_between(objective: float, bound: float) -> float:
    """(objective − bound) ÷ |objective|; 0 where both are within a millionth of a dollar."""
    return 0.0 if objective - bound <= 1e-6 else (objective - bound) / max(abs(objective), 1e-6)


def solve(
    asked: Instance,
    *,
    time_limit: float | None = None,
    gap: float = 1e-4,
    solver: Literal["highs", "cbc"] = "highs",
    warm_start: Answer | Sequence[Answer] | None = None,
    method: Literal["auto", "whole", "parts"] = "auto",
    threads: int | None = None,
    keep_log: bool = False,
) -> Answer:
    """The best price list for a question: within `gap` of the bound, or the best that `time_limit` (seconds) allowed.

    `warm_start` is the answer to a similar question about the same pairs, or several. `method` whole solves one model, parts
    decomposes and goes on with one model only if that was not enough; auto takes whole for small instances. `keep_log`
    keeps what the solver itself writes, in the answer's `log`. Raises ValueError for a solver that is not there.
    """
    if keep_log:
        log = SolverLog()
        with listening(log):
            answer = solve(
                asked,
                time_limit=time_limit,
                gap=gap,
                solver=solver,
                warm_start=warm_start,
                method=method,
                threads=threads,
            )
        return replace(answer, log=log.text)
    if solver == "cbc":
        from optimization.pricing.cbc import solve_by_cbc

        return solve_by_cbc(asked, time_limit=time_limit, gap=gap)
    if asked.objective.type == "lexicographic":
        return _lexicographic(
            asked, time_limit=time_limit, gap=gap, warm_start=warm_start, method=method, threads=threads
        )
    state = begun(gap, time_limit)
    state = impossible_at_once(asked, state)
    if state.infeasible:
        return answered(asked, state)
    for before in [warm_start] if isinstance(warm_start, Answer) else warm_start or []:
        state = _from_before(asked, state, before)
        if state.done:
            return answered(asked, state)
    parts = method == "parts" or (method == "auto" and len(asked.pairs) > SMALL)
    if parts and asked.elasticity is None:
        state = _by_parts(asked, state, tiers=False, threads=threads)
    if parts and not state.done and not state.over and (len(asked.pairs) <= FULL_LP or asked.elasticity is not None):
        state = _by_parts(asked, state, tiers=True, threads=threads)
    if not state.done and not state.over:
        state = _whole(asked, state, threads)
    return answered(asked, state)


def begun(gap: float, time_limit: float | None) -> Search:
    """A search that starts now."""
    began = time.perf_counter()
    return Search(began, gap, None if time_limit is None else began + time_limit)


def impossible_at_once(asked: Instance, state: Search) -> Search:
    """Says so where a rule or a pair by itself leaves no list."""
    never = impossible(asked)
    if never:
        return replace(state, infeasible=True, note=f"no list can keep {never[0]}: its limit is below what it counts")
    if reach(asked).stuck.any():
        return replace(state, infeasible=True, note="a pair has no tier left with a price that its own rules allow")
    return state


def _from_before(asked: Instance, state: Search, before: Answer) -> Search:
    """Tries the tiers of an earlier answer, at their best prices now, against the bound that its duals give now."""
    if not len(before.prices):
        return state
    laid = check.as_floats(asked, before.prices)
    if laid is None:
        return replace(state, note="the earlier answer is about other pairs and was not used")
    earlier, tiers = laid
    known = before.memory
    if known is not None and known.goal == asked.objective.type and asked.elasticity is None:
        state = replace(bounded(state, bound_again(asked, known.duals)), memory=known)
    broken = regions_broken(asked, earlier)
    if reach(asked).holds(tiers) and not len(broken):
        state = found_by(asked, state, tiers, earlier, "earlier prices")
    if state.done:
        return state
    if 0 < len(broken) < len(np.unique(asked.pair_region)) and asked.elasticity is None:
        # The other regions' prices stay as they are: where that is enough it is a part of the work.
        price = at_tiers(asked, tiers, earlier, state.left, broken)
        if price is not None:
            state = found_by(asked, state, tiers, price, "earlier tiers")
        if state.done:
            return state
    price = at_tiers(asked, tiers, earlier, state.left)
    if price is not None:
        state = found_by(asked, state, tiers, price, "earlier tiers")
    if state.done or state.over or asked.elasticity is not None:
        return state
    mended = mend(asked, tiers, earlier, gap=state.gap / 4, time_limit=state.left)
    return state if mended is None else found_by(asked, state, *mended, "earlier, mended")


def _by_parts(asked: Instance, state: Search, *, tiers: bool, threads: int | None) -> Search:
    """A bound from an LP, windows around its prices, tiers by region."""
    loose = relax(asked, tiers=tiers, time_limit=state.left)
    if loose.infeasible:
        return replace(state, infeasible=True, method="relaxation", note="the LP relaxation has no solution")
    state = bounded(state, loose.bound)
    if not tiers and loose.duals is not None:
        state = replace(state, memory=Memory(asked.objective.type, loose.duals))
    if loose.price is None or state.done or state.over:
        return state
    around = windows(asked, loose.price)
    found = by_region(asked, around, loose.price, gap=state.gap / 4, time_limit=state.some, threads=threads)
    state = state if found is None else found_by(asked, state, *found, "parts")
    if tiers or state.done or state.over:
        return state
    found = refined(asked, loose.price, gap=state.gap / 4, time_limit=state.some, threads=threads)
    return state if found is None else found_by(asked, state, *found, "parts, refined")


def _whole(asked: Instance, state: Search, threads: int | None) -> Search:
    """One mixed-integer program, started from the best list so far."""
    arrays = build(asked)
    start = None
    if state.tiers is not None and state.price is not None:
        start = np.full(len(arrays.cost), np.nan)
        start[arrays.columns["price"].all] = state.price / asked.pairs.medicare_rate
        step = arrays.at_least >= 0
        pair, tier = np.nonzero(step & arrays.reach.open)
        start[arrays.at_least[pair, tier]] = state.tiers[pair] >= tier
    at = time.perf_counter() - state.began
    outcome = highs.run(arrays, time_limit=state.left, gap=state.gap / 2, start=start, threads=threads, record=True)
    state = bounded(replace(state, nodes=state.nodes + outcome.nodes), outcome.bound)
    state = replace(
        state, history=state.history + tuple(Moment(at + m.seconds, m.bound, m.incumbent) for m in outcome.history)
    )
    if outcome.infeasible:
        if state.tiers is not None:  # a list that passed the check is worth more than a solver's word
            return replace(
                state, note="HiGHS called this infeasible, and yet a list keeps every rule to the check's tolerance"
            )
        return replace(state, infeasible=True, method="whole")
    if outcome.values is None:
        return replace(state, method=state.method or "whole")
    values = polished(arrays, outcome)
    price = values[arrays.columns["price"].all] * asked.pairs.medicare_rate
    return found_by(asked, state, tiers_of(arrays, values), price, "whole")


def bounded(state: Search, bound: float) -> Search:
    """Takes a bound if it is better, and notes the moment."""
    if not np.isfinite(bound) or bound <= state.bound:
        return state
    best = np.nan if state.objective is None else float(state.objective)
    moment = Moment(time.perf_counter() - state.began, bound, best)
    return replace(state, bound=bound, history=(*state.history, moment))


def found_by(asked: Instance, state: Search, tiers: np.ndarray, price: np.ndarray, method: str) -> Search:
    """Takes a list if it passes the check and is better than the best so far."""
    price = written(asked, tiers, price)
    listed = price_frame(asked, tiers, price)
    judged = check.judge(asked, listed)
    objective = judged.objective
    if judged.findings or objective is None:
        broken = f"{len(judged.findings)} broken rules, first {judged.findings[0]}"
        return replace(state, note=f"a list was dropped because the check found {broken}")
    if state.objective is not None and objective >= state.objective:
        return state
    moment = Moment(time.perf_counter() - state.began, state.bound, float(objective))
    return replace(
        state,
        tiers=tiers,
        price=price,
        listed=listed,
        judged=judged,
        method=method,
        history=(*state.history, moment),
        note="",
    )


def written(asked: Instance, tiers: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Prices as they are written: nine decimals, and inside what their tier and the rules about single pairs allow."""
    seen, rows = reach(asked), np.arange(len(tiers))
    return np.clip(np.round(price, DECIMALS), seen.low[rows, tiers], seen.high[rows, tiers])


def price_frame(asked: Instance, tiers: np.ndarray, price: np.ndarray) -> pd.DataFrame:
    """One row per pair in the instance's order: provider, procedure, tier, price."""
    return pd.DataFrame(
        {
            "provider": np.array(asked.providers, object)[asked.pairs.provider],
            "procedure": np.array(asked.procedures, object)[asked.pairs.procedure],
            "tier": np.array(asked.tiers, object)[tiers],
            "price": price,
        }
    )


def answered(asked: Instance, state: Search) -> Answer:
    """The answer that a search amounts to."""
    has = state.objective is not None
    status: Status = "no_answer"
    if state.infeasible and not has:
        status = "infeasible"
    elif has:
        status = "optimal" if state.relative_gap <= state.gap else "feasible"
    listed = no_prices() if state.listed is None else state.listed
    objective = None if state.objective is None else float(state.objective)
    bound = float(state.bound) if np.isfinite(state.bound) else None
    if objective is not None and bound is not None:
        bound = min(bound, objective)
    note = state.note
    if status == "no_answer" and not note:
        note = "the time limit came before a price list was found; that says nothing about whether there is one"
    return Answer(
        status=status,
        objective=objective,
        best_bound=bound,
        relative_gap=None if objective is None or bound is None else gap_between(objective, bound),
        spend=None if state.judged is None else state.judged.spend,
        baseline_spend=asked.baseline_spend,
        deviation=None if state.judged is None else state.judged.deviation,
        prices=listed,
        seconds=time.perf_counter() - state.began,
        solver="highs",
        solver_version=highs.version(),
        fingerprint=asked.fingerprint(),
        gap_asked=state.gap,
        nodes=state.nodes,
        method=state.method,
        note=note,
        history=_in_order(state.history),
        memory=state.memory,
    )


def _in_order(moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """Moments by time, each with the best bound and the best list until then."""
    ordered, bound, best = [], -np.inf, np.inf
    for moment in sorted(moments, key=lambda moment: moment.seconds):
        bound, best = max(bound, moment.bound), min(best, np.inf if np.isnan(moment.incumbent) else moment.incumbent)
        ordered.append(Moment(moment.seconds, bound, best if np.isfinite(best) else float("nan")))
    return tuple(ordered)


def _lexicographic(
    asked: Instance,
    *,
    time_limit: float | None,
    gap: float,
    warm_start: Answer | Sequence[Answer] | None,
    **common: Any,
) -> Answer:
    """Least spend first; then the least deviation at a spend within the tolerance of it (or of the target, if that is stricter)."""
    began, goal = time.perf_counter(), asked.objective
    first = solve(
        replace(asked, objective=replace(goal, type="min_spend")),
        time_limit=time_limit,
        gap=gap,
        warm_start=warm_start,
        **common,
    )
    if first.spend is None:
        return replace(first, fingerprint=asked.fingerprint())
    limit = float(first.spend) * (1 + goal.spend_tolerance)
    target = asked.of("savings_target")
    if len(target):
        limit = min(limit, float(target.high[0]))
    held = asked.with_rules(rules("savings_target", ["target"], np.zeros((1, 0)), high=limit))
    left = None if time_limit is None else time_limit - (time.perf_counter() - began)
    second = solve(
        replace(held, objective=replace(goal, type="min_deviation")),
        time_limit=left,
        gap=gap,
        warm_start=first,
        **common,
    )
    best = second if len(second.prices) else first
    spent, bound = float(best.spend or 0), first.best_bound
    found = gap_between(spent, bound) if bound is not None else None
    second_gap = (
        f"deviation {best.deviation} with a gap of {second.relative_gap}"
        if second.relative_gap is not None
        else "no second part"
    )
    within = found is not None and found <= (gap + goal.spend_tolerance) * (1 + 1e-6) and second.status == "optimal"
    return replace(
        best,
        status="optimal" if within else "feasible",
        objective=spent,
        best_bound=bound,
        relative_gap=found,
        seconds=time.perf_counter() - began,
        fingerprint=asked.fingerprint(),
        history=first.history,
        note=f"least spend, then {second_gap}",
    )
