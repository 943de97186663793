"""Draws are uniform, apart from each other, and repeatable."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.synthetic.draws import make_macros


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    make_macros(connection, 11)
    return connection


def test_draws_are_uniform_and_independent_when_many_are_taken(con):
    mean, spread, salts, neighbours = con.execute("""
        select avg(u('a', i)), stddev(u('a', i)), corr(u('a', i), u('b', i)), corr(u('a', i), u('a', i + 1))
            from range(200000) ids(i)""").fetchall()[0]
    assert abs(mean - 0.5) < 0.004
    assert abs(spread - 0.2887) < 0.004
    assert abs(salts) < 0.01
    assert abs(neighbours) < 0.01


def test_draws_depend_on_seed_and_salt_when_compared(con):
    other = duckdb.connect()
    make_macros(other, 12)
    ask = "select u('a', 42), u('b', 42)"
    assert con.execute(ask).fetchall() == con.execute(ask).fetchall()
    assert con.execute(ask).fetchall() != other.execute(ask).fetchall()
    assert con.execute(ask).fetchall()[0][0] != con.execute(ask).fetchall()[0][1]


def test_counts_have_their_mean_when_drawn_by_poisson(con):
    for mean in (0.02, 0.4, 1.5):
        seen, spread = con.execute(f"""select avg(poisson('p', i, {mean})), var_pop(poisson('p', i, {mean}))
            from range(100000) ids(i)""").fetchall()[0]
        assert abs(seen - mean) < 0.03 * mean + 0.004
        assert abs(spread - mean) < 0.06 * mean + 0.01


def test_an_id_tells_a_canary_when_its_member_is_one(con):
    codes = con.execute("""
        select key_code('CLM', 20000000123), key_code('CLM', 300000123), entry_code('TRX', 20000123, 4)""").fetchall()
    # member 2000 and member 30 are ordinary, member 2 is a canary
    assert codes == [("CLM0020000000123", "CLM0000300000123", "ZYXTRX00000200001234")]
