"""Writes the feeds' tables as CSV files by month, as senders would send them, with the dirt and its list.

Belongs here: which file a row goes to, order, compression, control totals, answers. Does not: what the rows say,
    kinds of dirt.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from dagster_project.synthetic.dirt import (
    DIRT,
    append_short_lines,
    dirt_sql,
    to_gzip,
    to_mixed_encoding,
    to_windows_lines,
)

# feed: (day it was sent, order of rows in a file, join for the day); a feed without a day is one file.
SENT: dict[str, tuple[str | None, str, str]] = {
    "payer": (None, "payer_id", ""),
    "benefit_plan": (None, "plan_id, effective_from_date", ""),
    "provider": (None, "provider_id", ""),
    "member": (None, "member_id", ""),
    "member_crosswalk": (None, "medical_record_number", ""),
    "eligibility": ("greatest(t.enrollment_start_date, date '{start}')",
    "member_id, coverage_rank, enrollment_start_date", ""),
    "encounter": ("coalesce(t.encounter_end_date, date '{end}')", "encounter_id", ""),
    "encounter_diagnosis": ("coalesce(p.encounter_end_date, date '{end}')", "encounter_id, diagnosis_rank",
    "join encounter p using (encounter_id)"),
    "encounter_procedure": ("coalesce(p.encounter_end_date, date '{end}')", "encounter_id, procedure_number",
    "join encounter p using (encounter_id)"),
    "medical_claim": ("coalesce(t.submitted_date, date '{end}')", "claim_id", ""),
    "medical_claim_line": ("coalesce(p.submitted_date, date '{end}')", "claim_id, claim_line_number",
    "join medical_claim p using (claim_id)"),
    "remittance": ("t.paid_date", "remittance_id, claim_id, adjudication_number, claim_line_number", ""),
    "remittance_adjustment": ("t.paid_date",
    "remittance_id, claim_id, adjudication_number, claim_line_number, adjustment_number", ""),
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


def write_files(con: duckdb.DuckDBPyConnection, landing: Path, start: str, end: str, months: int,
    withheld: list[tuple[str, str]],
                progress: Callable[[str, int, int], None]) -> dict[str, int]:
    """Every feed's files; table w_planted lists the damage by file and physical line. Returns rows written per feed."""
    con.execute("create or replace table w_planted (feed varchar, file varchar, row bigint, kind varchar)")
    written: dict[str, int] = {}
    for done, (feed, (day, order, join)) in enumerate(SENT.items()):
        progress("files", done, len(SENT))
        if _exists(con, feed):
            written[feed] = _write_feed(con, landing, feed, day, order, join, start, end, months, withheld)
    progress("files", len(SENT), len(SENT))
    return written


def _exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(con.execute("select count(*) from information_schema.tables where table_name = ?",
        [table]).fetchall()[0][0])


def _write_feed(con: duckdb.DuckDBPyConnection, landing: Path, feed: str, day: str | None, order: str, join: str,
    start: str, end: str,
                months: int, withheld: list[tuple[str, str]]) -> int:
    columns = [row[0] for row in con.execute(f'describe "{feed}"').fetchall()]
    texts = ", ".join(f"t.{name}::varchar as {name}" for name in columns)
    # earlier rows than the period (authorizations, bookings) were sent in its first month
    number = "0" if day is None else f"greatest(0, datediff('month', date '{start}', {day.format(start=start, end=end)}))"
    con.execute(f"""
    create or replace temp table w_file as
    select *, row_number() over (partition by month_number order by {_text_order(order)}) as rn, count(*)
        over (partition by month_number) as file_rows
    from (select {texts}, ({number})::integer as month_number from "{feed}" t {join});
    create or replace temp table w_lines as
    select * exclude (rn, dirt_number), row_number() over (partition by month_number order by rn,
        dirt_number) + 1 as file_line
    from ({dirt_sql(feed)}) order by month_number, file_line;
    """)
    amount = f"coalesce(sum({CONTROL[feed]}::decimal(18, 2)), 0)" if feed in CONTROL else "0"
    label = f"strftime(date '{start}' + to_months(month_number), '%Y-%m')"
    months = con.execute(f"""select month_number, {label}, count(*), {amount}, any_value(file_rows)
                             from w_lines group by all order by 1""").fetchall()
    folder = landing / feed
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for month, name, lines, control, file_rows in months:
        if (feed, name) not in withheld:
            path = folder / (f"{feed}.csv" if day is None else f"{feed}_{name}.csv")
            total += _write_file(con, path, feed, columns, month, lines, control, file_rows)
    return total


def _text_order(order: str) -> str:
    # numbers were made text: order them by length first, so that line 10 follows line 9
    parts = [part.strip() for part in order.split(",")]
    counted = [part for part in parts if part.endswith("_number") and part != "medical_record_number"]
    return ", ".join(f"len({part}), {part}" if part in counted else part for part in parts)


def _write_file(con: duckdb.DuckDBPyConnection, path: Path, feed: str, columns: list[str], month: int, lines: int,
    control: object,
                file_rows: int) -> int:
    con.execute(f"""copy (select {', '.join(columns)} from w_lines where month_number = {month} order by file_line)
                    to '{_quoted(path)}' (header, delimiter ',', quote '"')""")
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
    con.execute("""insert into w_planted select ?, ?, file_line, dirt_kind from w_lines
                   where month_number = ? and dirt_kind is not null""",
                [feed, path.name, month])
    for number in range(short):
        _plant(con, feed, path.name, lines + 2 + number, "wrong_field_count")
    return lines + short


def _plant(con: duckdb.DuckDBPyConnection, feed: str, file: str, line: int | None, kind: str) -> None:
    con.execute("insert into w_planted values (?, ?, ?, ?)", [feed, file, line, kind])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


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
        con.execute(f"copy ({query}) to '{_quoted(answers / (name + '.parquet'))}' (format parquet, compression zstd)")
