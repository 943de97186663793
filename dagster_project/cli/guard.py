"""What must hold before a run begins: the home can be written, has room, and no other run is at work on it.

Belongs here: refusing before anything is done. Does not: what a run does.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from dagster_project.cli.terminal import FAULT, Problem
from dagster_project.settings import Settings

# Less than this and Dagster's and dbt's own records do not fit; what the data need is known only while reading.
LEAST_FREE_BYTES = 64 << 20


def check_home(settings: Settings) -> None:
    """Raises Problem where nothing could be written."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        raise Problem(
            f"{settings.home} cannot be written: {error.strerror}",
            "Give whoever runs this the right to write there, or name another home: CLAIMHOUSE_HOME=FOLDER",
        ) from None
    free = shutil.disk_usage(settings.home).free
    if free < LEAST_FREE_BYTES:
        raise Problem(
            f"the disk of {settings.home} is full ({free >> 20} MiB left)",
            "Free some space and run again; what is published stays readable",
        )


@contextmanager
def only_run(settings: Settings) -> Iterator[None]:
    """Raises Problem while another process works on this home. The kernel gives the lock back when a process ends,
    however it ends, so that none is ever left to clear by hand."""
    settings.dagster.mkdir(parents=True, exist_ok=True)
    with (settings.dagster / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Problem(
                f"another run is at work on {settings.home} ({lock.read().strip() or 'just begun'})",
                "Wait until it has ended; how far it is:  claimhouse status",
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, since {dt.datetime.now():%Y-%m-%d %H:%M:%S}\n")
        lock.flush()
        try:
            yield
        except Exception as error:
            if not _is_out_of_room(error, settings):
                raise
            raise Problem(
                f"the disk of {settings.home} filled up while the run was at work: No space left on device",
                "Free some space and run again; nothing is half done, and what is published stays readable",
                FAULT,
            ) from error


def _is_out_of_room(error: BaseException, settings: Settings) -> bool:
    """Libraries tell of it in many words, some of them of an error of the disk alone: the disk itself is asked as well."""
    told = ""
    cause: BaseException | None = error
    while cause:
        told, cause = f"{told} {cause}", cause.__cause__ or cause.__context__
    is_told = any(words in told for words in ("No space left on device", "database or disk is full"))
    return is_told or shutil.disk_usage(settings.home).free < LEAST_FREE_BYTES
