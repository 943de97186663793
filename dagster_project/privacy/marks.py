"""Tokens that leave the house in a claim and come back: the mark that they are tokens, and when it is believed.

Belongs here: the mark, the signature, the form of a token, as SQL. Does not: where a format has a place for them
(interchange/ writes, sources/x12/ reads).

A signature is made with the house's key over all tokens of one claim, so that nobody who lacks the key can bring a value
into the lake as it is by calling it a token; and a value that does not have a token's form becomes one all the same.
"""

from __future__ import annotations

from dagster_project.privacy.tokens import HEX_DIGITS, token_sql

# In BHT03 of a transaction whose ids are tokens.
MARK = "CLAIMHOUSE-TOKENS"
# Stands before a value that the reader vouches for. It separates elements once a file is read, so no value of one has it.
VOUCHED = "chr(29)"
TOKEN_FORM = f"[0-9a-z]{{1,8}}_[0-9a-f]{{{HEX_DIGITS}}}"


def signature_sql(*, claim: str, member: str, control: str, authorization: str, lines: str) -> str:
    """Of one claim's tokens, each an expression, where PADS is in the FROM clause.

    `lines` is a text `1:token,2:token` in the lines' order: the number of a line is signed with its place.
    """
    listed = " || '|' || ".join(f"coalesce({token}, '')" for token in (claim, member, control, authorization, lines))
    return token_sql(f"'written|claimhouse|' || {listed}")


def vouched_sql(value: str, is_signed: str) -> str:
    """The value with the sign that it is a token, where its claim is signed and it has the form of one."""
    is_token = f"{is_signed} and regexp_full_match({value}, '{TOKEN_FORM}')"
    return f"case when {is_token} then {VOUCHED} || {value} else {value} end"


def token_or_hash_sql(value: str, hashed: str) -> str:
    """What goes into the lake for an id: itself, if it is vouched for, else its hash."""
    is_vouched = f"starts_with({value}, {VOUCHED}) and regexp_full_match(substr({value}, 2), '{TOKEN_FORM}')"
    return f"case when {is_vouched} then substr({value}, 2) else {hashed} end"
