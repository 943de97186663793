"""How DuckDB would run the models: a join that holds every row against every other is quick in a small world and never ends in a
large one. A left join that says more than comparisons of one side with the other (an `or`, an `in`, a condition on one side
alone) becomes such a join, though its keys are equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import settings_of

# How many joins of a model go row by row on purpose: both sides are bounded, by seeds and by CMS's public lists, however many
# patients there are. One more than these is found here as anywhere.
SMALL = {
    "int_calendar__months": 1,  # ten digits against ten digits
    "int_drg__titles": 1,  # some 750 titles a year against a dozen endings: a pattern is tried on each, whatever the plan
    "dim_drg": 2,  # some 750 DRGs a year against 58 ranges, and against 27 names in force on the day
    "dim_hospital_year": 2,  # at most 5,000 hospitals a year against four bands of size and three of case mix
}


def row_by_row(node: dict[str, Any]) -> Iterator[str]:
    if "BLOCKWISE_NL_JOIN" in node["name"]:
        yield str(node["extra_info"].get("Condition"))
    for child in node["children"]:
        yield from row_by_row(child)


def test_no_model_holds_every_row_against_every_other(demo_home: Path) -> None:
    settings = settings_of(demo_home)
    compiled = sorted((settings.dbt_target / "compiled" / "claimhouse" / "models").rglob("*.sql"))
    found = {}
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        for path in compiled:
            plan = con.execute(f"explain (format json) {path.read_text()}").fetchall()[-1][1]
            conditions = [told for node in json.loads(plan) for told in row_by_row(node)]
            if len(conditions) > SMALL.get(path.stem, 0):
                found[path.stem] = conditions
    assert len(compiled) > 100
    assert found == {}


@pytest.mark.parametrize(
    ("condition", "is_seen"),
    [("a.k = b.k and a.n > b.n", False), ("a.k = b.k and a.n > 1", True), ("a.k = b.k and a.n in (b.n, b.m)", True)],
)
def test_such_a_join_is_seen(condition: str, is_seen: bool) -> None:
    with duckdb.connect() as con:
        con.execute(
            "create table a as select i % 7 as k, i as n from range(99) as numbers(i); create table b as from a"
        )
        con.execute("alter table b add column m bigint")
        plan = con.execute(f"explain (format json) select * from a left join b on {condition}").fetchall()[-1][1]
    assert bool([told for node in json.loads(plan) for told in row_by_row(node)]) == is_seen
