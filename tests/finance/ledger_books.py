"""A small set of documents and their ledger, written straight into a lake, so that the finance models can be run alone.

Belongs here: hand-made claims, remittances, fills and patient entries, one source of the lake for each planted cause.
Does not: reading files, tokens (an id stands for its own token here), what the models must find (the tests).
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from dagster_project.resources.dbt import DBT
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.sources.contracts import Contract
from dagster_project.sources.lake import schema, write_rows
from dagster_project.synthetic.ledger import FAULTS, ORDINARY

FEEDS = {
    "medical_claim": "submitted_date",
    "remittance": "paid_date",
    "remittance_adjustment": "paid_date",
    "provider_adjustment": "paid_date",
    "patient_accounting": "posting_date",
    "pharmacy_fill": "paid_date",
    "ledger_posting": "posting_date",
}


def make_documents(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], claims: int = 1500, days: int = 270
) -> None:
    """Tables named as the feeds: claims of three payers from January 2025 on, with replacements and reversals."""
    for feed in FEEDS:
        given = contracts[feed].columns.items()
        columns = ", ".join(f"{name} {column.duckdb_type}" for name, column in given)
        con.execute(f"create or replace table {feed} ({columns})")
    con.execute(f"""
    insert into medical_claim by name
    select 'C' || i as claim_id, 'submitted' as claim_status,
        case when i % 40 = 0 then 'secondary' else 'primary' end as coverage_rank,
        '1' as claim_frequency_code, 'professional' as claim_type, 'M' || (i % 97) as member_id,
        ['HLH', 'MRM', 'OMC'][1 + i % 3] as payer_id, ['commercial', 'commercial',
            'medicare'][1 + i % 3] as line_of_business,
        100 + (i % 50) + (i % 7) / 100.0 as charge_amount,
            date '2025-01-01' + (i * 7 % {days})::int as submitted_date,
        submitted_date - 5 as claim_start_date
    from range({claims}) numbers(i);
    insert into medical_claim by name
    select 'P' || i as claim_id, 'in_preparation' as claim_status, 'primary' as coverage_rank,
        '1' as claim_frequency_code,
        'professional' as claim_type, 'M1' as member_id, 'HLH' as payer_id, 'commercial' as line_of_business,
            999 as charge_amount,
        date '2025-05-01' as claim_start_date
    from range(5) numbers(i);
    insert into medical_claim by name
    select 'R' || claim_id as claim_id, claim_id as original_claim_id, '7' as claim_frequency_code,
        'submitted' as claim_status,
        'primary' as coverage_rank, claim_type, member_id, payer_id, line_of_business,
            charge_amount + 5 as charge_amount,
        submitted_date + 40 as submitted_date, claim_start_date
    from medical_claim where claim_status = 'submitted' and coverage_rank = 'primary' and substr(claim_id,
        2)::int % 25 = 1;
    insert into remittance by name
    with answers as (
        select *, submitted_date + 14 as paid_date, substr(claim_id, 2)::int as i from medical_claim
        where claim_frequency_code = '1' and claim_status = 'submitted'
    )
    select 'T-' || payer_id || '-' || paid_date as remittance_id, claim_id, line as claim_line_number,
        1 as adjudication_number,
        payer_id, line_of_business, '1' as claim_status_code, paid_date as adjudicated_date, paid_date,
        charge_amount / 2 as charge_amount,
            case when i % 9 = 0 then 0 else (20 + i % 13 + line / 100.0) end as paid_amount
    from answers cross join (values (1), (2)) as lines(line);
    insert into remittance by name
    select 'T-' || payer_id || '-' || (paid_date + shift) as remittance_id, claim_id, claim_line_number,
        number as adjudication_number,
        payer_id, line_of_business, code as claim_status_code, paid_date + shift as adjudicated_date,
            paid_date + shift as paid_date,
        charge_amount, case when number = 2 then -paid_amount else paid_amount - 3 end as paid_amount
    from remittance cross join (values (2, '22', 45), (3, '1', 47)) as later(number, code, shift)
    where substr(claim_id, 2)::int % 10 = 3 and paid_amount <> 0;
    insert into remittance_adjustment by name
    select remittance_id, claim_id, claim_line_number, adjudication_number, 1 as adjustment_number, paid_date,
        'CO' as adjustment_group_code, case when paid_amount = 0 then '197' else '45' end as carc_code,
        case when adjudication_number = 2 then -22.50 else 22.50 end as adjustment_amount
    from remittance;
    insert into provider_adjustment by name
    select remittance_id, row_number() over (partition by remittance_id order by claim_id) as adjustment_number,
        payer_id,
        line_of_business,
        case when i % 3 = 0 then 'L6' when i % 3 = 1 then 'WO' else 'FB' end as adjustment_reason_code,
        claim_id,
        paid_date, case when i % 3 = 0 then -0.37 else 18.20 end as adjustment_amount
    from (select distinct remittance_id, claim_id, payer_id, line_of_business, paid_date, substr(claim_id,
        2)::int as i from remittance
          where adjudication_number = 1) where i % 8 = 5;
    insert into patient_accounting by name
    select 'X' || claim_id as transaction_id, claim_id, payer_id, line_of_business,
        ['patient_payment', 'denial_write_off', 'patient_payment', 'refund',
            'charity_write_off'][1 + i % 5] as transaction_type,
        paid_date + 9 as posting_date, case when i % 5 = 3 then -7.10 else 12.35 + i % 6 end as transaction_amount
    from (select distinct claim_id, payer_id, line_of_business, paid_date, substr(claim_id, 2)::int as i
        from remittance
          where adjudication_number = 1) where i % 2 = 0;
    insert into pharmacy_fill by name
    select 'F' || i as claim_id, 1 as claim_line_number, number as adjudication_number, 'M' || (i % 97) as member_id,
        ['HLH', 'HLH', 'OMC'][1 + i % 3] as payer_id, ['commercial', 'commercial',
            'medicare'][1 + i % 3] as line_of_business,
        date '2025-01-01' + (i * 11 % {days})::int as dispensing_date,
            dispensing_date + case when number = 1 then 10 else 22 end as paid_date,
        case when number = 1 then 31.17 + i % 4 else -(31.17 + i % 4) end as paid_amount
    from range({claims}) numbers(i) cross join (values (1), (2)) as twice(number)
    where number = 1 or i % 30 = 0;
    """)


def write_source(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    contracts: Mapping[str, Contract],
    data_source: str,
    withheld: list[tuple[str, str]] | None = None,
    without: tuple[str, ...] = (),
) -> None:
    """The tables as one sender's loads in the lake, a file a month, but for withheld files and feeds of `without`."""
    loads, outcomes, admissions = [], [], []
    for feed, date in FEEDS.items():
        if feed in without:
            continue
        contract = contracts[feed]
        for (month,) in con.execute(
            f"select distinct coalesce(strftime({date}, '%Y-%m'), '2025-12') from {feed} order by 1"
        ).fetchall():
            if (feed, month) in (withheld or []):
                continue
            load_id = f"{data_source}.{feed}.{month}"
            path = settings.lake / "raw" / feed / f"{load_id}.parquet"
            columns = ", ".join(
                f"cast({column.source} as {column.type}) as {column.name}"
                for column in contract.lake_columns()
                if column.source
            )
            rows = con.execute(f"""
            copy (
                select {columns}, '{data_source}' as data_source, '{load_id}' as load_id,
                    1 + row_number() over () as source_line_number, 1::integer as source_part_number
                from {feed} where coalesce(strftime({date}, '%Y-%m'), '2025-12') = '{month}'
            ) to '{path}' (format parquet)
            """).fetchall()[0][0]
            amount = con.execute(
                f"select cast(coalesce(sum({contract.amount}), 0) as decimal(38, 10)) from read_parquet('{path}')"
            ).fetchall()[0][0]
            loads.append(
                {
                    "load_id": load_id,
                    "feed": feed,
                    "layout": "claimhouse",
                    "data_source": data_source,
                    "file_name": f"{data_source}/{feed}/{feed}_{month}.csv",
                    "batch_id": f"{feed}_{month}",
                    "load_number": 1,
                    "loaded_at": dt.datetime(2026, 1, 2),
                    "status": "read",
                    "rows_read": rows,
                    "rows_accepted": rows,
                    "rows_set_aside": 0,
                    "rows_excluded": 0,
                    "raw_row_count": rows,
                    "is_conserved": True,
                    "key_version": "1",
                    "amount_read": amount,
                    "amount_accepted": amount,
                    "amount_set_aside": 0,
                    "amount_excluded": 0,
                    "raw_amount": amount,
                }
            )
            outcomes.append(
                {"load_id": load_id, "feed": feed, "outcome": "accepted", "row_count": rows, "amount": amount}
            )
            admissions.append(
                {
                    "load_id": load_id,
                    "feed": feed,
                    "verdict": "admitted",
                    "judged_at": dt.datetime(2026, 1, 2),
                    "failed_expectation_count": 0,
                }
            )
    write_rows(loads, schema("loads"), settings.lake / "loads" / f"{data_source}.parquet")
    write_rows(outcomes, schema("load_outcomes"), settings.lake / "load_outcomes" / f"{data_source}.parquet")
    write_rows(admissions, schema("admissions"), settings.lake / "admissions" / f"{data_source}.parquet")


