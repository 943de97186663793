"""Which files were due, which came, and which checks have only one of their two sides.

Belongs here: the calendar of expected files (dbt_project/seeds/quality/expected_files.csv) held against the loads, what a
home says of senders who have ended (expected_until.csv), and the list of checks that need two feeds.
Does not: judging what is in a file, deciding what a missing file stops.

No data is not a pass: a month that was due and is not there fails, and blocks.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb

from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.sources.lake import SCHEMA_FILE
from expectations.frames import batch_month, lake_table
from expectations.results import FAIL, NO_DATA, PASS, CheckResult, new_run_id, write_quality

CALENDAR = DBT_PROJECT / "seeds" / "quality" / "expected_files.csv"
UNTIL_COLUMNS = ("data_source", "effective_to", "source")
CHECKER = "dagster"

ARRIVED, WAITING, MISSING = "arrived", "waiting", "missing"

# Checks that compare two feeds of one sender: for a sender of one of them they have nothing to say.
TWO_SIDED = [
    ("claims_have_remittances", "medical_claim", "remittance"),
    ("claims_have_lines", "medical_claim", "medical_claim_line"),
    ("claims_match_encounters", "medical_claim", "encounter"),
    ("claims_have_enrolment", "medical_claim", "eligibility"),
    ("cash_is_in_the_ledger", "remittance", "ledger_posting"),
]


class CalendarError(ValueError):
    """The calendar cannot be read, or a row of it not be understood; the message names file and row."""


@dataclass(frozen=True)
class DueFile:
    """One month of one feed that a sender owed.

    `state`: arrived (its rows count), waiting (it came, and is held, set aside or not conserved) or missing.
    """

    data_source: str
    feed: str
    month: dt.date
    due_date: dt.date
    state: str


def due_files(settings: Settings, as_of: dt.date | None = None, calendar: Path = CALENDAR) -> list[DueFile]:
    """Everything that was due by that day (default: today), by sender, feed and month."""
    as_of = as_of or dt.date.today()
    with duckdb.connect(config={"threads": settings.threads}) as con:
        _read_calendar(con, calendar)
        _read_ends(con, until_path(settings))
        _read_arrivals(con, settings)
        rows = con.execute(
            """
            with begun as (
                -- A file's name says its month; where no file of a sender does, the dates of its rows must.
                select data_source, coalesce(min(batch_month), min(first_month)) as first_sent
                from arrivals group by all
            ),
            in_force as (
                select calendar.data_source, feed, due_day,
                    -- Silence is not an end: only a date that somebody wrote down is one. least() passes over blanks.
                    least(calendar.effective_to, ends.effective_to, $as_of::date) as last_due,
                    if(months_due = 'all', effective_from, greatest(effective_from, first_sent)) as first_due
                from calendar left join begun using (data_source) left join ends using (data_source)
                where months_due = 'all' or first_sent is not null
            ),
            months as (
                select data_source, feed, due_day,
                    unnest(generate_series(
                        date_trunc('month', first_due)::date, date_trunc('month', last_due)::date, interval 1 month
                    ))::date as month
                from in_force
            ),
            due as (
                select *, (month + interval 1 month)::date as next_month,
                    least(next_month + (due_day - 1)::integer, last_day(next_month)) as due_date
                from months
            )
            select due.data_source, due.feed, due.month, due.due_date,
                case when bool_or(arrivals.is_counted) then 'arrived'
                    when count(arrivals.feed) > 0 then 'waiting' else 'missing' end as state
            from due
            left join arrivals
                on arrivals.data_source = due.data_source and arrivals.feed = due.feed
                and case when arrivals.batch_month is not null then arrivals.batch_month = due.month
                    else due.month between arrivals.first_month and arrivals.last_month end
            where due.due_date <= $as_of
            group by all order by all
            """,
            {"as_of": as_of},
        ).fetchall()
    return [DueFile(*row) for row in rows]


def owes(settings: Settings, feeds: Iterable[str] = (), as_of: dt.date | None = None) -> bool:
    """Whether the calendar says that one sender should have sent all these feeds by now (anything, if none is named).

    This, and nothing else, makes no data block.
    """
    feeds = set(feeds)
    if not feeds <= _feeds_named():
        return False
    owed: dict[str, set[str]] = {}
    for due in due_files(settings, as_of):
        owed.setdefault(due.data_source, set()).add(due.feed)
    return any(feeds <= feeds_of_sender for feeds_of_sender in owed.values())


def _feeds_named() -> set[str]:
    """Most feeds that a house has nothing of stand in no row of the calendar: of them nobody need read what arrived."""
    with duckdb.connect() as con:
        _read_calendar(con, CALENDAR)
        return {feed for (feed,) in con.execute("select distinct feed from calendar").fetchall()}


def until_path(settings: Settings) -> Path:
    """Where a home says which senders have ended: a table of its own, since the calendar is every home's."""
    return settings.home / "expected_until.csv"


