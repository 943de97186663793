"""Seeded draws as DuckDB macros: the same id and salt give the same number, whatever the thread or the order.

Belongs here: macros for uniform, normal, Poisson and whole-number draws,
    and for the ids of the world. Does not: what is drawn.
"""

from __future__ import annotations

import duckdb

# A claim's key holds its member, so every module can tell a canary member's row by arithmetic alone.
KEYS_PER_MEMBER = 10_000_000
CANARY_MEMBERS = 5

# 11 bits are dropped so that the number fits a double exactly; the outer hash spreads what the inner only xors.
MACROS = """
create or replace macro u(salt, id) as
    (hash(hash(id, '{seed}:' || salt)) >> 11)::double / 9007199254740992.0;
create or replace macro pick(salt, id, n) as floor(u(salt, id) * n)::integer;
create or replace macro normal(salt, id) as
    sqrt(-2 * ln(1 - u(salt || '-radius', id))) * cos(2 * pi() * u(salt || '-angle', id));
create or replace macro poisson(salt, id, mean) as (
    case when mean <= 0 then 0
    else (u(salt, id) > exp(-mean))::integer
       + (u(salt, id) > exp(-mean) * (1 + mean))::integer
       + (u(salt, id) > exp(-mean) * (1 + mean + mean * mean / 2))::integer
       + (u(salt, id) > exp(-mean) * (1 + mean + mean * mean / 2 + mean ** 3 / 6))::integer
       + (u(salt, id) > exp(-mean) * (1 + mean + mean * mean / 2 + mean ** 3 / 6 + mean ** 4 / 24))::integer
       + (u(salt, id) > exp(-mean) * (1 + mean + mean * mean / 2 + mean ** 3 / 6 + mean ** 4 / 24
                                      + mean ** 5 / 120))::integer end);
create or replace macro usd(x) as round(x, 2)::decimal(18, 2);
create or replace macro logistic(x) as 1 / (1 + exp(-x));
create or replace macro logit(p) as ln(p / (1 - p));

create or replace macro is_canary(m) as m <= {canaries};
create or replace macro member_code(m) as
    case when is_canary(m) then 'ZYXMEM' else 'M' end || lpad(m::varchar, 8, '0');
create or replace macro claim_member_code(m, is_stray) as
    case when is_stray then 'U' || lpad((m * 31 + 7)::varchar, 8, '0') else member_code(m) end;
create or replace macro record_code(m) as
    case when is_canary(m) then 'ZYXMRN' else 'MRN' end || lpad((m * 7 + 1000003)::varchar, 8, '0');
create or replace macro account_code_of(m) as
    case when is_canary(m) then 'ZYXACCT' else 'A' end || lpad((m * 13 + 5000011)::varchar, 9, '0');
create or replace macro entry_code(prefix, ck, entry) as
    case when is_canary(ck // {per_member}) then 'ZYX' else '' end || prefix || lpad((ck * 10 + entry)::varchar, 14,
        '0');
create or replace macro key_code(prefix, key) as
    case when is_canary(key // {per_member}) then 'ZYX' else '' end || prefix || lpad(key::varchar, 13, '0');
"""


def make_macros(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Puts the draws of one seed into a connection."""
    con.execute(MACROS.format(seed=int(seed), canaries=CANARY_MEMBERS, per_member=KEYS_PER_MEMBER))
