"""All scenarios of a house in one go: those with something new are answered, the others kept.

Belongs here: the loop over scenarios, one scenario's failure kept from the others. Does not: the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dagster_project.database import NotReadable
from dagster_project.pricing import rows
from dagster_project.pricing.scenarios import File, scenario_files
from dagster_project.pricing.steps import STEPS, is_current, look
from dagster_project.pricing.work import Work
from dagster_project.settings import Settings

Facts = dict[str, Any]
FAILED = "failed"


@dataclass(frozen=True)
class Covered:
    """What a run did: for each scenario answered anew what each step had to tell; the scenarios that were kept; those gone."""

    answered: dict[str, dict[str, Facts]] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def names(self) -> set[str]:
        return {*self.answered, *self.kept}


def answer_all(settings: Settings, tell: Callable[[str], object]) -> Covered:
    """Answers every scenario whose file, pairs or code changed since its last answer. Raises NotReadable where the warehouse is
    being written."""
    started = time.monotonic()
    answered, works, kept = {}, {}, []
    files = scenario_files(settings)
    for file in files:
        work = Work(settings, file)
        if is_current(work, look(work)[2]):
            kept.append(file.scenario_id)
            continue
        tell(f"answering scenario {file.scenario_id}")
        answered[file.scenario_id], works[file.scenario_id] = answer_one(work), work
        tell(f"scenario {file.scenario_id}: {work.state().get('status')}")
    gone = rows.forget_others(settings, [file.scenario_id for file in files])
    return Covered(answered, works, tuple(kept), tuple(gone), time.monotonic() - started)


def answer_one(work: Work) -> dict[str, Facts]:
    """Every step of one scenario, and how long each took. A fault of ours in one is its status, and loses no other scenario."""
    told: dict[str, Facts] = {}
    for name, step in STEPS.items():
        started = time.monotonic()
        try:
            facts = step(work)
        except NotReadable:
            raise
        except Exception as error:  # whatever it is, the other scenarios and the claims go on
            # its words are left out: they may hold a value
            facts = work.know(
                status=FAILED, note=f"step {name} fell over: {type(error).__name__}; run it by itself: {work.command}"
            )
            told[name] = facts | {"step_seconds": time.monotonic() - started}
            for left in ("prices.parquet", "rule_cost.parquet", "frontier.parquet"):
                work.path(left).unlink(missing_ok=True)
            rows.write(work, facts)
            break
        told[name] = facts | {"step_seconds": time.monotonic() - started}
    return told


def answer_named(settings: Settings, name: str, scenario_id: str) -> tuple[Work, Facts]:
    """One step of one scenario, as a person asks for it. Raises LookupError for a scenario that has no file."""
    file: File | None = next((one for one in scenario_files(settings) if one.scenario_id == scenario_id), None)
    if file is None:
        raise LookupError(
            f"there is no scenario {scenario_id!r}; its file would be {settings.scenarios / scenario_id}.yml"
        )
    work = Work(settings, file)
    return work, STEPS[name](work)
