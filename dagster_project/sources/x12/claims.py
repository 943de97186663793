"""Rows of 837: claims as sent, and their lines.

Belongs here: which loop and element of ASC X12N 005010X222A2 and X223A3 a cell is. Does not: what cells mean for a feed
(contracts).
"""

from __future__ import annotations

from dagster_project.database import literal
from dagster_project.privacy.marks import MARK, vouched_sql
from dagster_project.sources.x12.cells import (
    SEGMENTS,
    VOUCHED_UNITS,
    Record,
    amount,
    component,
    dependent,
    exact,
    firsts,
    written,
)

DIAGNOSES, PROCEDURES, MODIFIERS = 10, 6, 2

# A claim hangs on a level of the hierarchy: its patient's, below the insured's, below the biller's. They follow one another.
_LEVELS = f"""(
    select *,
        max(case when level_code = '20' then level end) over above as biller_level,
        max(case when level_code = '22' then level end) over above as insured_level
    from (
        select level, any_value(transaction) as transaction,
            {firsts("tag = 'HL'", level_code=3)}, {firsts("tag = 'SBR'", sbr01=1, sbr09=9)}, {firsts("tag = 'DMG'", born=2)},
            {firsts("tag = 'NM1' and qualifier = '85'", biller=9)}, {firsts("tag = 'NM1' and qualifier = 'IL'", insured=9)},
            {firsts("tag = 'NM1' and qualifier = 'PR'", payer_name=3, payer=9)}, {firsts("tag = 'NM1' and qualifier = 'QC'", given=4)}
        from {SEGMENTS} where kind = 837 and level > 0 and unit = 0 group by level
    ) as levels
    window above as (partition by transaction order by level)
)"""

_HEADS = ("tag = 'ST' and unit = 0", "tag = 'BHT' and unit = 0", f"tag = 'BHT' and contains(text, {literal(MARK)})")

# The level that is open, and the biller's and the insured's, which may be far above it.
_ABOVE = f"""
    select segment_number from {SEGMENTS} where kind = 837 and unit = 0 and tag in ('HL', 'SBR', 'DMG', 'NM1') and level in (
        select unnest([max(level), max(level) filter (where e[4] = '20'), max(level) filter (where e[4] = '22')])
        from {SEGMENTS} where kind = 837 and tag = 'HL' group by transaction
    )"""

# Loops of other payers begin with SBR: what they say of people and dates is not of this claim.
_OTHER_PAYERS = f"""(
    select unit, min(segment_number) as first_place,
        sum({exact("e[3]")}) filter (where tag = 'AMT' and qualifier = 'D') as paid
    from {SEGMENTS} where kind = 837 and unit > 0 and line = 0 and tag in ('SBR', 'AMT')
    group by unit having count(*) filter (where tag = 'SBR') > 0
)"""

_IS_DIAGNOSIS = "split_part(code, chr(31), 1) in ('ABK', 'BK', 'ABF', 'BF')"
_IS_PROCEDURE = "split_part(code, chr(31), 1) in ('BBR', 'BR', 'BBQ', 'BQ')"

_CLAIMS = f"""(
    select *, list_filter(codes, lambda code: {_IS_DIAGNOSIS}) as diagnoses,
        list_filter(codes, lambda code: {_IS_PROCEDURE}) as procedures,
        list_filter(codes, lambda code: starts_with(code, 'DR' || chr(31)))[1] as drg
    from (select *, flatten(list_transform(health, lambda one: one.codes)) as codes from (
        select s.unit, any_value(s.transaction) as transaction, any_value(s.level) as level,
            min(s.segment_number) as segment_number, any_value(others.paid) as prior_paid,
            {firsts("tag = 'CLM'", clm01=1, clm02=2, clm05=5)},
            {firsts("tag = 'CL1'", cl101=1, cl102=2, cl103=3)},
            {firsts("tag = 'DTP' and qualifier = '434'", statement_format=2, statement=3)},
            {firsts("tag = 'DTP' and qualifier = '435'", admitted_format=2, admitted=3)},
            {firsts("tag = 'REF' and qualifier = 'F8'", payer_number=2)}, {firsts("tag = 'REF' and qualifier = 'G1'", authorized=2)},
            {firsts("tag = 'NM1' and qualifier = '82'", renderer=9)}, {firsts("tag = 'NM1' and qualifier = '71'", attending=9)},
            {firsts("tag = 'NM1' and qualifier = '77'", facility=9)},
            -- sorted once for each claim that has any: an ordered aggregate costs several times as much
            list_sort(list({{'place': segment_number, 'codes': string_split(substr(text, 4), chr(29))}}) filter (where tag = 'HI')) as health
        from {SEGMENTS} as s
        left join {_OTHER_PAYERS} as others on s.unit = others.unit
        where s.kind = 837 and s.unit > 0 and s.line = 0
            and (others.unit is null or s.segment_number < others.first_place)
        group by s.unit
    ) as grouped) as claims
)"""

# A row for each service, though it may stand without LX or twice behind one: what was billed is counted all the same.
_SERVICE_LINES = f"""(
    select services.*, around.* exclude (unit, line)
    from (
        select unit, line, segment_number, tag = 'SV1' as is_professional, case tag when 'SV2' then e[2] end as revenue_code,
            case tag when 'SV1' then e[2] else e[3] end as code, case tag when 'SV1' then e[3] else e[4] end as charge,
            case tag when 'SV1' then e[5] else e[6] end as quantity, case tag when 'SV1' then e[6] end as place
        from {SEGMENTS} where kind = 837 and tag in ('SV1', 'SV2')
    ) as services
    left join (
        select unit, line, {firsts("tag = 'LX'", lx=1)}, {firsts("tag = 'DTP' and qualifier = '472'", served_format=2, served=3)},
            {firsts("tag = 'REF' and qualifier = '6R'", control=2)}, {firsts("tag = 'NM1' and qualifier = '82'", line_renderer=9)}
        from {SEGMENTS} where kind = 837 and line > 0 group by unit, line
    ) as around on services.unit = around.unit and services.line = around.line
)"""


