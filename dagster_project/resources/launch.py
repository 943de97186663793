"""Runs a job in this process, under the same instance as the UI, and tells how it goes on.

Belongs here: starting a job, following its events, what is left of a run whose process died.
Does not: drawing progress (the command line does), which jobs there are (defs/).
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus, EventLogEntry, RunsFilter

from dagster_project.resources.dbt import BUILT
from dagster_project.resources.verdicts import is_idle
from dagster_project.settings import Settings

PROCESS = "claimhouse/process"
# Errors by which a step says that the data are not fit, and not that it fell over: a blocking check, failed dbt tests.
DATA_FAILED = {"DagsterAssetCheckFailedError", "Failure"}
NO_SPACE = "No space left on device"  # the one message of the system that is passed on: a person can mend it
POLL_SECONDS = 0.25
# Of the layers of asset keys; every other one is a step of dbt.
STAGES = {"raw": "files", "lake": "files", "pricing": "answers", "ml": "answers", "published": "publication"}
UNFINISHED = [
    DagsterRunStatus.STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class FailedCheck:
    """A check that said no: of which asset, whether it blocks, and its own sentence."""

    asset: str
    check: str
    is_blocking: bool
    about: str


@dataclass(frozen=True)
class FailedStep:
    """A step that fell over, or (`is_gate`) that stopped because the data are not fit. `error` is the kind of error
    alone: its message may hold a value of a row."""

    step: str
    error: str
    is_gate: bool


@dataclass
class Progress:
    """What a run has done so far, from its events; `running` is the step at work now."""

    run_id: str = ""
    running: str = ""
    done: Counter[str] = field(default_factory=Counter)
    failed_checks: list[FailedCheck] = field(default_factory=list)
    failed_steps: list[FailedStep] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    run_id: str
    is_success: bool
    failed_checks: tuple[FailedCheck, ...]
    failed_steps: tuple[FailedStep, ...]
    seconds: dict[str, float]


Watcher = Callable[[Progress], None]


def stage_of(asset_key: dg.AssetKey) -> str:
    """The stage of a run that an asset belongs to: files, warehouse, answers or publication."""
    return STAGES.get(asset_key.path[0], "warehouse")


def planned(job: dg.JobDefinition) -> Counter[str]:
    """How many assets each stage has, and how many checks there are."""
    counted = Counter(stage_of(key) for key in job.asset_layer.selected_asset_keys)
    counted["checks"] = len(job.asset_layer.asset_graph.asset_check_keys)
    return counted


def run_job(settings: Settings, job: dg.JobDefinition, watch: Watcher | None = None) -> Outcome:
    """Runs the job to its end in this process. Failures are in the outcome and in the UI's history; none is raised."""
    with DagsterInstance.from_config(str(settings.dagster)) as instance:
        clear_dead_runs(instance)
        run_id = str(uuid.uuid4())
        progress = Progress(run_id)
        with _following(instance, progress, watch), _quiet():
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                raise_on_error=False,
                tags={PROCESS: f"{socket.gethostname()}/{os.getpid()}"},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        return Outcome(
            run_id,
            result.success,
            tuple(progress.failed_checks),
            tuple(progress.failed_steps),
            _seconds(instance, run_id),
        )


def clear_dead_runs(instance: DagsterInstance) -> int:
    """Marks runs of this machine whose process is gone as failed, and gives back the pools they held.

    Without this, a run that was killed would hold the warehouse's only place for ever. Returns how many there were.
    """
    dead = [run for run in instance.get_runs(RunsFilter(statuses=UNFINISHED)) if _is_dead(run.tags.get(PROCESS, ""))]
    for run in dead:
        instance.report_run_failed(run, "the process of this run ended before the run did")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(dead)


