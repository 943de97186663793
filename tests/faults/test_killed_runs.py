"""A run that was killed is caught up with by the next, and nobody sees that it was: three moments here, all in soak.py.

The run that catches up has nothing left to read but a file that nobody knows: what holds of such a run is asked here too.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.cli.terminal import SET_ASIDE
from dagster_project.publication.publish import read_manifest
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from tests.conftest import Answer, call_claimhouse, settings_of
from tests.faults.killing import MOMENTS, Moment, loads, run_until

# While files are read, while the warehouse is written, while marts are published. A home is killed at these one after the
# other and never ends a run between, so that what one leaves meets the next.
WHILE_READING = 5  # loads that the run has recorded
AFTER_READING = ("claims have lines", "a publication has begun")
# What a mart tells of runs themselves differs from run to run.
OF_RUNS = {"mart_data_quality"}
OF_TIMES = {"mart_load_audit": {"loaded_at"}, "mart_price_scenario": {"solve_seconds", "solved_at"}}


def landed(demo: Settings, home: Path) -> Settings:
    """A home with the demonstration's files and key, and nothing read yet; an earlier publication can be seen."""
    for folder in ("landing", "protected", "publications"):
        shutil.copytree(demo.home / folder, home / folder, symlinks=True)
    shutil.copy(demo.home / "expected_until.csv", home)
    shutil.copy(demo.published, home / "published", follow_symlinks=False)
    return settings_of(home)


def newest_to_read(demo: Settings, home: Path) -> Settings:
    """The same, where the newest file of each feed has just come; reading all the others is the demonstration's own run."""
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
            columns = [
                name for name, *_ in con.execute(f"describe {mart}").fetchall() if name not in OF_TIMES.get(mart, ())
            ]
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


@dataclass(frozen=True)
class CaughtUp:
    """A home whose runs were killed three times, and the run that came after, with nothing new but a file that no layout knows."""

    settings: Settings
    earlier: Path
    half_made: list[Path]
    loads_before: int
    answer: Answer


@pytest.fixture(scope="module")
def caught_up(demo_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> CaughtUp:
    settings = newest_to_read(demo_settings, tmp_path_factory.mktemp("killed") / "home")
    before = loads(settings.home)
    some_are_read = Moment("some loads are recorded", lambda home: loads(home) >= before + WHILE_READING)
    # A dbt that lives on is tried in soak.py: the run behind it waits until it has built everything.
    by_name = {moment.name: replace(moment, with_children=True) for moment in MOMENTS}
    kill(demo_settings, settings, [some_are_read, *(by_name[name] for name in AFTER_READING)])
    half_made = list((settings.home / "publications").glob("*.partial"))
    earlier, loads_before = settings.published.resolve(), loads(settings.home)
    (settings.landing / "stranger.csv").write_text("beach,weather\nnorth,fine\n")
    return CaughtUp(settings, earlier, half_made, loads_before, call_claimhouse(settings.home, "run", "--json"))


def test_a_run_killed_three_times_on_its_way_ends_as_if_nothing_had_been(
    caught_up: CaughtUp, demo_settings: Settings
) -> None:
    settings, answer = caught_up.settings, caught_up.answer
    assert caught_up.half_made, "the last kill did not fall into the publication"
    assert answer.code == SET_ASIDE and answer.json["is_success"], answer.out[-3000:] + answer.err
    assert settings.published.resolve() != caught_up.earlier
    assert contents(settings) == contents(demo_settings)
    assert loads(settings.home) == loads(demo_settings.home), "a file was loaded twice, or lost"
    assert load_ids(settings) == load_ids(demo_settings)
    assert not list((settings.home / "publications").glob("*.partial"))


def test_a_file_that_nobody_can_read_is_set_aside_and_the_rest_goes_on(caught_up: CaughtUp) -> None:
    assert caught_up.answer.code == SET_ASIDE, caught_up.answer.err
    assert [file["file_name"] for file in caught_up.answer.json["set_aside_files"]] == ["stranger.csv"]
    assert (caught_up.settings.landing / "stranger.csv").exists()


def test_a_run_with_nothing_new_reads_nothing_and_writes_no_row_of_a_growing_table_again(
    caught_up: CaughtUp, demo_settings: Settings
) -> None:
    settings = caught_up.settings
    assert loads(settings.home) == caught_up.loads_before
    now, undisturbed = read_manifest(settings), read_manifest(demo_settings)
    assert now and undisturbed and now["publication_id"] != undisturbed["publication_id"]
    of_runs = {*OF_RUNS, *OF_TIMES}
    moved = {
        name for name, mart in now["marts"].items() if mart["fingerprint"] != undisturbed["marts"][name]["fingerprint"]
    }
    assert OF_RUNS <= moved <= of_runs
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        # made where a growing table is looked at to be written again
        found = con.execute(
            "select count(*) from duckdb_tables() where table_name = 'touched__fct_claim_line'"
        ).fetchone()
        assert found == (0,)


def test_every_check_of_the_run_is_in_the_quality_mart(caught_up: CaughtUp) -> None:
    run_id = caught_up.answer.json["run_id"]
    with duckdb.connect(str(caught_up.settings.published.resolve() / "marts.duckdb"), read_only=True) as con:

        def asked(sql: str) -> list[tuple[Any, ...]]:
            return con.execute(sql).fetchall()

        of_run = f"from mart_data_quality where run_id = '{run_id}'"
        checkers = {name for (name,) in asked(f"select distinct checker {of_run}")}
        gates = {
            name
            for (name,) in asked(
                f"select distinct check_name {of_run} and asset like 'marts/%' and checker = 'dagster'"
            )
        }
        judged = asked(f"select count(distinct asset) {of_run} and check_name = 'acceptable'")
        published = asked(
            "select verdict, count(*) from mart_data_quality where check_name = 'published_as_built' group by all"
        )
        runs = asked("select count(distinct run_id) from mart_data_quality where checker = 'dbt'")
        idle = asked(f"select count(*) {of_run} and verdict = 'no_data' and is_blocking")
    assert checkers == {"great_expectations", "dbt", "dagster"}
    assert gates == {"ledger_is_explained", "claims_match", "load_audit_conserved", "due_files_are_there"}
    assert runs == [(3,)]  # the demonstration's, that which was killed while it published, and this
    assert judged == [(len(load_contracts()),)]
    assert published == [("pass", 1)]  # of the demonstration's run: the others' come after their publication
    assert idle == [(0,)]
