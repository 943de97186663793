"""The demonstration's own files, dirt included, go through; a file that a sender broke does not."""

from __future__ import annotations

import datetime as dt

import pytest

from dagster_project.privacy.keys import load_key
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import load_everything
from dagster_project.synthetic import generate
from expectations.calendar import check_calendar, check_sides, expect_until
from expectations.judge import judge_loads

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """800 members and nine months: enough rows and history for most questions to be asked."""
    settings = Settings(home=tmp_path_factory.mktemp("house"), quiet_seconds=0)
    contracts = load_contracts()
    generate(settings.landing, settings.answers, members=800, seed=11, months=9)
    expect_until(settings, "demo", dt.date(2024, 9, 30), "a world of nine months")
    load_everything(settings, contracts, load_key(settings))
    return settings, contracts, {feed: judge_loads(settings, contracts, feed) for feed in contracts}


def test_every_load_of_the_demonstration_is_admitted(house):
    _, _, verdicts = house
    failed = [result for loads in verdicts.values() for one in loads for result in one.failed]
    assert [(result.load_id, result.check_name, result.note) for result in failed] == []
    asked = [result for one in verdicts["remittance"][-1:] for result in one.results]
    assert {result.check_name for result in asked if result.verdict == "no_data"} == set()


def test_every_file_of_the_demonstration_that_was_due_is_there(house):
    settings, *_ = house
    results = check_calendar(settings, as_of=TODAY)
    assert len(results) == 17
    assert {(result.asset, result.note) for result in results if result.verdict != "pass"} == set()
    assert {result.checked_count for result in results} == {9}
    assert {result.verdict for result in check_sides(settings, as_of=TODAY)} == {"pass"}


def test_a_file_sent_again_with_half_its_lines_is_held_and_the_one_before_stays(house):
    settings, contracts, _ = house
    (path,) = settings.landing.rglob("pharmacy_fill_2024-09.csv")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    load_everything(settings, contracts, load_key(settings))
    (verdict,) = judge_loads(settings, contracts, "pharmacy_fill")
    assert (verdict.verdict, "rows_as_before" in {result.check_name for result in verdict.failed}) == ("held", True)
    assert {result.verdict for result in check_calendar(settings, as_of=TODAY)} == {"pass"}
