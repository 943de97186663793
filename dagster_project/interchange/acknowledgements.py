"""Acknowledgements of claims as 277CA (005010X214).

Belongs here: which column of claim_acknowledgement becomes which element. Does not: envelopes, whose identities these are.
"""

from __future__ import annotations

import duckdb

from dagster_project.interchange.segments import (
    HOUSE,
    composite,
    day,
    number,
    period,
    segment,
    text,
    together,
    when,
    words,
)

VERSION = "005010X214"


def make_acknowledgement_parts(con: duckdb.DuckDBPyConnection, parts: str, statuses: str, created: str) -> None:
    """Makes the table `parts` for write_interchange: one transaction for each acknowledgement.

    `statuses` are rows of claim_acknowledgement, each with payer_name, billing_id and billing_name, the patient's member_id,
    last_name and first_name, claim_start_date and claim_end_date of its claim.
    """
    con.execute(f"""
        create or replace temp table {parts} as
        with claims as (
            select acknowledgement_id, claim_id, any_value(payer_id) as payer_id, any_value(payer_name) as payer_name,
                any_value(billing_id) as billing_id, any_value(billing_name) as billing_name,
                any_value(member_id) as member_id, any_value(last_name) as last_name, any_value(first_name) as first_name,
                any_value(claim_start_date) as claim_start_date, any_value(claim_end_date) as claim_end_date,
                any_value(payer_claim_control_number) as payer_claim_control_number,
                max(acknowledged_date) as acknowledged_date, max(charge_amount) as charge_amount,
                bool_or(action_code = 'U') as is_rejected,
                string_agg({_status()}, '' order by acknowledgement_number) as said
            from {statuses} group by acknowledgement_id, claim_id
        ),
        answers as (
            select acknowledgement_id, any_value(payer_id) as payer_id, any_value(payer_name) as payer_name,
                max(acknowledged_date) as acknowledged_date, {_TOTALS},
                row_number() over (order by max(acknowledged_date), acknowledgement_id) as transaction
            from claims group by acknowledgement_id
        ),
        billers as (
            select acknowledgement_id, billing_id, {_TOTALS} from claims group by acknowledgement_id, billing_id
        ),
        placed as (
            select claims.*, transaction, row_number() over everyone as place,
                place = 1 or billing_id is distinct from lag(billing_id) over everyone as opens_biller
            from claims inner join answers using (acknowledgement_id)
            window everyone as (partition by transaction order by billing_id, claim_id)
        ),
        levels as (
            select *, 2 + place + sum(opens_biller::integer) over so_far as level,
                max(case when opens_biller then 1 + place end) over so_far + sum(opens_biller::integer) over so_far as biller_level
            from placed
            window so_far as (partition by transaction order by place rows unbounded preceding)
        )
        select '{VERSION}' as version, transaction, 0 as place, {_header(created)} as part from answers
        union all
        select '{VERSION}', transaction, place, {when("opens_biller", _biller())} || {_claim()}
        from levels as claim inner join billers as biller
            on claim.acknowledgement_id = biller.acknowledgement_id and claim.billing_id is not distinct from biller.billing_id""")


_TOTALS = """count(*) filter (where not is_rejected) as accepted_count, count(*) filter (where is_rejected) as rejected_count,
    sum(charge_amount) filter (where not is_rejected) as accepted_amount,
    sum(charge_amount) filter (where is_rejected) as rejected_amount"""
_ALL = number("(coalesce(accepted_amount, 0) + coalesce(rejected_amount, 0))::decimal(18, 2)")


def _totals(accepted: str, rejected: str) -> str:
    """How many claims were taken and returned and for how much; the guide wants neither where there are none."""
    return together(
        when("accepted_count > 0", segment("QTY", f"'{accepted}'", "accepted_count::varchar")),
        when("rejected_count > 0", segment("QTY", f"'{rejected}'", "rejected_count::varchar")),
        when("accepted_count > 0", segment("AMT", "'YU'", number("accepted_amount"))),
        when("rejected_count > 0", segment("AMT", "'YY'", number("rejected_amount"))),
    )


def _header(created: str) -> str:
    trace = text("acknowledgement_id")
    received = composite("'A1'", "'19'", "'PR'")  # a receipt: whether a claim is taken is said of each
    return together(
        segment("ST", "'277'", "lpad(transaction::varchar, 4, '0')", f"'{VERSION}'"),
        segment("BHT", "'0085'", "'08'", trace, day("acknowledged_date"), f"strftime({created}, '%H%M')", "'TH'"),
        segment("HL", "'1'", "''", "'20'", "'1'"),
        segment("NM1", "'PR'", "'2'", words("coalesce(payer_name, payer_id)"), "''", "''", "''", "''", "'PI'", text("payer_id")),
        segment("TRN", "'1'", trace),
        segment("DTP", "'050'", "'D8'", day("acknowledged_date")),
        segment("DTP", "'009'", "'D8'", day("acknowledged_date")),
        segment("HL", "'2'", "'1'", "'21'", "'1'"),
        segment("NM1", "'41'", "'2'", "'HARBORLIGHT PROVIDER GROUP'", "''", "''", "''", "''", "'46'", f"'{HOUSE}'"),
        segment("TRN", "'2'", trace),
        segment("STC", received, day("acknowledged_date"), "'WQ'", _ALL),
        _totals("90", "AA"),
    )  # fmt: skip


def _biller() -> str:
    return together(
        segment("HL", "biller_level::varchar", "'2'", "'19'", "'1'"),
        segment("NM1", "'85'", "'2'", words("coalesce(billing_name, 'UNKNOWN')"), "''", "''", "''", "''",
                "case when claim.billing_id is not null then 'XX' end", text("claim.billing_id")),
        segment("TRN", "'1'", "'0'"),
        segment("STC", composite("'A1'", "'19'", "'PR'"), "''", "'WQ'", _ALL),
        _totals("QA", "QC"),
    )  # fmt: skip


def _claim() -> str:
    return together(
        segment("HL", "level::varchar", "biller_level::varchar", "'PT'"),
        segment("NM1", "'QC'", "'1'", words("coalesce(last_name, 'UNKNOWN')"), words("first_name"), "''", "''", "''",
                "case when member_id is not null then 'MI' end", text("member_id")),
        segment("TRN", "'2'", text("claim_id")),
        "said",
        when("payer_claim_control_number is not null", segment("REF", "'1K'", text("payer_claim_control_number"))),
        period("472", "claim_start_date", "claim_end_date"),
    )  # fmt: skip


def _status() -> str:
    status = composite(text("status_category_code"), text("status_code"), text("entity_code"))
    return segment("STC", status, day("acknowledged_date"), text("action_code"), number("charge_amount"))
