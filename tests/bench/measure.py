"""What a process and its children take: seconds, CPU-seconds, peak memory, at every moment of their life.

Belongs here: reading /proc. Does not: what is measured.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EVERY_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Taken:
    """What a stretch of time took of the machine."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass
class Watched:
    """Samples of a process tree: when, CPU-seconds until then, bytes resident then."""

    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    exit_code: int = 0
    output: str = ""

    def between(self, start: float, end: float) -> Taken:
        """Of the stretch between two moments of the clock (seconds since 1970)."""
        first, last = bisect_left(self.times, start), bisect_right(self.times, end)
        if last <= first:
            return Taken(end - start, 0.0, 0)
        before, after = self.cpu[max(first - 1, 0)], self.cpu[last - 1]
        return Taken(end - start, after - before, max(self.resident[first:last]))

    def whole(self) -> Taken:
        return Taken(self.times[-1] - self.times[0], self.cpu[-1], max(self.resident))


def watch(command: Sequence[str], environment: Mapping[str, str], cwd: Path, log: Path) -> Watched:
    """Runs a command to its end and samples it and its descendants. What it prints goes to the log."""
    seen = Watched()
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=cwd, stdout=out, stderr=subprocess.STDOUT
        )
        ended = threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, seen, ended), daemon=True)
        seen.times.append(time.time())
        seen.cpu.append(0.0)
        seen.resident.append(0)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        sampler.join()
    seen.times.append(time.time())
    seen.cpu.append(max(seen.cpu[-1], usage.ru_utime + usage.ru_stime))  # the kernel's own sum, children included
    seen.resident.append(0)
    seen.exit_code, seen.output = process.returncode, log.read_text()
    return seen


def _sample(root: int, seen: Watched, ended: threading.Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        ticks = pages = 0
        for pid in _tree(root):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # own and reaped children's time in user and kernel; a child that ends moves from one to the other
            ticks += sum(int(fields[place]) for place in (11, 12, 13, 14))
            pages += int(fields[21])
        if pages:
            seen.times.append(time.time())
            seen.cpu.append(max(seen.cpu[-1], ticks / TICKS))
            seen.resident.append(pages * PAGE)


def _tree(root: int) -> list[int]:
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found
