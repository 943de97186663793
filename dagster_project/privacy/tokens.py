"""Tokens: HMAC-SHA-256 of kind, issuer and id, made in DuckDB once per distinct id.

Belongs here: how the hash is computed, in SQL and (as the yardstick) in Python.
Does not: which columns become tokens (contracts), where the key comes from (keys.py).
"""

from __future__ import annotations

import hmac
from hashlib import sha256

import duckdb
import pyarrow as pa

from dagster_project.privacy.keys import TokenKey

BLOCK = 64  # bytes of a SHA-256 block
HEX_DIGITS = 32  # 128 bits: two of a thousand million ids meet with a chance of one in 10^21
PADS = "token_key_pads"


def token(key: TokenKey, kind: str, issuer: str, identity: str) -> str:
    """One token, by Python's own hmac. The bulk way below must give the same."""
    message = f"{kind}|{issuer}|{identity}".encode()
    return f"{key.version}_{hmac.new(key.secret, message, sha256).hexdigest()[:HEX_DIGITS]}"


def register_key(con: duckdb.DuckDBPyConnection, key: TokenKey) -> None:
    """Makes the key known to a connection as a table of two blobs. It never is part of a statement's text."""
    secret = sha256(key.secret).digest() if len(key.secret) > BLOCK else key.secret
    secret = secret.ljust(BLOCK, b"\0")
    pads = pa.table(
        {
            "version": [key.version],
            "inner_pad": pa.array([bytes(byte ^ 0x36 for byte in secret)], pa.binary()),
            "outer_pad": pa.array([bytes(byte ^ 0x5C for byte in secret)], pa.binary()),
        }
    )
    con.register(PADS, pads)


def forget_key(con: duckdb.DuckDBPyConnection) -> None:
    con.unregister(PADS)


def token_sql(message: str) -> str:
    """The token of an expression `kind|issuer|id`, where PADS is in the FROM clause."""
    inner = f"sha256({PADS}.inner_pad || encode({message}))"
    return f"{PADS}.version || '_' || left(sha256({PADS}.outer_pad || unhex({inner})), {HEX_DIGITS})"
