"""Rows of 837: claims as sent, and their lines.

Belongs here: which loop and element of ASC X12N 005010X222A2 and X223A3 a cell is. Does not: what cells mean for a feed
(contracts).
"""

from __future__ import annotations

from dagster_project.sources.x12.cells import (
    SEGMENTS,
    Record,
    amount,
    component,
    dependent,
    elements,
    exact,
    first,
    written,
)

DIAGNOSES, PROCEDURES, MODIFIERS = 10, 6, 4

# A claim hangs on a level of the hierarchy: its patient's, below the insured's, below the biller's. They follow one another.
_LEVELS = f"""(
    select *,
        max(case when hl[4] = '20' then level end) over above as biller_level,
        max(case when hl[4] = '22' then level end) over above as insured_level
    from (
        select level, any_value(transaction) as transaction,
            {first("tag = 'HL'", "hl")}, {first("tag = 'SBR'", "sbr")}, {first("tag = 'DMG'", "dmg")},
            {first("tag = 'NM1' and e[2] = '85'", "biller")}, {first("tag = 'NM1' and e[2] = 'IL'", "insured")},
            {first("tag = 'NM1' and e[2] = 'PR'", "payer")}, {first("tag = 'NM1' and e[2] = 'QC'", "patient")}
        from {SEGMENTS} where kind = 837 and level > 0 and unit = 0 group by level
    ) as levels
    window above as (partition by transaction order by level)
)"""

# Loops of other payers begin with SBR: what they say of people and dates is not of this claim.
_OTHER_PAYERS = f"""(
    select unit, min(segment_number) as first_place,
        sum({exact("e[3]")}) filter (where tag = 'AMT' and e[2] = 'D') as paid
    from {SEGMENTS} where kind = 837 and unit > 0 and line = 0 and tag in ('SBR', 'AMT')
    group by unit having count(*) filter (where tag = 'SBR') > 0
)"""

_CLAIMS = f"""(
    select s.unit, any_value(s.transaction) as transaction, any_value(s.level) as level,
        min(s.segment_number) as segment_number, any_value(others.paid) as prior_paid,
        {first("tag = 'CLM'", "clm")}, {first("tag = 'CL1'", "cl1")},
        {first("tag = 'DTP' and e[2] = '434'", "statement")}, {first("tag = 'DTP' and e[2] = '435'", "admitted")},
        {first("tag = 'REF' and e[2] = 'F8'", "payer_number")}, {first("tag = 'REF' and e[2] = 'G1'", "authorized")},
        {first("tag = 'NM1' and e[2] = '82'", "renderer")}, {first("tag = 'NM1' and e[2] = '77'", "facility")},
        flatten(list(e[2:] order by segment_number) filter (where tag = 'HI')) as codes
    from {SEGMENTS} as s
    left join {_OTHER_PAYERS} as others on s.unit = others.unit
    where s.kind = 837 and s.unit > 0 and s.line = 0
        and (others.unit is null or s.segment_number < others.first_place)
    group by s.unit
)"""

# A row for each service, though it may stand without LX or twice behind one: what was billed is counted all the same.
_SERVICE_LINES = f"""(
    select services.*, around.* exclude (unit, line)
    from (
        select unit, line, segment_number, case when tag = 'SV1' then e end as sv1, case when tag = 'SV2' then e end as sv2
        from {SEGMENTS} where kind = 837 and tag in ('SV1', 'SV2')
    ) as services
    left join (
        select unit, line, {first("tag = 'LX'", "lx")},
            {first("tag = 'DTP' and e[2] = '472'", "served")}, {first("tag = 'REF' and e[2] = '6R'", "control")},
            {first("tag = 'NM1' and e[2] = '82'", "line_renderer")}
        from {SEGMENTS} where kind = 837 and line > 0 group by unit, line
    ) as around on services.unit = around.unit and services.line = around.line
)"""

_CLAIM_DAYS = f"""(
    select unit, min({{first}}) as first_service, max({{last}}) as last_service from {_SERVICE_LINES} as lines group by unit
)"""


def _day(segment: str, number: int) -> str:
    """The first or last day of a DTP: a day, a range of days, or a day with its time."""
    cell = f"{segment}[4]"
    return f"case when {segment}[3] = 'RD8' then string_split({cell}, '-')[{number}] else left({cell}, 8) end"


def _codes(qualifiers: str, count: int, called: str) -> dict[str, str]:
    found = f"list_filter(codes, lambda code: string_split(code, chr(31))[1] in ({qualifiers}))"
    return {f"{called}{number}": component(f"{found}[{number}]", 2) for number in range(1, count + 1)}


