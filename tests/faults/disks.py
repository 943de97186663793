"""File systems of a test's own, that can be filled up.

Belongs here: making room scarce. Does not: what must happen then.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def fill(disk: Path, leave_mib: int) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - (leave_mib << 20))
    return ballast
