"""What a check may say, and how results reach the lake: counts and names of columns, never a value of a row.

Belongs here: the shape of a result and of an admission, and writing them so that a reader never sees half a file.
Does not: deciding anything.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from dagster_project.settings import Settings
from dagster_project.sources.lake import schema, write_rows

PASS, FAIL, ERROR, NO_DATA = "pass", "fail", "error", "no_data"
ADMITTED, HELD, ACCEPTED = "admitted", "held", "accepted"


@dataclass(frozen=True)
class CheckResult:
    """One check of one run; `load_id` and `data_source` are None where it is about no single one."""

    checker: str
    asset: str
    check_name: str
    verdict: str
    is_blocking: bool
    failed_count: int
    checked_count: int
    data_source: str | None = None
    load_id: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Admission:
    """Whether the rows of a load may go on: admitted by the suite, held by it, or accepted by a named person."""

    load_id: str
    feed: str
    verdict: str
    judged_at: datetime
    failed_expectation_count: int
    accepted_by: str | None = None
    accept_reason: str | None = None


def now() -> datetime:
    """UTC without a zone, as everywhere in the lake."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_run_id() -> str:
    """For a run that nobody else has named; sorts by time."""
    return f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def write_quality(
    settings: Settings, results: Sequence[CheckResult], run_id: str, part: str, checked_at: datetime | None = None
) -> Path | None:
    """Write one run's results of one part (a feed, 'calendar'); the same run and part again replaces its file."""
    if not results:
        return None
    checked_at = checked_at or now()
    rows = [{"run_id": run_id, "checked_at": checked_at, **asdict(result)} for result in results]
    path = settings.lake / "quality" / f"{_file_name(run_id)}-{_file_name(part)}.parquet"
    write_rows(rows, schema("quality"), path)
    return path


def write_admission(settings: Settings, admission: Admission) -> Path:
    """One file per load, replaced when a person accepts it."""
    path = admission_path(settings, admission.load_id)
    write_rows([asdict(admission)], schema("admissions"), path)
    return path


def admission_path(settings: Settings, load_id: str) -> Path:
    return settings.lake / "admissions" / f"{load_id}.parquet"


def read_admission(settings: Settings, load_id: str) -> Admission | None:
    path = admission_path(settings, load_id)
    if not path.exists():
        return None
    row = pq.read_table(path).to_pylist()[0]
    return Admission(**{name: row[name] for name in schema("admissions").names})


def _file_name(text: str) -> str:
    """Letters, digits, dash and underscore only: a run id or a part must not choose a folder."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
