"""What comes after a solve: what a scenario's rules cost and how far savings go, and its report.

Belongs here: calling those parts of optimization/pricing for one scenario, and keeping what they say as tables beside it. Does
not: the methods themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pandas as pd

from dagster_project.pricing.kept import read_study
from dagster_project.pricing.work import Work
from optimization.pricing import report
from optimization.pricing.conflict import Conflict
from optimization.pricing.frontier import Against, Frontier, NoFrontier, frontier
from optimization.pricing.instance import Instance
from optimization.pricing.rule_cost import rule_costs
from optimization.pricing.study import Study
from optimization.pricing.transparency import TransparencyError

Facts = dict[str, Any]
# At most so long for the costs of rules, and for each frontier: in a run of the whole house, claims wait behind it. What is not
# finished by then is marked as such; `claimhouse price solve --report` has the time that the scenario gives its solver.
SECONDS = 20.0
RULE_COST = {
    "rule": "rule_id",
    "kind": "rule_kind",
    "step": "relaxed_by",
    "reason": "rule_reason",
    "saved_by_easing": "saved_if_relaxed_amount",
    "saved_by_dropping": "saved_if_dropped_amount",
    "spend_saved_by_dropping": "spend_saved_if_dropped_amount",
}
FRONTIER = {"against": "frontier", "setting": "setting_value", "spend": "spend_amount"}
FRONTIER |= {"mean_spread": "mean_spread_share", "largest_spread": "largest_spread_share"}


def explain(work: Work, made: Instance) -> Facts:
    """Facts for the scenario's row; tables and the report beside its other files."""
    for name in ("rule_cost.parquet", "frontier.parquet"):
        work.path(name).unlink(missing_ok=True)
    done = read_study(work, made)
    if done.conflict is not None:
        conflict_rows(made, done.conflict).to_parquet(work.path("rule_cost.parquet"))
    if done.has_prices:
        done = _with_costs(work, done)
    notes = [*done.notes, *(_told(done.conflict) if done.conflict else [])]
    try:
        files = report.write(done, work.folder)
    except TransparencyError as error:
        files, notes = [], [*notes, str(error)]
    return {
        "conflict": list(done.conflict.rules) if done.conflict else [],
        "note": " ".join(filter(None, notes)),
        "files": sorted(path.relative_to(work.folder).as_posix() for path in files),
    }


def _with_costs(work: Work, done: Study) -> Study:
    """The study with what rules cost and both frontiers, also as tables."""
    seconds = min(SECONDS, done.scenario.solver.time_limit)
    costs = rule_costs(done.asked, done.answer, seconds=seconds)
    cost_rows(done.asked, costs).to_parquet(work.path("rule_cost.parquet"))
    found: dict[str, Frontier] = {}
    notes = list(done.notes)
    for against in get_args(Against):
        try:
            found[against] = frontier(
                done.asked, against, gap=done.answer.gap_asked, seconds=seconds, solver=done.scenario.solver.name
            )
        except NoFrontier as error:
            notes.append(f"No frontier against {against}: {error}.")
    if found:
        points = pd.concat([one.points for one in found.values()], ignore_index=True)
        points.assign(point_number=points["point"] + 1).rename(columns=FRONTIER).to_parquet(
            work.path("frontier.parquet")
        )
    return replace(done, costs=costs, frontiers=found, notes=tuple(notes))


def cost_rows(made: Instance, costs: pd.DataFrame) -> pd.DataFrame:
    """One row per rule and per kind of rule as a whole, as the lake has them."""
    is_kind = costs["rule"].str.startswith("every ")
    sources = made.rule_frame().set_index("id")["source"]
    return costs.assign(
        is_kind=is_kind,
        rule=costs["rule"].where(~is_kind, costs["kind"]),
        rule_source=costs["rule"].map(sources),
        reason=costs["reason"].mask(is_kind),
        note=costs["note"].mask(costs["note"] == ""),
    ).rename(columns=RULE_COST)


def conflict_rows(made: Instance, found: Conflict) -> pd.DataFrame:
    """One row per rule of the smallest conflict, with the change that repairs it alone."""
    rules = made.rule_frame().set_index("id")
    return pd.DataFrame(
        [
            {
                "rule_id": one.rule,
                "rule_kind": one.kind,
                "is_kind": False,
                "unit": one.unit,
                "rule_reason": rules.at[one.rule, "reason"],
                "rule_source": rules.at[one.rule, "source"],
                "is_in_conflict": True,
                "repair_quantity": one.amount,
                "note": None if one.amount is not None else "no change of this rule alone makes it possible",
            }
            for one in found.single
        ]
    )


def _told(found: Conflict) -> list[str]:
    said = [found.note]
    if found.only_because_tiers_are_discrete:
        said.insert(0, "Impossible only because a pair has one tier, and no share of two.")
    joint = [f"{one.rule} by {one.amount:,.6g} {one.unit}" for one in found.joint if one.amount]
    return [*said, f"Cheapest repair of several rules: {'; '.join(joint)}."] if joint else said
