"""What is kept of a scenario between its steps: its folder in the home, what it rests on, what was found out so far.

Belongs here: paths, the fingerprint by which a scenario is solved again or not, reading and writing its state. Does not: the steps
(steps.py), rows for the lake (rows.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from dagster_project.pricing.pairs import Found
from dagster_project.pricing.scenarios import File
from dagster_project.settings import REPOSITORY, Settings
from optimization.pricing.instance import Instance
from optimization.pricing.question import ask, past_months
from optimization.pricing.scenario import Scenario

STATE = "state.json"
# Code that decides what an answer is; when it changes, every scenario is solved again.
CODE = ("optimization/pricing", "dagster_project/pricing")
# Statuses of a scenario that no solve was made for.
UNASKED = ("not_readable", "no_pairs")


@dataclass(frozen=True)
class Work:
    """One scenario at work in one house."""

    settings: Settings
    file: File

    @property
    def scenario_id(self) -> str:
        return self.file.scenario_id

    @property
    def folder(self) -> Path:
        return self.settings.prices / self.scenario_id

    @property
    def command(self) -> str:
        """How a person answers this scenario alone, and sees what an error says."""
        return f"claimhouse price solve {self.file.path}"

    def path(self, name: str) -> Path:
        return self.folder / name

    def state(self) -> dict[str, Any]:
        """What is known so far; nothing where nothing is, or half of it was written."""
        try:
            content: dict[str, Any] = json.loads(self.path(STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return content

    def know(self, **facts: Any) -> dict[str, Any]:
        """Adds to what is known, and gives all of it."""
        known = {**self.state(), **facts}
        write_text(self.path(STATE), json.dumps(known, indent=1, sort_keys=True, default=str))
        return known

    def forget(self) -> None:
        """A scenario that begins anew must not pass off what was found out before."""
        self.path(STATE).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Under another name, then renamed: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def rests_on(file: File, asked: Scenario | None, found: Found | None) -> str:
    """A fingerprint of all that an answer rests on: the scenario's file and those it names, its pairs, the code."""
    digest = hashlib.sha256(code_version().encode())
    for path in (file.path, *_named_files(asked)):
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"missing"))
    digest.update((found.fingerprint if found else "no pairs of the warehouse").encode())
    return digest.hexdigest()[:16]


def _named_files(asked: Scenario | None) -> Iterator[Path]:
    if asked is not None:
        for name in ("instance", "pairs", "months", "rates"):
            if given := getattr(asked.source, name):
                yield asked.folder / str(given)


@lru_cache(maxsize=1)
def code_version() -> str:
    """A hash over the code that asks, solves and checks."""
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            digest.update(path.relative_to(REPOSITORY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def question(work: Work) -> Instance:
    """The scenario's instance, of the pairs that its inputs step left. Raises ScenarioError, NotAnInstance."""
    asked = work.file.read()
    frame = pd.read_parquet(work.path("pairs.parquet")) if asked.source.marts or asked.source.ipps else None
    return ask(asked, frame)


def price_list(work: Work) -> pd.DataFrame:
    """The list that the solution step left (provider, procedure, tier, price), prices as decimals."""
    prices = pd.read_parquet(work.path("prices.parquet"))
    return prices.assign(price=prices["price"].map(Decimal))


def past_volumes(work: Work) -> pd.DataFrame | None:
    """Volumes of past months: of the warehouse, or of the file that the scenario names."""
    path = work.path("months.parquet")
    return pd.read_parquet(path) if path.exists() else past_months(work.file.read())
