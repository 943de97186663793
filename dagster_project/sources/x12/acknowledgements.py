"""Rows of 277CA and 999: what a payer or clearinghouse said of claims and of transactions before it looked at them.

Belongs here: which loop and element of ASC X12N 005010X214 and 005010X231A1 a cell is. Does not: what cells mean for a feed
(contracts).
"""

from __future__ import annotations

from dagster_project.sources.x12.cells import (
    FILE,
    HEADS,
    NUMBERS,
    SEGMENTS,
    Record,
    amount,
    component,
    elements,
    first,
    with_elements,
)

# Who sends the answer stands in the first level; a clearinghouse answers in a payer's place.
_IS_SOURCE = "kind = 277 and level > 0 and tag = 'NM1' and qualifier in ('PR', 'AY')"
_ABOVE = f"""
    select segment_number from {SEGMENTS} where {_IS_SOURCE} and level in (
        select max(level) from {SEGMENTS} where {_IS_SOURCE} group by transaction
    )"""
_SOURCES = f"""(
    select level, last_value(source ignore nulls) over (partition by transaction order by level) as source
    from (
        select level, any_value(transaction) as transaction, {first("tag = 'NM1' and qualifier in ('PR', 'AY')", "source")}
        from {SEGMENTS} where kind = 277 and level > 0 group by level
    ) as levels
)"""

_ACKNOWLEDGED = f"""(
    select unit, any_value(transaction) as transaction, any_value(level) as level,
        {first("tag = 'TRN'", "trn")}, {first("tag = 'REF' and qualifier = '1K'", "payer_number")}
    from {SEGMENTS} where kind = 277 and unit > 0 group by unit
)"""

_ANSWER_HEADERS = f"""(
    select transaction, {first("tag = 'BHT'", "bht")}
    from {SEGMENTS} where kind = 277 and transaction > 0 group by transaction
)"""

# What a status is about is told by the level that it stands in: the patient's has the claim. A tag alone opens no level.
_ABOUT = """case when statuses.line > 0 then 'line' when levels.hl[4] = 'PT' then 'claim' when levels.hl is not null then 'batch' end"""


def _levels(segments: str) -> str:
    return f"(select level, e as hl from {segments} where kind = 277 and tag = 'HL' and level > 0 and len(e) > 1)"


# A claim may be answered several times in one acknowledgement, which may be several transactions.
_NUMBERS = f"""
    select segment_number as line, 1 as part, row_number() over (partition by about, bht04, trn02 order by segment_number) as number
    from (
        select statuses.segment_number, {_ABOUT} as about, headers.e[4] as bht04, claims.e[3] as trn02
        from {FILE} as statuses
        left join (select unit, e from {FILE} where kind = 277 and tag = 'TRN' and unit > 0) as claims on statuses.unit = claims.unit
        left join {_levels(FILE)} as levels on statuses.level = levels.level
        left join ({with_elements(HEADS)}) as headers on statuses.transaction = headers.transaction
        where statuses.kind = 277 and statuses.tag = 'STC'
    ) as answers"""

_STATUSES = f"""(
    select statuses.*, acknowledged.* exclude (unit, transaction, level), sources.* exclude level, headers.* exclude transaction,
        {_ABOUT} as about, coalesce(numbers.number, 1) as number
    from (
        select unit, line, level, transaction, segment_number, e as stc from {SEGMENTS} where kind = 277 and tag = 'STC'
    ) as statuses
    left join {_ACKNOWLEDGED} as acknowledged on statuses.unit = acknowledged.unit
    left join {_levels(SEGMENTS)} as levels on statuses.level = levels.level
    left join {NUMBERS} as numbers on statuses.segment_number = numbers.line
    left join {_SOURCES} as sources on statuses.level = sources.level
    left join {_ANSWER_HEADERS} as headers on statuses.transaction = headers.transaction
)"""

CLAIM_STATUSES = Record(
    277,
    {
        **elements("BHT", "bht", (3, 4)),
        **elements("TRN", "trn", (2,)),
        **elements("REF1K.", "payer_number", (2,)),
        **elements("NM1PR.", "source", (3, 9)),
        "NUMBER": "number",
        "STC02": "stc[3]",
        **{f"STC01.{number}": component("stc[2]", number) for number in (1, 2, 3)},
        "STC03": "stc[4]",
        "STC04": amount("stc[5]"),
        "ABOUT": "about",
    },
    f"{_STATUSES} as rows_of_statuses",
    heads=("tag = 'BHT'",),
    above=_ABOVE,
    numbers=_NUMBERS,
)

_FILES = f"""(
    select isa.interchange, isa.e as isa from {SEGMENTS} as isa where tag = 'ISA' and interchange > 0
)"""

_GROUPS = f"""(
    select functional_group, e as gs from {SEGMENTS} where tag = 'GS' and functional_group > 0
)"""

_GROUP_ANSWERS = f"""(
    select transaction, {first("tag = 'ST'", "st")}, {first("tag = 'AK1'", "ak1")}, {first("tag = 'AK9'", "ak9")},
        count(*) filter (where tag = 'AK2') as answer_count
    from {SEGMENTS} where kind = 999 and transaction > 0 group by transaction
)"""

_ANSWERS = f"""(
    select unit, {first("tag = 'IK5'", "ik5")}, count(*) filter (where tag = 'IK3') as segment_errors,
        count(*) filter (where tag = 'IK4') as element_errors
    from {SEGMENTS} where kind = 999 and unit > 0 group by unit
)"""

TRANSACTION_ANSWERS = Record(
    999,
    {
        **elements("ISA", "isa", (13,)),
        **elements("GS", "gs", (4, 6)),
        **elements("ST", "st", (2,)),
        **elements("AK1", "ak1", (2, 3)),
        **elements("AK2", "ak2", (1, 2, 3)),
        "NUMBER": "case when ak2 is null then 0 else coalesce(number, 1) end",
        "ANSWER": "case when ak2 is null then ak9[2] else ik5[2] end",
        "SEGMENT_ERRORS": "segment_errors",
        "ELEMENT_ERRORS": "element_errors",
        # A group may be answered as a whole, without a word on its transactions.
        "ANSWERED_BY_TRANSACTION": "case when ak2 is null and answer_count > 0 then 'yes' else 'no' end",
    },
    f"""(
    select own.*, answers.* exclude unit, groups.* exclude functional_group, files.* exclude interchange, headers.* exclude transaction,
        numbers.number
    from (
        select -- what belongs to no transaction set is judged with its transaction
            case when tag = 'AK2' then unit else -transaction end as unit, transaction, functional_group, interchange,
            segment_number, case when tag = 'AK2' then e end as ak2
        from {SEGMENTS} where kind = 999 and tag in ('AK1', 'AK2')
    ) as own
    left join {_ANSWERS} as answers on own.unit = answers.unit
    left join {_GROUP_ANSWERS} as headers on own.transaction = headers.transaction
    left join {_GROUPS} as groups on own.functional_group = groups.functional_group
    left join {_FILES} as files on own.interchange = files.interchange
    left join {NUMBERS} as numbers on own.segment_number = numbers.line
) as rows_of_answers""",
    # the first AK2 says that there are any
    heads=("tag = 'ST'", "tag = 'AK1'", "tag = 'AK2'", "tag = 'AK9'"),
    numbers=f"""
    select segment_number as line, 1 as part, row_number() over (partition by transaction order by segment_number) as number
    from {FILE} where kind = 999 and tag = 'AK2'""",
)