def build(settings: Settings, *select: str, command: str = "build") -> str:
    """Runs dbt on the home; returns what it printed. Raises AssertionError with it where a model or test fails."""
    done = subprocess.run(
        [
            DBT,
            command,
            "--project-dir",
            str(DBT_PROJECT),
            "--select",
            *select,
            "--indirect-selection",
            "cautious",
            *(["--exclude-resource-type", "unit_test"] if command == "build" else []),
        ],
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
        cwd=settings.home,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def post_whole_remittances(con: duckdb.DuckDBPyConnection) -> None:
    """A ledger that books each remittance as one amount, without its claims."""
    con.execute("""
    create or replace table ledger_posting as
    select * from ledger_posting where document_type <> 'remittance'
    union all by name
    select 'W' || row_number() over (order by remittance_id, account_code, entity_code) as posting_id,
        posting_date, entity_code,
        payer_id, line_of_business, account_code, 'remittance' as document_type, remittance_id, batch_id,
            posting_amount
    from (
        select min(posting_date) as posting_date, entity_code, payer_id, line_of_business, account_code,
            remittance_id, batch_id,
            sum(posting_amount) as posting_amount
        from ledger_posting where document_type = 'remittance' group by all
    )
    """)


CauseKey = tuple[object, ...]

PLANTED: dict[str, bool | set[str]] = {
    "demonstration": False,
    "with_errors": True,
    "untouched": set(),
    **{cause: {cause} for cause in sorted(ORDINARY | FAULTS)},
    "duplicate_and_wrong_account": {"duplicate_posting", "wrong_account"},
    "duplicate_and_unexplained": {"duplicate_posting", "unexplained"},
    "missing_and_late": {"missing_load", "posted_in_another_month"},
    "missing_and_reversal": {"missing_load", "reversal"},
}
MODELS = ("+fct_ledger_document", "+mart_ledger_load")


@dataclass
class Reconciled:
    """The home, what was planted, and what the models found."""

    settings: Settings
    answers: dict[str, dict[CauseKey, Decimal]] = field(default_factory=dict)

    def query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as con:
            return con.execute(sql, list(parameters)).fetchall()

    def found(self, source: str) -> dict[CauseKey, Decimal]:
        """Amount by month, entity, payer, line of business, account and cause, where there is one."""
        causes = ", ".join(f"{cause}_amount as {cause}" for cause in sorted(ORDINARY | FAULTS))
        rows = self.query(
            f"""
            select posting_month, entity_code, payer_id, line_of_business, account_code, cause, amount
            from (
                unpivot (select posting_month, entity_code, payer_id, line_of_business, account_code, {causes}
                         from marts.fct_ledger_reconciliation where data_source = ?)
                on {", ".join(sorted(ORDINARY | FAULTS))} into name cause value amount
            ) where amount <> 0
        """,
            source,
        )
        return {row[:-1]: row[-1] for row in rows}  # type: ignore[misc]
