"""Tokens: equal to Python's hmac, the same for the same person, and never the key anywhere."""

from __future__ import annotations

import pickle
from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.privacy.generalise import generalised_sql, restricted_zip3
from dagster_project.privacy.keys import TokenKey
from dagster_project.privacy.tokens import PADS, register_key, token, token_sql

KEY = TokenKey("3", b"0123456789abcdef0123456789abcdef")


def in_duckdb(key: TokenKey, kind: str, issuer: str, identities: list[str]) -> list[str]:
    con = duckdb.connect()
    register_key(con, key)
    con.execute("create table ids (place integer, id varchar)")
    con.executemany("insert into ids values (?, ?)", list(enumerate(identities)))
    return [
        found[0]
        for found in con.execute(
            f"select {token_sql(f'{chr(39)}{kind}|{issuer}|{chr(39)} || id')} from ids, {PADS} order by place"
        ).fetchall()
    ]


@settings(max_examples=15, deadline=None)
@given(
    secret=st.binary(min_size=1, max_size=150),
    identities=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=10
    ),
)
def test_bulk_tokens_are_pythons_hmac_when_keys_and_ids_are_any(secret: bytes, identities: list[str]) -> None:
    key = TokenKey("3", secret)
    assert in_duckdb(key, "member", "demo", identities) == [
        token(key, "member", "demo", identity) for identity in identities
    ]


def test_a_token_differs_when_kind_issuer_key_or_id_differ() -> None:
    one = token(KEY, "member", "north", "1001")
    others = [
        token(KEY, "claim", "north", "1001"),
        token(KEY, "member", "south", "1001"),
        token(KEY, "member", "north", "1002"),
        token(TokenKey("3", b"another secret, as long as the other"), "member", "north", "1001"),
    ]
    assert one == token(KEY, "member", "north", "1001") and one not in others and len(set(others)) == 4
    assert one.startswith("3_") and len(one) == 34


def test_the_secret_is_not_shown_and_not_pickled_when_a_key_is_handled() -> None:
    assert "0123" not in repr(KEY) and "0123" not in str(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_the_key_is_no_part_of_the_statement_when_tokens_are_made() -> None:
    assert "0123456789abcdef" not in token_sql("id") and "30313233" not in token_sql("id")


@pytest.mark.parametrize(
    ("zip_code", "expected"),
    [
        ("02155", "021"),
        ("2155", "021"),
        ("02155-1234", "021"),
        ("021551234", "021"),
        ("021", "021"),
        ("03601", None),
        ("00012", None),
        ("ABC", None),
        ("", None),
    ],
)
def test_a_zip_keeps_three_digits_or_none_when_it_is_generalised(zip_code: str, expected: str | None) -> None:
    (sql,) = generalised_sql("zip3", "$1", date(2026, 1, 1))
    assert duckdb.execute(f"select {sql}", [zip_code]).fetchone() == (expected,)


def test_areas_are_restricted_only_while_the_list_is_in_force() -> None:
    assert len(restricted_zip3(date(2026, 1, 1))) == 17 and restricted_zip3(date(2000, 1, 1)) == []


def test_ages_above_89_share_one_year_when_birth_dates_are_generalised() -> None:
    """The year alone made a man of 104 in 2026 an 88-year-old of 2024: a pooled year says so."""
    year, is_pooled = generalised_sql("birth_year", "born", date(2026, 6, 1))
    found = [
        duckdb.execute(f"select {year}, {is_pooled} from (select $1::date as born)", [born]).fetchone()
        for born in ("1900-01-01", "1935-12-31", "1936-05-01", "1937-01-01", None)
    ]
    assert found == [(1936, True), (1936, True), (1936, True), (1937, False), (None, None)]
