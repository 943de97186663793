"""A run that was killed is caught up with by the next, and nobody sees that it was: three moments here, all in soak.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.settings import Settings
from tests.conftest import Claimhouse, settings_of
from tests.faults.killing import MOMENTS, Moment, loads, run_until

# While files are read, while the warehouse is written, while marts are published. A home is killed at these one after the
# other and never ends a run between, so that what one leaves meets the next.
WHILE_READING = 5  # loads that the run has recorded
AFTER_READING = ("claims have lines", "a publication has begun")
# What a mart tells of runs themselves differs from run to run.
OF_RUNS = {"mart_data_quality"}
OF_TIMES = {"mart_load_audit": "loaded_at"}


def landed(demo: Settings, home: Path) -> Settings:
    """A home with the demonstration's files and key, and nothing read yet; an earlier publication can be seen."""
    for folder in ("landing", "protected", "publications"):
        shutil.copytree(demo.home / folder, home / folder, symlinks=True)
    shutil.copy(demo.home / "expected_until.csv", home)
    shutil.copy(demo.published, home / "published", follow_symlinks=False)
    return settings_of(home)


def newest_to_read(demo: Settings, home: Path) -> Settings:
    """The same, where the newest file of each feed has just come: reading all the others would take half the test's time."""
    settings = landed(demo, home)
    shutil.copytree(demo.lake, settings.lake)
    with duckdb.connect() as con:
        newest = con.execute(
            "select max_by(load_id, loaded_at) from read_parquet($1) group by feed",
            [f"{settings.lake}/loads/*-*.parquet"],
        ).fetchall()
    for (load_id,) in newest:
        for path in settings.lake.rglob(f"{load_id}*"):
            path.unlink()
    return settings


def contents(settings: Settings) -> dict[str, Any]:
    """Every published mart as a count and a sum of hashes over its rows, without what differs from run to run."""
    found = {}
    with duckdb.connect(str(settings.published.resolve() / "marts.duckdb"), read_only=True) as con:
        for (mart,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall():
            columns = [name for name, *_ in con.execute(f"describe {mart}").fetchall() if name != OF_TIMES.get(mart)]
            told = ", ".join(columns)
            found[mart] = con.execute(f"select count(*), sum(hash({told}))::varchar from {mart}").fetchone()
    return {mart: told for mart, told in found.items() if mart not in OF_RUNS}


def kill(demo: Settings, settings: Settings, moments: list[Moment]) -> None:
    """Runs in a home, killed at these moments, one after the other, and readers who see nothing of it."""
    undisturbed, earlier = contents(demo), settings.published.resolve()
    for moment in moments:
        assert run_until(settings.home, moment), f"the run ended before {moment.name}"
        assert settings.published.resolve() == earlier and contents(settings) == undisturbed, "readers were disturbed"


def load_ids(settings: Settings) -> list[str]:
    return list(json.loads((settings.published / "manifest.json").read_text())["load_ids"])


def test_a_run_killed_three_times_on_its_way_ends_as_if_nothing_had_been(
    demo_settings: Settings, tmp_path: Path, claimhouse: Claimhouse
) -> None:
    settings = newest_to_read(demo_settings, tmp_path)
    before = loads(tmp_path)
    some_are_read = Moment("some loads are recorded", lambda home: loads(home) >= before + WHILE_READING)
    by_name = {moment.name: moment for moment in MOMENTS}
    kill(demo_settings, settings, [some_are_read, *(by_name[name] for name in AFTER_READING)])
    earlier = settings.published.resolve()
    half_made = list((tmp_path / "publications").glob("*.partial"))
    assert half_made, "the last kill did not fall into the publication"
    done = claimhouse(tmp_path, "run", "--json")
    assert done.code == 0, done.out[-3000:] + done.err
    assert settings.published.resolve() != earlier
    assert contents(settings) == contents(demo_settings)
    assert loads(tmp_path) == loads(demo_settings.home), "a file was loaded twice, or lost"
    assert load_ids(settings) == load_ids(demo_settings)
    assert not list((tmp_path / "publications").glob("*.partial"))