def _day(segment: str, number: int) -> str:
    """The first or last day of a DTP: a day, a range of days, or a day with its time."""
    return f"case when {segment}_format = 'RD8' then string_split({segment}, '-')[{number}] else left({segment}, 8) end"


_CLAIM_DAYS = f"""(
    select unit, min({_day("served", 1)}) as first_service, max({_day("served", 2)}) as last_service
    from {_SERVICE_LINES} as lines group by unit
)"""


def _codes(listed: str, count: int, called: str) -> dict[str, str]:
    return {f"{called}{number}": f"split_part({listed}[{number}], chr(31), 2)" for number in range(1, count + 1)}


_CLAIM_HEADERS = f"""(
    select transaction, {firsts("tag = 'BHT'", bht03=3, bht04=4)}, {firsts("tag = 'ST'", st03=3)}
    from {SEGMENTS} where kind = 837 and unit = 0 and transaction > 0 group by transaction
)"""

_WHOLE_CLAIMS = f"""(
    with every_level as materialized {_LEVELS}
    select claims.*, vouched.unit is not null as is_signed, headers.* exclude transaction, levels.level_code, levels.given,
        levels.born, insured.insured, insured.sbr01, insured.sbr09, insured.payer_name, insured.payer, billers.biller
    from {_CLAIMS} as claims
    left join {VOUCHED_UNITS} as vouched on claims.unit = vouched.unit
    left join {_CLAIM_HEADERS} as headers on claims.transaction = headers.transaction
    left join every_level as levels on claims.level = levels.level
    left join every_level as insured on levels.insured_level = insured.level
    left join every_level as billers on levels.biller_level = billers.level
)"""

_SENT_CELLS = {
    "ST03": "st03",
    "BHT03": "bht03",
    "BHT04": "bht04",
    "CLM01": vouched_sql("clm01", "is_signed"),
    "CLM02": amount("clm02"),
    "CLM05.3": component("clm05", 3),
    "NM185.09": "biller",
    "NM182.09": "renderer",
    "NM171.09": "attending",
    "NM177.09": "facility",
    "NM1IL.09": "insured",
    "PATIENT": f"case when level_code = '23' then {dependent('insured', 'born', 'given')} "
    f"else {vouched_sql('insured', 'is_signed')} end",
    "NM1PR.03": "payer_name",
    "NM1PR.09": "payer",
    "SBR01": "sbr01",
    "SBR09": "sbr09",
}

CLAIMS = Record(
    837,
    {
        **_SENT_CELLS,
        "REFF8.02": vouched_sql("payer_number", "is_signed"),
        "REFG1.02": vouched_sql("authorized", "is_signed"),
        "CL101": "cl101",
        "CL102": "cl102",
        "CL103": "cl103",
        "BILL_TYPE": f"case when st03 like '%X223%' then {component('clm05', 1)} || {component('clm05', 3)} end",
        "FIRST_DATE": f"coalesce({_day('statement', 1)}, first_service)",
        "LAST_DATE": f"coalesce({_day('statement', 2)}, last_service)",
        "ADMISSION_DATE": _day("admitted", 1),
        # A stay ends on the last day of its statement, unless the patient is still there (UB-04 patient status 30).
        "DISCHARGE_DATE": f"case when admitted is not null and nullif(cl103, '') <> '30' then {_day('statement', 2)} end",
        "PRIOR_PAID": written("prior_paid"),
        "DIAGNOSIS_QUALIFIER": component(
            "list_filter(diagnoses, lambda code: split_part(code, chr(31), 1) in ('ABK', 'BK'))[1]", 1
        ),
        **_codes("diagnoses", DIAGNOSES, "DIAGNOSIS"),
        "PROCEDURE_QUALIFIER": component(
            "list_filter(procedures, lambda code: split_part(code, chr(31), 1) in ('BBR', 'BR'))[1]", 1
        ),
        **_codes("procedures", PROCEDURES, "PROCEDURE"),
        "DRG1": component("drg", 2),
    },
    f"""(
    select claims.*, days.* exclude unit
    from {_WHOLE_CLAIMS} as claims left join {_CLAIM_DAYS} as days on claims.unit = days.unit
) as rows_of_claims""",
    heads=_HEADS,
    above=_ABOVE,
)

CLAIM_LINES = Record(
    837,
    {
        **_SENT_CELLS,
        "LX01": "lx",
        "LINE": "line",
        "CODE_QUALIFIER": component("code", 1),
        "CODE": component("code", 2),
        **{f"MODIFIER{number}": component("code", number + 2) for number in range(1, MODIFIERS + 1)},
        "REVENUE_CODE": "revenue_code",
        "CHARGE": amount("charge"),
        "QUANTITY": "quantity",
        "PLACE_OF_SERVICE": f"case when is_professional then coalesce(nullif(place, ''), {component('clm05', 1)}) end",
        "FIRST_DATE": f"coalesce({_day('served', 1)}, {_day('statement', 1)})",
        "LAST_DATE": f"coalesce({_day('served', 2)}, {_day('statement', 2)})",
        "REF6R.02": vouched_sql("control", "is_signed"),
        "LINE_NM182.09": "line_renderer",
    },
    f"""(
    select lines.*, claims.* exclude (unit, segment_number)
    from {_SERVICE_LINES} as lines
    left join {_WHOLE_CLAIMS} as claims on lines.unit = claims.unit
) as rows_of_lines""",
    heads=_HEADS,
    above=_ABOVE,
)