_CLAIM_HEADERS = f"""(
    select transaction, {first("tag = 'BHT'", "bht")}, {first("tag = 'ST'", "st")}
    from {SEGMENTS} where kind = 837 and unit = 0 and transaction > 0 group by transaction
)"""

_WHOLE_CLAIMS = f"""(
    select claims.*, headers.* exclude transaction, levels.hl, levels.patient, levels.dmg as patient_dmg,
        insured.insured, insured.sbr, insured.payer, insured.dmg as insured_dmg, billers.biller, days.* exclude unit
    from {_CLAIMS} as claims
    left join {_CLAIM_HEADERS} as headers on claims.transaction = headers.transaction
    left join {_LEVELS} as levels on claims.level = levels.level
    left join {_LEVELS} as insured on levels.insured_level = insured.level
    left join {_LEVELS} as billers on levels.biller_level = billers.level
    left join {_CLAIM_DAYS.format(first=_day("served", 1), last=_day("served", 2))} as days on claims.unit = days.unit
)"""

_SENT_CELLS = {
    "ST03": "st[4]",
    **elements("BHT", "bht", (3, 4)),
    "CLM01": "clm[2]",
    "CLM02": amount("clm[3]"),
    **{f"CLM05.{number}": component("clm[6]", number) for number in (1, 2, 3)},
    "NM185.09": "biller[10]",
    "NM182.09": "renderer[10]",
    "NM177.09": "facility[10]",
    "NM1IL.09": "insured[10]",
    "PATIENT": f"case when hl[4] = '23' then {dependent('insured[10]', 'patient_dmg[3]', 'patient[5]')} else insured[10] end",
    "NM1PR.03": "payer[4]",
    "NM1PR.09": "payer[10]",
    **elements("SBR", "sbr", (1, 9)),
}

CLAIMS = Record(
    837,
    {
        **_SENT_CELLS,
        "REFF8.02": "payer_number[3]",
        "REFG1.02": "authorized[3]",
        **elements("CL1", "cl1", (1, 2, 3)),
        "BILL_TYPE": f"case when st[4] like '%X223%' then {component('clm[6]', 1)} || {component('clm[6]', 3)} end",
        "FIRST_DATE": f"coalesce({_day('statement', 1)}, first_service)",
        "LAST_DATE": f"coalesce({_day('statement', 2)}, last_service)",
        "ADMISSION_DATE": _day("admitted", 1),
        "PRIOR_PAID": written("prior_paid"),
        "DIAGNOSIS_QUALIFIER": component(
            "list_filter(codes, lambda code: string_split(code, chr(31))[1] in ('ABK', 'BK'))[1]", 1
        ),
        **_codes("'ABK', 'BK', 'ABF', 'BF'", DIAGNOSES, "DIAGNOSIS"),
        "PROCEDURE_QUALIFIER": component(
            "list_filter(codes, lambda code: string_split(code, chr(31))[1] in ('BBR', 'BR'))[1]", 1
        ),
        **_codes("'BBR', 'BR', 'BBQ', 'BQ'", PROCEDURES, "PROCEDURE"),
        **_codes("'DR'", 1, "DRG"),
    },
    f"{_WHOLE_CLAIMS} as rows_of_claims",
)

CLAIM_LINES = Record(
    837,
    {
        **_SENT_CELLS,
        "LX01": "lx[2]",
        "LINE": "line",
        "CODE_QUALIFIER": component("coalesce(sv1[2], sv2[3])", 1),
        "CODE": component("coalesce(sv1[2], sv2[3])", 2),
        **{
            f"MODIFIER{number}": component("coalesce(sv1[2], sv2[3])", number + 2) for number in range(1, MODIFIERS + 1)
        },
        "REVENUE_CODE": "sv2[2]",
        "CHARGE": amount("coalesce(sv1[3], sv2[4])"),
        "QUANTITY": "coalesce(sv1[5], sv2[6])",
        "PLACE_OF_SERVICE": f"case when sv1 is not null then coalesce(nullif(sv1[6], ''), {component('clm[6]', 1)}) end",
        "FIRST_DATE": f"coalesce({_day('served', 1)}, {_day('statement', 1)})",
        "LAST_DATE": f"coalesce({_day('served', 2)}, {_day('statement', 2)})",
        "REF6R.02": "control[3]",
        "LINE_NM182.09": "line_renderer[10]",
    },
    f"""(
    select lines.*, claims.* exclude (unit, segment_number)
    from {_SERVICE_LINES} as lines
    left join {_WHOLE_CLAIMS} as claims on lines.unit = claims.unit
) as rows_of_lines""",
)
