"""`make soak`: a run killed at every moment, and disks that fill up at four of them. Takes the better part of an hour.

Named so that `make test` does not collect it; the quick forms stand in test_killed_runs and test_refusals.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dagster_project.cli.terminal import DONE, FAULT, SET_ASIDE
from dagster_project.publication.swap import PARTIAL
from dagster_project.settings import Settings
from tests.conftest import Claimhouse
from tests.faults.disks import fill_up
from tests.faults.killing import MOMENTS, POLL_SECONDS, Moment, comes, loads, start
from tests.faults.test_killed_runs import contents, kill, landed, load_ids

# While files are read, while the warehouse is written, before the marts are published, and while they are.
FULL = ("ten loads are recorded", "claims have lines", "checks are in the warehouse", "a publication has begun")
FILLING = tuple(moment for moment in MOMENTS if moment.name in FULL)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_a_run_killed_at_any_moment_ends_as_if_nothing_had_been(
    moment: Moment, demo_settings: Settings, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    settings = landed(demo_settings, tmp_path)
    kill(demo_settings, settings, [moment])
    done = claimhouse(tmp_path, "run", "--json")
    assert done.code == 0, done.out[-3000:] + done.err
    assert contents(settings) == contents(demo_settings)
    assert loads(tmp_path) == loads(demo_settings.home), "a file was loaded twice, or lost"
    assert load_ids(settings) == load_ids(demo_settings)


@pytest.mark.parametrize("moment", FILLING, ids=lambda moment: moment.name)
def test_a_disk_that_fills_up_stops_the_run_and_the_next_one_ends_it(
    moment: Moment, demo_settings: Settings, small_disk: Path, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    settings = landed(demo_settings, small_disk / "home")
    earlier = settings.published.resolve()
    run = start(settings.home, output=tmp_path / "said")
    assert comes(settings.home, moment, run)
    while run.poll() is None:
        ballast = fill_up(small_disk)
        time.sleep(POLL_SECONDS)
    code, said = run.returncode, (tmp_path / "said").read_text()
    assert "Traceback (most recent call last)" not in said
    # A publication that shares its files with the one before needs next to no room: it may be whole before the room goes, and
    # then stays, whether or not the run has still something to record.
    if (visible := settings.published.resolve()) != earlier:
        assert moment is FILLING[-1] and visible.parent == earlier.parent and not visible.name.endswith(PARTIAL)
        assert load_ids(settings) == load_ids(demo_settings)
    if visible == earlier or code != DONE:
        assert code in (FAULT, SET_ASIDE) and "No space left on device" in said, said[-2000:]
    assert contents(settings) == contents(demo_settings), "what is published is not whole"
    ballast.unlink()
    assert claimhouse(settings.home, "run").code == 0
    assert contents(settings) == contents(demo_settings)
    assert loads(settings.home) == loads(demo_settings.home), "a file was loaded twice, or lost"
