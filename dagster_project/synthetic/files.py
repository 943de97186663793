"""Writes the feeds' tables by month, as senders would send them: CSV with the dirt and its list, or X12 where it is one.

Belongs here: which file a row goes to, order, compression, control totals, answers. Does not: what the rows say,
    kinds of dirt.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from dagster_project.database import literal
from dagster_project.synthetic.billing import INVALID_DIAGNOSIS
from dagster_project.synthetic.dirt import (
    DIRT,
    append_short_lines,
    dirt_sql,
    to_gzip,
    to_mixed_encoding,
    to_windows_lines,
)
from dagster_project.synthetic.x12 import X12_FEEDS, write_x12_files

# feed: (day it was sent, order of rows in a file, join for the day); a feed without a day is one file.
SENT: dict[str, tuple[str | None, str, str]] = {
    "payer": (None, "payer_id", ""),
    "benefit_plan": (None, "plan_id, effective_from_date", ""),
    "contracted_rate": (
        None,
        "payer_id, billing_id, claim_type, billing_code_type, billing_code, billing_code_modifier, effective_from_date",
        "",
    ),
    "provider": (None, "provider_id", ""),
    "member": (None, "member_id", ""),
    "member_crosswalk": (None, "medical_record_number", ""),
    "eligibility": (
        "greatest(t.enrollment_start_date, date '{start}')",
        "member_id, coverage_rank, enrollment_start_date",
        "",
    ),
    "encounter": ("coalesce(t.encounter_end_date, date '{end}')", "encounter_id", ""),
    "encounter_diagnosis": (
        "coalesce(p.encounter_end_date, date '{end}')",
        "encounter_id, diagnosis_rank",
        "join encounter p using (encounter_id)",
    ),
    "encounter_procedure": (
        "coalesce(p.encounter_end_date, date '{end}')",
        "encounter_id, procedure_number",
        "join encounter p using (encounter_id)",
    ),
    "medical_claim": ("coalesce(t.submitted_date, date '{end}')", "claim_id", ""),
    "medical_claim_line": (
        "coalesce(p.submitted_date, date '{end}')",
        "claim_id, claim_line_number",
        "join medical_claim p using (claim_id)",
    ),
    "claim_acknowledgement": ("t.acknowledged_date", "acknowledgement_id, claim_id", ""),
    "remittance": ("t.paid_date", "remittance_id, claim_id, adjudication_number, claim_line_number", ""),
    "remittance_adjustment": (
        "t.paid_date",
        "remittance_id, claim_id, adjudication_number, claim_line_number, adjustment_number",
        "",
    ),
    "remittance_advice": ("t.paid_date", "remittance_id", ""),
    "provider_adjustment": ("t.paid_date", "remittance_id, adjustment_number", ""),
    "pharmacy_fill": ("t.paid_date", "claim_id, adjudication_number", ""),
    "patient_accounting": ("t.posting_date", "transaction_id", ""),
    "work_record": ("t.completed_at::date", "work_record_id", ""),
    "authorization": ("t.requested_date", "authorization_id", ""),
    "scheduled_service": ("t.booked_date", "scheduled_service_id", ""),
    "ledger_posting": ("least(t.posting_date, date '{end}')", "posting_id", ""),
}
CONTROL = {"remittance": "paid_amount", "ledger_posting": "posting_amount"}  # files that a .ctl vouches for
GZIPPED = {"medical_claim_line", "encounter_diagnosis"}
CRLF_FILE = ("patient_accounting", 2)
RESENT_FILE = ("pharmacy_fill", 1)


def write_files(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    start: str,
    end: str,
    months: int,
    withheld: list[tuple[str, str]],
    progress: Callable[[str, int, int], None],
    as_x12: bool = False,
) -> dict[str, int]:
    """Every feed's files; table w_planted lists the damage by file and physical line. Returns rows written per feed.

    As X12, claims that are not sent yet, and whatever no X12 file holds, are flat files all the same, and no damage is done to
    what is sent.
    """
    con.execute("create or replace table w_planted (feed varchar, file varchar, row bigint, kind varchar)")
    written = write_x12_files(con, landing, start, months, withheld, progress) if as_x12 else {}
    for done, (feed, (day, order, join)) in enumerate(SENT.items()):
        progress("files", done, len(SENT))
        if _exists(con, feed):
            due = 0 if as_x12 and feed in X12_FEEDS else months
            rows = _write_feed(con, landing, feed, day, order, join, start, end, due, withheld)
            written[feed] = written.get(feed, 0) + rows
    progress("files", len(SENT), len(SENT))
    return written


def _exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(con.execute("select 1 from information_schema.tables where table_name = ?", [table]).fetchall())


def _write_feed(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    feed: str,
    day: str | None,
    order: str,
    join: str,
    start: str,
    end: str,
    months: int,
    withheld: list[tuple[str, str]],
) -> int:
    columns = [row[0] for row in con.execute(f'describe "{feed}"').fetchall()]
    # earlier rows than the period (authorizations, bookings) were sent in its first month
    number = "0"
    if day is not None:
        number = f"greatest(0, datediff('month', date '{start}', {day.format(start=start, end=end)}))"
    con.execute(f"""
    create or replace temp table w_file as
    select *, row_number() over (partition by month_number order by {order}) as rn,
           count(*) over (partition by month_number) as file_rows
    from (select t.*, ({number})::integer as month_number from "{feed}" t {join});
    """)
    _place_dirt(con, feed, columns)
    amount = CONTROL.get(feed)
    total = f"coalesce(sum({amount}::decimal(18, 2)), 0)" if amount else "0"
    label = f"strftime(date '{start}' + to_months(month_number), '%Y-%m')"
    # A month in which nothing happened is a file with a header alone: a sender whose file is missing said nothing. Of
    # what was told in another way (0 months) only that is written which there is.
    calendar = f"(select unnest(range({1 if day is None else months}))::integer as month_number)"
    sent = con.execute(f"""
    with lines as (select month_number, {amount or "0"} as {amount or "amount"}, file_rows from w_file
                   union all select month_number, {amount or "0"}, null from w_dirt)
    select month_number, {label}, count({amount or "amount"}), {total}, coalesce(max(file_rows), 0)
    from {calendar} full join lines using (month_number) group by all order by 1""").fetchall()
    folder = landing / feed
    written = 0
    for month, name, lines, control, file_rows in sent:
        if (feed, name) not in withheld:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / (f"{feed}.csv" if day is None else f"{feed}_{name}.csv")
            written += _write_file(con, path, feed, columns, month, lines, control, file_rows)
    return written


def _place_dirt(con: duckdb.DuckDBPyConnection, feed: str, columns: list[str]) -> None:
    """w_dirt: damaged rows of the feed as text; w_marked: physical line and kind of each, and of marked true rows."""
    texts = ", ".join(f"null::varchar as {name}" for name in columns)
    empty = f"select 0 as month_number, 0 as rn, 0 as dirt_number, '' as dirt_kind, {texts} where false"
    marked = ""
    if feed == "medical_claim":
        marked = f"""union all
        select month_number,
               1 + rn + (select count(*) from w_dirt d where d.month_number = f.month_number and d.rn < f.rn),
               'invalid_diagnosis' from w_file f where diagnosis_code_2 = '{INVALID_DIAGNOSIS}'"""
    con.execute(f"""
    create or replace temp table w_dirt as {dirt_sql(feed, columns) if feed in DIRT else empty};
    create or replace temp table w_marked as
    -- a damaged row follows the row it copies, so it is moved down by the damaged rows above it
    select month_number,
           1 + rn + row_number() over (partition by month_number order by rn, dirt_number) as file_line, dirt_kind
    from w_dirt {marked};
    """)


def _write_file(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    feed: str,
    columns: list[str],
    month: int,
    lines: int,
    control: object,
    file_rows: int,
) -> int:
    names = ", ".join(columns)
    con.execute(f"""
    copy (select {names} from (
              select {", ".join(f"{name}::varchar as {name}" for name in columns)}, rn, 0 as dirt_number from w_file
              where month_number = {month}
              union all select {names}, rn, dirt_number from w_dirt where month_number = {month})
          order by rn, dirt_number)
    to {literal(str(path))} (header, delimiter ',', quote '"')""")
    plan = DIRT.get(feed)
    short = plan.wrong_field_count if plan and month % 3 == 1 and file_rows >= plan.least_rows else 0
    append_short_lines(path, short)
    if feed in CONTROL:
        path.with_name(path.name + ".ctl").write_text(f"name,value\nrow_count,{lines}\namount,{control}\n")
    if feed == "provider":
        to_mixed_encoding(path)
    if (feed, month) == CRLF_FILE:
        to_windows_lines(path)
    if (feed, month) == RESENT_FILE:
        shutil.copyfile(path, path.with_name(path.stem + "_resent.csv"))
        _plant(con, feed, path.stem + "_resent.csv", None, "resent_file")
    if feed in GZIPPED:
        path = to_gzip(path)
    con.execute(
        "insert into w_planted select ?, ?, file_line, dirt_kind from w_marked where month_number = ?",
        [feed, path.name, month],
    )
    for number in range(short):
        _plant(con, feed, path.name, lines + 2 + number, "wrong_field_count")
    return lines + short


def _plant(con: duckdb.DuckDBPyConnection, feed: str, file: str, line: int | None, kind: str) -> None:
    con.execute("insert into w_planted values (?, ?, ?, ?)", [feed, file, line, kind])


def write_answers(con: duckdb.DuckDBPyConnection, answers: Path) -> None:
    """What only tests and evaluation may read: true probabilities, planted damage, the ledger's causes."""
    answers.mkdir(parents=True, exist_ok=True)
    tables = {
        "claims": """select key_code('CLM', f.ck) as claim_id, denial_probability, is_denied, case when is_denied
            then g.category end as denial_category,
                     c.frequency as claim_frequency_code, c.coverage_rank,
                     exists (from w_adjudication a where a.ck = f.ck) as is_adjudicated from w_first f
                         join w_claim c using (ck)
                     left join w_category g on g.number = f.category order by claim_id""",
        "planted_errors": "select * from w_planted order by feed, file, row, kind",
    }
    if _exists(con, "answer_ledger"):
        tables["ledger"] = "select * from answer_ledger order by all"
    for name, query in tables.items():
        con.execute(f"copy ({query}) to {literal(str(answers / f'{name}.parquet'))} (format parquet, compression zstd)")
