"""Everything that is asked of one scenario, in one value: the answer, its rounding, what binds, costs, frontiers, or why not.

Belongs here: the order of the questions and what each is given of the time. Does not: any of the answers (each has a module),
pages and plots (report.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from optimization.pricing import check
from optimization.pricing.answer import Answer
from optimization.pricing.cents import CannotRound, Grid, Rounded, rounded
from optimization.pricing.conflict import Conflict, StillPossible, why_impossible
from optimization.pricing.frontier import Frontier, NoFrontier, frontier
from optimization.pricing.instance import Instance
from optimization.pricing.robust import (
    NoConfidentAnswer,
    Robustness,
    savings_under_drawn_volumes,
    solve_at_confidence,
)
from optimization.pricing.rule_cost import rule_costs
from optimization.pricing.scenario import Scenario
from optimization.pricing.solve import solve

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Study:
    """A scenario studied. `rounded`, `robustness`, `costs` and `frontiers` are of a question with prices; `conflict` of one without."""

    scenario: Scenario
    asked: Instance
    answer: Answer
    rounded: Rounded | None = None
    robustness: Robustness | None = None
    conflict: Conflict | None = None
    costs: pd.DataFrame | None = None
    frontiers: Mapping[str, Frontier] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def prices(self) -> pd.DataFrame:
        """The list to contract: rounded where it could be, else as solved; empty where there is none."""
        return self.rounded.prices if self.rounded is not None else self.answer.prices

    @property
    def has_prices(self) -> bool:
        return len(self.answer.prices) > 0


def study(
    scenario: Scenario,
    asked: Instance,
    months: pd.DataFrame | None = None,
    *,
    with_costs: bool = True,
    with_frontiers: bool = True,
    seconds: float | None = None,
    warm_start: Answer | None = None,
    tell: Tell = lambda _: None,
) -> Study:
    """Solves the scenario's instance and asks of the answer what a contracting team asks. `seconds` is the time for rule costs
    and for each frontier; none given, that of the scenario's solver."""
    settings = scenario.solver
    seconds = settings.time_limit if seconds is None else seconds
    ask = partial(solve, time_limit=settings.time_limit, gap=settings.gap, solver=settings.name, keep_log=True)
    notes: list[str] = []
    tell("solving")
    answer = ask(asked, warm_start=warm_start)
    if answer.status == "infeasible":
        return with_conflict(scenario, asked, answer, tell)
    if not len(answer.prices):
        return Study(scenario, asked, answer, notes=(answer.note or "the time limit came before any list",))
    drawing: dict[str, Any] = drawing_of(scenario)
    if scenario.confidence is not None:
        tell(f"meeting the target at {scenario.confidence:.0%}")
        try:
            answer, _, raised = solve_at_confidence(asked, scenario.confidence, ask, months, **drawing)
            notes.append(
                f"The target is met in {scenario.confidence:.0%} of drawn volumes; a target of {raised:.4%} was asked of the solver."
            )
        except NoConfidentAnswer as error:
            notes.append(f"The target is not met at the confidence asked for: {error}.")
    tell("rounding")
    made = None
    if scenario.round_to != "exact":
        made, told = round_or_say(asked, answer.prices, scenario.round_to)
        notes += told
    prices = made.prices if made is not None else answer.prices
    laid, _ = check.lay(asked, prices)
    assert laid is not None  # the answer was checked
    robustness = savings_under_drawn_volumes(asked, laid.price.astype(float), months, **drawing)
    costs, frontiers = None, {}
    if with_costs:
        tell("asking what each rule costs")
        costs = rule_costs(asked, answer, seconds=seconds)
    if with_frontiers:
        for against in ("fairness", "disruption"):
            tell(f"savings against {against}")
            try:
                frontiers[against] = frontier(
                    asked,
                    against,
                    gap=settings.gap,
                    seconds=seconds,
                    solver=settings.name,  # type: ignore[arg-type]
                )
            except NoFrontier as error:
                notes.append(f"No frontier against {against}: {error}.")
    return Study(scenario, asked, answer, made, robustness, None, costs, frontiers, tuple(notes))


def with_conflict(scenario: Scenario, asked: Instance, answer: Answer, tell: Tell = lambda _: None) -> Study:
    """The study of an impossible question: why, and what would resolve it."""
    tell("asking why it is impossible")
    try:
        conflict = why_impossible(
            asked,
            weights=scenario.repairs.weights,
            never=scenario.repairs.never,
            seconds=scenario.solver.time_limit,
        )
    except StillPossible as error:
        return Study(scenario, asked, answer, notes=(f"Two solves disagree: {error}. This is our fault.",))
    return Study(scenario, asked, answer, conflict=conflict)


def round_or_say(asked: Instance, prices: pd.DataFrame, grid: Grid) -> tuple[Rounded | None, list[str]]:
    """The rounded list, to cents where whole dollars cannot be; or none, and why."""
    told: list[str] = []
    for tried in (grid, "cent") if grid == "dollar" else (grid,):
        try:
            return rounded(asked, prices, tried), told
        except CannotRound as error:
            told.append(f"Not rounded to whole {tried}s: {error}.")
    return None, told


def drawing_of(scenario: Scenario) -> dict[str, Any]:
    """The scenario's robustness settings as the drawing takes them."""
    said = scenario.robustness
    return {
        "draws": said.draws,
        "seed": said.seed,
        "level": said.level,
        "apart": said.months == "apart",
        "spread": said.spread,
    }


def as_json(done: Study) -> dict[str, Any]:
    """Status, objective, bound, gap, spend and prices as solved; the rounded list and the conflict where there is one."""
    made = done.answer.as_json()
    made["scenario"] = done.scenario.scenario
    made["notes"] = list(done.notes)
    if done.rounded is not None:
        made["rounded"] = {
            "grid": done.rounded.grid,
            "spend": float(done.rounded.spend),
            "cost": float(done.rounded.cost),
            "how": done.rounded.how,
            "prices": plain(done.rounded.prices),
        }
    if done.robustness is not None:
        made["robustness"] = done.robustness.as_row()
    if done.costs is not None:
        made["rule_costs"] = plain(done.costs)
    if done.conflict is not None:
        made |= conflict_json(done.conflict)
    return made


def conflict_json(found: Conflict) -> dict[str, Any]:
    """`minimal_conflict` and `single_rule_repair` by rule id, the joint repair, and what of it is proven."""
    return {
        "minimal_conflict": list(found.rules),
        "minimal_conflict_is_smallest": found.is_smallest,
        "any_conflict_has_at_least": found.at_least,
        "rules_not_proven_needed": found.unproven,
        "only_because_tiers_are_discrete": found.only_because_tiers_are_discrete,
        "single_rule_repair": found.repair_of(),
        "single_rule_repair_notes": {one.rule: one.note for one in found.single if one.note},
        "joint_repair": {
            one.rule: {"amount": one.amount, "unit": one.unit, "weight": found.weights[one.rule]} for one in found.joint
        },
        "joint_repair_cost": found.joint_cost,
        "conflict_note": found.note,
    }


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain objects: decimals and numpy's numbers as floats, NaN as null."""

    def one(value: Any) -> Any:
        if isinstance(value, str | bool | type(None)):
            return value
        if isinstance(value, np.bool_):
            return bool(value)
        number = float(value)
        return None if np.isnan(number) else int(number) if isinstance(value, int | np.integer) else number

    return [{str(name): one(value) for name, value in row.items()} for row in frame.to_dict("records")]
