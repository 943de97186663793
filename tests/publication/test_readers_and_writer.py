"""Readers and the publisher do not stand in each other's way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from dagster_project.publication import publish
from tests.conftest import settings_of
from tests.publication.warehouse import make_warehouse, write_claims

PUBLICATIONS = 12

# Opens the file again and again, as analysts and BI tools do, until told to stop. What it sees must be one publication:
# the number of claims and the payer's rank change together.
READER = """
import json, sys, pathlib, duckdb
home, stop = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
opened, seen, errors = 0, set(), []
while not stop.exists():
    try:
        with duckdb.connect(str(home / "published" / "marts.duckdb"), read_only=True) as con:
            seen.add(con.execute("select (select count(*) from fct_claim), max(rank) from dim_payer").fetchone())
        opened += 1
    except Exception as error:
        errors.append(type(error).__name__ + ": " + str(error)[:200])
print(json.dumps({"opened": opened, "seen": sorted(seen), "errors": errors}))
"""


def test_readers_see_whole_publications_and_no_errors_while_a_writer_publishes(tmp_path):
    settings = settings_of(tmp_path)
    manifest_path = make_warehouse(settings, claims=1_000)
    publish.publish(settings, manifest_path, "run-0")
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(tmp_path), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for number in range(1, PUBLICATIONS):
            with duckdb.connect(str(settings.warehouse)) as con:
                write_claims(con, 1_000 + number)
                con.execute(f"update marts.dim_payer set rank = {7 + number}")
            publish.publish(settings, manifest_path, f"run-{number}")
        wait_for_a_last_look = 0.5
        time.sleep(wait_for_a_last_look)
    finally:
        stop.touch()
        told = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    for one in told:
        assert one["errors"] == []
        assert one["opened"] >= PUBLICATIONS
        assert {claims - rank for claims, rank in one["seen"]} == {993}, "claims and payer are of one publication"
        assert len(one["seen"]) > 1
        assert [1_000 + PUBLICATIONS - 1, 7 + PUBLICATIONS - 1] in one["seen"]


def test_a_reader_keeps_the_file_it_has_open_when_its_publication_is_replaced_and_removed(tmp_path):
    settings = settings_of(tmp_path)
    manifest_path = make_warehouse(settings, claims=1_000)
    publish.publish(settings, manifest_path, "run-0")
    link = settings.published / "marts.duckdb"
    # A process of its own: within one, DuckDB would hand out what it has open already.
    reader = subprocess.Popen(
        [sys.executable, "-c", SLOW_READER, str(link)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline().strip() == "1000"
    first = settings.published.resolve()
    for number in range(1, 5):
        with duckdb.connect(str(settings.warehouse)) as con:
            write_claims(con, number)
        publish.publish(settings, manifest_path, f"run-{number}")
    assert not Path(first).exists(), "the reader's publication is too old to be kept"
    assert reader.communicate("go\n", timeout=60)[0].split() == ["499500", "4"]


SLOW_READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print(con.execute("select count(*) from fct_claim").fetchone()[0], flush=True)
sys.stdin.readline()
print(con.execute("select sum(claim_key)::bigint from fct_claim").fetchone()[0])
con.close()
print(duckdb.connect(sys.argv[1], read_only=True).execute("select count(*) from fct_claim").fetchone()[0])
"""
