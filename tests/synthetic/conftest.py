"""One measured world and one set of files per test session.

Belongs here: fixtures of tests/synthetic. Does not: assertions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.synthetic import generate, world

MEMBERS, SEED = 5000, 20


@dataclass(frozen=True)
class World:
    """A world as tables of a connection, named as the feeds; `one` reads a single value, `rows` all."""

    con: duckdb.DuckDBPyConnection
    start: str
    end: str

    def rows(self, sql: str) -> list[tuple]:
        return self.con.execute(sql).fetchall()

    def one(self, sql: str):
        return self.rows(sql)[0][0]


@dataclass(frozen=True)
class Landed:
    """Files of a small world."""

    landing: Path
    answers: Path
    rows: dict[str, int]


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    con = duckdb.connect(str(tmp_path_factory.mktemp("world") / "world.duckdb"))
    con.execute("set memory_limit = '2GB'; set threads = 2")
    start, end = world.build_world(con, MEMBERS, SEED, 24)
    con.execute("""
    create table spend as
    select member_id, year(day) as y, sum(amount) as amount from (
        select member_id, claim_start_date as day, allowed_amount as amount
        from remittance join (select claim_id, coverage_rank from medical_claim) using (claim_id)
        where coverage_rank = 'primary'
        union all select member_id, dispensing_date, allowed_amount from pharmacy_fill
    ) group by all;
    create table enrolled as
    select distinct member_id, y from eligibility, range(2024, 2026) years(y)
    where coverage_rank = 'primary' and year(enrollment_start_date) <= y and coalesce(year(enrollment_end_date),
        9999) >= y;
    create table ranked as
    select e.*, coalesce(amount, 0) as amount, row_number() over (partition by y order by coalesce(amount, 0) desc,
        member_id) as place,
           count(*) over (partition by y) as people
    from enrolled e left join spend using (member_id, y);
    """)
    yield World(con, start, end)
    con.close()


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    home = tmp_path_factory.mktemp("landed")
    return Landed(home / "landing", home / "answers", generate(home / "landing", home / "answers", members=400, seed=5))
