"""What a run made and how a home stands, as plain data.

Belongs here: collecting answers of libraries. Does not: counting (the lake and the warehouse say it), showing (show.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.publication.publish import read_manifest
from dagster_project.resources.tallies import FeedTally, LoadState, feed_tallies, waiting_loads
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.resources.launch import FailedCheck, FailedStep, Outcome

LARGEST = 10

LEDGER = """
    select entity_code, account_code, count(*), sum(warehouse_amount), sum(ledger_amount), sum(difference_amount),
        count(*) filter (status = 'tied'), count(*) filter (status = 'explained'),
        count(*) filter (status = 'within_tolerance'), count(*) filter (status = 'accepted'),
        count(*) filter (is_blocking)
    from {marts}.fct_ledger_reconciliation
    where status <> 'no_data'
    group by all order by all
"""


@dataclass(frozen=True)
class LedgerLine:
    """One account of the reconciliation over all months, and how many of its cells have which status."""

    entity_code: str
    account_code: str
    cell_count: int
    warehouse_amount: Decimal | None
    ledger_amount: Decimal | None
    difference_amount: Decimal | None
    tied: int
    explained: int
    within_tolerance: int
    accepted: int
    blocking: int


@dataclass(frozen=True)
class LeftFile:
    """A file that may still be written, and from when on (UTC) it counts as whole if nobody touches it."""

    file_name: str
    whole_at: dt.datetime


@dataclass(frozen=True)
class RunSummary:
    """What a run made."""

    run_id: str
    is_success: bool
    seconds: float
    slowest_steps: dict[str, float]
    feeds: list[FeedTally]
    waiting_loads: list[LoadState]
    set_aside_files: list[dict[str, Any]]
    noted_files: list[dict[str, Any]]
    left_files: list[LeftFile]
    ledger: list[LedgerLine]
    largest_marts: dict[str, int]
    failed_checks: Sequence[FailedCheck]
    failed_steps: Sequence[FailedStep]
    publication: dict[str, Any] | None


@dataclass(frozen=True)
class Status:
    """How a home stands."""

    home: str
    feeds: list[FeedTally]
    waiting_loads: list[LoadState]
    set_aside_files: list[dict[str, Any]]
    noted_files: list[dict[str, Any]]
    left_files: list[LeftFile]
    overdue: list[dict[str, Any]]
    failing_checks: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    publication: dict[str, Any] | None


def of_run(settings: Settings, outcome: Outcome) -> RunSummary:
    publication = _publication(settings)
    largest = sorted((publication or {}).get("rows", {}).items(), key=lambda mart: -mart[1])[:LARGEST]
    return RunSummary(
        run_id=outcome.run_id,
        is_success=outcome.is_success,
        seconds=round(sum(outcome.seconds.values()), 1),
        slowest_steps=dict(list(outcome.seconds.items())[:LARGEST]),
        feeds=_feeds(settings),
        waiting_loads=waiting_loads(settings),
        set_aside_files=_set_aside_files(settings),
        noted_files=_noted_files(settings),
        left_files=_left_files(settings),
        ledger=_ledger(settings),
        largest_marts=dict(largest),
        failed_checks=outcome.failed_checks,
        failed_steps=outcome.failed_steps,
        publication=publication,
    )


def of_status(settings: Settings) -> Status:
    return Status(
        home=str(settings.home),
        feeds=_feeds(settings),
        waiting_loads=waiting_loads(settings),
        set_aside_files=_set_aside_files(settings),
        noted_files=_noted_files(settings),
        left_files=_left_files(settings),
        overdue=_overdue(settings),
        failing_checks=_failing_checks(settings),
        runs=_runs(settings),
        publication=_publication(settings),
    )


def _publication(settings: Settings) -> dict[str, Any] | None:
    manifest = read_manifest(settings)
    if manifest is None:
        return None
    kept = ("publication_id", "published_at", "run_id", "git_commit", "token_key_versions")
    return {
        **{name: manifest[name] for name in kept},
        "path": str(settings.published),
        "load_count": len(manifest["load_ids"]),
        "rows": {name: mart["row_count"] for name, mart in manifest["marts"].items()},
    }


def _ledger(settings: Settings) -> list[LedgerLine]:
    """From what is published, or from the warehouse where that is newer; nothing where neither can be read just now."""
    from dagster_project.reconciliation import ReconciliationError, open_books

    try:
        with open_books(settings) as books:
            return [LedgerLine(*row) for row in books.rows(LEDGER)]
    except ReconciliationError:
        return []


def _set_aside_files(settings: Settings) -> list[dict[str, Any]]:
    """Files that no feed could be read from."""
    path = settings.lake / "inventory.parquet"
    if not path.exists():
        return []
    sql = """
        select file_name, reason_code, coalesce(explanation, '') from read_parquet($1)
        where state = 'set_aside' order by file_name
    """
    with duckdb.connect() as con:
        rows = con.execute(sql, [str(path)]).fetchall()
    return [dict(zip(("file_name", "reason_code", "explanation"), row, strict=True)) for row in rows]


def _noted_files(settings: Settings) -> list[dict[str, Any]]:
    """Files that were read and whose sender should hear of something that set no row aside."""
    lake = settings.lake
    if not any((lake / "load_outcomes").glob("*.parquet")):
        return []
    sql = """
        select loads.file_name, list(distinct outcomes.reason_code order by outcomes.reason_code)
        from read_parquet($1, union_by_name = true) as outcomes
        inner join read_parquet($2, union_by_name = true) as loads using (load_id)
        inner join read_parquet($3) as files on loads.file_name = files.file_name and loads.content_hash = files.content_hash
        where outcomes.outcome = 'noted' and files.state = 'recognised'
        group by loads.file_name order by loads.file_name
    """
    places = (lake / "load_outcomes" / "*.parquet", lake / "loads" / "*.parquet", lake / "inventory.parquet")
    with duckdb.connect() as con:
        rows = con.execute(sql, [str(place) for place in places]).fetchall()
    return [dict(zip(("file_name", "notes"), row, strict=True)) for row in rows]


def _left_files(settings: Settings) -> list[LeftFile]:
    """Files that the last inventory left because they may still grow."""
    from dagster_project.sources.loads import read_inventory

    quiet = dt.timedelta(seconds=settings.quiet_seconds)
    return [
        LeftFile(item.file_name, dt.datetime.fromtimestamp(item.modified_ns / 1e9, dt.UTC) + quiet)
        for item in read_inventory(settings)
        if item.state == "growing" and item.byte_count >= 0
    ]


def _overdue(settings: Settings) -> list[dict[str, Any]]:
    from expectations.calendar import ARRIVED, due_files

    return [
        {
            "data_source": due.data_source,
            "feed": due.feed,
            "month": f"{due.month:%Y-%m}",
            "due_date": str(due.due_date),
            "state": due.state,
        }
        for due in due_files(settings)
        if due.state != ARRIVED
    ]


def _failing_checks(settings: Settings) -> list[dict[str, Any]]:
    """The newest result of each check, where it is not a pass and blocks."""
    if not (settings.lake / "quality").exists():
        return []
    sql = """
        select asset, check_name, verdict, failed_count, note from read_parquet($1, union_by_name = true)
        qualify row_number() over (
            partition by checker, asset, check_name, data_source, load_id order by checked_at desc, run_id desc
        ) = 1 and verdict in ('fail', 'error') and is_blocking and load_id is null
        order by all
    """
    names = ("asset", "check_name", "verdict", "failed_count", "note")
    with duckdb.connect() as con:
        rows = con.execute(sql, [str(settings.lake / "quality" / "*.parquet")]).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _runs(settings: Settings, limit: int = 5) -> list[dict[str, Any]]:
    if not (settings.dagster / "history").exists():
        return []
    from dagster_project.resources.launch import last_runs

    return [
        {
            "run_id": run_id[:8],
            "job": job,
            "status": state,
            "started_at": _time(start),
            "seconds": round(seconds, 1) if seconds else None,
        }
        for run_id, job, state, start, seconds in last_runs(settings, limit)
    ]


def _time(seconds: float | None) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}" if seconds else "–"


def _feeds(settings: Settings) -> list[FeedTally]:
    """The feeds' tallies. A feed whose rows have no amount has no dollars, which is not 0.00."""
    from dagster_project.sources.contracts import load_contracts

    with_money = {name for name, contract in load_contracts().items() if contract.amount}
    return [
        tally
        if tally.feed in with_money
        else replace(tally, amount_read=None, amount_accepted=None, amount_set_aside=None, amount_excluded=None)
        for tally in feed_tallies(settings)
    ]
