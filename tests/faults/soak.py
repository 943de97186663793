"""`make soak`: a run killed at every moment, and disks that fill up at several heights. Takes the better part of an hour.

Named so that `make test` does not collect it; the quick forms stand in test_killed_runs and test_refusals.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.cli.terminal import FAULT, SET_ASIDE
from dagster_project.settings import Settings
from tests.conftest import Claimhouse
from tests.faults.disks import fill
from tests.faults.killing import MOMENTS, Moment, loads
from tests.faults.test_killed_runs import contents, killed, landed, load_ids


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_a_run_killed_at_any_moment_ends_as_if_nothing_had_been(
    moment: Moment, demo_settings: Settings, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    settings = killed(demo_settings, tmp_path, [moment])
    done = claimhouse(tmp_path, "run", "--json")
    assert done.code == 0, done.out[-3000:] + done.err
    assert contents(settings) == contents(demo_settings)
    assert loads(tmp_path) == loads(demo_settings.home), "a file was loaded twice, or lost"
    assert load_ids(settings) == load_ids(demo_settings)


@pytest.mark.parametrize("room_mib", [70, 90, 110])
def test_a_disk_that_fills_up_stops_the_run_and_the_next_one_ends_it(
    room_mib: int, demo_settings: Settings, small_disk: Path, claimhouse: Claimhouse
) -> None:
    settings = landed(demo_settings, small_disk / "home")
    earlier = settings.published.resolve()
    ballast = fill(small_disk, leave_mib=room_mib)
    answer = claimhouse(settings.home, "run")
    assert "Traceback (most recent call last)" not in answer.out + answer.err
    assert answer.code in (FAULT, SET_ASIDE) and "No space left on device" in answer.out + answer.err, answer.out[
        -2000:
    ]
    assert settings.published.resolve() == earlier and contents(settings) == contents(demo_settings)
    ballast.unlink()
    assert claimhouse(settings.home, "run").code == 0
    assert contents(settings) == contents(demo_settings)
