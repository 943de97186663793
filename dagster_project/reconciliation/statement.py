"""A month's reconciliation as a statement: from the warehouse to the ledger, cause by cause, for a person to sign.

Belongs here: what a statement says. Does not: how it looks (render.py), how causes are found (dbt).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dagster_project.reconciliation.books import ReconciliationError, open_books
from dagster_project.reconciliation.cells import CAUSES, JudgedCell, month_start, read_cells
from dagster_project.settings import Settings

ZERO = Decimal("0.00")

# Accounts in the order of an income statement, then cash; others follow by name.
ACCOUNT_ORDER = (
    "gross_charges",
    "contractual_adjustments",
    "denial_write_offs",
    "payer_payments",
    "patient_payments",
    "refunds",
    "medical_claims_paid",
    "pharmacy_paid",
    "recoupments",
)
# A worse status stands for the whole account.
STATUS_ORDER = ("tied", "explained", "within_tolerance", "accepted", "out_of_tolerance")


@dataclass(frozen=True)
class AccountLine:
    """One account of one entity over all payers: warehouse, less each cause, is ledger."""

    entity_code: str
    account_code: str
    is_cash: bool
    warehouse_amount: Decimal
    causes: dict[str, Decimal]
    ledger_amount: Decimal
    difference_amount: Decimal
    status: str
    cells: dict[str, int]

    @property
    def closes(self) -> bool:
        """Whether the bridge leads from one side to the other to the cent."""
        return self.warehouse_amount - sum(self.causes.values(), ZERO) == self.ledger_amount


@dataclass(frozen=True)
class LoadLine:
    """A file that the month's figures of an entity rest on."""

    entity_code: str
    side: str
    feed: str
    load_id: str
    file_name: str
    document_count: int
    amount: Decimal


@dataclass(frozen=True)
class MissingFile:
    """A file that the books name, in documents of this month, and that the warehouse does not have."""

    batch_id: str
    document_count: int
    difference_amount: Decimal


@dataclass(frozen=True)
class Statement:
    """One month and source, ready to print, or to read as JSON."""

    posting_month: dt.date
    data_source: str
    origin: str
    accounts: list[AccountLine]
    exceptions: list[JudgedCell]
    missing_files: list[MissingFile]
    loads: list[LoadLine]

    @property
    def blocking(self) -> list[JudgedCell]:
        return [cell for cell in self.exceptions if cell.is_blocking]

    @property
    def is_ready_to_sign(self) -> bool:
        """Nothing blocks and every bridge closes."""
        return not self.blocking and all(account.closes for account in self.accounts)


def statement(settings: Settings, month: str, data_source: str | None = None) -> list[Statement]:
    """The month's statements, one for each source that sends both systems and books.

    Raises ReconciliationError for a month without any, and names the months there are.
    """
    first = month_start(month)
    with open_books(settings) as books:
        condition = "posting_month = $month" + (" and data_source = $source" if data_source else "")
        cells = read_cells(books, condition, {"month": first, **({"source": data_source} if data_source else {})})
        if not cells:
            months = books.rows(
                "select min(posting_month), max(posting_month) from {marts}.fct_ledger_reconciliation "
                "where status <> 'no_data'"
            )[0]
            raise ReconciliationError(
                f"no ledger for {month}"
                + (f" of source {data_source}" if data_source else "")
                + (
                    f"; the books go from {months[0]:%Y-%m} to {months[1]:%Y-%m}"
                    if months[0]
                    else "; no source sends both its systems and a ledger"
                )
            )
        sources = sorted({cell.cell.data_source for cell in cells})
        loads = {
            source: [
                LoadLine(*row)
                for row in books.rows(
                    """
            select entity_code, side, coalesce(feed, '') as feed, load_id, coalesce(file_name, '') as file_name,
                cast(sum(document_count) as bigint),
                cast(sum(amount) as decimal(18, 2))
            from {marts}.mart_ledger_load where posting_month = $month and data_source = $source
            group by all order by 1 desc, 2 desc, 3, 5
        """,
                    {"month": first, "source": source},
                )
            ]
            for source in sources
        }
        missing = {
            source: [
                MissingFile(*row)
                for row in books.rows(
                    """
            select coalesce(case when warehouse_amount = 0 then batch_id end,
                'ledger of ' || strftime(posting_month, '%Y-%m')),
                count(*), sum(difference_amount)
            from {marts}.fct_ledger_document
            where cause = 'missing_load' and posting_month = $month and data_source = $source
            group by 1 order by 1
        """,
                    {"month": first, "source": source},
                )
            ]
            for source in sources
        }
        return [
            _statement(
                first,
                source,
                books.origin,
                [cell for cell in cells if cell.cell.data_source == source],
                missing[source],
                loads[source],
            )
            for source in sources
        ]


def _statement(
    month: dt.date, source: str, origin: str, cells: list[JudgedCell], missing: list[MissingFile], loads: list[LoadLine]
) -> Statement:
    groups: dict[tuple[str, str], list[JudgedCell]] = {}
    for cell in cells:
        groups.setdefault((cell.cell.entity_code, cell.cell.account_code), []).append(cell)
    ordered = sorted(groups.items(), key=lambda item: (-_rank(item[0][0]), _place(item[0][1])))
    accounts = [_account(*key, group) for key, group in ordered]
    exceptions = [cell for cell in cells if cell.status in ("within_tolerance", "accepted", "out_of_tolerance")]
    return Statement(month, source, origin, accounts, exceptions, missing, loads)


def _rank(entity: str) -> int:
    return 1 if entity == "provider_group" else 0


def _place(account: str) -> tuple[int, str]:
    return (ACCOUNT_ORDER.index(account) if account in ACCOUNT_ORDER else len(ACCOUNT_ORDER), account)


def _account(entity: str, account: str, cells: list[JudgedCell]) -> AccountLine:
    counts = Counter(cell.status for cell in cells)
    return AccountLine(
        entity_code=entity,
        account_code=account,
        is_cash=all(cell.is_cash for cell in cells),
        warehouse_amount=_sum(cell.warehouse_amount for cell in cells),
        causes={cause: _sum(cell.causes[cause] for cell in cells) for cause in CAUSES},
        ledger_amount=_sum(cell.ledger_amount for cell in cells),
        difference_amount=_sum(cell.difference_amount for cell in cells),
        status=max((cell.status for cell in cells), key=STATUS_ORDER.index),
        cells={status: counts[status] for status in STATUS_ORDER if counts[status]},
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
