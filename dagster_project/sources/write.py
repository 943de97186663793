"""From typed rows to the lake: tokens in, identities out; quarantine gets places and reasons.

Belongs here: what is written of a load's rows, by temporary file and rename. Does not: reading, counting from bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.database import literal
from dagster_project.privacy.marks import token_or_hash_sql
from dagster_project.privacy.tokens import PADS, token_sql
from dagster_project.settings import Settings
from dagster_project.sources.audit import ZERO, LoadAudit
from dagster_project.sources.casts import name
from dagster_project.sources.contracts import Contract
from dagster_project.sources.lake import QUARANTINE, unfinished_path, write_atomically
from dagster_project.sources.layouts import Layout
from dagster_project.sources.read import PLACES, ROWS, Problem

ACCEPTED = "accepted_rows"
AT_ONCE = 100_000  # rows whose ids become tokens together, in files of which memory must not depend


def outcomes_of(con: duckdb.DuckDBPyConnection, problems: list[Problem], audit: LoadAudit) -> list[dict[str, Any]]:
    rows = con.execute(
        f"select problem, count(*), sum(amount) from {ROWS} group by problem order by problem"
    ).fetchall()
    accepted = Problem("accepted", None, "")
    # What is noted of the file is about no row.
    rows += [(number, 0, ZERO) for number, problem in enumerate(problems, start=1) if problem.outcome == "noted"]
    outcomes = []
    for number, row_count, amount in rows:
        problem = problems[number - 1] if number else accepted
        outcomes.append(
            {
                "load_id": audit.load_id,
                "feed": audit.feed,
                "outcome": problem.outcome,
                "column_name": problem.column,
                "reason_code": problem.reason_code or None,
                "row_count": row_count,
                "amount": amount,
            }
        )
    return outcomes


def write_accepted(
    con: duckdb.DuckDBPyConnection, contract: Contract, layout: Layout, audit: LoadAudit, path: Path
) -> tuple[int, Decimal, dt.date | None, dt.date | None]:
    """Tokens in, identities out, into the lake. Returns rows, amount and months as they are in the written file."""
    unfinished = unfinished_path(path)
    # Who issued an id is part of its token: the sender, unless the layout says that another did.
    origins = {
        column: (definition.token_kind, layout.issuer(column) or audit.data_source or "")
        for column, definition in contract.columns.items()
        if definition.token_kind
    }
    joins, columns = [], []
    for number, lake in enumerate(contract.lake_columns()):
        if lake.source in origins:
            kind, issuer = origins[lake.source]
            joins.append(
                f"left join tokens t{number} on t{number}.kind = {literal(kind)} "
                f"and t{number}.issuer = {literal(issuer)} and t{number}.id = r.{name(lake.source)}"
            )
            columns.append(f"t{number}.token as {name(lake.name)}")
        elif lake.source:
            columns.append(f"r.{name(lake.name)}")
    columns += [
        f"{literal(audit.data_source or '')} as data_source",
        f"{literal(audit.load_id)} as load_id",
        "r.line as source_line_number",
        "cast(r.part as integer) as source_part_number",
    ]
    accepted = f"select {', '.join(columns)} from {ROWS} r {' '.join(joins)} where r.problem = 0"
    ranges = _ranges(con) if origins and layout.x12 else []
    if len(ranges) > 1:
        for number, (first, last) in enumerate(ranges):
            _make_tokens(con, origins, f"and line between {first} and {last}")
            into = f"insert into {ACCEPTED}" if number else f"create or replace temp table {ACCEPTED} as"
            con.execute(f"{into} {accepted} and r.line between {first} and {last}")
        accepted = f"from {ACCEPTED}"
    elif origins:
        _make_tokens(con, origins)
    con.execute(f"copy ({accepted}) to {literal(str(unfinished))} (format parquet, compression zstd)")
    amount = (
        f"cast(coalesce(sum({name(contract.amount)}), 0) as decimal(38, 10))"
        if contract.amount
        else "cast(0 as decimal(38, 10))"
    )
    month = name(contract.month) if contract.month else "cast(null as date)"
    written = con.execute(
        f"select count(*), {amount}, cast(date_trunc('month', min({month})) as date), "
        f"cast(date_trunc('month', max({month})) as date) from read_parquet({literal(str(unfinished))})"
    ).fetchone()
    unfinished.replace(path)
    con.execute(f"drop table if exists tokens; drop table if exists {ACCEPTED}")
    rows, total, first_month, last_month = written or (0, ZERO, None, None)
    return rows, total, first_month, last_month


def _ranges(con: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """First and last lines of parts of ROWS: the tables that ids are joined to their tokens by stay in memory, all at once."""
    count, least, most = con.execute(f"select count(*), min(line), max(line) from {ROWS}").fetchall()[0]
    parts = -(-count // AT_ONCE)
    edges = [least + (most + 1 - least) * number // parts for number in range(parts + 1)] if parts else []
    return [(first, behind - 1) for first, behind in pairwise(edges)]


def _make_tokens(con: duckdb.DuckDBPyConnection, origins: Mapping[str, tuple[str, str]], condition: str = "") -> None:
    """Each distinct id of a kind and issuer is hashed once, then joined."""
    ids = " union ".join(
        f"select distinct {literal(kind)} as kind, {literal(issuer)} as issuer, {name(column)} as id from {ROWS} "
        f"where problem = 0 and {name(column)} is not null {condition}"
        for column, (kind, issuer) in origins.items()
    )
    message = "ids.kind || '|' || ids.issuer || '|' || ids.id"
    con.execute(
        f"create or replace temp table tokens as "
        f"select kind, issuer, id, {token_or_hash_sql('id', token_sql(message))} as token "
        f"from ({ids}) ids, {PADS}"
    )


def write_quarantine(
    con: duckdb.DuckDBPyConnection, problems: list[Problem], audit: LoadAudit, settings: Settings
) -> None:
    """Where the rows set aside stand and why: never what is in them."""
    told = [
        (number, problem.column, problem.reason_code)
        for number, problem in enumerate(problems, start=1)
        if problem.outcome == "set_aside"
    ]
    values = ", ".join(
        f"({number}, {literal(column) if column else 'null'}, {literal(reason)})" for number, column, reason in told
    )
    rows = con.execute(
        f"select {literal(audit.load_id)} as load_id, {literal(audit.feed)} as feed, "
        f"{literal(audit.file_name)} as file_name, cast(line as bigint) as source_line_number, "
        f"cast(part as integer) as source_part_number, cast(p.column_name as varchar) as column_name, p.reason_code, "
        f"places.interchange_number, places.transaction_number "
        f"from {ROWS} left join {PLACES} as places using (line) join (values {values}) p(number, column_name, reason_code) on p.number = problem "
        "order by line, part"
    ).to_arrow_table()
    write_atomically(rows.cast(QUARANTINE), settings.quarantine / audit.feed / f"{audit.load_id}.parquet")
