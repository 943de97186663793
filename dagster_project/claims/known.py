"""A claim as it was known at the end of a day: of its published events, by the very text that makes fct_claim.

Belongs here: rendering that text without dbt, asking the publication. Does not: the rules in it (dbt_project/macros/claims.sql).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import duckdb

from dagster_project.database import open_published
from dagster_project.privacy.keys import TokenKey, load_key
from dagster_project.privacy.marks import TOKEN_FORM
from dagster_project.privacy.tokens import token
from dagster_project.settings import DBT_PROJECT, Settings

EVENTS = "events_of_claim"


class ClaimProblem(Exception):
    """The claim cannot be told of; the message says why, and never the id that was asked for, nor what a row says.

    `is_not_yet`: nothing was built or published that could tell, which is no wrong use.
    """

    def __init__(self, message: str, *, is_not_yet: bool = False) -> None:
        super().__init__(message)
        self.is_not_yet = is_not_yet


@dataclass(frozen=True)
class KnownEvent:
    """One event of the claim: the day it happened, the day it could be known, and the amounts that stand on it."""

    event_type: str
    event_date: dt.date | None
    known_date: dt.date | None
    payer_id: str | None
    adjudication_number: int | None
    remittance_id: str | None
    denial_category: str | None
    charge_amount: Decimal | None
    allowed_amount: Decimal | None
    paid_amount: Decimal | None
    patient_responsibility_amount: Decimal | None
    adjustment_amount: Decimal | None
    denied_amount: Decimal | None
    submission_number: int | None
    is_to_further_payer: bool | None
    repeated_charge_amount: Decimal | None


@dataclass(frozen=True)
class KnownClaim:
    """A claim of one sender as known at the end of `as_of`, or now where that is None."""

    as_of: dt.date | None
    data_source: str
    claim_token: str
    claim_state: str
    payer_id: str | None
    line_of_business: str | None
    further_payer_count: int
    rejection_count: int
    appeal_count: int
    adjudication_count: int
    reversal_count: int
    first_adjudicated_date: dt.date | None
    last_paid_date: dt.date | None
    last_event_date: dt.date | None
    is_denied_now: bool | None
    current_denial_category: str | None
    charge_amount: Decimal | None
    allowed_amount: Decimal | None
    paid_amount: Decimal | None
    patient_responsibility_amount: Decimal | None
    recouped_amount: Decimal | None
    patient_paid_amount: Decimal | None
    written_off_amount: Decimal | None
    events: tuple[KnownEvent, ...] = ()


def known_claims(settings: Settings, claim: str, as_of: dt.date | None = None) -> list[KnownClaim]:
    """What is published of a claim, named by its token or by the provider's id, one for each sender that tells of it.

    Raises ClaimProblem where nothing is published, no event names the claim, or none was known by that day.
    """
    with open_events(settings) as con:
        con.execute(
            f"create temp table {EVENTS} as select * from fct_claim_event where list_contains($tokens, claim_token)",
            {"tokens": tokens_of(settings, con, claim)},
        )
        if _is_empty(con):
            raise ClaimProblem("no event of such a claim is published; tokens stand in: claimhouse reconcile --drill")
        forget_later(con, as_of)
        if _is_empty(con):
            raise ClaimProblem(f"nothing was known of this claim by {as_of}; ask without a day for what is known now")
        states = rows_of(con, states_sql(), KnownClaim, leave=("as_of", "events"))
        return [
            KnownClaim(**state, as_of=as_of, events=_events(con, state["data_source"], state["claim_token"]))
            for state in states
        ]


def open_events(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The published marts, whose events say all that is asked here. Raises ClaimProblem where there are none."""
    if not settings.published_marts.exists():
        raise ClaimProblem("nothing is published yet; run: claimhouse run", is_not_yet=True)
    con = open_published(settings)
    told = {name for name, *_ in con.execute("describe fct_claim_event").fetchall()}
    if not {"known_date", "submission_number", "is_to_further_payer"} <= told:
        con.close()
        raise ClaimProblem(
            "what is published does not say when events became known, or of which submission; run: claimhouse run",
            is_not_yet=True,
        )
    return con


def forget_later(con: duckdb.DuckDBPyConnection, as_of: dt.date | None) -> None:
    """Leaves of the table EVENTS what was known by the end of the day; all of it where that is None.

    As claims_as_of has it: of what became known on no day it is not known whether it was by then.
    """
    if as_of is not None:
        con.execute(f"delete from {EVENTS} where (known_date <= $day) is not true", {"day": as_of})


def tokens_of(settings: Settings, con: duckdb.DuckDBPyConnection, claim: str, key: TokenKey | None = None) -> list[str]:
    """The tokens that may stand for a claim: itself, or those of a provider's id, one for each sender.

    Whoever names a token needs no key.
    """
    if re.fullmatch(TOKEN_FORM, claim):
        return [claim]
    if not (settings.lake / "token_key.json").exists():
        raise ClaimProblem("this is no token, and no key has made any here; name the claim by its token")
    key = key or load_key(settings)
    senders = con.execute("select distinct data_source from fct_claim order by 1").fetchall()
    return [token(key, "claim", sender, claim) for (sender,) in senders]


def _is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    return con.execute(f"select 1 from {EVENTS} limit 1").fetchone() is None


def states_sql() -> str:
    """The macro claim_states over the table EVENTS. It needs no more of dbt than macros of its own folder."""
    from jinja2 import Environment

    macros = "".join((DBT_PROJECT / "macros" / name).read_text() for name in ("types.sql", "claims.sql"))
    return Environment(autoescape=False).from_string(macros + f"{{{{ claim_states('{EVENTS}') }}}}").render()


def _events(con: duckdb.DuckDBPyConnection, data_source: str, claim_token: str) -> tuple[KnownEvent, ...]:
    rows = rows_of(
        con,
        f"select * from {EVENTS} where data_source = $data_source and claim_token = $claim_token "
        "order by known_date nulls last, event_date nulls last, event_order, adjudication_number, event_type",
        KnownEvent,
        {"data_source": data_source, "claim_token": claim_token},
    )
    return tuple(KnownEvent(**row) for row in rows)


def rows_of(
    con: duckdb.DuckDBPyConnection, sql: str, shape: type, parameters: Any = None, leave: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Rows of a query as keyword arguments of a dataclass, but for the fields to leave."""
    names = [field.name for field in fields(shape) if field.name not in leave]
    found = con.execute(f"with found as ({sql}) select {', '.join(names)} from found", parameters).fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]
