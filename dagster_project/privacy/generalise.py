"""Identities made coarse: years instead of dates, three digits instead of a ZIP.

Belongs here: SQL over one value, and the dated list of areas too small to name. Does not: which column it is done to.
"""

from __future__ import annotations

import csv
import datetime as dt
from functools import lru_cache
from pathlib import Path

RESTRICTED_ZIP3 = Path(__file__).resolve().parent / "restricted_zip3.csv"
OLDEST_AGE = 89


def generalised_sql(to: str, value: str, today: dt.date) -> list[str]:
    """SQL of the coarse value, and of a birth year whether it is the pool's; NULL stays NULL."""
    if to == "birth_year":
        # greatest() ignores NULL, hence the case. Everyone who is 90 or older in the year of the load shares one, and a year
        # that many share gives no age: whoever computes one must know.
        oldest = today.year - OLDEST_AGE - 1
        year = f"cast(case when {value} is not null then greatest(year({value}), {oldest}) end as integer)"
        return [year, f"year({value}) <= {oldest}"]
    if to == "year":
        return [f"cast(year({value}) as integer)"]
    if to == "zip3":
        return [_zip3(value, restricted_zip3(today))]
    raise ValueError(f"nothing is known about generalising to {to!r}")


def _zip3(value: str, restricted: list[str]) -> str:
    """Three digits of a ZIP, ZIP+4, ZIP without its zeros or three-digit area; NULL for others and where few live."""
    digits = f"regexp_extract({value}, '^([0-9]{{3,5}})(-?[0-9]{{4}})?$', 1)"
    padded = f"left(lpad({digits}, 5, '0'), 3)"
    area = f"case when length({digits}) = 3 then {digits} when length({digits}) > 3 then {padded} end"
    blank = ", ".join(f"'{item}'" for item in ["000", *restricted])
    return f"case when {area} not in ({blank}) then {area} end"


@lru_cache(maxsize=8)
def restricted_zip3(today: dt.date) -> list[str]:
    """Three-digit areas of 20,000 people or fewer, by the list in force that day."""
    with RESTRICTED_ZIP3.open(encoding="utf-8", newline="") as file:
        return [
            row["zip3"]
            for row in csv.DictReader(file)
            if row["effective_from"] <= today.isoformat()
            and (not row["effective_to"] or today.isoformat() <= row["effective_to"])
        ]
