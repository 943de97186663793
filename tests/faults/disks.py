"""File systems of a test's own, that can be filled up.

Belongs here: making room scarce. Does not: what must happen then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def fill(disk: Path, leave_mib: int) -> Path:
    """For a disk that nobody else writes to."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - (leave_mib << 20))
    return ballast


def fill_up(disk: Path) -> Path:
    """Takes every block that is left, or has become free again, while others write."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for block in (bytes(1 << 20), bytes(1 << 12)):
            with contextlib.suppress(OSError):
                while file.write(block):
                    pass
    return ballast
