"""Claims as 837: professional (005010X222A1) and institutional (005010X223A2).

Belongs here: which column of medical_claim and medical_claim_line becomes which element. Does not: envelopes, whose
identities these are. A patient has a number of his own with the plan here, and by the guides whoever has one is a
subscriber: no level of dependents (HL03 = 23) is written.
"""

from __future__ import annotations

import duckdb

from dagster_project.database import literal
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

# Where a biller or a place of work is, and his tax number: the guides ask for them. The world's are invented; of a claim of the
# lake, which keeps neither, is written that they are not known, and nothing that could be taken for somebody's.
INVENTED_ADDRESS = (segment("N3", "'100 MARKET STREET'"), segment("N4", "'LARKSPUR'", "'PA'", "'171010001'"))
UNKNOWN_ADDRESS = (segment("N3", "'UNKNOWN'"), segment("N4", "'UNKNOWN'"))
INVENTED_TAX_NUMBER = "'99' || right('0000000' || regexp_replace(coalesce(billing_id, ''), '[^0-9]', '', 'g'), 7)"
UNKNOWN_TAX_NUMBER = "'000000000'"

VERSIONS = {"professional": "005010X222A1", "institutional": "005010X223A2"}
DIAGNOSES, PROCEDURES = 10, 6
# SBR09. No code says that a plan was bought on an exchange: it is written as ZZ, and read as other.
FILING_CODES = {
    "commercial": "CI",
    "medicare": "MB",
    "medicare_advantage": "16",
    "medicaid": "MC",
    "self_pay": "09",
}
# What a relation of claims has beside the feed's columns, blank where unknown: whose claim it is, and where its first line
# was done.
PARTY_COLUMNS = (
    "last_name", "first_name", "address_line", "city", "state", "zip_code", "birth_date", "sex", "payer_name",
    "billing_name", "rendering_name", "place_of_service_code",
)  # fmt: skip


def filing_code(line_of_business: str, commercial: str = FILING_CODES["commercial"]) -> str:
    """SBR09 and CLP06, whose lists differ in how they call a commercial insurer."""
    codes = FILING_CODES | {"commercial": commercial}
    branches = " ".join(f"when '{market}' then '{code}'" for market, code in codes.items())
    return f"case {line_of_business} {branches} else 'ZZ' end"


def make_claim_parts(
    con: duckdb.DuckDBPyConnection, parts: str, claims: str, lines: str, created: str, mark: str = ""
) -> None:
    """Makes the table `parts` for write_interchange from relations of claims (with PARTY_COLUMNS) and their lines.

    One transaction for each form and day of sending (BHT04 is the day of all its claims), one level for each biller and
    insured. A mark is that of claims of the lake: it stands in BHT03 of each, and each claim has the column `signature`, which is
    written beside it.
    """
    con.execute(f"""
        create or replace temp table {parts} as
        with sent as (
            select *, dense_rank() over (order by claim_type desc, submitted_date) as transaction from {claims}
        ),
        placed as (
            select *, row_number() over everyone as place,
                place = 1 or billing_id is distinct from lag(billing_id) over everyone as opens_biller,
                opens_biller or (member_id, payer_id, coverage_rank, line_of_business) is distinct from (
                    lag(member_id) over everyone, lag(payer_id) over everyone, lag(coverage_rank) over everyone,
                    lag(line_of_business) over everyone) as opens_insured
            from sent
            window everyone as (
                partition by transaction order by billing_id, member_id, payer_id, coverage_rank, line_of_business, claim_id
            )
        ),
        levels as (
            select *, sum(opens_biller::integer + opens_insured::integer) over so_far as insured_level,
                max(case when opens_biller then place end) over so_far as biller_place
            from placed
            window so_far as (partition by transaction order by place rows unbounded preceding)
        ),
        levelled as (
            select *, first_value(insured_level) over (partition by transaction, biller_place order by place) - 1 as biller_level
            from levels
        ),
        served as (
            select line.claim_id, string_agg({_line()}, '' order by line.claim_line_number) as lines
            from {lines} as line inner join {claims} as claim on line.claim_id = claim.claim_id
            group by line.claim_id
        )
        select {_version("claim_type")} as version, transaction, 0 as place, {_header(created, mark)} as part
        from (select distinct claim_type, submitted_date, transaction from sent) as headers
        union all
        select {_version("claim_type")}, transaction, place,
            {when("opens_biller", _biller(bool(mark)))} || {when("opens_insured", _insured())} || {_claim(bool(mark))} || served.lines
        from levelled as claim inner join served on claim.claim_id = served.claim_id""")