def expect_until(settings: Settings, data_source: str, last_day: dt.date, source: str) -> Path:
    """Say of a sender that nothing is due after that day, and where it stands; what was said of it before goes."""
    path = until_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if path.exists():
        with path.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["data_source"] != data_source]
    rows.append({"data_source": data_source, "effective_to": last_day.isoformat(), "source": source})
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, UNTIL_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)
    return path


def check_calendar(
    settings: Settings, run_id: str | None = None, as_of: dt.date | None = None, calendar: Path = CALENDAR
) -> list[CheckResult]:
    """One result per sender and feed: did every month that was due arrive? Written to lake/quality.

    A sender of whom nothing is due yet has no result: the calendar does not speak of it.
    """
    results = []
    for (sender, feed), group in groupby(
        due_files(settings, as_of, calendar), key=lambda due: (due.data_source, due.feed)
    ):
        months = list(group)
        open_months = [due for due in months if due.state != ARRIVED]
        nothing = all(due.state == MISSING for due in months)
        results.append(
            CheckResult(
                checker=CHECKER,
                asset=f"raw/{feed}",
                check_name="expected_files",
                verdict=PASS if not open_months else NO_DATA if nothing else FAIL,
                is_blocking=True,
                failed_count=len(open_months),
                checked_count=len(months),
                data_source=sender,
                note=_months_note(open_months),
            )
        )
    write_quality(settings, results, run_id or new_run_id(), "calendar")
    return results


def check_sides(
    settings: Settings, run_id: str | None = None, as_of: dt.date | None = None, calendar: Path = CALENDAR
) -> list[CheckResult]:
    """For each sender and check that needs two feeds: does it send both? no_data blocks where the other was due."""
    with duckdb.connect(config={"threads": settings.threads}) as con:
        _read_arrivals(con, settings)
        sent = {
            (sender, feed)
            for sender, feed in con.execute(
                "select distinct data_source, feed from arrivals where is_counted"
            ).fetchall()
        }
    owed = {(due.data_source, due.feed) for due in due_files(settings, as_of, calendar)}
    results = []
    for name, left, right in TWO_SIDED:
        for sender in sorted({sender for sender, feed in sent if feed in (left, right)}):
            lacking = [feed for feed in (left, right) if (sender, feed) not in sent]
            results.append(
                CheckResult(
                    checker=CHECKER,
                    asset=f"raw/{left}",
                    check_name=f"both_sides_of_{name}",
                    verdict=NO_DATA if lacking else PASS,
                    is_blocking=not lacking or (sender, lacking[0]) in owed,
                    failed_count=len(lacking),
                    checked_count=2,
                    data_source=sender,
                    note=f"{sender} sends no {lacking[0]}" if lacking else None,
                )
            )
    write_quality(settings, results, run_id or new_run_id(), "sides")
    return results


def _months_note(open_months: Sequence[DueFile]) -> str | None:
    """`missing: 2025-05, 2025-06; waiting: 2025-07`, the first twelve of each."""
    parts = []
    for state in (MISSING, WAITING):
        months = [f"{due.month:%Y-%m}" for due in open_months if due.state == state]
        if months:
            more = f" and {len(months) - 12} more" if len(months) > 12 else ""
            parts.append(f"{state}: {', '.join(months[:12])}{more}")
    return "; ".join(parts) or None


