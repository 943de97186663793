"""One small world, built with `claimhouse run` and shared by every test that only reads it.

It takes a minute, so it is kept in pytest's cache for as long as no line of the code that built it changes; where CI is set,
each session builds its own.

`demo_home` is a home with landing files, lake, warehouse and publication; `marts` a read-only connection to what it
published. Tests that write take a copy or a home of their own. Under xdist the first worker to ask builds it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.settings import REPOSITORY, Settings, load_settings

CLAIMHOUSE = str(Path(sys.executable).with_name("claimhouse"))
MEMBERS, MONTHS, SEED = 300, 8, 5


@dataclass(frozen=True)
class Answer:
    """What a verb said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Claimhouse = Callable[..., Answer]


def settings_of(home: Path) -> Settings:
    """Settings of a home, without what the shell around has set. Files written a moment ago count as complete."""
    return load_settings({"CLAIMHOUSE_HOME": str(home), "CLAIMHOUSE_QUIET_SECONDS": "0"})


def call_claimhouse(home: Path, *arguments: str, **environment: str) -> Answer:
    """The command as a person calls it, in a process of its own."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLAIMHOUSE_", "DAGSTER_", "DBT_"))
    }
    environ = {
        **inherited,
        "CLAIMHOUSE_HOME": str(home),
        "CLAIMHOUSE_QUIET_SECONDS": "0",
        "COLUMNS": "200",
        **environment,
    }
    done = subprocess.run([CLAIMHOUSE, *arguments], env=environ, capture_output=True, text=True, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def claimhouse() -> Claimhouse:
    return call_claimhouse


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """Where files that other people made lie, if they do."""
    return Path(os.environ.get("CLAIMHOUSE_REAL_DATA") or REPOSITORY.parent / "shared" / "data")


@pytest.fixture(scope="session")
def real_data(real_folder: Path) -> Path:
    """Files that other people made; where they are absent, tests of them skip and say so."""
    if not real_folder.is_dir():
        pytest.skip(f"no real files: {real_folder} is not there, and CLAIMHOUSE_REAL_DATA names no other folder")
    return real_folder


@pytest.fixture(scope="session")
def demo_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home after `demo-data` and `run`. Only to read: all tests see the same one."""
    if "CI" in os.environ:
        base = tmp_path_factory.getbasetemp()
        # Each worker of xdist has a folder of its own below the one they share.
        shared = base if worker_id == "master" else base.parent
    else:
        shared = request.config.cache.mkdir("demo") / fingerprint_of_code()
        shared.mkdir(exist_ok=True)
    home, told = shared / "demo_home", shared / "demo_home.json"
    with (shared / "demo_home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists() or json.loads(told.read_text())["code"] != 0:
            remove_others(shared)
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            size = [f"--members={MEMBERS}", f"--months={MONTHS}", f"--seed={SEED}"]
            world = call_claimhouse(home, "--debug", "demo-data", *size, "--json")
            run = call_claimhouse(home, "--debug", "run", "--json") if world.code == 0 else world
            told.write_text(json.dumps({"code": run.code, "out": run.out, "err": run.err}))
    return home


def fingerprint_of_code() -> str:
    """Changes with any line that `claimhouse run` executes, and with the day, on which files fall due."""
    digest = sha256(f"{sys.version} {dt.date.today()} {MEMBERS} {MONTHS} {SEED}".encode())
    for folder in ("dagster_project", "dbt_project", "expectations", "ml", "optimization"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(REPOSITORY).as_posix().encode() + path.read_bytes())
    digest.update((REPOSITORY / "requirements.lock").read_bytes())
    return digest.hexdigest()[:16]


def remove_others(kept: Path) -> None:
    """Worlds of earlier code, if they are a cache's."""
    if kept.parent.name == "demo":
        for folder in kept.parent.iterdir():
            if folder != kept:
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo_run(demo_home: Path) -> Answer:
    """What the run that built `demo_home` said."""
    return Answer(**json.loads((demo_home.parent / "demo_home.json").read_text()))


@pytest.fixture(scope="session")
def demo_settings(demo_home: Path, demo_run: Answer) -> Settings:
    assert demo_run.code == 0, f"the demonstration did not run through:\n{demo_run.err}\n{demo_run.out[-4000:]}"
    return settings_of(demo_home)


@pytest.fixture(scope="session")
def marts(demo_settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the demonstration published, as an analyst opens it."""
    with duckdb.connect(str(demo_settings.published.resolve() / "marts.duckdb"), read_only=True) as con:
        yield con


@pytest.fixture
def home_copy(demo_settings: Settings, tmp_path: Path) -> Settings:
    """A copy of the demonstration that a test may change. dbt's artifacts and the runs' history come along."""
    home = tmp_path / "home"
    shutil.copytree(demo_settings.home, home, symlinks=True)
    return settings_of(home)
