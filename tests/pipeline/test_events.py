"""Dagster's store of events with its files kept open: the same files, heard of at once."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import pytest
from dagster import DagsterInstance, EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from dagster_project.resources.events import KEPT, KeptOpenEvents
from dagster_project.resources.home import prepare_home
from dagster_project.settings import Settings

RUN = "a-run"


def said(message: str, run_id: str = RUN) -> EventLogEntry:
    return EventLogEntry(None, logging.INFO, message, run_id, time.time())


def messages(store: SqliteEventLogStorage, run_id: str = RUN) -> list[str]:
    return [entry.user_message for entry in store.get_logs_for_run(run_id)]


def test_a_home_keeps_its_events_open_and_where_dagster_would_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    prepare_home(settings)
    with DagsterInstance.from_config(str(settings.dagster)) as instance:
        assert isinstance(instance.event_log_storage, KeptOpenEvents)
        instance.event_log_storage.store_event(said("one"))
        # a reader beside it, and Dagster's own store afterwards
        assert messages(SqliteEventLogStorage(str(settings.dagster / "history" / "runs"))) == ["one"]
    assert messages(SqliteEventLogStorage(str(settings.dagster / "history" / "runs"))) == ["one"]


def test_who_follows_a_run_from_another_process_hears_of_each_event_at_once(tmp_path: Path) -> None:
    run, page = KeptOpenEvents(str(tmp_path)), KeptOpenEvents(str(tmp_path))
    run.store_event(said("begun"))
    heard: list[str] = []
    all_heard = threading.Event()

    def note(entry: EventLogEntry, _: str) -> None:
        heard.append(entry.user_message)
        if len(heard) == 3:
            all_heard.set()

    page.watch(RUN, None, note)
    try:
        for message in ("one", "two"):
            run.store_event(said(message))
        assert all_heard.wait(10)
    finally:
        page.dispose()
        run.dispose()
    assert heard == ["begun", "one", "two"]


def test_files_of_runs_long_past_are_let_go(tmp_path: Path) -> None:
    store = KeptOpenEvents(str(tmp_path))
    for number in range(KEPT + 3):
        store.store_event(said("one", f"run-{number}"))
        store.store_event(said("two", f"run-{number}"))
    assert len(store._engines) == KEPT
    assert all(messages(store, f"run-{number}") == ["one", "two"] for number in range(KEPT + 3))
    store.dispose()
