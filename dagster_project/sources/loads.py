"""Loads: what is new in landing is read for its feeds, counted twice, and written to the lake.

Belongs here: which files are new, the order of writing (the record of the load comes last), conservation.
Does not: SQL over rows (read.py), the second count (count.py), judging a load as a whole (expectations/).
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.privacy.keys import TokenKey
from dagster_project.privacy.tokens import PADS, forget_key, register_key, token_sql
from dagster_project.settings import Settings
from dagster_project.sources.casts import literal, name
from dagster_project.sources.contracts import Contract
from dagster_project.sources.count import control_totals, count_file
from dagster_project.sources.inventory import Inventoried, Placed, UnrecognisedFile, place, read_inventory, take_inventory
from dagster_project.sources.lake import QUARANTINE, prepare_lake, schema, unfinished_path, write_atomically, write_rows
from dagster_project.sources.read import ROWS, MissingInName, Problem, Reading, read_rows
from dagster_project.sources.recognise import split_line
from dagster_project.sources.unpack import BOM, HEAD, Unreadable, blocks, decode_mixture, scratch_folder, write_clean

__all__ = ["LoadAudit", "LoadFailed", "Placed", "UnrecognisedFile", "load_everything", "load_feed", "place", "prepare_lake",
           "read_inventory", "take_inventory"]

Progress = Callable[[int, int, str], None]
ZERO = Decimal(0)

# Reasons that are found only while reading: the same content would end the same way again.
FOUND_WHILE_READING = ("line_too_long", "unreadable_text", "not_in_file_name", "broken_control_file")


class LoadFailed(RuntimeError):
    """A load ended by a fault of ours or of the machine. Says which file and what kind, never what was in it."""


@dataclass(frozen=True)
class LoadAudit:
    """One row of lake/loads."""

    load_id: str
    feed: str
    layout: str | None
    data_source: str | None
    file_name: str
    batch_id: str
    content_hash: str | None
    byte_count: int
    encoding: str | None
    load_number: int
    loaded_at: dt.datetime
    status: str
    reason_code: str | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_set_aside: int = 0
    rows_excluded: int = 0
    amount_read: Decimal = ZERO
    amount_accepted: Decimal = ZERO
    amount_set_aside: Decimal = ZERO
    amount_excluded: Decimal = ZERO
    raw_row_count: int | None = None
    raw_amount: Decimal | None = None
    control_row_count: int | None = None
    control_amount: Decimal | None = None
    is_conserved: bool | None = None
    first_month: dt.date | None = None
    last_month: dt.date | None = None
    key_version: str | None = None
    seconds: float = 0.0


def load_everything(settings: Settings, contracts: Mapping[str, Contract], key: TokenKey,
                    progress: Progress | None = None) -> list[LoadAudit]:
    """Inventory, then everything new of every feed."""
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    return [audit for feed in contracts for audit in load_feed(feed, settings, contracts, key, progress)]


def load_feed(feed: str, settings: Settings, contracts: Mapping[str, Contract], key: TokenKey,
              progress: Progress | None = None) -> list[LoadAudit]:
    """Reads everything of one feed that the inventory shows and the lake does not have. Safe to repeat.

    Returns the new loads. A load counts once its row in lake/loads is there, and that is written last.
    """
    contract = contracts[feed]
    prepare_lake(settings, {feed: contract})
    with scratch_folder(settings) as scratch, _connected(settings, scratch) as con:
        known = _known_loads(con, settings, feed)
        news = [item for item in read_inventory(settings) if _concerns(item, feed)]
        todo = [(item, numbered) for item in news if (numbered := _new_number(item, known)) is not None]
        register_key(con, key)
        try:
            audits = []
            for done, (item, number) in enumerate(todo, start=1):
                audit = _load(con, item, number, contract, settings, key, scratch)
                if audit is not None:
                    audits.append(audit)
                if progress:
                    progress(done, len(todo), item.file_name)
            return audits
        finally:
            forget_key(con)


def _connected(settings: Settings, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into the scratch folder, since what it spills are identities."""
    con = duckdb.connect(":memory:", config={
        "memory_limit": settings.memory_limit, "threads": settings.threads, "temp_directory": str(scratch / "spill"),
    })
    con.execute("set TimeZone = 'UTC'")
    return con