def _version(claim_type: str) -> str:
    branches = " ".join(f"when '{form}' then '{version}'" for form, version in VERSIONS.items())
    return f"case {claim_type} {branches} end"


def _header(created: str, mark: str) -> str:
    control = "lpad(transaction::varchar, 4, '0')"
    return together(
        segment("ST", "'837'", control, _version("claim_type")),
        segment("BHT", "'0019'", "'00'", literal(mark) if mark else control, day("submitted_date"),
                f"strftime({created}, '%H%M')", "'CH'"),
        segment("NM1", "'41'", "'2'", f"'{HOUSE}'", "''", "''", "''", "''", "'46'", f"'{HOUSE}'"),
        segment("PER", "'IC'", "'UNKNOWN'" if mark else "'BILLING OFFICE'", "'TE'", "'0000000000'" if mark else "'5555550100'"),
        segment("NM1", "'40'", "'2'", "'RECEIVER'", "''", "''", "''", "''", "'46'", "'RECEIVER'"),
    )  # fmt: skip


def _party(entity: str, kind: str, name: str, identifier: str, given: str = "''", qualifier: str = "XX") -> str:
    """NM1; the qualifier stands only where there is a number."""
    return segment("NM1", f"'{entity}'", f"'{kind}'", words(name), words(given), "''", "''", "''",
                   f"case when {identifier} is not null then '{qualifier}' end", text(identifier))  # fmt: skip


def _biller(is_of_lake: bool) -> str:
    return together(
        segment("HL", "biller_level::varchar", "''", "'20'", "'1'"),
        _party("85", "2", "coalesce(billing_name, 'UNKNOWN')", "billing_id"),
        *(UNKNOWN_ADDRESS if is_of_lake else INVENTED_ADDRESS),
        segment("REF", "'EI'", UNKNOWN_TAX_NUMBER if is_of_lake else INVENTED_TAX_NUMBER),
    )  # fmt: skip


def _insured() -> str:
    return together(
        segment("HL", "insured_level::varchar", "biller_level::varchar", "'22'", "'0'"),
        segment("SBR", "case coverage_rank when 'primary' then 'P' when 'secondary' then 'S' else 'U' end", "'18'", "''", "''",
                "''", "''", "''", "''", filing_code("line_of_business")),
        _party("IL", "1", "coalesce(last_name, 'UNKNOWN')", "member_id", "first_name", "MI"),
        when("address_line is not null", segment("N3", words("address_line")),
             segment("N4", words("city"), words("state"), "replace(zip_code, '-', '')")),
        when("birth_date is not null",
             segment("DMG", "'D8'", day("birth_date"), "case sex when 'female' then 'F' when 'male' then 'M' else 'U' end")),
        _party("PR", "2", "coalesce(payer_name, payer_id)", "payer_id", qualifier="PI"),
    )  # fmt: skip


def _claim(is_of_lake: bool) -> str:
    """Loop 2300 and what hangs on it, in the guides' order."""
    is_stay = "claim_type = 'institutional'"
    bill = composite(f"left({text('bill_type_code')}, -1)", "'A'", text("claim_frequency_code"))
    place = composite(text("place_of_service_code"), "'B'", text("claim_frequency_code"))
    return together(
        segment("CLM", text("claim.claim_id"), number("charge_amount"), "''", "''",
                f"case when {is_stay} then {bill} else {place} end",
                "case when claim_type = 'institutional' then '' else 'Y' end", "'A'", "'Y'", "'Y'"),
        when(is_stay, segment("DTP", "'434'", "'RD8'",
                              f"{day('claim_start_date')} || '-' || {day('coalesce(claim_end_date, claim_start_date)')}")),
        when("admission_date is not null", segment("DTP", "'435'", "'D8'", day("admission_date"))),
        when(f"{is_stay} and coalesce(admit_type_code, admit_source_code, discharge_disposition_code) is not null",
             segment("CL1", text("admit_type_code"), text("admit_source_code"), text("discharge_disposition_code"))),
        _reference("G1", "authorization_id"),
        _reference("F8", "payer_claim_control_number"),
        _reference("D9", "signature") if is_of_lake else "''",
        _codes(),
        when(f"{is_stay} and rendering_id is not null", _party("71", "1", "coalesce(rendering_name, 'UNKNOWN')", "rendering_id")),
        when(f"not {is_stay} and rendering_id is not null", _party("82", "1", "coalesce(rendering_name, 'UNKNOWN')", "rendering_id")),
        when("facility_id is not null", _party("77", "2", "coalesce(billing_name, 'UNKNOWN')", "facility_id"),
             *(UNKNOWN_ADDRESS if is_of_lake else INVENTED_ADDRESS)),
        when("prior_payer_paid_amount is not null",
             segment("SBR", "case coverage_rank when 'primary' then 'S' else 'P' end", "'18'", "''", "''", "''", "''", "''", "''",
                     "'ZZ'"),
             segment("AMT", "'D'", number("prior_payer_paid_amount")),
             segment("OI", "''", "''", "'Y'", "''", "''", "'Y'"),
             _party("IL", "1", "coalesce(last_name, 'UNKNOWN')", "member_id", "first_name", "MI"),
             segment("NM1", "'PR'", "'2'", "'PRIOR PAYER'", "''", "''", "''", "''", "'PI'", "'UNKNOWN'")),
    )  # fmt: skip


