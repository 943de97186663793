"""Puts files that a person names into landing, where their feed lies, or says why it will not.

Belongs here: checking the person's words, copying under a name that appears only when the file is complete.
Does not: what becomes of files that lie there (inventory.py).
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract, nearest
from dagster_project.sources.inventory import ASK_SOURCE, EXPLANATIONS, NO_SOURCE, as_utf8, fitting
from dagster_project.sources.layouts import NAME_PATTERN
from dagster_project.sources.recognise import NotRecognised, Recognised, formats
from dagster_project.sources.unpack import Unreadable, control_file, survey


@dataclass(frozen=True)
class Placed:
    """A file copied into landing."""

    path: Path
    target: Path
    layout: str
    feeds: tuple[str, ...]
    version: int  # 1, or more where other content lies in landing under the same name


class UnrecognisedFile(ValueError):
    """A file that no layout fits; `message` says what is nearest, `todo` what to do."""

    def __init__(self, message: str, todo: str = "") -> None:
        super().__init__(f"{message} {todo}".strip())
        self.message, self.todo = message, todo


class SourceNeeded(UnrecognisedFile):
    """A file that is known, but neither its layout nor the operator says who sent it."""


class UnusableWord(ValueError):
    """An operator's word (source, layout, period) that cannot be used for any file."""


def place(
    paths: Iterable[Path],
    settings: Settings,
    contracts: Mapping[str, Contract],
    source: str | None = None,
    layout: str | None = None,
    period: str | None = None,
) -> list[Placed]:
    """Copies files into landing, each where its feed lies, under a name that appears only when it is complete.

    What lies there stays: other content under a name that is taken becomes `version=2/…` beside it. All are recognised
    before the first is copied. Raises UnusableWord for a word of the operator's, UnrecognisedFile for a file that no
    layout fits, and SourceNeeded for one of which nothing says who sent it.
    """
    check_words(contracts, source, layout, period)
    known_formats = formats(contracts)
    words = {"source": source, "layout": layout, "period": period}
    folders = [f"{word}={value}" for word, value in words.items() if value]
    plan = []
    for path in paths:
        if (shown := as_utf8(str(path))) != str(path):
            raise UnrecognisedFile(f"{shown} was not taken in: {EXPLANATIONS['name_not_utf8']}")
        try:
            fits = fitting(path, survey(path).head, known_formats, contracts, layout)
        except Unreadable as error:
            raise UnrecognisedFile(f"{path} was not taken in: {EXPLANATIONS[error.reason_code]}") from None
        except OSError as error:
            raise UnrecognisedFile(f"{path} was not taken in: {error.strerror}.") from None
        if isinstance(fits, NotRecognised):
            raise UnrecognisedFile(f"{path} was not taken in: {fits.explanation}", fits.advice)
        if not source and contracts[fits.feeds[0]].layout(fits.layout).data_source is None:
            raise SourceNeeded(f"{path} was not taken in: {NO_SOURCE}", ASK_SOURCE)
        plan.append((path, settings.landing.joinpath(fits.feeds[0], *folders, path.name), fits))
    return [_copied(path, target, fits, settings.quiet_seconds) for path, target, fits in plan]


def check_words(contracts: Mapping[str, Contract], source: str | None, layout: str | None, period: str | None) -> None:
    """Raises UnusableWord. They become folders of landing, the source a part of every token."""
    if source and not NAME_PATTERN.fullmatch(source):
        raise UnusableWord(f"source {source!r}: use lower-case letters, digits and _, a letter first")
    known = {name for contract in contracts.values() for name in contract.layouts}
    if layout and layout not in known:
        raise UnusableWord(f"there is no layout {layout!r}{nearest(layout, sorted(known))}")
    if period and not re.fullmatch(r"[A-Za-z0-9_.-]+", period):
        raise UnusableWord(f"period {period!r}: use letters, digits, _ and -")


def quieten(path: Path, quiet_seconds: float) -> None:
    """Says of a file that is known to be complete that it is: its time is set back by what others are waited for."""
    now = time.time_ns() - int(quiet_seconds * 1e9)
    os.utime(path, ns=(now, now))


def _copied(path: Path, target: Path, fits: Recognised, quiet_seconds: float) -> Placed:
    def lies_at(version: int) -> Path:
        return target if version == 1 else target.with_name(f"version={version}") / target.name

    version = 1
    while lies_at(version + 1).exists():
        version += 1
    # What counts is the latest version: the same again changes nothing, and going back to an earlier one is a new version.
    if lies_at(version).exists() and not filecmp.cmp(path, lies_at(version), shallow=False):
        version += 1
    placed = lies_at(version)
    placed.parent.mkdir(parents=True, exist_ok=True)
    # The totals first: they are there when the file appears.
    for origin in filter(None, (control_file(path), path)):
        copy = placed.with_name(origin.name)
        if not copy.exists():
            # Not the name itself: with more before and after it, the longest that the disk takes is too long.
            unfinished = copy.with_name(f".{sha256(copy.name.encode()).hexdigest()[:16]}.{os.getpid()}.unfinished")
            shutil.copyfile(origin, unfinished)
            quieten(unfinished, quiet_seconds)
            unfinished.replace(copy)
    return Placed(path, placed, fits.layout, fits.feeds, version)
