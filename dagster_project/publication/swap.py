"""Makes a finished publication the one that readers see, by one rename of one link, and clears old ones away.

Belongs here: links, renames, syncing to disk, hard links, one publisher at a time. Does not: what a publication holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.publication.marts import PublicationError

PARTIAL = ".partial"
KEPT = 3


@contextmanager
def only_publisher(publications: Path) -> Iterator[None]:
    """Waits for another publisher to end. The lock falls with its process, so that a crash leaves none behind."""
    publications.mkdir(parents=True, exist_ok=True)
    with (publications / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clear_partial(publications: Path) -> None:
    """Removes what a crashed publisher left; under the lock nobody else is building."""
    for folder in publications.glob(f"*{PARTIAL}"):
        _remove(folder)


def finish(partial: Path) -> Path:
    """Syncs every file and folder to disk, takes away the right to write, and gives the folder its name."""
    for path in [*partial.rglob("*"), partial]:
        if path.is_file():
            path.chmod(0o444)
        _sync(path)
    done = partial.with_name(partial.name.removesuffix(PARTIAL))
    partial.rename(done)
    _sync(done.parent)
    return done


def swap(link: Path, target: Path) -> None:
    """Readers see the old publication until this rename, and the new one after it; there is nothing in between."""
    if link.exists() and not link.is_symlink():
        raise PublicationError(
            f"{link} is a folder of its own, not the link it should be; move it away and publish again"
        )
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    fresh.replace(link)
    _sync(link.parent)


def current(link: Path) -> Path | None:
    """The folder that readers see now."""
    return link.resolve() if link.is_symlink() and link.exists() else None


def prune(publications: Path, link: Path) -> None:
    """Keeps the newest few, and whatever the link points to. A reader who has a removed file open keeps reading it."""
    folders = sorted(path for path in publications.iterdir() if path.is_dir() and not path.name.endswith(PARTIAL))
    for folder in folders[:-KEPT]:
        if folder.resolve() != current(link):
            _remove(folder)


def link_tree(source: Path, target: Path) -> None:
    """The same files under another folder, without writing them again."""
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)
