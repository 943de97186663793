"""Loads: what is new in landing is read for its feeds, counted twice, and written to the lake.

Belongs here: which files are new, the order of writing (the record of the load comes last), conservation.
Does not: SQL over rows (read.py), the second count (count.py), judging a load as a whole (expectations/).
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.database import literal
from dagster_project.privacy.keys import TokenKey
from dagster_project.privacy.tokens import forget_key, register_key
from dagster_project.settings import Settings
from dagster_project.sources.audit import ZERO, LoadAudit, batch_id, control_matches, is_conserved, load_id
from dagster_project.sources.contracts import Contract
from dagster_project.sources.count import Count, control_totals, count_file
from dagster_project.sources.inventory import Inventoried, delivery_name, read_inventory, status_of, take_inventory
from dagster_project.sources.lake import prepare_lake, schema, write_rows
from dagster_project.sources.placing import (
    Placed,
    SourceNeeded,
    UnrecognisedFile,
    UnusableWord,
    check_words,
    place,
    quieten,
)
from dagster_project.sources.read import ROWS, MissingInName, Reading, read_rows
from dagster_project.sources.recognise import split_line
from dagster_project.sources.unpack import BOM, HEAD, Unreadable, blocks, decode_mixture, scratch_folder, write_clean
from dagster_project.sources.write import outcomes_of, write_accepted, write_quarantine
from dagster_project.sources.x12.count import count_x12
from dagster_project.sources.x12.read import read_x12

__all__ = [
    "LoadAudit",
    "LoadFailed",
    "Placed",
    "SourceNeeded",
    "UnrecognisedFile",
    "UnusableWord",
    "check_words",
    "load_everything",
    "load_feed",
    "place",
    "prepare_lake",
    "quieten",
    "read_inventory",
    "take_inventory",
]

Progress = Callable[[int, int, str], None]

NO_SPACE = "No space left on device"
# Reasons that are found only while reading: the same content would end the same way again.
FOUND_WHILE_READING = ("line_too_long", "unreadable_text")


class LoadFailed(RuntimeError):
    """A load ended by a fault of ours or of the machine. Says which file and what kind, never what was in it."""


def load_everything(
    settings: Settings, contracts: Mapping[str, Contract], key: TokenKey, progress: Progress | None = None
) -> list[LoadAudit]:
    """Inventory, then everything new of every feed."""
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    return [audit for feed in contracts for audit in load_feed(feed, settings, contracts, key, progress)]


def load_feed(
    feed: str, settings: Settings, contracts: Mapping[str, Contract], key: TokenKey, progress: Progress | None = None
) -> list[LoadAudit]:
    """Reads everything of one feed that the inventory shows and the lake does not have. Safe to repeat.

    Returns the new loads. A load counts once its row in lake/loads is there, and that is written last.
    """
    contract = contracts[feed]
    prepare_lake(settings, {feed: contract})
    with scratch_folder(settings) as scratch, _connected(settings, scratch) as con:
        known = _known_loads(con, settings, feed)
        news = [item for item in read_inventory(settings) if _concerns(item, feed)]
        todo = [(item, numbered) for item in news if (numbered := _new_number(item, known)) is not None]

        began = dt.datetime.now(dt.UTC).replace(tzinfo=None)

        def load(place: int) -> LoadAudit | None:
            item, number = todo[place]
            # Of two rows with one key the later load's counts: files read side by side keep the order of their names.
            loaded_at = began + dt.timedelta(microseconds=place)
            before = known.get(delivery_name(item.file_name))
            # Temporary tables are a cursor's own; memory and cores are shared.
            with con.cursor() as own, tempfile.TemporaryDirectory(dir=scratch) as folder:
                register_key(own, key)
                try:
                    return _load(own, item, number, loaded_at, contract, settings, key, Path(folder), before)
                finally:
                    forget_key(own)

        audits = []
        # One file does not keep all cores busy to its end; as many at once as there are cores do.
        with ThreadPoolExecutor(settings.threads) as readers:
            try:
                for done, audit in enumerate(readers.map(load, range(len(todo))), start=1):
                    if audit is not None:
                        audits.append(audit)
                    if progress:
                        progress(done, len(todo), todo[done - 1][0].file_name)
            except BaseException:
                readers.shutdown(wait=False, cancel_futures=True)
                raise
        return audits


def _connected(settings: Settings, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into the scratch folder, since what it spills are identities."""
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(scratch / "spill"),
        },
    )
    con.execute("set TimeZone = 'UTC'")
    return con