def _read_calendar(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Table `calendar`, typed; a cell that is no date or number is an error, not a row that is silently not due."""
    types = {
        "data_source": "varchar", "feed": "varchar", "period": "varchar", "due_day": "integer", "months_due": "varchar",
        "effective_from": "date", "effective_to": "date", "source": "varchar",
    }  # fmt: skip
    _read_table(con, "calendar", path, types)
    wrong = con.execute("""
        select coalesce(data_source, '?') || ' ' || coalesce(feed, '?') from calendar
        where data_source is null or feed is null or period is distinct from 'month'
            or due_day is null or due_day not between 1 and 31
            or months_due is null or months_due not in ('all', 'sent') or effective_from is null
    """).fetchall()  # fmt: skip
    if wrong:
        raise CalendarError(
            f"{path.name}: {wrong[0][0]}: every row needs data_source, feed, period month, due_day 1 to 31, "
            "months_due all or sent, and effective_from"
        )


def _read_ends(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Table `ends`: the last day on which a sender is expected, where this home says so."""
    types = {"data_source": "varchar", "effective_to": "date", "source": "varchar"}
    if not path.exists():
        con.execute("create temp table ends (data_source varchar, effective_to date, source varchar)")
        return
    _read_table(con, "ends", path, types)
    wrong = con.execute("""
        select coalesce(data_source, '?') from ends group by data_source
        having count(*) > 1 or count(data_source) = 0 or count(effective_to) = 0 or count(source) = 0
    """).fetchall()
    if wrong:
        raise CalendarError(
            f"{path.name}: {wrong[0][0]}: a sender has one row, with data_source, effective_to and source"
        )


def _read_table(con: duckdb.DuckDBPyConnection, name: str, path: Path, types: dict[str, str]) -> None:
    try:
        con.execute(
            f"""
            create temp table {name} as
            from read_csv($path, header = true, auto_detect = false, delim = ',', quote = '"', columns = $types)
            """,
            {"path": str(path), "types": types},
        )
    except duckdb.Error as error:
        raise CalendarError(f"{path.name} cannot be read: {str(error).splitlines()[0]}") from error


def _read_arrivals(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Table `arrivals`: each load with the month its file's name ends with, and whether its rows count."""
    if not (settings.lake / "loads" / SCHEMA_FILE).exists():
        con.execute("""
            create temp table arrivals (
                data_source varchar, feed varchar, batch_month date, first_month date, last_month date,
                is_counted boolean
            )
        """)  # fmt: skip
        return
    con.execute(f"""
        create temp table arrivals as
        select data_source, loads.feed, {batch_month("batch_id")} as batch_month,
            date_trunc('month', first_month)::date as first_month, last_month,
            coalesce(status = 'read' and is_conserved and verdict in ('admitted', 'accepted'), false) as is_counted
        from {lake_table(settings, "loads")} as loads
        left join {lake_table(settings, "admissions")} as admissions using (load_id)
    """)
    inventory = settings.lake / "inventory.parquet"
    if inventory.exists():
        # Header-only files of two months are the same bytes, so the second is read no further: it says "nothing" as
        # well. A file that repeats another month's rows is no answer for its own month, and waits.
        con.execute(
            f"""
            insert into arrivals
            with landed as (
                select unnest(feeds) as feed, content_hash,
                    regexp_replace(parse_filename(file_name), '[.].*$', '') as batch_id
                from read_parquet($inventory) where state = 'duplicate'
            )
            select loads.data_source, landed.feed, {batch_month("landed.batch_id")}, null, null, loads.rows_read = 0
            from landed
            join {lake_table(settings, "loads")} as loads using (feed, content_hash)
            where {batch_month("landed.batch_id")} is not null and loads.status = 'read'
            """,
            {"inventory": str(inventory)},
        )
