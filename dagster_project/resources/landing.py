"""A fingerprint of the landing folder, cheap enough to take every half minute.

Belongs here: names, sizes and times of files. Does not: opening any.
"""

from __future__ import annotations

import hashlib
import time

from dagster_project.settings import Settings


def fingerprint(settings: Settings) -> str | None:
    """Moves when a file is new or changed and has been quiet for a while; None when there is no such file."""
    quiet_before = time.time() - settings.quiet_seconds
    digest = hashlib.sha256()
    found = False
    for path in sorted(settings.landing.rglob("*")):
        about = path.stat()
        if path.is_file() and about.st_mtime <= quiet_before:
            found = True
            digest.update(f"{path.relative_to(settings.landing)}|{about.st_size}|{about.st_mtime_ns}\n".encode())
    return digest.hexdigest() if found else None