def _is_dead(process: str) -> bool:
    """True if the tag names a process of this machine that is no more; runs that others launched are left to them."""
    host, _, number = process.rpartition("/")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def _following(instance: DagsterInstance, progress: Progress, watch: Watcher | None) -> Iterator[None]:
    """Reads the run's events beside it, and once more when it has ended."""
    ended = threading.Event()

    def follow() -> None:
        cursor = None
        while True:
            last = ended.wait(POLL_SECONDS)
            more = True
            while more:
                page = instance.get_records_for_run(progress.run_id, cursor=cursor)
                cursor, more = page.cursor, page.has_more
                for record in page.records:
                    note(progress, record.event_log_entry)
            if watch:
                watch(progress)
            if last:
                return

    with ThreadPoolExecutor(1, "follow-run") as beside:
        following = beside.submit(follow)
        try:
            yield
        finally:
            ended.set()
        following.result()  # whoever could not follow the run does not know how it ended


def note(progress: Progress, entry: EventLogEntry) -> None:
    """Takes one event into the progress."""
    if not entry.is_dagster_event:
        if entry.user_message.startswith(BUILT):
            progress.done["warehouse"] += 1
            progress.running = entry.user_message.removeprefix(BUILT)
        return
    event = entry.get_dagster_event()
    if event.event_type == DagsterEventType.STEP_START:
        progress.running = event.step_key or ""
    elif event.event_type == DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
        stage = stage_of(event.asset_key)
        # Models were counted when dbt said that they were built; their events come after the last of them.
        progress.done[stage] += stage != "warehouse"
    elif event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
        evaluation = event.asset_check_evaluation_data
        progress.done["checks"] += 1
        if not evaluation.passed and not is_idle(evaluation):
            blocking = bool(evaluation.blocking) and evaluation.severity == dg.AssetCheckSeverity.ERROR
            about = evaluation.description or ""
            progress.failed_checks.append(
                FailedCheck("/".join(evaluation.asset_key.path), evaluation.check_name, blocking, about)
            )
    elif event.event_type == DagsterEventType.STEP_FAILURE:
        error = event.step_failure_data.error
        kind = (error.cause.cls_name if error and error.cause else error.cls_name if error else None) or "unknown"
        told = f"{error.message} {error.cause.message if error.cause else ''}" if error else ""
        is_full = NO_SPACE in told
        progress.failed_steps.append(
            FailedStep(event.step_key or "", NO_SPACE if is_full else kind, kind in DATA_FAILED and not is_full)
        )


def _seconds(instance: DagsterInstance, run_id: str) -> dict[str, float]:
    """How long each step took, longest first."""
    stats = instance.get_run_step_stats(run_id)
    taken = {one.step_key: round(one.end_time - one.start_time, 2) for one in stats if one.start_time and one.end_time}
    return dict(sorted(taken.items(), key=lambda step: -step[1]))


@contextmanager
def _quiet() -> Iterator[None]:
    """What steps print goes to Dagster's own capture of the step, not over the progress bars."""
    kept = [(stream, os.dup(stream.fileno())) for stream in _real(sys.stdout, sys.stderr)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in kept:
            stream.flush()
            os.dup2(nowhere, stream.fileno())
        yield
    finally:
        for stream, copy in kept:
            stream.flush()
            os.dup2(copy, stream.fileno())
            os.close(copy)
        os.close(nowhere)


def _real(*streams: TextIO) -> list[TextIO]:
    """Streams that are files of the system; a test's are not."""
    found = []
    for stream in streams:
        try:
            stream.fileno()
        except (AttributeError, OSError):
            continue
        found.append(stream)
    return found


def last_runs(settings: Settings, limit: int) -> list[tuple[str, str, str, float | None, float | None]]:
    """Run id, job, status, start and seconds of the newest runs, whoever launched them."""
    with DagsterInstance.from_config(str(settings.dagster)) as instance:
        records = instance.get_run_records(limit=limit)
    return [
        (
            record.dagster_run.run_id,
            record.dagster_run.job_name,
            record.dagster_run.status.value.lower(),
            record.start_time,
            record.end_time - record.start_time if record.end_time and record.start_time else None,
        )
        for record in records
    ]
