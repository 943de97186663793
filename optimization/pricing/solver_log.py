"""What the solver itself wrote while a question was solved: the first runs and the last ones, each bounded in length.

Belongs here: catching the text, what of it is kept. Does not: running a solver (highs.py, cbc.py), showing the text.

A decomposition runs HiGHS for each region, thousands of times on large questions. The first runs hold the relaxation, whose bound is
the answer's, and the last ones what the list came of; those between are counted.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

FIRST, LAST = 3, 4  # runs whose text is kept
LONGEST = 6_000  # characters of one run: its beginning and its end
OWN_OPTIONS = "Set option "  # such lines tell where this file of a moment lies, and nothing of the search


class SolverLog:
    """Texts of runs, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: list[tuple[int, str]] = []
        self._last: deque[tuple[int, str]] = deque(maxlen=LAST)
        self._runs = 0

    def add(self, text: str) -> None:
        """Takes the text of one run that has ended."""
        lines = [line for line in text.strip().splitlines() if not line.startswith(OWN_OPTIONS)]
        kept = shortened("\n".join(lines), LONGEST)
        with self._lock:
            self._runs += 1
            if len(self._first) < FIRST:
                self._first.append((self._runs, kept))
            else:
                self._last.append((self._runs, kept))

    @property
    def text(self) -> str:
        """Everything kept, each run under its number in the order in which runs ended."""
        parts = [f"== run {number} of {self._runs}\n{text}" for number, text in (*self._first, *self._last)]
        left_out = self._runs - len(self._first) - len(self._last)
        if left_out:
            parts.insert(len(self._first), f"== {left_out} runs left out")
        return "\n\n".join(parts)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and end with a line between that says how much is left out."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n… {len(text) - most} characters left out …\n{text[-(most // 2) :]}"


_LISTENING: ContextVar[SolverLog | None] = ContextVar("solver_log", default=None)


@contextmanager
def listening(log: SolverLog | None) -> Iterator[None]:
    """While it lasts, runs of this context (and of threads that are given a copy of it) write into `log`."""
    token = _LISTENING.set(log)
    try:
        yield
    finally:
        _LISTENING.reset(token)


@contextmanager
def caught() -> Iterator[Path | None]:
    """A file for the solver to write its text to, taken into the log at the end; None where nobody listens."""
    log = _LISTENING.get()
    if log is None:
        yield None
        return
    number, name = tempfile.mkstemp(prefix="claimhouse-solver-", suffix=".log")
    os.close(number)
    path = Path(name)
    try:
        yield path
        log.add(path.read_text(encoding="utf-8", errors="replace"))
    finally:
        path.unlink(missing_ok=True)
