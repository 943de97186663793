"""What stops a run before or while it works: another run, a full disk, a folder that cannot be written, a wrong key."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dagster_project.cli import guard
from dagster_project.cli.guard import only_run
from dagster_project.cli.terminal import FAULT, WRONG_USE, Problem
from dagster_project.resources.dbt import load_manifest
from dagster_project.settings import Settings
from tests.conftest import CLAIMHOUSE, Claimhouse, settings_of
from tests.faults.disks import fill
from tests.faults.test_killed_runs import landed

TRACEBACK = "Traceback (most recent call last)"


def left(home: Path) -> set[str]:
    """Everything in a home by name, so that a refused run can be seen to have done nothing."""
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.name != "run.lock"}


def test_a_second_run_at_the_same_time_is_told_so_and_does_nothing(
    demo_settings: Settings, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    settings = landed(demo_settings, tmp_path)
    first = subprocess.Popen(
        [CLAIMHOUSE, "run"], env={**os.environ, "CLAIMHOUSE_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        lock = settings.dagster / "run.lock"
        end = time.monotonic() + 60
        while not (lock.exists() and lock.read_text()) and time.monotonic() < end:
            time.sleep(0.01)
        second = claimhouse(tmp_path, "run")
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert second.code == WRONG_USE
    assert f"another run is at work on {tmp_path} (process {first.pid}, since 2" in second.err
    assert TRACEBACK not in second.out + second.err
    assert claimhouse(tmp_path, "publish").code != WRONG_USE, "a killed run left its lock behind"


def test_a_disk_without_room_is_told_before_anything_is_written(small_disk: Path, claimhouse: Claimhouse) -> None:
    fill(small_disk, leave_mib=20)
    before = left(small_disk)
    answer = claimhouse(small_disk / "home", "run")
    assert answer.code == WRONG_USE and "is full" in answer.err and TRACEBACK not in answer.out + answer.err
    assert left(small_disk) - before <= {"home"}


@pytest.mark.parametrize("told", ["No space left on device", "database or disk is full"])
def test_a_disk_that_fills_up_in_the_middle_is_told_whatever_library_met_it(told: str, tmp_path: Path) -> None:
    """`make soak` fills a disk in truth: Dagster's own records fell over first, and a person was told it was our fault."""
    with pytest.raises(Problem, match="filled up") as problem, only_run(settings_of(tmp_path)):
        try:
            raise OSError(told)
        except OSError as error:
            raise RuntimeError("in a library's own words") from error
    assert problem.value.exit_code == FAULT


def test_a_fault_with_hardly_any_room_left_is_told_as_a_full_disk_and_any_other_as_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match="disk I/O error"), only_run(settings_of(tmp_path)):
        raise RuntimeError("disk I/O error")
    monkeypatch.setattr(guard, "LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(Problem, match="filled up"), only_run(settings_of(tmp_path)):
        raise RuntimeError("disk I/O error")


def test_a_manifest_that_a_full_disk_cut_short_is_made_anew(home_copy: Settings) -> None:
    manifest = home_copy.dbt_target / "manifest.json"
    whole = manifest.read_bytes()
    for left_of_it in (whole[:100_000], b""):
        manifest.write_bytes(left_of_it)
        assert load_manifest(home_copy)["nodes"].keys() == json.loads(whole)["nodes"].keys()


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_done(
    small_disk: Path, claimhouse: Claimhouse
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    answer = claimhouse(small_disk, "run")
    assert answer.code == WRONG_USE and "cannot be written: Read-only file system" in answer.err
    assert TRACEBACK not in answer.out + answer.err


@pytest.mark.parametrize("damage", ["missing", "open to others", "another"])
def test_a_key_that_is_not_the_one_before_stops_the_run_before_anything_is_read(
    damage: str, demo_settings: Settings, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    landed(demo_settings, tmp_path)
    shutil.copytree(demo_settings.lake, tmp_path / "lake")
    key = tmp_path / "protected" / "token.key"
    if damage == "missing":
        key.unlink()
    elif damage == "open to others":
        key.chmod(0o644)
    else:
        key.write_text("1:" + "0123456789abcdef" * 4 + "\n")
    before = left(tmp_path)
    answer = claimhouse(tmp_path, "run")
    told = {"missing": "is missing", "open to others": "chmod 600", "another": "another key"}
    assert answer.code == WRONG_USE and told[damage] in answer.err and TRACEBACK not in answer.out + answer.err
    assert left(tmp_path) == before
