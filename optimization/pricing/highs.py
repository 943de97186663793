"""Runs HiGHS on arrays: options in, values and bounds out.

Belongs here: passing arrays, options, starts, what HiGHS' states mean. Does not: what is solved and why (solve.py, decompose.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from optimization.pricing.answer import Moment
from optimization.pricing.assembly import Arrays
from optimization.pricing.solver_log import caught

FEASIBLE = (
    1e-7  # HiGHS' own default for rows, columns and whole numbers, in the arrays' units (shares of a benchmark rate)
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run found. `values` is None where it found no solution; `bound` is -inf where it proved nothing."""

    infeasible: bool
    finished: bool  # within the gap that was asked for
    values: np.ndarray | None
    duals: np.ndarray | None  # of rows; for an LP only
    objective: float
    bound: float
    nodes: int
    seconds: float
    history: tuple[Moment, ...] = field(default=())


def version() -> str:
    """Of the HiGHS library in use."""
    return str(highspy.Highs().version())


def loaded(arrays: Arrays, *, relaxed: bool = False, **options: Any) -> highspy.Highs:
    """A silent HiGHS that holds these arrays; `relaxed` without whole numbers."""
    solver = highspy.Highs()
    solver.silent()
    for name, value in options.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise ValueError(f"HiGHS {solver.version()} does not take the option {name} = {value!r}.")
    solver.passModel(model_of(arrays, relaxed))
    return solver


def model_of(arrays: Arrays, relaxed: bool = False) -> highspy.HighsLp:
    """The arrays as HiGHS' own type."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(arrays.cost), arrays.matrix.shape[0]
    model.col_cost_, model.offset_ = arrays.cost, arrays.offset
    model.col_lower_, model.col_upper_ = arrays.low, arrays.high
    model.row_lower_, model.row_upper_ = arrays.row_low, arrays.row_high
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = arrays.matrix.indptr, arrays.matrix.indices
    model.a_matrix_.value_ = arrays.matrix.data
    if not relaxed:
        kinds = np.array([highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger], object)
        model.integrality_ = kinds[arrays.whole.astype(int)].tolist()
    return model


def run(
    arrays: Arrays,
    *,
    relaxed: bool = False,
    time_limit: float | None = None,
    gap: float = 0.0,
    start: np.ndarray | None = None,
    stop_at: float | None = None,
    threads: int | None = None,
    record: bool = False,
    doubt: bool = True,
    **options: Any,
) -> Outcome:
    """Solves the arrays. `start` is a value per column, NaN where unknown; `stop_at` an objective that is good enough.

    With `doubt`, a verdict that there is no solution is asked for again without presolve, and only then believed.
    """
    began = time.perf_counter()
    options |= {"mip_rel_gap": gap, "mip_abs_gap": 0.0}
    if time_limit is not None:
        options["time_limit"] = max(float(time_limit), 0.01)
    if stop_at is not None:
        options["objective_target"] = stop_at
    if threads is not None:
        options |= {"threads": threads, "parallel": "off" if threads == 1 else "choose"}
    moments: list[Moment] = []
    with caught() as written:
        solver = loaded(arrays, relaxed=relaxed, **options)
        if written is not None:
            _write(solver, written)
        if start is not None:
            known = np.flatnonzero(~np.isnan(start))
            solver.setSolution(len(known), known.astype(np.int32), start[known])
        if record and not relaxed:
            _listen(solver, moments)
        solver.run()
        state = highspy.HighsModelStatus
        if doubt and solver.getModelStatus() in (state.kInfeasible, state.kUnboundedOrInfeasible):
            # HiGHS 1.15.1's presolve calls some possible problems impossible over a last digit of a coefficient (ten pairs, a
            # target a hair above the least spend: tests/pricing/test_robustness.py). Its word is taken without presolve alone.
            solver.setOptionValue("presolve", "off")
            if time_limit is not None:
                solver.setOptionValue("time_limit", max(float(time_limit) - (time.perf_counter() - began), 0.01))
            solver.run()
        if written is not None:
            solver.setOptionValue("log_file", "")  # closes it
    status, info = solver.getModelStatus(), solver.getInfo()
    has = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = solver.getSolution()
    infeasible = status in (state.kInfeasible, state.kUnboundedOrInfeasible)
    solved_as_lp = relaxed or not arrays.whole.any()
    if solved_as_lp:
        bound = info.objective_function_value if status == state.kOptimal else -np.inf
    else:
        bound = info.mip_dual_bound
    return Outcome(
        infeasible=infeasible,
        finished=status in (state.kOptimal, state.kObjectiveTarget),
        values=np.array(solution.col_value) if has else None,
        duals=np.array(solution.row_dual) if relaxed and has else None,
        objective=info.objective_function_value if has else np.inf,
        bound=float(bound),
        nodes=0 if solved_as_lp else max(int(info.mip_node_count), 0),
        seconds=time.perf_counter() - began,
        history=tuple(moments),
    )


def _write(solver: highspy.Highs, path: Path) -> None:
    """Lets HiGHS write its log into a file, and not on the console."""
    solver.setOptionValue("output_flag", True)
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("log_file", str(path))


def _listen(solver: highspy.Highs, moments: list[Moment]) -> None:
    """Keeps bound and incumbent whenever HiGHS would write a line of its log."""

    def heard(_kind: Any, _message: str, out: Any, _into: Any, _data: Any) -> None:
        best = out.mip_primal_bound
        moments.append(Moment(out.running_time, out.mip_dual_bound, best if best < 1e300 else float("nan")))

    solver.setOptionValue(
        "output_flag", True
    )  # without it HiGHS makes no lines and calls nobody; none reaches the console
    solver.setOptionValue("log_to_console", False)
    solver.setCallback(heard, None)
    solver.startCallback(highspy.cb.HighsCallbackType.kCallbackMipLogging)
