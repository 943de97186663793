"""A study kept between two steps: the answer as it was solved, its rounding, the conflict of an impossible question.

Belongs here: writing it beside the scenario and reading it again, with nothing lost. Does not: what any of it means.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import pandas as pd

from dagster_project.pricing.work import Work, past_volumes, price_list, write_text
from optimization.pricing.answer import Answer, Moment, no_prices
from optimization.pricing.cents import Rounded
from optimization.pricing.conflict import Conflict, Repair
from optimization.pricing.instance import Instance
from optimization.pricing.robust import savings_under_drawn_volumes
from optimization.pricing.study import Study, drawing_of

ANSWER, SOLVED, PRICES, CONFLICT = "answer.json", "solved.parquet", "prices.parquet", "conflict.json"
# What an answer is begun again from (its warm start) is left out: the search from its prices is nearly as quick.
OF_ANSWER = (
    "status", "objective", "best_bound", "relative_gap", "spend", "baseline_spend", "deviation", "seconds", "solver",
    "solver_version", "fingerprint", "gap_asked", "nodes", "method", "note", "log",
)  # fmt: skip
OF_ROUNDED = ("grid", "spend", "cost", "moved_pairs", "largest_move", "finer_pairs", "how")
AS_DECIMAL = ("spend", "baseline_spend", "deviation")


def write_study(work: Work, done: Study) -> None:
    """Everything but costs and frontiers, which come later."""
    for name in (SOLVED, PRICES, CONFLICT):
        work.path(name).unlink(missing_ok=True)
    answer = done.answer
    told: dict[str, Any] = {name: getattr(answer, name) for name in OF_ANSWER}
    told["history"] = [[one.seconds, one.bound, one.incumbent] for one in answer.history]
    made = {
        "answer": told,
        "notes": list(done.notes),
        "rounded": None if done.rounded is None else {name: getattr(done.rounded, name) for name in OF_ROUNDED},
    }
    write_text(work.path(ANSWER), json.dumps(made, indent=1, default=str))
    if done.conflict is not None:
        write_text(
            work.path(CONFLICT), json.dumps({**asdict(done.conflict), "weights": dict(done.conflict.weights)}, indent=1)
        )
    if done.has_prices:
        answer.prices.to_parquet(work.path(SOLVED))
        done.prices.assign(
            price=[f"{price:f}" if isinstance(price, Decimal) else repr(price) for price in done.prices["price"]]
        ).to_parquet(work.path(PRICES))


def read_answer(work: Work) -> Answer | None:
    """The answer as it was solved; None where nothing was."""
    if not work.path(ANSWER).exists():
        return None
    fields = json.loads(work.path(ANSWER).read_text(encoding="utf-8"))["answer"]
    decimals = {name: None if fields[name] is None else Decimal(fields[name]) for name in AS_DECIMAL}
    history = tuple(Moment(*moment) for moment in fields.pop("history"))
    solved = pd.read_parquet(work.path(SOLVED)) if work.path(SOLVED).exists() else no_prices()
    return Answer(**fields | decimals, history=history, prices=solved)


def read_study(work: Work, made: Instance) -> Study:
    """The study of the scenario's instance as write_study left it."""
    told = json.loads(work.path(ANSWER).read_text(encoding="utf-8"))
    answer = read_answer(work)
    assert answer is not None, "an answer is written with everything else"
    scenario = work.file.read()
    done = Study(scenario, made, answer, conflict=_conflict(work), notes=tuple(told["notes"]))
    if not work.path(PRICES).exists():
        return done
    prices = price_list(work)
    rounded = None
    if told["rounded"] is not None:
        numbers = {name: Decimal(told["rounded"][name]) for name in ("spend", "cost", "largest_move")}
        rounded = Rounded(prices=prices, **told["rounded"] | numbers)
    robustness = savings_under_drawn_volumes(
        made, prices["price"].astype(float).to_numpy(), past_volumes(work), **drawing_of(scenario)
    )
    return replace(done, rounded=rounded, robustness=robustness)


def _conflict(work: Work) -> Conflict | None:
    if not work.path(CONFLICT).exists():
        return None
    told = json.loads(work.path(CONFLICT).read_text(encoding="utf-8"))
    repairs = {name: tuple(Repair(**one) for one in told[name]) for name in ("single", "joint")}
    return Conflict(**told | repairs | {"rules": tuple(told["rules"])})