def _reference(qualifier: str, column: str) -> str:
    return when(f"{column} is not null", segment("REF", f"'{qualifier}'", text(column)))


def _codes() -> str:
    """HI: the first diagnosis is the principal one. Institutional claims name DRG and procedures as well."""
    old = "diagnosis_code_type = 'icd-9-cm'"
    first = segment("HI", composite(f"case when {old} then 'BK' else 'ABK' end", text("diagnosis_code_1")))
    others = [
        f"'*' || case when {old} then 'BF' else 'ABF' end || ':' || {text(f'diagnosis_code_{place}')}"
        for place in range(2, DIAGNOSES + 1)
    ]
    listed = ", ".join(others)
    other = f"concat({listed})"
    old_procedure = "procedure_code_type = 'icd-9-pcs'"
    principal = segment("HI", composite(f"case when {old_procedure} then 'BR' else 'BBR' end", text("procedure_code_1"),
                                        "'D8'", day("coalesce(admission_date, claim_start_date)")))  # fmt: skip
    further = ", ".join(
        f"'*' || case when {old_procedure} then 'BQ' else 'BBQ' end || ':' || {text(f'procedure_code_{place}')} || ':D8:' || "
        f"{day('coalesce(admission_date, claim_start_date)')}"
        for place in range(2, PROCEDURES + 1)
    )
    return together(
        when("diagnosis_code_1 is not null and claim_type <> 'institutional'",
             f"replace({first}, '~', '') || {other} || '~'"),
        when("diagnosis_code_1 is not null and claim_type = 'institutional'", first),
        when("drg_code is not null", segment("HI", composite("'DR'", text("drg_code")))),
        when("diagnosis_code_2 is not null and claim_type = 'institutional'", f"'HI' || {other} || '~'"),
        when("procedure_code_1 is not null", principal),
        when("procedure_code_2 is not null", f"'HI' || concat({further}) || '~'"),
    )  # fmt: skip


def _line() -> str:
    qualifier = "case line.procedure_code_type when 'other' then 'ER' when 'hcpcs' then 'HC' end"
    code = composite(f"case when line.hcpcs_code is not null then {qualifier} end", text("line.hcpcs_code"),
                     text("line.hcpcs_modifier_1"), text("line.hcpcs_modifier_2"))  # fmt: skip
    amount, units = number("line.charge_amount"), number("line.service_unit_quantity")
    unit = "case when line.service_unit_quantity is not null then 'UN' end"
    professional = segment("SV1", code, amount, unit, units, text("line.place_of_service_code"), "''", "'1'")
    institutional = segment("SV2", text("line.revenue_center_code"), code, amount, unit, units)
    own_renderer = (
        "line.rendering_id is distinct from case when claim.claim_type = 'professional' then claim.rendering_id end"
    )
    return together(
        segment("LX", "line.claim_line_number::varchar"),
        f"case when claim.claim_type = 'institutional' then {institutional} else {professional} end",
        period("472", "line.claim_line_start_date", "line.claim_line_end_date"),
        when("line.line_control_number is not null", segment("REF", "'6R'", text("line.line_control_number"))),
        when(f"line.rendering_id is not null and {own_renderer}", _party("82", "1", "'UNKNOWN'", "line.rendering_id")),
    )
