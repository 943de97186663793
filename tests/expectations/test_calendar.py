"""Data that was due and is not there is no pass; data that nobody expects yet is no failure."""

from __future__ import annotations

import datetime as dt

import pytest

from expectations import calendar as calendar_module
from expectations.calendar import CalendarError, check_calendar, check_sides, due_files, expect_until, owes
from expectations.judge import accept_load, judge_loads

HEADER = "data_source,feed,period,due_day,months_due,effective_from,effective_to,source\n"
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def calendar(tmp_path):
    path = tmp_path / "expected.csv"
    path.write_text(HEADER + "demo,remittance,month,10,sent,2024-01-01,2025-12-31,a test\n")
    return path


def only(results):
    (result,) = results
    return result


def test_the_calendar_passes_when_every_month_since_the_first_file_is_there(lake, contracts, calendar):
    lake.months(4, first="2025-09")
    judge_loads(lake.settings, contracts, "remittance")
    result = only(check_calendar(lake.settings, as_of=TODAY, calendar=calendar))
    assert (result.verdict, result.failed_count, result.checked_count) == ("pass", 0, 4)


def test_a_month_fails_and_blocks_when_it_was_due_and_is_missing(lake, contracts, calendar):
    lake.months(2, first="2025-09")
    lake.load("2025-12")
    judge_loads(lake.settings, contracts, "remittance")
    result = only(check_calendar(lake.settings, as_of=TODAY, calendar=calendar))
    assert (result.verdict, result.is_blocking, result.failed_count, result.note) == (
        "fail",
        True,
        1,
        "missing: 2025-11",
    )


def test_a_month_is_not_due_before_its_day(lake, contracts, calendar):
    calendar.write_text(HEADER + "demo,remittance,month,10,all,2025-09-01,,a test\n")
    lake.load("2025-09")
    judge_loads(lake.settings, contracts, "remittance")
    assert [due.month for due in due_files(lake.settings, dt.date(2025, 11, 9), calendar)] == [dt.date(2025, 9, 1)]
    due = due_files(lake.settings, dt.date(2025, 11, 10), calendar)
    assert [(due.month, due.state) for due in due] == [
        (dt.date(2025, 9, 1), "arrived"),
        (dt.date(2025, 10, 1), "missing"),
    ]


def test_a_due_day_is_the_last_day_when_the_month_is_shorter(lake, contracts, calendar):
    calendar.write_text(HEADER + "demo,remittance,month,31,all,2025-01-01,2025-01-31,a test\n")
    assert [due.due_date for due in due_files(lake.settings, TODAY, calendar)] == [dt.date(2025, 2, 28)]


def test_a_file_that_waits_is_not_there_until_it_is_accepted(lake, contracts, calendar):
    lake.months(3, first="2025-09")
    bent = lake.load("2025-12", set_aside=300)
    judge_loads(lake.settings, contracts, "remittance")
    assert only(check_calendar(lake.settings, as_of=TODAY, calendar=calendar)).note == "waiting: 2025-12"
    accept_load(lake.settings, bent, "A. Person", "the sender says that is how it is")
    assert only(check_calendar(lake.settings, as_of=TODAY, calendar=calendar)).verdict == "pass"


def test_no_data_blocks_when_a_sender_of_whom_files_are_due_sent_none(lake, contracts, calendar):
    calendar.write_text(HEADER + "demo,remittance,month,10,all,2025-11-01,2025-12-31,a test\n")
    result = only(check_calendar(lake.settings, as_of=TODAY, calendar=calendar))
    assert (result.verdict, result.is_blocking, result.failed_count) == ("no_data", True, 2)


@pytest.mark.parametrize("months_due", ["all", "sent"])
def test_a_silent_sender_is_overdue_until_somebody_says_that_it_has_ended(lake, contracts, calendar, months_due):
    """With `sent`, months were due up to the last file of any feed: who fell silent altogether was never late."""
    lake.load("2025-12")
    judge_loads(lake.settings, contracts, "remittance")
    row = f"demo,remittance,month,10,{months_due},2025-12-01"
    calendar.write_text(f"{HEADER}{row},,a test\n")
    result = only(check_calendar(lake.settings, as_of=dt.date(2026, 3, 10), calendar=calendar))
    assert (result.verdict, result.note) == ("fail", "missing: 2026-01, 2026-02")
    calendar.write_text(f"{HEADER}{row},2026-01-31,a test\n")
    result = only(check_calendar(lake.settings, as_of=dt.date(2026, 3, 10), calendar=calendar))
    assert result.note == "missing: 2026-01"


def test_every_sender_of_the_house_is_late_when_it_falls_silent(lake, contracts):
    lake.load("2025-12")
    judge_loads(lake.settings, contracts, "remittance")
    missing = [due for due in due_files(lake.settings, dt.date(2027, 12, 31)) if due.state == "missing"]
    assert {(due.data_source, due.feed) for due in missing} >= {("demo", "remittance"), ("demo", "ledger_posting")}
    assert max(due.month for due in missing) == dt.date(2027, 11, 1)


