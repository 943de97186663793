"""How a figure is written on a page: dollars, shares, intervals, counts.

Belongs here: form of single figures. Does not: sentences.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

UNKNOWN = "–"
Number = Decimal | float | int | None


def usd(value: Number) -> str:
    """Whole dollars; a page is read, and the marts hold the cents."""
    return UNKNOWN if value is None else f"{Decimal(value):,.0f}"


def percent(value: Number, decimals: int = 1) -> str:
    return UNKNOWN if value is None else f"{100 * Decimal(value):,.{decimals}f} %"


def ratio(value: Number, decimals: int = 2) -> str:
    return UNKNOWN if value is None else f"{Decimal(value):,.{decimals}f}"


def count(value: Any) -> str:
    return UNKNOWN if value is None else f"{int(value):,}"


def usd_between(low: Number, high: Number) -> str:
    return UNKNOWN if low is None or high is None else f"{usd(low)} to {usd(high)}"


def percent_between(low: Number, high: Number) -> str:
    return UNKNOWN if low is None or high is None else f"{100 * Decimal(low):,.0f} to {100 * Decimal(high):,.0f} %"


def many(value: Any, one: str, several: str = "") -> str:
    """3 DRGs, 1 DRG."""
    return f"{count(value)} {one if value == 1 else several or one + 's'}"