def _concerns(item: Inventoried, feed: str) -> bool:
    """Files of the feed; and files set aside whole that lie in its folder, so that its audit shows them."""
    if item.state == "recognised":
        return feed in item.feeds
    return item.state == "set_aside" and item.file_name.split("/")[0] == feed


def _known_loads(
    con: duckdb.DuckDBPyConnection, settings: Settings, feed: str
) -> dict[str, tuple[int, str, str, str | None]]:
    """The latest load of each delivery of the feed, by its name: number, content, status, reason."""
    files = settings.lake / "loads"
    if not any(files.glob(f"{feed}-*.parquet")):
        return {}
    rows = con.execute(
        f"select regexp_replace(file_name, 'version=[0-9]+/', ''), max(load_number), max_by(content_hash, load_number), "
        f"max_by(status, load_number), arg_max_null(reason_code, load_number) "
        f"from read_parquet({literal(str(files / f'{feed}-*.parquet'))}) group by 1"
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _new_number(item: Inventoried, known: Mapping[str, tuple[int, str, str, str | None]]) -> int | None:
    """The number of the load to make, or None where there is nothing new."""
    name = delivery_name(item.file_name)
    if name not in known:
        return 1
    number, content_hash, status, reason = known[name]
    if content_hash != item.content_hash:
        return number + 1
    if status == "read" or reason in FOUND_WHILE_READING or reason == item.reason_code:
        return None
    return number  # a layout was added since: the same load, now read


def _load(
    con: duckdb.DuckDBPyConnection,
    item: Inventoried,
    number: int,
    loaded_at: dt.datetime,
    contract: Contract,
    settings: Settings,
    key: TokenKey,
    scratch: Path,
    before: tuple[int, str, str, str | None] | None,
) -> LoadAudit | None:
    """One file for one feed. None where it changed under our hands: the next inventory will see it."""
    began = time.perf_counter()
    audit = LoadAudit(
        load_id=load_id(contract.feed, item.file_name, item.content_hash or "", number),
        feed=contract.feed,
        layout=item.format,
        data_source=item.data_source,
        file_name=item.file_name,
        batch_id=batch_id(item.file_name),
        content_hash=item.content_hash,
        byte_count=item.byte_count,
        encoding=item.encoding,
        load_number=number,
        loaded_at=loaded_at,
        status="read",
        key_version=key.version,
    )
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
            why = NO_SPACE if NO_SPACE in str(error) else type(error).__name__
            raise LoadFailed(f"{item.file_name}: reading failed ({why})") from None
        audit, outcomes = replace(audit, status="set_aside", reason_code=reason), []
    if not _is_unchanged(path, item):
        return None
    if before == (number, audit.content_hash, "set_aside", audit.reason_code) and audit.status == "set_aside":
        return None  # tried again, and told already
    audit = replace(audit, seconds=round(time.perf_counter() - began, 4))
    write_rows(outcomes, schema("load_outcomes"), settings.lake / "load_outcomes" / f"{audit.load_id}.parquet")
    write_rows([asdict(audit)], schema("loads"), settings.lake / "loads" / f"{audit.load_id}.parquet")
    return audit


def _reason_of(error: duckdb.Error) -> str | None:
    message = str(error)
    if "aximum line size" in message:
        return "line_too_long"
    return "unreadable_text" if isinstance(error, duckdb.InvalidInputException) and "CSV Error" in message else None


def _is_unchanged(path: Path, item: Inventoried) -> bool:
    try:
        status = status_of(path)
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (item.byte_count, item.modified_ns)


def _read(
    con: duckdb.DuckDBPyConnection,
    item: Inventoried,
    audit: LoadAudit,
    contract: Contract,
    settings: Settings,
    scratch: Path,
    path: Path,
) -> tuple[LoadAudit, list[dict[str, Any]]]:
    reading = _prepare(item, contract, scratch, path)
    control = control_totals(path)
    with ThreadPoolExecutor(1) as beside:  # the second count runs beside the reading, on its own copy of the bytes
        counting = beside.submit(_count, reading, path)
        problems = (read_x12 if reading.layout.x12 else read_rows)(con, reading)
        outcomes = outcomes_of(con, problems, audit)
        raw_path = settings.lake / "raw" / contract.feed / f"{audit.load_id}.parquet"
        written = write_accepted(con, contract, reading.layout, audit, raw_path)
        if any(row["outcome"] == "set_aside" for row in outcomes):
            write_quarantine(con, problems, audit, settings)
        con.execute(f"drop table {ROWS}")
        try:
            count = counting.result()
        except Unreadable:  # its trailer's totals are no numbers: what was written is of no load
            raw_path.unlink()
            (settings.quarantine / contract.feed / f"{audit.load_id}.parquet").unlink(missing_ok=True)
            raise
    # One amount is told of a file, which may feed several feeds: it is asked of those that read it.
    has_amount = contract.amount in reading.layout.columns
    sums = {outcome: _sum(outcomes, outcome) for outcome in ("accepted", "set_aside", "excluded")}
    audit = replace(
        audit,
        rows_read=sum(rows for rows, _ in sums.values()),
        amount_read=sum((amount for _, amount in sums.values()), ZERO),
        rows_accepted=written[0],
        amount_accepted=written[1],
        rows_set_aside=sums["set_aside"][0],
        amount_set_aside=sums["set_aside"][1],
        rows_excluded=sums["excluded"][0],
        amount_excluded=sums["excluded"][1],
        raw_row_count=count.row_count,
        raw_amount=count.amount,
        control_row_count=control[0] if control[0] is not None else count.control_row_count,
        control_amount=(control[1] if control[1] is not None else count.control_amount) if has_amount else None,
        first_month=written[2],
        last_month=written[3],
    )
    audit = replace(audit, control_matches=control_matches(audit, count.line_count))
    return replace(audit, is_conserved=is_conserved(audit)), outcomes


def _count(reading: Reading, path: Path) -> Count:
    """The second count, from the bytes."""
    if reading.layout.x12:
        return count_x12(path, reading.layout.x12)
    return count_file(
        path, reading.layout, reading.header, reading.header_line_number, reading.delimiter, reading.contract.amount
    )


def _sum(outcomes: list[dict[str, Any]], outcome: str) -> tuple[int, Decimal]:
    rows = [row for row in outcomes if row["outcome"] == outcome]
    return sum(row["row_count"] for row in rows), sum((row["amount"] for row in rows), ZERO)


def _prepare(item: Inventoried, contract: Contract, scratch: Path, path: Path) -> Reading:
    """What the reader needs: a path DuckDB can open (names may hold its wildcards), the header, the layout."""
    layout = contract.layout(item.format or "")
    file_name, period, today = item.file_name, item.word("period"), dt.datetime.now(dt.UTC).date()
    if layout.x12:
        header = tuple(layout.source_columns())
        leads = item.feeds[0] == contract.feed
        return Reading(path, False, False, contract, layout, header, 0, "", file_name, period, today, leads)
    head = b""
    for chunk in blocks(path):
        head += chunk[:HEAD]
        break
    # The same line ends as when the header was found.
    lines = decode_mixture(head[:HEAD].removeprefix(BOM)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line_number = item.header_line_number or 1
    header = tuple(split_line(lines[line_number - 1], item.delimiter or ","))
    given = scratch / "input"
    takes_landed = bool(item.is_clean) and item.packing != "zip"
    if takes_landed:
        given.symlink_to(path.resolve())
    else:
        write_clean(path, given)
    return Reading(
        path=given,
        is_gzip=takes_landed and item.packing == "gzip",
        has_return=takes_landed and b"\r\n" in head,
        contract=contract,
        layout=layout,
        header=header,
        header_line_number=line_number,
        delimiter=item.delimiter or ",",
        file_name=file_name,
        period=period,
        today=today,
    )