@pytest.mark.parametrize("months", [6, 24])
def test_a_world_that_ends_is_never_late_after_its_end_whatever_its_length(lake, contracts, calendar, months):
    calendar.write_text(HEADER + "demo,remittance,month,10,sent,2024-01-01,,a test\n")
    lake.months(months, first="2024-01")
    judge_loads(lake.settings, contracts, "remittance")
    last_day = dt.date(2024 + months // 12, months % 12 + 1, 1) - dt.timedelta(days=1)
    expect_until(lake.settings, "demo", last_day, "a test")
    for as_of in (last_day, TODAY, dt.date(2031, 1, 1)):
        result = only(check_calendar(lake.settings, as_of=as_of, calendar=calendar))
        assert (result.verdict, result.failed_count) == ("pass", 0)
    assert result.checked_count == months


def test_what_is_said_of_a_sender_replaces_what_was_said_before_and_leaves_others_alone(lake, contracts, calendar):
    expect_until(lake.settings, "other", dt.date(2025, 1, 31), "a contract, ended")
    for day in (dt.date(2025, 10, 31), dt.date(2025, 11, 30)):
        path = expect_until(lake.settings, "demo", day, 'a world of "so" many months, with a comma')
    assert [line.split(",")[:2] for line in path.read_text().splitlines()[1:]] == [
        ["other", "2025-01-31"],
        ["demo", "2025-11-30"],
    ]
    lake.load("2025-10")
    assert [due.month.month for due in due_files(lake.settings, TODAY, calendar)] == [10, 11]


@pytest.mark.parametrize("rows", ["demo,soon,x", "demo,,x", ",2025-12-31,x", "demo,2025-12-31,x\ndemo,2026-12-31,x"])
def test_an_end_that_cannot_be_understood_is_refused_rather_than_never_due(lake, calendar, rows):
    (lake.settings.home / "expected_until.csv").write_text(f"data_source,effective_to,source\n{rows}\n")
    with pytest.raises(CalendarError, match="expected_until.csv"):
        due_files(lake.settings, TODAY, calendar)


def test_no_data_blocks_only_where_one_sender_owes_all_that_is_asked_for(lake, calendar, monkeypatch):
    calendar.write_text(
        HEADER
        + "one,remittance,month,10,all,2025-11-01,,a test\n"
        + "two,ledger_posting,month,10,all,2025-11-01,,a test\n"
    )
    monkeypatch.setattr(
        calendar_module, "due_files", lambda settings, as_of=None: due_files(settings, as_of or TODAY, calendar)
    )
    assert owes(lake.settings)
    assert owes(lake.settings, ["remittance"])
    assert not owes(lake.settings, ["remittance", "ledger_posting"])
    assert not owes(lake.settings, ["pharmacy_fill"])
    assert not owes(lake.settings, ["remittance"], dt.date(2025, 12, 9))


def test_nothing_is_due_when_a_sender_that_begins_with_its_first_file_has_sent_none(lake, calendar):
    assert check_calendar(lake.settings, as_of=TODAY, calendar=calendar) == []


def test_a_feed_is_due_from_the_senders_first_month_when_only_its_other_feeds_came(lake, contracts, calendar):
    calendar.write_text(calendar.read_text() + "demo,pharmacy_fill,month,10,sent,2024-01-01,2025-12-31,a test\n")
    lake.months(2, first="2025-11")
    judge_loads(lake.settings, contracts, "remittance")
    results = {result.asset: result for result in check_calendar(lake.settings, as_of=TODAY, calendar=calendar)}
    assert results["raw/remittance"].verdict == "pass"
    assert (results["raw/pharmacy_fill"].verdict, results["raw/pharmacy_fill"].checked_count) == ("no_data", 2)


def test_a_file_without_a_month_in_its_name_counts_for_the_months_of_its_rows(lake, contracts, calendar):
    lake.load("2025-12", name="everything")
    judge_loads(lake.settings, contracts, "remittance")
    assert [(due.month.month, due.state) for due in due_files(lake.settings, TODAY, calendar)] == [(12, "arrived")]


@pytest.mark.parametrize(("rows", "state"), [(0, "arrived"), (400, "waiting")])
def test_a_file_of_the_same_bytes_counts_for_its_month_when_it_is_empty(lake, contracts, calendar, rows, state):
    """Header-only files of two months are one content: called missing, the second blocked a quiet sender."""
    first = lake.load("2025-11", rows=rows)
    judge_loads(lake.settings, contracts, "remittance")
    lake.con.execute(f"""
        copy (select 'remittance/remittance_2025-12.csv' as file_name, ['remittance'] as feeds, 'duplicate' as state,
            'hash of {first}' as content_hash) to '{lake.settings.lake}/inventory.parquet' (format parquet)
    """)
    due = {one.month.month: one.state for one in due_files(lake.settings, TODAY, calendar)}
    assert due == {11: "arrived", 12: state}


@pytest.mark.parametrize(
    "row",
    [
        "demo,remittance,month,ten,sent,2024-01-01,,x",
        "demo,remittance,weekly,1,sent,2024-01-01,,x",
        "demo,remittance,month,32,sent,2024-01-01,,x",
        "demo,remittance,month,1,sent,,,x",
        "demo,remittance,month,1,some,2024-01-01,,x",
    ],
)
def test_a_calendar_is_refused_when_a_row_of_it_cannot_be_understood(lake, calendar, row):
    calendar.write_text(HEADER + row + "\n")
    with pytest.raises(CalendarError):
        due_files(lake.settings, TODAY, calendar)


def test_a_check_of_two_feeds_has_no_data_when_a_sender_sends_one(lake, contracts, calendar):
    lake.load("2025-12", sender="demo")
    lake.load("2025-12", sender="other")
    judge_loads(lake.settings, contracts, "remittance")
    calendar.write_text(calendar.read_text() + "demo,ledger_posting,month,10,sent,2024-01-01,2025-12-31,a test\n")
    results = check_sides(lake.settings, as_of=TODAY, calendar=calendar)
    ledger = {
        result.data_source: result for result in results if result.check_name == "both_sides_of_cash_is_in_the_ledger"
    }
    assert {sender: result.verdict for sender, result in ledger.items()} == {"demo": "no_data", "other": "no_data"}
    assert {sender: result.is_blocking for sender, result in ledger.items()} == {"demo": True, "other": False}
