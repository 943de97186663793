"""A month of service as it was known on a day: its claims by state, and their dollars.

Belongs here: which published claims a month has. Does not: what state events mean (dbt's macro claim_states), printing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from dagster_project.claims.known import EVENTS, forget_later, open_events, rows_of, states_sql
from dagster_project.settings import Settings

OF_REMITTANCES = "'adjudicated', 'reversed', 'recouped', 'interest_paid', 'provider_adjusted'"


@dataclass(frozen=True)
class KnownState:
    """Claims of one sender that were in one state at the end of `as_of`, or are now where that is None; USD."""

    as_of: dt.date | None
    claim_start_month: dt.date
    data_source: str
    claim_state: str
    claim_count: int
    charge_amount: Decimal | None
    allowed_amount: Decimal | None
    paid_amount: Decimal | None
    patient_responsibility_amount: Decimal | None
    recouped_amount: Decimal | None


def known_month(settings: Settings, month: dt.date, as_of: dt.date | None = None) -> list[KnownState]:
    """What is published of the claims whose service began in the month of that first day, by sender and state.

    The month is mart_restatement's: that of the header as known now, or of the first remittance where no header tells of the
    claim. So what was allowed by the day of close is what that mart has at_close. Empty where nothing was known by that day.
    Raises ClaimProblem where nothing is published.
    """
    with open_events(settings) as con:
        con.execute(
            f"""
            create temp table {EVENTS} as
            select events.* from fct_claim_event as events
            inner join (
                select claim_key, coalesce(
                    any_value(claims.claim_start_month),
                    date_trunc('month', min(known_date) filter (where event_type in ({OF_REMITTANCES})))
                ) as claim_start_month
                from fct_claim_event inner join fct_claim as claims using (claim_key)
                where claims.claim_start_month = $month or claims.claim_start_month is null
                group by claim_key
            ) as months using (claim_key)
            where months.claim_start_month = $month""",
            {"month": month},
        )
        forget_later(con, as_of)
        return [KnownState(as_of=as_of, claim_start_month=month, **row) for row in _by_state(con)]


def _by_state(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    sums = ", ".join(
        f"sum({name})::decimal(18,2) as {name}"
        for name in (
            "charge_amount",
            "allowed_amount",
            "paid_amount",
            "patient_responsibility_amount",
            "recouped_amount",
        )
    )
    by_state = (
        f"select data_source, claim_state, count(*) as claim_count, {sums} from ({states_sql()}) as states "
        "group by all order by data_source, claim_count desc, claim_state"
    )
    return rows_of(con, by_state, KnownState, leave=("as_of", "claim_start_month"))
