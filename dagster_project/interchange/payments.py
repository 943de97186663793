"""Remittances as 835 (005010X221A1).

Belongs here: which column of remittance_advice, remittance, remittance_adjustment and provider_adjustment becomes which element. Does not:
envelopes, whose identities these are.
"""

from __future__ import annotations

import duckdb

from dagster_project.interchange.claims import filing_code
from dagster_project.interchange.segments import composite, day, number, segment, text, together, when, words

VERSION = "005010X221A1"
REASONS_OF_A_SEGMENT = 6  # of a CAS and of a PLB alike


def make_payment_parts(
    con: duckdb.DuckDBPyConnection,
    parts: str,
    advices: str,
    payments: str,
    adjustments: str,
    beside: str,
    services: str,
) -> None:
    """Makes the table `parts` for write_interchange: one transaction for each remittance.

    `advices`, `payments`, `adjustments` and `beside` are rows of remittance_advice, remittance, remittance_adjustment and
    provider_adjustment. The first have a payer_name as well, payments last_name and first_name; `services` gives hcpcs_code and
    revenue_center_code of claim_id and claim_line_number.
    """
    con.execute(f"""
        create or replace temp table {parts} as
        with reasons as (
            select claim_id, claim_line_number, adjudication_number, remittance_id, min(adjustment_number) as first_number,
                adjustment_group_code,
                string_agg('*' || carc_code || '*' || {number("adjustment_amount")}, '*' order by adjustment_number) as listed,
                min(rarc_code) as rarc_code
            from (
                select *, (row_number() over (
                    partition by remittance_id, claim_id, claim_line_number, adjudication_number, adjustment_group_code
                    order by adjustment_number) - 1) // {REASONS_OF_A_SEGMENT} as part_number
                from {adjustments}
            ) as adjustment
            group by remittance_id, claim_id, claim_line_number, adjudication_number, adjustment_group_code, part_number
        ),
        explained as (
            select remittance_id, claim_id, claim_line_number, adjudication_number,
                string_agg('CAS*' || adjustment_group_code || listed || '~', '' order by first_number) as cas,
                min(rarc_code) as rarc_code
            from reasons group by all
        ),
        lined as (
            select payment.*, explained.cas, explained.rarc_code, service.hcpcs_code, service.revenue_center_code
            from {payments} as payment
            left join explained using (remittance_id, claim_id, claim_line_number, adjudication_number)
            left join {services} as service using (claim_id, claim_line_number)
        ),
        claims as (
            select remittance_id, claim_id, adjudication_number, any_value(claim_status_code) as claim_status_code,
                any_value(payer_claim_control_number) as payer_claim_control_number, any_value(member_id) as member_id,
                any_value(last_name) as last_name, any_value(first_name) as first_name,
                any_value(line_of_business) as line_of_business, sum(charge_amount)::decimal(18, 2) as charge_amount,
                sum(paid_amount)::decimal(18, 2) as paid_amount,
                coalesce(sum(deductible_amount + coinsurance_amount + copayment_amount), 0)::decimal(18, 2) as patient_amount,
                min(claim_start_date) as claim_start_date,
                string_agg({_line()}, '' order by claim_line_number) filter (where claim_line_number > 0) as lines,
                coalesce(max(cas) filter (where claim_line_number = 0), '') as cas
            from lined group by remittance_id, claim_id, adjudication_number
        ),
        beside_claims as (
            select remittance_id, string_agg(plb, '' order by part_number) as plb
            from (
                select remittance_id, part_number,
                    {segment("PLB", "'2308451237'", "strftime(any_value(paid_date), '%Y') || '1231'",
                             "string_agg(" + composite("adjustment_reason_code", text("payer_claim_control_number")) + " || '*' || "
                             + number("adjustment_amount") + ", '*' order by adjustment_number)")} as plb
                from (
                    select *, (row_number() over (partition by remittance_id order by adjustment_number) - 1)
                        // {REASONS_OF_A_SEGMENT} as part_number
                    from {beside}
                ) as adjustment
                group by remittance_id, part_number
            ) as segments group by remittance_id
        ),
        remittances as (
            select advice.*, plb,
                row_number() over (order by advice.paid_date, advice.remittance_id) as transaction
            from {advices} as advice left join beside_claims using (remittance_id)
        ),
        numbered as (
            select claims.*, transaction, row_number() over (
                partition by remittance_id order by claim_id, adjudication_number) as place
            from claims inner join remittances using (remittance_id)
        )
        select '{VERSION}' as version, transaction, 0 as place, {_header()} as part from remittances
        union all
        select '{VERSION}', transaction, place, {_claim()} from numbered
        union all
        select '{VERSION}', transaction, 9223372036854775806, plb from remittances where plb is not null""")  # fmt: skip


def _header() -> str:
    return together(
        segment("ST", "'835'", "lpad(transaction::varchar, 4, '0')"),
        segment("BPR", "case when paid_amount = 0 then 'H' else 'I' end", number("paid_amount"), "credit_debit_code",
                "payment_method_code", *["''"] * 11, day("paid_date")),
        segment("TRN", "'1'", text("remittance_id"), text("originator_id")),
        segment("DTM", "'405'", day("produced_date")),
        segment("N1", "'PR'", words("coalesce(payer_name, payer_id)"), "'XV'", text("payer_id")),
        segment("N3", "'1 PAYER PLAZA'"),
        segment("N4", "'LARKSPUR'", "'PA'", "'171010001'"),
        segment("PER", "'BL'", "'PROVIDER SERVICES'", "'TE'", "'5555550100'"),
        segment("N1", "'PE'", "'HARBORLIGHT PROVIDER GROUP'", "case when payee_id is null then 'FI' else 'XX' end",
                "coalesce(" + text("payee_id") + ", '998451237')"),
        segment("LX", "'1'"),
    )  # fmt: skip


def _claim() -> str:
    return together(
        segment("CLP", text("claim_id"), "claim_status_code", number("charge_amount"), number("paid_amount"),
                f"case when patient_amount <> 0 then {number('patient_amount')} end",
                filing_code("line_of_business", commercial="12"), text("payer_claim_control_number")),
        "cas",
        segment("NM1", "'QC'", "'1'", words("coalesce(last_name, 'UNKNOWN')"), words("first_name"), "''", "''", "''",
                "case when member_id is not null then 'MI' end", text("member_id")),
        when("claim_start_date is not null", segment("DTM", "'232'", day("claim_start_date"))),
        "coalesce(lines, '')",
    )  # fmt: skip


def _line() -> str:
    procedure = composite("'HC'", text("hcpcs_code"))
    revenue = composite("'NU'", text("coalesce(revenue_center_code, '0001')"))
    code = f"case when hcpcs_code is not null then {procedure} else {revenue} end"
    return together(
        segment("SVC", code, number("charge_amount"), number("paid_amount")),
        when("claim_start_date is not null", segment("DTM", "'472'", day("claim_start_date"))),
        "coalesce(cas, '')",
        when("line_control_number is not null", segment("REF", "'6R'", text("line_control_number"))),
        when("allowed_amount > 0", segment("AMT", "'B6'", number("allowed_amount"))),
        when("rarc_code is not null", segment("LQ", "'HE'", text("rarc_code"))),
    )
