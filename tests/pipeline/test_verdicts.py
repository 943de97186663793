"""How a verdict shows: green for a pass alone, yellow for no data, red where it was due; and where it is kept."""

from __future__ import annotations

from types import SimpleNamespace

import dagster as dg
import pyarrow.parquet as pq
import pytest

from dagster_project.resources import calendar, feeds, gates
from dagster_project.resources.launch import Progress, note
from dagster_project.resources.published import record_differences
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.lake import prepare_lake
from expectations.results import CheckResult
from tests.conftest import settings_of

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@pytest.fixture(scope="module")
def contracts():
    return load_contracts()


@pytest.fixture
def empty(tmp_path, contracts) -> Settings:
    """A home into which nothing has come."""
    settings = settings_of(tmp_path)
    prepare_lake(settings, contracts)
    return settings


def kept(settings: Settings) -> dict[str, tuple[str, bool]]:
    """Verdict of each check in lake/quality, and whether it blocks."""
    rows = [
        row for path in (settings.lake / "quality").glob("[!_]*.parquet") for row in pq.read_table(path).to_pylist()
    ]
    return {row["check_name"]: (row["verdict"], row["is_blocking"]) for row in rows}


@pytest.mark.parametrize("is_due", [False, True])
def test_a_feed_without_data_is_no_pass_and_blocks_where_the_calendar_says_it_was_due(
    empty, contracts, monkeypatch, is_due
):
    """Sixteen results once said no_data and is_blocking, of feeds that nobody owed, and all were green."""
    asked = []
    monkeypatch.setattr(feeds, "owes", lambda settings, what: asked.append(list(what)) or is_due)
    answers = [
        feeds.conservation(empty, "remittance", "run-1"),
        feeds.acceptance(empty, contracts, "remittance", "run-1"),
    ]
    assert [(one.passed, one.severity) for one in answers] == [(False, ERROR if is_due else WARN)] * 2
    assert all(one.metadata["verdict"].value == "no_data" and "no data" in one.description for one in answers)
    assert asked == [["remittance"]] * 2
    assert kept(empty) == dict.fromkeys(("conservation_of_rows_and_dollars", "acceptable"), ("no_data", is_due))


@pytest.mark.parametrize("is_due", [False, True])
@pytest.mark.parametrize("gate", sorted(gates.GATES))
def test_a_gate_without_data_is_no_pass_and_blocks_where_it_was_due(empty, monkeypatch, gate, is_due):
    monkeypatch.setattr(gates, "owes", lambda settings, what: is_due)
    answer = gates.GateAnswer(0, 0, "0 of 0")
    shown_as = gates.as_check(answer, gates.blocks(empty, gate, answer))
    assert (shown_as.passed, shown_as.severity) == (False, ERROR if is_due else WARN)


def test_a_gate_that_fails_blocks_whatever_the_calendar_says(empty, monkeypatch):
    monkeypatch.setattr(gates, "owes", lambda settings, what: False)
    answer = gates.GateAnswer(1, 2, "1 of 2")
    assert gates.blocks(empty, "claims_match", answer)
    assert gates.as_check(answer).severity == ERROR


def test_a_side_that_nobody_owes_shows_in_yellow_and_one_that_was_due_in_red():
    def side(is_blocking: bool) -> CheckResult:
        return CheckResult("dagster", "raw/remittance", "both_sides", "no_data", is_blocking, 1, 2)

    green = CheckResult("dagster", "raw/remittance", "both_sides", "pass", True, 0, 2)
    yellow, red = calendar.as_check([green, side(False)]), calendar.as_check([green, side(True)])
    assert (yellow.passed, yellow.severity) == (False, WARN)
    assert (red.passed, red.severity) == (False, ERROR)
    assert calendar.as_check([green]).passed
    assert not calendar.as_check([]).passed


def test_a_publication_that_is_not_what_was_built_is_kept_with_the_names_of_its_marts(empty):
    assert record_differences(empty, "run-1", [], 27).passed
    assert kept(empty) == {"published_as_built": ("pass", True)}
    failed = record_differences(empty, "run-1", ["mart_pmpm"], 27)
    assert (failed.passed, failed.severity) == (False, ERROR)
    assert kept(empty) == {"published_as_built": ("fail", True)}


@pytest.mark.parametrize(
    ("verdict", "blocks", "is_told"), [("no_data", False, False), ("no_data", True, True), ("fail", False, True)]
)
def test_a_run_does_not_name_checks_that_had_nothing_to_look_at_and_nothing_was_due(verdict, blocks, is_told):
    result = shown(verdict, blocks, {})
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("a"), check_name="b", passed=bool(result.passed), metadata=result.metadata,
        severity=result.severity, blocking=True,
    )  # fmt: skip
    event = SimpleNamespace(
        event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, asset_check_evaluation_data=evaluation
    )
    progress = Progress()
    note(progress, SimpleNamespace(is_dagster_event=True, get_dagster_event=lambda: event))
    assert bool(progress.failed_checks) is is_told
