"""From a scenario to its answer, step by step: inputs, instance, solution, verdict, report. Each leaves files that the next reads.

Belongs here: the order of the steps, what each keeps in the scenario's folder, what it has to tell. Does not: solving, checking,
reporting themselves (optimization/pricing), Dagster.

A scenario that cannot be solved is an answer with its status, never an error. What a file lacks is told in the words of
whoever read it; they name rules, keys and providers' public ids, never a patient.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb

from dagster_project.pricing import after, kept, rows
from dagster_project.pricing.pairs import Found, find
from dagster_project.pricing.work import UNASKED, Work, past_volumes, price_list, question, rests_on
from optimization.pricing import check, forms
from optimization.pricing.instance import NotAnInstance
from optimization.pricing.scenario import Scenario, ScenarioError
from optimization.pricing.study import study

Facts = dict[str, Any]
# What an answer has to tell, as it is.
TOLD = ("status", "best_bound", "relative_gap", "gap_asked", "seconds", "solver", "solver_version", "method", "nodes")
UNFIT = (ScenarioError, NotAnInstance, OSError)


def look(work: Work) -> tuple[Scenario | None, Found | None, str, str]:
    """The scenario, its pairs of the warehouse where it asks for some, the fingerprint of both, and why it cannot be read if so.
    Raises NotReadable where the warehouse is being written."""
    asked, found, why = None, None, ""
    try:
        asked = work.file.read()
        if asked.source.marts or asked.source.ipps:
            found = find(work.settings, asked.source, asked.scenario)
    except UNFIT as error:
        why = str(error)
    except duckdb.Error as error:
        why = f"the warehouse has no pairs to ask for ({type(error).__name__}); build it: claimhouse run"
    return asked, found, rests_on(work.file, asked, found), why


def is_current(work: Work, fingerprint: str) -> bool:
    """Whether what is kept of the scenario rests on the same, and went all the way into the lake."""
    known = work.state()
    return known.get("rests_on") == fingerprint and known.get("is_told") is True and rows.are_written(work)


def inputs(work: Work) -> Facts:
    """The pairs that the scenario asks for, written beside it."""
    asked, found, fingerprint, why = look(work)
    work.forget()
    for name in (kept.ANSWER, kept.SOLVED, kept.PRICES, kept.CONFLICT):
        work.path(name).unlink(missing_ok=True)
    facts: Facts = {"rests_on": fingerprint, "status": "asked", "note": ""}
    if asked is None or why:
        return work.know(**facts | {"status": "not_readable", "note": why})
    facts |= {"about": asked.about, "pair_source": rows.pair_source(asked), "round_to": asked.round_to}
    if found is not None:
        facts |= {
            "asked_pair_count": found.asked_pair_count,
            "asked_amount": found.asked_amount,
            "priced_amount": found.amount,
            "pair_count": len(found.frame),
            "data_source": ", ".join(found.senders),
        }
        work.folder.mkdir(parents=True, exist_ok=True)
        found.frame.to_parquet(work.path("pairs.parquet"))
        if found.months is not None:
            found.months.to_parquet(work.path("months.parquet"))
        if found.frame.empty:
            facts |= {
                "status": "no_pairs",
                "note": "nothing here to price: no pair of the warehouse is what its source asks for",
            }
    return work.know(**facts)


def instance(work: Work) -> Facts:
    """The question: pairs, bands and every rule as a row, written in the form reimb-pricing/1 where that form can say it."""
    known = work.state()
    if known["status"] in UNASKED:
        return known
    try:
        made = question(work)
    except UNFIT as error:
        return work.know(status="not_readable", note=str(error))
    try:
        text = json.dumps(forms.to_json(made))
        work.path("instance.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    except NotAnInstance:
        work.path("instance.json.gz").unlink(missing_ok=True)  # a rule of a kind that the form does not know
    return work.know(
        pair_count=len(made.pairs),
        provider_count=len(made.providers),
        procedure_count=len(made.procedures),
        rule_count=sum(len(table) for table in made.rules.values()),
        rule_kinds={kind: len(table) for kind, table in made.rules.items()},
        baseline_spend=made.baseline_spend,
        fingerprint=made.fingerprint(),
        objective_type=made.objective.type,
        is_elastic=made.elasticity is not None,
    )


def solution(work: Work) -> Facts:
    """The best price list that the solver found, in cents (or as the scenario asks), with bound, gap and the course of the search."""
    known = work.state()
    if known["status"] in UNASKED:
        return known
    asked = work.file.read()
    try:
        done = study(asked, question(work), past_volumes(work), with_costs=False, with_frontiers=False)
    except ValueError as error:
        if asked.solver.name == "highs":
            raise
        return work.know(
            status="not_readable", note=str(error)
        )  # a solver that is not here, or cannot do what is asked
    kept.write_study(work, done)
    answer, prices = done.answer, done.prices
    return work.know(
        **{name: getattr(answer, name) for name in TOLD},
        objective=float(check.objective(done.asked, prices)) if len(prices) else answer.objective,
        rounding=None if done.rounded is None else done.rounded.cost,
        spend=check.spend(done.asked, prices) if len(prices) else None,
        deviation=check.deviation(done.asked, prices) if len(prices) else None,
        note=" ".join(done.notes),
        solved_at=dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
    )


def verdict(work: Work) -> Facts:
    """Every rule, asked of the price list by code that knows no model. A list that breaks one is withheld."""
    known = work.state()
    if not work.path(kept.PRICES).exists() or known["status"] in UNASKED:
        return work.know(broken_rule_count=0)
    made, prices = question(work), price_list(work)
    in_grid = all(Decimal(price) == round(Decimal(price), 2) for price in prices["price"])
    findings = check.check(made, prices, tolerance=0 if in_grid else check.TOLERANCE)
    if findings:
        for name in (kept.PRICES, kept.SOLVED):
            work.path(name).unlink()
        return work.know(
            status="no_answer",
            broken_rule_count=len(findings),
            note=f"withheld: the check finds {len(findings)} rules broken, first {findings[0]}",
        )
    return work.know(broken_rule_count=0, spend_by_check=check.spend(made, prices), is_exact=in_grid)


def report(work: Work) -> Facts:
    """What rules cost, how far savings go, the report for people, and all of it as rows of the lake."""
    known = work.state()
    if known["status"] not in UNASKED:
        try:
            told = after.explain(work, question(work))
            known = work.know(**{"is_reported": True, **told, "note": told.get("note") or known["note"]})
        except Exception as error:
            # The price list was checked and stands; its words are left out, since they may hold a value.
            known = work.know(
                is_reported=False, note=f"its report fell over: {type(error).__name__}; by itself: {work.command}"
            )
    rows.write(work, known)
    return work.know(is_told=True)


STEPS: dict[str, Callable[[Work], Facts]] = {
    "inputs": inputs,
    "instance": instance,
    "solution": solution,
    "verdict": verdict,
    "report": report,
}
