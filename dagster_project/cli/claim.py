"""The verb `claim`: what is known of a claim, or was on a day.

Belongs here: options and printing. Does not: finding the claim, what its events mean (claims/).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Literal

import typer

from dagster_project.cli.data import AsJson
from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE, Problem, console, number, show_json, table
from dagster_project.settings import load_settings


def claim(
    claim_id: Annotated[str, typer.Argument(metavar="ID", help="The claim's token, or the provider's id of it.")],
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="As it was known at the end of this day.")
    ] = None,
    written_as: Annotated[
        Literal["837"] | None,
        typer.Option("--as", help="Write it as X12 instead, with tokens in place of identities (docs/x12.md)."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Print a claim's state, amounts and events, as known now or on a day; or write it as sent."""
    from dagster_project.claims import ClaimProblem, KnownClaim, known_claims
    from dagster_project.claims.written import claim_as_837

    settings = load_settings()
    day = _day(as_of)
    if written_as and (as_of or as_json):
        raise Problem("--as writes the claim as it was sent", "claimhouse claim ID --as 837")
    try:
        if written_as:
            print(claim_as_837(settings, claim_id), end="")
            return DONE
        claims = known_claims(settings, claim_id, day)
    except ClaimProblem as problem:
        code = SET_ASIDE if problem.is_not_yet else WRONG_USE
        raise Problem(str(problem), "See: claimhouse claim --help", code) from problem
    if as_json:
        show_json(claims)
        return DONE
    for one in claims:
        console().print(
            f"[bold]{one.claim_token}[/bold]  {one.data_source}  [bold]{one.claim_state}[/bold]  "
            + (f"as known on {one.as_of}" if one.as_of else "as known now")
        )
        about = [field.name for field in fields(KnownClaim) if field.name not in SHOWN_APART]
        table("", ["", ""], [[name.replace("_", " "), number(getattr(one, name))] for name in about if _is(one, name)])
        table(
            "Events",
            ["known", "happened", "event", "adjudication", "remittance", "what", "charge", "allowed", "paid", "other"],
            [
                [
                    event.known_date, event.event_date, event.event_type, event.adjudication_number, event.remittance_id,
                    event.denial_category, event.charge_amount, event.allowed_amount, event.paid_amount,
                    event.adjustment_amount,
                ]
                for event in one.events
            ],
            left=6,
        )  # fmt: skip
    return DONE


SHOWN_APART = ("as_of", "data_source", "claim_token", "claim_state", "events")


def _is(one: object, name: str) -> bool:
    """Whether there is something to say: no blank, and no count of nothing."""
    value = getattr(one, name)
    return value is not None and (isinstance(value, Decimal | bool) or value != 0)


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("--as-of is a day, as 2025-05-31", "claimhouse claim ID --as-of 2025-05-31") from None
