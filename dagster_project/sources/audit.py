"""What is told of a load: its identity, its counts, and whether they add up.

Belongs here: one record and what follows from its numbers. Does not: reading, writing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

ZERO = Decimal(0)


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
    control_matches: bool | None = None
    is_conserved: bool | None = None
    first_month: dt.date | None = None
    last_month: dt.date | None = None
    key_version: str | None = None
    seconds: float = 0.0


def load_id(feed: str, file_name: str, content_hash: str, number: int) -> str:
    """The same feed, file, content and number always give the same id."""
    return f"{feed}-{sha256('|'.join([feed, file_name, content_hash, str(number)]).encode()).hexdigest()[:16]}"


def batch_id(file_name: str) -> str:
    """File name without folders and extensions."""
    return file_name.rsplit("/", 1)[-1].split(".")[0]


def is_conserved(audit: LoadAudit) -> bool:
    """Whether rows and dollars read are all accounted for, are what was counted without the reader, and do not break
    the sender's word."""
    rows = audit.rows_accepted + audit.rows_set_aside + audit.rows_excluded
    amount = audit.amount_accepted + audit.amount_set_aside + audit.amount_excluded
    return (
        audit.rows_read == rows == audit.raw_row_count
        and audit.amount_read == amount == audit.raw_amount
        and audit.control_matches is not False
    )


def control_matches(audit: LoadAudit, line_count: int) -> bool | None:
    """Whether the sender's totals are those of the file; None where none were given.

    A sender counts lines with data: not its trailer, which is a row read, nor the rows that a layout makes of a line.
    """
    told = [(audit.control_row_count, line_count), (audit.control_amount, audit.amount_read)]
    answers = [said == found for said, found in told if said is not None]
    return all(answers) if answers else None
