"""Judges the loads of a feed with Great Expectations: each is admitted or held, and a person may accept a held one.

Belongs here: the order of judging, verdicts, admissions. Does not: Dagster, single rows, how a measure is taken.

Great Expectations sees two small frames of counts and shares (frames.py), never a row of the feed, so no result can
hold a value of one; what is kept of a result is the load, the name of the question, and how many columns failed it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract
from expectations import frames, profile
from expectations.results import (
    ACCEPTED,
    ADMITTED,
    ERROR,
    FAIL,
    HELD,
    NO_DATA,
    PASS,
    Admission,
    CheckResult,
    new_run_id,
    now,
    read_admission,
    write_admission,
    write_quality,
)
from expectations.suite import COLUMNS, LOADS, Question, build_suite, questions

if TYPE_CHECKING:
    from pandas import DataFrame

CHECKER = "great_expectations"


class AcceptError(ValueError):
    """A load cannot be accepted; the message says why and what to do."""


@dataclass(frozen=True)
class Verdict:
    """What was decided about one load, with the result of each question."""

    load_id: str
    feed: str
    data_source: str
    verdict: str
    results: tuple[CheckResult, ...] = field(repr=False)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if result.verdict in (FAIL, ERROR))


@dataclass(frozen=True)
class _Outcome:
    """What Great Expectations said of one question: which loads (and columns) fail, or that it could not tell."""

    failing: frozenset[tuple[str, str | None]] = frozenset()
    is_error: bool = False


def judge_loads(
    settings: Settings, contracts: Mapping[str, Contract], feed: str, run_id: str | None = None, again: bool = False
) -> list[Verdict]:
    """Judge every conserved load of the feed that has no verdict yet, each against those before it (`again`: held too).

    Writes lake/admissions/<load_id>.parquet and the run's results to lake/quality/. Without new loads it does nothing.
    """
    contract = contracts[feed]
    with profile.connect(settings) as con:
        frames.read_loads(con, settings, feed, again)
        waiting = frames.candidates(con)
        if not waiting:
            return []
        before = frames.went_before(con)
        unmeasured = [load_id for load_id in before if not profile.profile_path(settings, load_id).exists()]
        unusable = profile.profile_loads(con, settings, contract, [*waiting, *unmeasured])
        frames.read_profiles(con, settings, [*waiting, *before])
        verdicts = _settle(con, contract, waiting, unusable)
    judged_at = now()
    write_quality(
        settings,
        [result for verdict in verdicts for result in verdict.results],
        run_id or new_run_id(),
        feed,
        judged_at,
    )
    for verdict in verdicts:
        write_admission(settings, Admission(verdict.load_id, feed, verdict.verdict, judged_at, len(verdict.failed)))
    return verdicts


def accept_load(settings: Settings, load_id: str, by: str, reason: str) -> Admission:
    """Let a held load go on, in the name of a person and for a reason. Raises AcceptError when it is not held."""
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise AcceptError("a held load is accepted by a named person for a stated reason: give both")
    admission = read_admission(settings, load_id)
    if admission is None:
        raise AcceptError(
            f"load {load_id} has not been judged; run the pipeline first, or see the loads with: claimhouse status"
        )
    if admission.verdict != HELD:
        raise AcceptError(f"load {load_id} is {admission.verdict}, not held: there is nothing to accept")
    accepted = replace(admission, verdict=ACCEPTED, accepted_by=by, accept_reason=reason)
    write_admission(settings, accepted)
    return accepted


def _settle(con: Any, contract: Contract, waiting: Sequence[str], unusable: set[str]) -> list[Verdict]:
    """Judge until the verdicts stand: a held load must not be the measure of later ones.

    A load's verdict rests on earlier ones alone, so each round settles at least one more, and few rounds are needed.
    """
    asked = questions(contract)
    held: set[str] = set()
    for _ in waiting:
        measured = frames.build(con, contract, held, unusable)
        outcomes = run_suite(contract.feed, asked, measured)
        verdicts = _verdicts(contract.feed, asked, measured, outcomes)
        now_held = {verdict.load_id for verdict in verdicts if verdict.verdict == HELD}
        if now_held == held:
            break
        held = now_held
    order = {load_id: position for position, load_id in enumerate(waiting)}
    return sorted(verdicts, key=lambda verdict: order[verdict.load_id])


def run_suite(name: str, asked: Sequence[Question], measured: Mapping[str, DataFrame]) -> dict[str, _Outcome]:
    """Put the questions to Great Expectations, by question name."""
    outcomes: dict[str, _Outcome] = {}
    for frame in (LOADS, COLUMNS):
        mine = [question for question in asked if question.frame == frame]
        if mine:
            outcomes |= _validate(f"{name}_{frame}", mine, measured[frame])
    return outcomes


def _validate(name: str, asked: list[Question], frame: DataFrame) -> dict[str, _Outcome]:
    """First which expectations fail, then, for those alone, where: the places cost twice the answer."""
    index = [column for column in ("load_id", "column_name") if column in frame.columns]
    # What no load has a measure for needs no expectation; a measure that the frame lacks does, and ends in an error.
    outcomes = {
        question.name: _Outcome()
        for question in asked
        if question.measure in frame and frame[question.measure].isna().all()
    }
    asked = [question for question in asked if question.name not in outcomes]
    if not asked:
        return outcomes
    batch = _context().get_batch(batch_parameters={"dataframe": frame})
    failed: list[Question] = []
    for question, result in _ask(batch, name, asked, {"result_format": "BOOLEAN_ONLY"}):
        if _has_raised(result):
            outcomes[question.name] = _Outcome(is_error=True)
        elif result["success"]:
            outcomes[question.name] = _Outcome()
        else:
            failed.append(question)
    complete = {"result_format": "COMPLETE", "unexpected_index_column_names": index}
    for question, result in _ask(batch, name, failed, complete) if failed else []:
        places = result["result"].get("unexpected_index_list") or []
        failing = frozenset((place["load_id"], place.get("column_name")) for place in places)
        # A failure without a place would let every load pass: it is an error as much as an exception is.
        outcomes[question.name] = _Outcome(failing, is_error=_has_raised(result) or not failing)
    return outcomes


def _ask(batch: Any, name: str, asked: list[Question], result_format: dict[str, Any]) -> list[tuple[Question, Any]]:
    by_name = {question.name: question for question in asked}
    validation = batch.validate(build_suite(name, asked), result_format=result_format)
    answers = [(by_name.pop(result.expectation_config.meta["question"]), result) for result in validation.results]
    if by_name:
        raise RuntimeError(f"Great Expectations gave no answer to: {', '.join(by_name)}")
    return answers


def _has_raised(result: Any) -> bool:
    """`exception_info` is flat for one exception and keyed by metric for several; either way it is no data failure."""
    info = result.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(value, dict) and value.get("raised_exception") for value in info.values())


@functools.cache
def _context() -> Any:
    """One ephemeral context for the process: no files, analytics or progress bars. Imported late: it costs seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    return (
        context.data_sources.add_pandas("loads")
        .add_dataframe_asset("measures")
        .add_batch_definition_whole_dataframe("all")
    )