def _concerns(item: Inventoried, feed: str) -> bool:
    """Files of the feed; and files set aside whole that lie in its folder, so that its audit shows them."""
    if item.state == "recognised":
        return feed in item.feeds
    return item.state == "set_aside" and item.file_name.split("/")[0] == feed


def _known_loads(con: duckdb.DuckDBPyConnection, settings: Settings, feed: str) -> dict[str, tuple[int, str, str, str | None]]:
    """The latest load of each file of the feed: number, content, status, reason."""
    files = settings.lake / "loads"
    if not any(files.glob(f"{feed}-*.parquet")):
        return {}
    rows = con.execute(f"select file_name, max(load_number), max_by(content_hash, load_number), max_by(status, load_number), "
                       f"arg_max_null(reason_code, load_number) from read_parquet({literal(str(files / f'{feed}-*.parquet'))}) group by 1").fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _new_number(item: Inventoried, known: Mapping[str, tuple[int, str, str, str | None]]) -> int | None:
    """The number of the load to make, or None where there is nothing new."""
    if item.file_name not in known:
        return 1
    number, content_hash, status, reason = known[item.file_name]
    if content_hash != item.content_hash:
        return number + 1
    if status == "read" or reason in FOUND_WHILE_READING or reason == item.reason_code:
        return None
    return number  # a layout was added since: the same load, now read


def _load(con: duckdb.DuckDBPyConnection, item: Inventoried, number: int, contract: Contract, settings: Settings,
          key: TokenKey, scratch: Path) -> LoadAudit | None:
    """One file for one feed. None where it changed under our hands: the next inventory will see it."""
    began = time.perf_counter()
    audit = LoadAudit(
        load_id=load_id(contract.feed, item.file_name, item.content_hash or "", number), feed=contract.feed,
        layout=item.format, data_source=item.data_source, file_name=item.file_name, batch_id=batch_id(item.file_name),
        content_hash=item.content_hash, byte_count=item.byte_count, encoding=item.encoding, load_number=number,
        loaded_at=dt.datetime.now(dt.UTC).replace(tzinfo=None), status="read", key_version=key.version)
    path = settings.landing / item.file_name
    try:
        if item.state == "set_aside":
            audit = replace(audit, status="set_aside", reason_code=item.reason_code)
            outcomes: list[dict[str, Any]] = []
        else:
            audit, outcomes = _read(con, item, audit, contract, settings, scratch, path)
    except MissingInName:
        audit, outcomes = replace(audit, status="set_aside", reason_code="not_in_file_name"), []
    except Unreadable as error:
        audit, outcomes = replace(audit, status="set_aside", reason_code=error.reason_code), []
    except duckdb.Error as error:
        # DuckDB's messages quote the line: neither message nor chain may go on from here.
        reason = _reason_of(error)
        if reason is None:
            raise LoadFailed(f"{item.file_name}: reading failed ({type(error).__name__})") from None
        audit, outcomes = replace(audit, status="set_aside", reason_code=reason), []
    if not _is_unchanged(path, item):
        return None
    audit = replace(audit, seconds=round(time.perf_counter() - began, 4))
    write_rows(outcomes, schema("load_outcomes"), settings.lake / "load_outcomes" / f"{audit.load_id}.parquet")
    write_rows([asdict(audit)], schema("loads"), settings.lake / "loads" / f"{audit.load_id}.parquet")
    return audit


def load_id(feed: str, file_name: str, content_hash: str, number: int) -> str:
    """The same feed, file, content and number always give the same id."""
    return f"{feed}-{sha256('|'.join([feed, file_name, content_hash, str(number)]).encode()).hexdigest()[:16]}"


def batch_id(file_name: str) -> str:
    """File name without folders and extensions."""
    return file_name.rsplit("/", 1)[-1].split(".")[0]


def _reason_of(error: duckdb.Error) -> str | None:
    message = str(error)
    if "aximum line size" in message:
        return "line_too_long"
    return "unreadable_text" if isinstance(error, duckdb.InvalidInputException) and "CSV Error" in message else None


