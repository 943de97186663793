"""The sensor on the landing folder launches a run for what is new, once, and only when it has stopped growing."""

from __future__ import annotations

import os
import time

import dagster as dg
import pytest

from dagster_project.resources.house import House
from dagster_project.resources.landing import fingerprint
from tests.conftest import settings_of


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "landing" / "payer").mkdir(parents=True)
    return settings_of(tmp_path)


def put(settings, text: str, name: str = "payer.csv", age: float = 60.0):
    path = settings.landing / "payer" / name
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_nothing_is_asked_for_when_the_folder_is_empty(settings):
    assert fingerprint(settings) is None


def test_the_fingerprint_stays_when_nothing_changed_and_moves_when_a_file_is_new_or_other(settings):
    path = put(settings, "payer_id\nA\n")
    first = fingerprint(settings)
    assert first == fingerprint(settings)
    put(settings, "payer_id\nB\n", name="more.csv")
    second = fingerprint(settings)
    path.write_text("payer_id\nAA\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert len({first, second, fingerprint(settings)}) == 3


def test_a_file_that_still_grows_is_waited_for(settings):
    patient = settings.model_copy(update={"quiet_seconds": 30.0})
    put(settings, "payer_id\nA\n", age=1.0)
    assert fingerprint(patient) is None
    put(settings, "payer_id\nA\n", age=31.0)
    assert fingerprint(patient) is not None


def test_the_sensor_asks_for_one_run_per_state_of_the_folder(definitions, settings):
    sensor = next(iter(definitions.get_repository_def().sensor_defs))
    put(settings, "payer_id\nA\n")
    asked = sensor(dg.build_sensor_context(resources={"house": House(home=str(settings.home))}))
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == fingerprint(settings)
