"""Pricing scenarios as Dagster shows them: materializations of partitions, plots and logs as metadata, results of checks.

Belongs here: turning facts of the steps into events and metadata; the three questions that every answer must stand.
Does not: the steps (pricing/), solving (optimization/pricing). What imports solvers is imported when it is called.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from dagster_project.pricing.stages import STAGES as STEPS_OF_A_SCENARIO
from dagster_project.resources.tallies import count_table
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from dagster_project.sources.derived import derived_folder
from expectations.results import FAIL, NO_DATA, PASS, CheckResult, write_quality

if TYPE_CHECKING:
    from dagster_project.pricing.cover import Covered
    from dagster_project.pricing.work import Work
    from optimization.pricing.answer import Answer

PARTITIONS = "price_scenario"
Facts = dict[str, Any]
# What each step shows of all that is known of a scenario.
SHOWN = {
    "inputs": ("status", "note", "data_source", "pair_count", "asked_pair_count", "asked_amount", "priced_amount"),
    "instance": (
        "status",
        "note",
        "pair_count",
        "provider_count",
        "procedure_count",
        "rule_count",
        "baseline_spend",
        "fingerprint",
    ),
    "solution": (
        "status",
        "note",
        "objective",
        "best_bound",
        "relative_gap",
        "gap_asked",
        "spend",
        "solver",
        "solver_version",
        "method",
        "nodes",
        "seconds",
    ),
    "verdict": ("status", "note", "rule_count", "broken_rule_count", "is_exact", "spend_by_check"),
    "report": ("status", "note", "conflict", "files"),
}
DOLLARS = {"asked_amount", "priced_amount", "baseline_spend", "spend", "spend_by_check"}

__all__ = [
    "CHECKS", "PARTITIONS", "STEPS_OF_A_SCENARIO", "answer_all", "check_answers", "events_of", "run_step", "table_metadata",
]  # fmt: skip


def answer_all(settings: Settings, tell: Callable[[str], object]) -> Covered:
    """Every scenario of this house: see pricing/cover.py."""
    from dagster_project.pricing import cover

    return cover.answer_all(settings, tell)


def run_step(settings: Settings, name: str, scenario_id: str) -> Facts:
    """One step of one scenario, and its metadata."""
    from dagster_project.pricing import cover

    work, facts = cover.answer_named(settings, name, scenario_id)
    return _metadata(work, name, facts)


def events_of(covered: Covered) -> Iterator[dg.AssetMaterialization]:
    """What was done for each scenario, as materializations of the partitions of its steps."""
    for scenario_id, steps in covered.answered.items():
        for name, facts in steps.items():
            yield dg.AssetMaterialization(
                ["pricing", name], partition=scenario_id, metadata=_metadata(covered.works[scenario_id], name, facts)
            )


def _metadata(work: Work, name: str, facts: Facts) -> Facts:
    from dagster_project.pricing import kept

    made: Facts = {"file": str(work.file.path.name), "origin": work.file.origin}
    for key in SHOWN[name]:
        value = facts.get(key)
        if value is None or value in ("", []):
            continue
        label = key.replace("_amount", "").replace("baseline_spend", "baseline")
        made[f"dollars_{label}" if key in DOLLARS else key] = _plain(key, value)
    if "step_seconds" in facts:
        made["step_seconds"] = round(facts["step_seconds"], 3)
    if name == "instance" and facts.get("rule_kinds"):
        made["rules"] = dg.MetadataValue.json(facts["rule_kinds"])
    if name == "solution" and (answer := kept.read_answer(work)) and answer.history:
        from optimization.pricing.plots import bound_and_incumbent

        image = base64.b64encode(bound_and_incumbent(answer)).decode()
        made["solver_log"] = dg.MetadataValue.md(f"```\n{answer.log or 'the solver wrote nothing'}\n```")
        made["course"] = dg.MetadataValue.md(f"```\n{_course(answer)}\n```")
        made["bound_and_incumbent"] = dg.MetadataValue.md(
            f"![bound and best list over seconds](data:image/png;base64,{image})"
        )
    return made


def _plain(key: str, value: Any) -> Any:
    """What Dagster shows and plots: money, a decimal or its text, as a float; a list as text; the rest as it is."""
    if key in DOLLARS or isinstance(value, Decimal):
        return float(value)
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def _course(answer: Answer) -> str:
    """The course of the search: which solver, and bound and best list each time that one of them moved."""
    head = f"{answer.solver} {answer.solver_version}, {answer.method or 'whole'}, {answer.nodes} nodes: {answer.status}"
    lines = [
        f"{one.seconds:9.2f} s   bound {_number(one.bound)}   best list {_number(one.incumbent)}"
        for one in answer.history
    ]
    return "\n".join([head, *lines])


def _number(value: float) -> str:
    """As wide as the others, and a word where there is none yet."""
    return f"{value:18,.4f}" if isfinite(value) else f"{'none yet':>18}"


def table_metadata(settings: Settings, table: str, covered: Covered) -> Facts:
    """Rows and dollars of one table, and what this run did for it."""
    with duckdb.connect(config={"threads": settings.threads}) as con:
        con.execute(f"create view counted as {_rows(settings, table)}")
        counts = count_table(con, "counted")
    return {
        **counts,
        "scenarios": len(covered.names),
        "answered": ", ".join(sorted(covered.answered)) or "none: nothing is new",
        "kept": ", ".join(covered.kept) or "none",
        **({"gone": ", ".join(covered.gone)} if covered.gone else {}),
        "seconds": round(covered.seconds, 3),
    }


def _rows(settings: Settings, table: str) -> str:
    return f"select * from read_parquet('{derived_folder(settings, 'pricing', table)}/*.parquet', union_by_name = true)"


@dataclass(frozen=True)
class Question:
    """What every answer must stand: a query whose rows are (scenario, whether it was asked, whether it fails, why)."""

    about: str
    sql: str


CHECKS = {
    "every_scenario_is_answered": Question(
        "Every scenario's file could be read and its steps did not fall over; an impossible one, proven so, is answered.",
        """
        select scenario_id, true, status in ('not_readable', 'failed', 'no_answer') or is_reported is false, concat_ws(': ', status, note) from scenario
        """,
    ),
    "solved_to_the_stated_gap": Question(
        "Each price list's gap is at most what its scenario asked for.",
        """
        select scenario_id, status in ('optimal', 'feasible'),
            not (status = 'optimal' and coalesce(relative_gap <= gap_asked, false)),
            concat('gap ', relative_gap, ' where ', gap_asked, ' was asked') from scenario
        """,
    ),
    "every_rule_is_kept": Question(
        "No price list was found by the independent check to break a rule, and each has one price per pair of its question.",
        """
        select scenario_id, status in ('optimal', 'feasible') or broken_rule_count > 0,
            coalesce(broken_rule_count <> 0, true) or coalesce(row_count, 0) <> pair_count,
            concat(broken_rule_count, ' rules broken, ', coalesce(row_count, 0), ' prices for ', pair_count, ' pairs')
        from scenario left join (select scenario_id, count(*) as row_count from recommendation group by scenario_id) using (scenario_id)
        """,
    ),
    "savings_add_up": Question(
        "Volume × price of every row, their sums and the difference are the scenario's totals, to the last digit, in decimals.",
        """
        select scenario_id, status in ('optimal', 'feasible'),
            coalesce(
                spend <> spend_amount or baseline <> baseline_spend_amount or savings_amount <> baseline_spend_amount - spend_amount
                or (not is_elastic and (spend <> multiplied or differing_count > 0)), true
            ),
            'rows and totals differ'
        from scenario left join (
            select scenario_id, sum(spend_amount) as spend, sum(baseline_spend_amount) as baseline,
                sum(volume_quantity * price_amount) as multiplied,
                count(*) filter (spend_amount <> volume_quantity * price_amount
                    or baseline_spend_amount <> volume_quantity * baseline_price_amount) as differing_count
            from recommendation group by scenario_id
        ) using (scenario_id)
        """,
    ),
}


def check_answers(settings: Settings, name: str, run_id: str) -> dg.AssetCheckResult:
    """One of CHECKS, asked of the tables as they lie in the lake. It stops nothing: a scenario is no reason to hold claims back."""
    with duckdb.connect(config={"threads": settings.threads}) as con:
        for table in ("scenario", "recommendation"):
            con.execute(f"create view {table} as {_rows(settings, table)}")
        told = con.execute(
            f"select * from ({CHECKS[name].sql}) as told (scenario_id, is_asked, is_failed, why) order by 1"
        ).fetchall()
    asked = [row for row in told if row[1]]
    failed = [(scenario_id, why) for scenario_id, _, is_failed, why in asked if is_failed]
    verdict = FAIL if failed else PASS if asked else NO_DATA
    note = "; ".join(f"{scenario_id}: {why}" for scenario_id, why in failed) or None
    result = CheckResult("dagster", "pricing/scenario", name, verdict, False, len(failed), len(asked), note=note)
    write_quality(settings, [result], run_id, f"pricing-{name}")
    return shown(verdict, bool(failed), {"checked": len(asked), "failed": len(failed)}, description=note)
