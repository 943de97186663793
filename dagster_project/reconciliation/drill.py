"""From a figure of the books to its documents, and from a claim to the file and line that brought it.

Belongs here: those two ways. Does not: amounts of any other kind, identities (a claim is its token).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow.parquet as pq

from dagster_project.reconciliation.books import ReconciliationError, open_books
from dagster_project.reconciliation.cells import CAUSES, month_start
from dagster_project.settings import Settings


@dataclass(frozen=True)
class Document:
    """One document in one cell of the books, on both sides, and for each side the load, file and line that brought it.

    Blank where a side has no row of its own: one document may be several postings, and a fault may have no document.
    """

    posting_month: dt.date
    entity_code: str
    payer_id: str
    line_of_business: str
    account_code: str
    data_source: str
    cause: str
    document_type: str | None
    claim_token: str | None
    remittance_id: str | None
    transaction_token: str | None
    warehouse_amount: Decimal
    ledger_amount: Decimal
    difference_amount: Decimal
    posting_id: str | None
    batch_id: str | None
    load_id: str | None
    source_line_number: int | None
    ledger_load_id: str | None
    ledger_source_line_number: int | None
    file_name: str | None
    ledger_file_name: str | None


# Documents that agree, one by one and in sum: finance asks for them seldom, so no mart holds them.
_TIED = """
    select * from intermediate.int_finance__matched where cause = 'tied'
    union all by name
    select
        w.data_source, w.posting_month, w.entity_code, w.payer_id, w.line_of_business, w.account_code, 'tied' as cause,
        w.amount as warehouse_amount, l.amount as ledger_amount, w.amount - l.amount as difference_amount,
        w.document_type, coalesce(w.claim_token, l.claim_token) as claim_token,
        coalesce(w.remittance_id, l.remittance_id) as remittance_id,
        coalesce(w.transaction_token, l.transaction_token) as transaction_token,
        coalesce(w.batch_id, l.batch_id) as batch_id, w.load_id, w.source_line_number,
        l.load_id as ledger_load_id, l.source_line_number as ledger_source_line_number, l.posting_id
    from intermediate.int_finance__tied as tied
    inner join intermediate.int_finance__warehouse_amounts as w on w.document_hash = tied.document_hash
    inner join intermediate.int_finance__ledger_amounts as l on l.document_hash = tied.document_hash
"""

_OF_OTHERS = ("file_name", "ledger_file_name")
_OWN = tuple(name for name in Document.__dataclass_fields__ if name not in _OF_OTHERS)


def drill(
    settings: Settings,
    month: str,
    *,
    entity: str | None = None,
    account: str | None = None,
    payer: str | None = None,
    line_of_business: str | None = None,
    data_source: str | None = None,
    cause: str | None = None,
    limit: int = 50,
) -> tuple[list[Document], int]:
    """The documents behind a figure, the largest differences first, and how many there are in all.

    Without `cause` those whose two sides part; with cause 'tied' those that agree (asked of the warehouse,
        which keeps them).
    """
    if cause is not None and cause not in (*CAUSES, "tied"):
        raise ReconciliationError(f"unknown cause {cause!r}; known: tied, {', '.join(CAUSES)}")
    wanted = {
        "entity_code": entity,
        "account_code": account,
        "payer_id": payer,
        "line_of_business": line_of_business,
        "data_source": data_source,
        "cause": cause,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    condition = " and ".join(["posting_month = $month", *(f"{name} = ${name}" for name in given)])
    parameters = {"month": month_start(month), **given}
    is_tied = cause == "tied"
    table = f"({_TIED})" if is_tied else "{marts}.fct_ledger_document"
    with open_books(settings, warehouse=is_tied) as books:
        total = books.rows(f"select count(*) from {table} where {condition}", parameters)[0][0]
        present = {name for name, *_ in books.rows(f"describe select * from {table}")}
        # Books published before a column was there are read as well: it is blank.
        own = ", ".join(name if name in present else f"null as {name}" for name in _OWN)
        rows = books.rows(
            f"""
            with documents as (select {own} from {table} where {condition}),
            files as (select load_id, any_value(file_name) as file_name from {{marts}}.mart_ledger_load group by load_id)
            select documents.*, ours.file_name, theirs.file_name as ledger_file_name
            from documents
            left join files as ours on ours.load_id = documents.load_id
            left join files as theirs on theirs.load_id = documents.ledger_load_id
            order by abs(difference_amount) desc, abs(warehouse_amount) desc, entity_code, account_code, payer_id,
                claim_token,
                remittance_id, transaction_token
            limit {int(limit)}
        """,
            parameters,
        )
    return [Document(*row) for row in rows], int(total)


@dataclass(frozen=True)
class Place:
    """A line of a landed file."""

    feed: str
    file_name: str
    source_line_number: int
    source_part_number: int
    load_id: str
    load_number: int
    load_status: str
    amount: Decimal | None


# The amount that stands for a row of a feed in this list.
_AMOUNTS = {
    "medical_claim": "charge_amount",
    "medical_claim_line": "charge_amount",
    "remittance": "paid_amount",
    "remittance_adjustment": "adjustment_amount",
    "provider_adjustment": "adjustment_amount",
    "pharmacy_fill": "paid_amount",
    "patient_accounting": "transaction_amount",
    "ledger_posting": "posting_amount",
}


def trace(settings: Settings, token: str) -> list[Place]:
    """Every line of every landed file that tells of a claim (or fill, or patient entry), by its token, older loads too.

    Raises ReconciliationError where the lake holds no such token.
    """
    places: list[Place] = []
    with duckdb.connect() as con:
        for feed, amount in _AMOUNTS.items():
            folder = settings.lake / "raw" / feed
            schema = folder / "_schema.parquet"
            if not schema.exists():
                continue
            names = [name for name in ("claim_token", "transaction_token") if name in pq.read_schema(schema).names]
            condition = " or ".join(f"rows_of_feed.{name} = $token" for name in names)
            places += [
                Place(*row)
                for row in con.execute(
                    f"""
                select loads.feed, loads.file_name, source_line_number, source_part_number, rows_of_feed.load_id,
                    loads.load_number, loads.status, {amount}
                from read_parquet($rows, union_by_name = true) as rows_of_feed
                inner join read_parquet($loads, union_by_name = true) as loads on rows_of_feed.load_id = loads.load_id
                where {condition}
                order by loads.file_name, loads.load_number, source_line_number, source_part_number
            """,
                    {
                        "token": token,
                        "rows": str(folder / "*.parquet"),
                        "loads": str(settings.lake / "loads" / "*.parquet"),
                    },
                ).fetchall()
            ]
    if not places:
        raise ReconciliationError("no landed file tells of this claim; tokens stand in: claimhouse reconcile --drill")
    return places