def _is_unchanged(path: Path, item: Inventoried) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (item.byte_count, item.modified_ns)


def _read(con: duckdb.DuckDBPyConnection, item: Inventoried, audit: LoadAudit, contract: Contract, settings: Settings,
          scratch: Path, path: Path) -> tuple[LoadAudit, list[dict[str, Any]]]:
    reading = _prepare(item, contract, scratch, path)
    try:
        control = control_totals(path)
    except ValueError:
        raise Unreadable("broken_control_file") from None
    with ThreadPoolExecutor(1) as beside:  # the second count runs beside the reading, on its own copy of the bytes
        counting = beside.submit(count_file, path, reading.layout, reading.header, reading.header_line_number,
                                 reading.delimiter, contract.amount)
        problems = read_rows(con, reading)
        outcomes = _outcomes(con, problems, audit)
        raw_path = settings.lake / "raw" / contract.feed / f"{audit.load_id}.parquet"
        written = _write_accepted(con, contract, audit, raw_path)
        if any(row["outcome"] == "set_aside" for row in outcomes):
            _write_quarantine(con, problems, audit, settings)
        con.execute(f"drop table {ROWS}")
        count = counting.result()
    sums = {outcome: _sum(outcomes, outcome) for outcome in ("accepted", "set_aside", "excluded")}
    audit = replace(
        audit,
        rows_read=sum(rows for rows, _ in sums.values()), amount_read=sum((amount for _, amount in sums.values()), ZERO),
        rows_accepted=written[0], amount_accepted=written[1],
        rows_set_aside=sums["set_aside"][0], amount_set_aside=sums["set_aside"][1],
        rows_excluded=sums["excluded"][0], amount_excluded=sums["excluded"][1],
        raw_row_count=count.row_count, raw_amount=count.amount,
        control_row_count=control[0] if control[0] is not None else count.control_row_count,
        control_amount=control[1] if control[1] is not None else count.control_amount,
        first_month=written[2], last_month=written[3])
    return replace(audit, is_conserved=is_conserved(audit)), outcomes


def is_conserved(audit: LoadAudit) -> bool:
    """Whether rows and dollars read are all accounted for, and are what was counted without the reader."""
    rows = audit.rows_accepted + audit.rows_set_aside + audit.rows_excluded
    amount = audit.amount_accepted + audit.amount_set_aside + audit.amount_excluded
    return (audit.rows_read == rows == audit.raw_row_count
            and audit.amount_read == amount == audit.raw_amount
            and audit.control_row_count in (None, audit.rows_read)
            and audit.control_amount in (None, audit.amount_read))


def _sum(outcomes: list[dict[str, Any]], outcome: str) -> tuple[int, Decimal]:
    rows = [row for row in outcomes if row["outcome"] == outcome]
    return sum(row["row_count"] for row in rows), sum((row["amount"] for row in rows), ZERO)


