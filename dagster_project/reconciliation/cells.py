"""Cells of the books: one posting month, entity, payer, line of business and account of one source.

Belongs here: what a cell is, finding cells, the two questions that stand before publication (what blocks,
which claims match nothing). Does not: statements, how causes are found (dbt).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from dagster_project.reconciliation.books import Books, ReconciliationError, open_books
from dagster_project.settings import Settings

ORDINARY = ("posted_in_another_month", "reversal", "recoupment")
FAULTS = ("missing_load", "duplicate_posting", "wrong_account")
CAUSES = (*ORDINARY, *FAULTS, "unexplained")

# Claims that match neither a member nor an encounter must be fewer than this share of a source's claims.
UNMATCHED_RATE_LIMIT = 0.001


@dataclass(frozen=True)
class Cell:
    """Where a figure of the books stands."""

    posting_month: dt.date
    entity_code: str
    payer_id: str
    line_of_business: str
    account_code: str
    data_source: str

    def __str__(self) -> str:
        return (
            f"{self.posting_month:%Y-%m} {self.entity_code} {self.payer_id} {self.line_of_business} "
            f"{self.account_code} ({self.data_source})"
        )


@dataclass(frozen=True)
class JudgedCell:
    """A cell with both sides, the difference by cause, and its status."""

    cell: Cell
    warehouse_amount: Decimal
    ledger_amount: Decimal
    difference_amount: Decimal
    causes: dict[str, Decimal]
    fault_gross_amount: Decimal
    unexplained_gross_amount: Decimal
    tolerance_amount: Decimal
    is_cash: bool
    status: str
    is_blocking: bool
    accepted_by: str | None
    accept_reason: str | None
    accepted_at: dt.datetime | None

    def why(self) -> str:
        """The causes and amounts of a cell in one line, largest first, as the check and the UI show them."""
        parts = [(cause, amount) for cause, amount in self.causes.items() if amount]
        parts.sort(key=lambda part: -abs(part[1]))
        text = ", ".join(f"{cause} {amount:,.2f}" for cause, amount in parts)
        return text or f"faults of {self.fault_gross_amount + self.unexplained_gross_amount:,.2f} that cancel"


def read_cells(books: Books, condition: str = "true", parameters: dict[str, object] | None = None) -> list[JudgedCell]:
    """Cells with data on both sides, by month, entity, account, payer; `condition` is SQL over the mart's columns."""
    keys = ", ".join(field.name for field in fields(Cell))
    causes = ", ".join(f"{cause}_amount" for cause in CAUSES)
    rows = books.rows(
        f"""
        select {keys}, warehouse_amount, ledger_amount, difference_amount, {causes}, fault_gross_amount,
            unexplained_gross_amount, tolerance_amount, is_cash, status, is_blocking, accepted_by, accept_reason,
                accepted_at
        from {{marts}}.fct_ledger_reconciliation
        where status <> 'no_data' and ({condition})
        order by posting_month, entity_code, account_code, payer_id, line_of_business, data_source
    """,
        parameters,
    )
    return [_judged(row) for row in rows]


def _judged(row: tuple[Any, ...]) -> JudgedCell:
    width, causes = len(fields(Cell)), len(CAUSES)
    by_cause = dict(zip(CAUSES, row[width + 3 : width + 3 + causes], strict=True))
    values: list[Any] = [Cell(*row[:width]), *row[width : width + 3], by_cause, *row[width + 3 + causes :]]
    return JudgedCell(*values)


def blocking_cells(settings: Settings) -> list[JudgedCell]:
    """What keeps the finance marts from being published: faults, and what is unexplained beyond tolerance.

    Read from the warehouse, since it is asked before publication. Empty means that finance may publish.
    """
    with open_books(settings, warehouse=True) as books:
        return read_cells(books, "is_blocking")


def find_cell(
    settings: Settings,
    month: str,
    *,
    entity: str | None = None,
    account: str | None = None,
    payer: str | None = None,
    line_of_business: str | None = None,
    data_source: str | None = None,
    blocking: bool = True,
) -> JudgedCell:
    """The one cell that the words given fit. Raises ReconciliationError where none fits, or several, and names them."""
    wanted = {
        "entity_code": entity,
        "account_code": account,
        "payer_id": payer,
        "line_of_business": line_of_business,
        "data_source": data_source,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    condition = " and ".join(["posting_month = $month", *(f"{name} = ${name}" for name in given)])
    with open_books(settings) as books:
        condition += " and is_blocking" if blocking else ""
        found = read_cells(books, condition, {"month": month_start(month), **given})
    if len(found) == 1:
        return found[0]
    kind = "cell that blocks" if blocking else "cell"
    if not found:
        raise ReconciliationError(f"no {kind} fits; see: claimhouse reconcile --month {month}")
    names = "; ".join(str(one.cell) for one in found[:8]) + ("; …" if len(found) > 8 else "")
    raise ReconciliationError(
        f"{len(found)} cells fit; say which by --entity, --account, --payer, --line-of-business: " + names
    )


def month_start(month: str) -> dt.date:
    """First day of 'YYYY-MM'. Raises ReconciliationError for anything else."""
    try:
        return dt.datetime.strptime(month, "%Y-%m").date()
    except ValueError:
        raise ReconciliationError(f"{month!r} is no month; write it as 2025-06") from None


@dataclass(frozen=True)
class MatchCoverage:
    """How many claims of a source match neither a member nor an encounter, among those where that can be known."""

    data_source: str
    claim_count: int
    judged_count: int
    unmatched_count: int
    unmatched_amount: Decimal

    @property
    def unmatched_rate(self) -> float | None:
        return self.unmatched_count / self.judged_count if self.judged_count else None

    @property
    def verdict(self) -> str:
        """pass, fail, or no_data for a source that sends no members or no encounters: no data is not a pass."""
        if self.unmatched_rate is None:
            return "no_data"
        return "pass" if self.unmatched_rate < UNMATCHED_RATE_LIMIT else "fail"


def unmatched_claims(settings: Settings) -> list[MatchCoverage]:
    """Per source, claims that match neither member nor encounter; asked of the warehouse before publication."""
    with open_books(settings, warehouse=True) as books:
        rows = books.rows("""
            select data_source, count(*), count(is_unmatched), count(*) filter (where is_unmatched),
                coalesce(sum(charge_amount) filter (where is_unmatched), 0)
            from {marts}.mart_claim_encounter_match group by data_source order by data_source
        """)
    return [MatchCoverage(*row) for row in rows]


def as_plain(cell: JudgedCell) -> dict[str, object]:
    """A judged cell as one flat dictionary, for JSON and for metadata. Holds amounts of cells, never of rows."""
    flat = asdict(cell)
    return {**flat.pop("cell"), **{f"{cause}_amount": amount for cause, amount in flat.pop("causes").items()}, **flat}
