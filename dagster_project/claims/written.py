"""A claim of the warehouse as 837, with tokens in place of identities.

Belongs here: finding its rows. Does not: segments and signature (interchange/).
"""

from __future__ import annotations

import datetime as dt

from dagster_project.claims.known import ClaimProblem, tokens_of
from dagster_project.database import NotReadable, open_warehouse
from dagster_project.interchange.again import NotWritable, claims_as_837
from dagster_project.privacy.keys import load_key
from dagster_project.settings import Settings


def claim_as_837(settings: Settings, claim: str) -> str:
    """The rows that the warehouse has of a claim, named by its token or by the provider's id, as one interchange.

    Raises ClaimProblem where the warehouse cannot be read, has no such claim or that of several senders, or no 837 can say it.
    """
    if not settings.warehouse.exists():
        raise ClaimProblem("there is no warehouse; run: claimhouse run", is_not_yet=True)
    try:
        con = open_warehouse(settings)
    except NotReadable as error:
        raise ClaimProblem(f"{error}; try again when the run is done") from None
    key = load_key(settings)
    with con:
        con.execute("set schema = 'marts'")
        tokens = tokens_of(settings, con, claim, key)
        con.execute(
            "create temp table asked_claim as from staging.stg_medical_claim__claims where list_contains($tokens, claim_token)",
            {"tokens": tokens},
        )
        con.execute("""
            create temp table asked_line as from staging.stg_medical_claim_line__lines
            where (data_source, claim_token) in (select (data_source, claim_token) from asked_claim)""")
        senders = [
            sender for (sender,) in con.execute("select distinct data_source from asked_claim order by 1").fetchall()
        ]
        if not senders:
            raise ClaimProblem("no sender's 837, nor a flat file of claims, tells of such a claim")
        if len(senders) > 1:
            raise ClaimProblem(
                f"{', '.join(senders)} each tell of such a claim, and one 837 holds one sender's tokens; name one by its token"
            )
        try:
            return claims_as_837(
                con, "asked_claim", "asked_line", key, f"timestamp '{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}'"
            )
        except NotWritable as error:
            raise ClaimProblem(f"no 837 can say this claim: {error}") from None