def _prepare(item: Inventoried, contract: Contract, scratch: Path, path: Path) -> Reading:
    """What the reader needs: a path DuckDB can open (names may hold its wildcards), the header, the layout."""
    layout = contract.layout(item.format or "")
    head = b""
    for chunk in blocks(path):
        head += chunk[:HEAD]
        break
    # The same line ends as when the header was found.
    lines = decode_mixture(head[:HEAD].removeprefix(BOM)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line_number = item.header_line_number or 1
    header = tuple(split_line(lines[line_number - 1], item.delimiter or ","))
    given = scratch / "input"
    given.unlink(missing_ok=True)
    takes_landed = bool(item.is_clean) and item.packing != "zip"
    if takes_landed:
        given.symlink_to(path.resolve())
    else:
        write_clean(path, given)
    return Reading(path=given, is_gzip=takes_landed and item.packing == "gzip",
                   has_return=takes_landed and b"\r\n" in head, contract=contract, layout=layout, header=header,
                   header_line_number=line_number, delimiter=item.delimiter or ",", file_name=item.file_name,
                   period=item.word("period"), today=dt.datetime.now(dt.UTC).date())


def _outcomes(con: duckdb.DuckDBPyConnection, problems: list[Problem], audit: LoadAudit) -> list[dict[str, Any]]:
    rows = con.execute(f"select problem, count(*), sum(amount) from {ROWS} group by problem order by problem").fetchall()
    accepted = Problem("accepted", None, "")
    outcomes = []
    for number, row_count, amount in rows:
        problem = problems[number - 1] if number else accepted
        outcomes.append({"load_id": audit.load_id, "feed": audit.feed, "outcome": problem.outcome, "column_name": problem.column,
                         "reason_code": problem.reason_code or None, "row_count": row_count, "amount": amount})
    return outcomes


def _write_accepted(con: duckdb.DuckDBPyConnection, contract: Contract, audit: LoadAudit,
                    path: Path) -> tuple[int, Decimal, dt.date | None, dt.date | None]:
    """Tokens in, identities out, into the lake. Returns rows, amount and months as they are in the written file."""
    unfinished = unfinished_path(path)
    kinds = {column: definition.token_kind for column, definition in contract.columns.items() if definition.token_kind}
    if kinds:
        _make_tokens(con, kinds, audit.data_source or "")
    joins, columns = [], []
    for number, lake in enumerate(contract.lake_columns()):
        if lake.source in kinds:
            joins.append(f"left join tokens t{number} on t{number}.kind = {literal(str(kinds[lake.source]))} "
                         f"and t{number}.id = r.{name(lake.source)}")
            columns.append(f"t{number}.token as {name(lake.name)}")
        elif lake.source:
            columns.append(f"r.{name(lake.name)}")
    columns += [f"{literal(audit.data_source or '')} as data_source", f"{literal(audit.load_id)} as load_id",
                "r.line as source_line_number", "cast(r.part as integer) as source_part_number"]
    con.execute(f"copy (select {', '.join(columns)} from {ROWS} r {' '.join(joins)} where r.problem = 0) "
                f"to {literal(str(unfinished))} (format parquet, compression zstd)")
    amount = f"cast(coalesce(sum({name(contract.amount)}), 0) as decimal(38, 10))" if contract.amount else "cast(0 as decimal(38, 10))"
    month = name(contract.month) if contract.month else "cast(null as date)"
    written = con.execute(f"select count(*), {amount}, cast(date_trunc('month', min({month})) as date), "
                          f"cast(date_trunc('month', max({month})) as date) from read_parquet({literal(str(unfinished))})").fetchone()
    os.replace(unfinished, path)
    if kinds:
        con.execute("drop table tokens")
    rows, total, first_month, last_month = written or (0, ZERO, None, None)
    return rows, total, first_month, last_month


def _make_tokens(con: duckdb.DuckDBPyConnection, kinds: Mapping[str, str | None], issuer: str) -> None:
    """Each distinct id is hashed once, then joined."""
    ids = " union ".join(f"select distinct {literal(str(kind))} as kind, {name(column)} as id from {ROWS} "
                         f"where problem = 0 and {name(column)} is not null" for column, kind in kinds.items())
    message = f"ids.kind || {literal('|' + issuer + '|')} || ids.id"
    con.execute(f"create or replace temp table tokens as select kind, id, {token_sql(message)} as token from ({ids}) ids, {PADS}")


def _write_quarantine(con: duckdb.DuckDBPyConnection, problems: list[Problem], audit: LoadAudit, settings: Settings) -> None:
    """Where the rows set aside stand and why: never what is in them."""
    told = [(number, problem.column, problem.reason_code) for number, problem in enumerate(problems, start=1)
            if problem.outcome == "set_aside"]
    values = ", ".join(f"({number}, {literal(column) if column else 'null'}, {literal(reason)})" for number, column, reason in told)
    rows = con.execute(
        f"select {literal(audit.load_id)} as load_id, {literal(audit.feed)} as feed, {literal(audit.file_name)} as file_name, "
        f"cast(line as bigint) as source_line_number, cast(part as integer) as source_part_number, "
        f"cast(p.column_name as varchar) as column_name, p.reason_code "
        f"from {ROWS} join (values {values}) p(number, column_name, reason_code) on p.number = problem order by line, part").to_arrow_table()
    write_atomically(rows.cast(QUARANTINE), settings.quarantine / audit.feed / f"{audit.load_id}.parquet")
