"""A claim of the warehouse as 837, with tokens in place of identities.

Belongs here: finding its rows. Does not: segments and signature (interchange/).
"""

from __future__ import annotations

import datetime as dt

import duckdb

from dagster_project.claims.known import ClaimProblem, tokens_of
from dagster_project.interchange.again import NotWritable, claims_as_837
from dagster_project.privacy.keys import load_key
from dagster_project.settings import Settings


def claim_as_837(settings: Settings, claim: str) -> str:
    """The rows that the warehouse has of a claim, named by its token or by the provider's id; an interchange for each sender.

    Raises ClaimProblem where the warehouse cannot be read, has no such claim, or no 837 can say it.
    """
    if not settings.warehouse.exists():
        raise ClaimProblem("there is no warehouse; run: claimhouse run")
    try:
        con = duckdb.connect(str(settings.warehouse), read_only=True)
    except duckdb.Error:
        raise ClaimProblem("the warehouse is being written; try again when the run is done") from None
    with con:
        con.execute("set schema = 'marts'")
        tokens = tokens_of(settings, con, claim)
        for name, feed in (("claim", "stg_medical_claim__claims"), ("line", "stg_medical_claim_line__lines")):
            con.execute(
                f"create temp table asked_{name} as from staging.{feed} where list_contains($tokens, claim_token)",
                {"tokens": tokens},
            )
        senders = con.execute("select distinct data_source from asked_claim order by 1").fetchall()
        if not senders:
            raise ClaimProblem("no sender's 837, nor a flat file of claims, tells of such a claim")
        key, now = load_key(settings), f"timestamp '{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}'"
        written = []
        for (sender,) in senders:
            con.execute("set variable sender = $1", [sender])
            of_sender = "where data_source = getvariable('sender')"
            try:
                written.append(
                    claims_as_837(con, f"(from asked_claim {of_sender})", f"(from asked_line {of_sender})", key, now)
                )
            except NotWritable as error:
                raise ClaimProblem(f"no 837 can say this claim: {error}") from None
    return "".join(written)
