"""The verb `claim`: what is known of a claim or a month of them, or was on a day.

Belongs here: options and printing. Does not: finding the claim, what its events mean (claims/).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dagster_project.cli.data import AsJson
from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE, Problem, console, number, show_json, table
from dagster_project.settings import load_settings

if TYPE_CHECKING:
    from dagster_project.claims import KnownClaim, KnownState


def claim(
    claim_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The claim's token, or the provider's id of it.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="All claims of a month of service instead, by state.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="As it was known at the end of this day.")
    ] = None,
    written_as: Annotated[
        Literal["837"] | None,
        typer.Option("--as", help="Write it as X12 instead, with tokens in place of identities (docs/x12.md)."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Print a claim's state, amounts and events, or a month's, as known now or on a day; or write a claim as sent."""
    from dagster_project.claims import ClaimProblem, known_claims, known_month
    from dagster_project.claims.written import claim_as_837

    settings = load_settings()
    day = _day(as_of)
    if (claim_id is None) == (month is None):
        raise Problem("a claim or a month", "claimhouse claim ID, or: claimhouse claim --month 2025-03")
    if written_as and (as_of or as_json or month):
        raise Problem("--as writes the claim as it was sent", "claimhouse claim ID --as 837")
    try:
        if written_as and claim_id:
            print(claim_as_837(settings, claim_id), end="")
            return DONE
        if claim_id is None:
            return _show_month(known_month(settings, _month(month or ""), day), as_json)
        claims = known_claims(settings, claim_id, day)
    except ClaimProblem as problem:
        code = SET_ASIDE if problem.is_not_yet else WRONG_USE
        raise Problem(str(problem), "See: claimhouse claim --help", code) from problem
    if as_json:
        show_json(claims)
        return DONE
    _show_claims(claims)
    return DONE


def _show_claims(claims: list[KnownClaim]) -> None:
    for one in claims:
        console().print(
            f"[bold]{one.claim_token}[/bold]  {one.data_source}  [bold]{one.claim_state}[/bold]  "
            + (f"as known on {one.as_of}" if one.as_of else "as known now")
        )
        about = [field.name for field in fields(one) if field.name not in SHOWN_APART]
        table("", ["", ""], [[name.replace("_", " "), number(getattr(one, name))] for name in about if _is(one, name)])
        table(
            "Events",
            ["known", "happened", "event", "payer", "adjudication", "remittance", "what", "charge", "allowed", "paid", "other"],
            [
                [
                    event.known_date, event.event_date, event.event_type, event.payer_id, event.adjudication_number,
                    event.remittance_id, event.denial_category,
                    event.charge_amount if event.repeated_charge_amount is None else event.repeated_charge_amount,
                    event.allowed_amount, event.paid_amount, event.adjustment_amount,
                ]
                for event in one.events
            ],
            left=7,
        )  # fmt: skip


def _show_month(states: list[KnownState], as_json: bool) -> int:
    """Exit code SET_ASIDE where no claim of the month was known."""
    if as_json:
        show_json(states)
        return DONE if states else SET_ASIDE
    if not states:
        raise Problem(
            "no claim of that month was known by then", "Ask without --as-of for what is known now.", SET_ASIDE
        )
    known = f"as known on {states[0].as_of}" if states[0].as_of else "as known now"
    table(
        f"Claims whose service began in {states[0].claim_start_month:%Y-%m}, {known} (USD)",
        ["sender", "state", "claims", "charge", "allowed", "paid", "patient responsibility", "recouped"],
        [
            [
                state.data_source, state.claim_state, state.claim_count, state.charge_amount, state.allowed_amount,
                state.paid_amount, state.patient_responsibility_amount, state.recouped_amount,
            ]
            for state in states
        ],
        left=2,
    )  # fmt: skip
    return DONE


SHOWN_APART = ("as_of", "data_source", "claim_token", "claim_state", "events")


def _is(one: object, name: str) -> bool:
    """Whether there is something to say: no blank, and no count of nothing."""
    value = getattr(one, name)
    return value is not None and (isinstance(value, Decimal | bool) or value != 0)


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        raise Problem("--month is a month, as 2025-03", "claimhouse claim --month 2025-03 --as-of 2025-05-31") from None


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("--as-of is a day, as 2025-05-31", "claimhouse claim ID --as-of 2025-05-31") from None