def _verdicts(
    feed: str, asked: Sequence[Question], measured: Mapping[str, DataFrame], outcomes: Mapping[str, _Outcome]
) -> list[Verdict]:
    """One verdict per load: held if any question failed or could not be answered."""
    checked = {question.name: _checked_counts(question, measured[question.frame]) for question in asked}
    verdicts = []
    loads = measured[LOADS]
    for load_id, data_source in zip(loads["load_id"], loads["data_source"], strict=True):
        results = tuple(
            _result(
                feed,
                question,
                outcomes[question.name],
                load_id,
                data_source,
                checked[question.name].get(load_id, 0),
            )
            for question in asked
        )
        is_held = any(result.verdict in (FAIL, ERROR) for result in results)
        verdicts.append(Verdict(load_id, feed, data_source, HELD if is_held else ADMITTED, results))
    return verdicts


def _checked_counts(question: Question, frame: DataFrame) -> dict[str, int]:
    """How many values of the measure each load has: 1 or 0, or one per column that could be compared."""
    if question.measure not in frame.columns:
        return {}
    return frame.groupby("load_id")[question.measure].count().to_dict()


def _result(
    feed: str, question: Question, outcome: _Outcome, load_id: str, data_source: str, checked: int
) -> CheckResult:
    columns = sorted(column or "" for load, column in outcome.failing if load == load_id)
    if outcome.is_error:
        verdict, note = ERROR, f"{question.about}: could not be computed"
    elif columns:
        verdict, note = FAIL, f"{question.about}{': ' + ', '.join(columns) if any(columns) else ''}"
    elif checked:
        verdict, note = PASS, None
    else:
        verdict, note = NO_DATA, f"{question.about}: nothing to compare with"
    return CheckResult(
        checker=CHECKER,
        asset=f"raw/{feed}",
        check_name=question.name,
        verdict=verdict,
        is_blocking=verdict != NO_DATA,
        failed_count=len(columns),
        checked_count=int(checked),
        data_source=data_source,
        load_id=load_id,
        note=note,
    )
