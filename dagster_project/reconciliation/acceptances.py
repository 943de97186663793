"""A named person accepts a difference that blocks: one dated row in the lake, for exactly that cell and amount.

Belongs here: checking and writing that row. Does not: what acceptance does to a cell's status (dbt).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.reconciliation.books import ReconciliationError, open_books
from dagster_project.reconciliation.cells import Cell, read_cells
from dagster_project.settings import Settings

LEAST_REASON = 10


@dataclass(frozen=True)
class Acceptance:
    """Who accepted which difference, why and when. It counts from the next run on, and only for this amount."""

    cell: Cell
    difference_amount: Decimal
    accepted_by: str
    reason: str
    accepted_at: dt.datetime


def accept(settings: Settings, cell: Cell, by: str, reason: str) -> Acceptance:
    """Writes the acceptance of a cell that blocks. Nothing before it is changed; a second one stands beside the first.

    Raises ReconciliationError where the cell does not block, or name or reason say nothing.
    """
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by:
        raise ReconciliationError("an acceptance needs a name: --by 'First Last'")
    if len(reason) < LEAST_REASON:
        raise ReconciliationError(
            f"an acceptance needs a reason that another person understands: --reason, {LEAST_REASON} letters or more"
        )
    with open_books(settings) as books:
        found = read_cells(books, " and ".join(f"{name} = ${name}" for name in asdict(cell)), asdict(cell))
    if not found:
        raise ReconciliationError(f"the books have no cell {cell}")
    if not found[0].is_blocking:
        raise ReconciliationError(f"{cell} does not block (status {found[0].status}); there is nothing to accept")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    acceptance = Acceptance(cell, found[0].difference_amount, by, reason, now)
    _write(settings, acceptance)
    return acceptance


def _write(settings: Settings, acceptance: Acceptance) -> None:
    folder = settings.lake / "ledger_acceptances"
    row = {
        **asdict(acceptance.cell),
        "difference_amount": acceptance.difference_amount,
        "accepted_by": acceptance.accepted_by,
        "reason": acceptance.reason,
        "accepted_at": acceptance.accepted_at,
    }
    table = pa.Table.from_pylist([row], schema=pq.read_schema(folder / "_schema.parquet"))
    name = f"{acceptance.accepted_at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.parquet"
    unfinished = folder / f".{name}.unfinished"  # no reader's pattern matches it until it is whole
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(folder / name)
