"""Claims of the lake written again as 837, with tokens in place of identities, marked and signed as such.

Belongs here: which claims can be written so that reading them gives the same rows, and their signature. Does not: opening
the warehouse, printing.
"""

from __future__ import annotations

import duckdb

from dagster_project.database import literal
from dagster_project.interchange.claims import DIAGNOSES, PARTY_COLUMNS, PROCEDURES, VERSIONS, make_claim_parts
from dagster_project.interchange.segments import TEST, interchange_sql
from dagster_project.privacy.keys import TokenKey
from dagster_project.privacy.marks import MARK, signature_sql
from dagster_project.privacy.tokens import PADS, forget_key, register_key

# A code behind a blank one would take its place, or be lost.
_GAPS = " or ".join(
    f"({code}_{place} is null and {code}_{place + 1} is not null)"
    for code, count in (("diagnosis_code", DIAGNOSES), ("procedure_code", PROCEDURES))
    for place in range(1, count)
)

# What an 837 cannot say, or not in whole.
UNWRITABLE = {
    "claim_status is distinct from 'submitted' or submitted_date is null": "it was not sent yet",
    f"claim_type is null or claim_type not in ({', '.join(map(literal, VERSIONS))})": "its form is no 837's",
    "coalesce(diagnosis_code_type, 'icd-10-cm') not in ('icd-10-cm', 'icd-9-cm') "
    "or coalesce(procedure_code_type, 'icd-10-pcs') not in ('icd-10-pcs', 'icd-9-pcs') "
    "or has_other_codes": "no 837 has codes of its code system",
    _GAPS: "its codes have gaps",
    "line_count is null or first_line <> 1 or last_line <> line_count": "not all of its lines are in the lake",
}

_OWN = ("birth_date", "last_name", "place_of_service_code")


class NotWritable(Exception):
    """No 837 can say the claim. The message says why, in words of ours."""


def claims_as_837(con: duckdb.DuckDBPyConnection, claims: str, lines: str, key: TokenKey, created: str) -> str:
    """One interchange with all claims of a relation, whose columns are the lake's, as are those of their lines.

    `created` is SQL of the moment of writing. Raises NotWritable if any of them cannot be written in whole.
    """
    con.execute(f"""
        create or replace temp table again_claim as
        select *, {", ".join(f"null::varchar as {column}" for column in PARTY_COLUMNS if column not in _OWN)},
            null::date as birth_date, 'UNKNOWN' as last_name
        from (
            select *, claim_token as claim_id, member_token as member_id,
                payer_claim_control_token as payer_claim_control_number, authorization_token as authorization_id
            from {claims}
        ) as claim
        left join (
            select claim_token, count(*) as line_count, min(claim_line_number) as first_line,
                max(claim_line_number) as last_line,
                case when count(place_of_service_code) = count(*) then min(place_of_service_code) end as place_of_service_code,
                string_agg(claim_line_number || ':' || line_control_token, ',' order by claim_line_number) as line_controls,
                bool_or(hcpcs_code is not null and coalesce(procedure_code_type, '') not in ('hcpcs', 'other')) as has_other_codes
            from {lines} group by claim_token
        ) as line using (claim_token)""")
    _refuse_unwritable(con)
    signature = signature_sql(
        claim="claim_id",
        member="member_id",
        control="payer_claim_control_number",
        authorization="authorization_id",
        lines="line_controls",
    )
    register_key(con, key)
    try:
        con.execute(f"""
            create or replace temp table again_signed as
            select claim.*, {signature} as signature from again_claim as claim, {PADS};
            create or replace temp table again_line as
            select *, claim_token as claim_id, line_control_token as line_control_number from {lines} where claim_token in (select claim_token from again_claim)""")
    finally:
        forget_key(con)
    make_claim_parts(con, "again_parts", "again_signed", "again_line", created, MARK)
    rows = con.execute(interchange_sql("HC", "again_parts", created, usage=TEST)).fetchall()
    return "".join(f"{part}\n" for (part,) in rows)


def _refuse_unwritable(con: duckdb.DuckDBPyConnection) -> None:
    reasons = " ".join(f"when {condition} then {literal(reason)}" for condition, reason in UNWRITABLE.items())
    found = con.execute(
        f"select case {reasons} end as reason from again_claim where reason is not null limit 1"
    ).fetchone()
    if found:
        raise NotWritable(found[0])
