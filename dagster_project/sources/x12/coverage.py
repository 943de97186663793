"""Rows of 834 and 271: who is covered and since when, and what a plan says that it pays for somebody.

Belongs here: which loop and element of ASC X12N 005010X220A1 and X279A1 a cell is. Does not: what cells mean for a feed
(contracts).
"""

from __future__ import annotations

from dagster_project.sources.x12.cells import SEGMENTS, Record, amount, component, dependent, elements, first

_ENROLLING = f"""(
    select transaction, {first("tag = 'N1' and qualifier = 'IN'", "insurer")}
    from {SEGMENTS} where kind = 834 and unit = 0 and transaction > 0 group by transaction
)"""

# What follows the name of somebody else (70, as the name was before; 31, where mail goes) is not the member's.
_PEOPLE = f"""(
    select unit, any_value(transaction) as transaction, min(segment_number) as segment_number,
        {first("tag = 'INS'", "ins")},
        {first("tag = 'REF' and qualifier = '0F'", "subscriber")}, {first("tag = 'REF' and qualifier = '1L'", "policy")},
        {first("tag = 'DTP' and qualifier = '356'", "eligible")}, {first("tag = 'DTP' and qualifier = '357'", "no_longer")},
        {first("tag = 'NM1' and whose in ('IL', '74')", "nm1")}, {first("tag = 'DMG' and whose in ('IL', '74')", "dmg")},
        {first("tag = 'N3' and whose in ('IL', '74')", "n3")}, {first("tag = 'N4' and whose in ('IL', '74')", "n4")}
    from (
        select *, last_value(case when tag = 'NM1' then e[2] end ignore nulls)
            over (partition by unit order by segment_number) as whose
        from {SEGMENTS} where kind = 834 and unit > 0 and line = 0
    ) as segments
    group by unit
)"""

_HEADS = ("tag = 'N1' and qualifier = 'IN' and unit = 0",)

_COVERAGES = f"""(
    select unit, line, min(segment_number) as segment_number, {first("tag = 'HD'", "hd")},
        {first("tag = 'REF' and qualifier = '1L'", "own_policy")},
        {first("tag = 'DTP' and qualifier = '348'", "began")}, {first("tag = 'DTP' and qualifier = '349'", "ended")}
    from {SEGMENTS} where kind = 834 and line > 0 group by unit, line
)"""

_PERSON_CELLS = {
    **elements("INS", "ins", (12,)),
    **elements("REF0F.", "subscriber", (2,)),
    **elements("N1IN.", "insurer", (2, 4)),
    "MEMBER": f"case when ins[2] = 'Y' then subscriber[3] else {dependent('subscriber[3]', 'dmg[3]', 'nm1[5]')} end",
}

PEOPLE = Record(
    834,
    {
        **_PERSON_CELLS,
        **elements("NM1.", "nm1", (3, 4)),
        **elements("DMG", "dmg", (2, 3)),
        **elements("N3.", "n3", (1,)),
        **elements("N4.", "n4", (1, 2, 3)),
    },
    f"""(
    select people.*, headers.* exclude transaction
    from {_PEOPLE} as people left join {_ENROLLING} as headers on people.transaction = headers.transaction
) as rows_of_people""",
    heads=_HEADS,
)

COVERAGES = Record(
    834,
    {
        **_PERSON_CELLS,
        "HD03": "hd[4]",
        "MAINTENANCE": "coalesce(nullif(hd[2], ''), ins[4])",
        "PLAN": "coalesce(nullif(hd[5], ''), concat_ws(' ', coalesce(own_policy[3], policy[3]), hd[4]))",
        # The person's own first day is no coverage's where none is named.
        "FIRST_DATE": "case when hd is not null then coalesce(began[4], eligible[4]) end",
        # A cancellation without a day is no cover without an end.
        "LAST_DATE": "coalesce(ended[4], no_longer[4], case when coalesce(nullif(hd[2], ''), ins[4]) = '024' then '?' end)",
        "STATES": "case when hd is not null or (covers = 0 and ins[4] = '024') then 'coverage' when covers > 0 then 'person' else 'nothing' end",
    },
    # A row for each coverage, and one for what is said of the person, who may leave without a word on his coverages.
    f"""(
    select own.*, people.* exclude (unit, segment_number), headers.* exclude transaction, counts.covers
    from (
        select unit, segment_number, null as hd, null as own_policy, null as began, null as ended from {_PEOPLE} as people
        union all
        select unit, segment_number, hd, own_policy, began, ended from {_COVERAGES} as coverages
        union all
        -- a coverage that follows no person names none, and is set aside
        select 0, segment_number, e, null, null, null from {SEGMENTS} where kind = 834 and tag = 'HD' and unit = 0
    ) as own
    left join {_PEOPLE} as people on own.unit = people.unit
    left join {_ENROLLING} as headers on people.transaction = headers.transaction
    left join (
        select unit, max(line) as covers from {SEGMENTS} where kind = 834 and unit > 0 group by unit
    ) as counts on own.unit = counts.unit
) as rows_of_coverages""",
    heads=_HEADS,
)

# A reply is a hierarchy: who answers, who asked, who is insured, who is covered through him. They follow one another.
_IS_PAYER = "tag = 'NM1' and line = 0 and qualifier in ('PR', '2B', '36', 'GP', 'P5')"
_IS_INSURED = "tag = 'NM1' and line = 0 and qualifier = 'IL'"
_REPLIES = f"""(
    select *, last_value(payer ignore nulls) over above as answering,
        case when hl[4] = '22' then insured else last_value(case when hl[4] = '22' then insured end ignore nulls) over above end
            as through
    from (
        select unit, any_value(transaction) as transaction,
            {first("tag = 'HL'", "hl")}, {first(_IS_PAYER, "payer")},
            {first(_IS_INSURED, "insured")},
            {first("tag = 'NM1' and line = 0 and qualifier = '03'", "covered")}, {first("tag = 'DMG'", "dmg")},
            {first("tag = 'DTP' and line = 0 and qualifier in ('346', '291', '356', '307')", "plan_days")}
        from {SEGMENTS} where kind = 271 and unit > 0 group by unit
    ) as levels
    window above as (partition by transaction order by unit)
)"""

# Who answers and who asked, and the insured: the latest of each, and the latest who has a name.
_ABOVE = f"""
    select segment_number from {SEGMENTS} where kind = 271 and line = 0 and tag in ('HL', 'NM1') and unit in (
        select unnest([
            max(unit) filter (where code = '21'), max(unit) filter (where code = '22'),
            max(unit) filter (where code = '22' and is_insured), max(unit) filter (where is_payer)
        ])
        from (
            select unit, any_value(transaction) as transaction, {first("tag = 'HL'", "hl")}, hl[4] as code,
                bool_or({_IS_INSURED}) as is_insured, bool_or({_IS_PAYER}) as is_payer
            from {SEGMENTS} where kind = 271 and unit > 0 and tag in ('HL', 'NM1') group by unit
        ) as levels
        group by transaction
    )"""

_REPLY_HEADERS = f"""(
    select transaction, {first("tag = 'ST'", "st")}, {first("tag = 'BHT'", "bht")}
    from {SEGMENTS} where kind = 271 and transaction > 0 group by transaction
)"""

_REPLY_ENVELOPES = f"""(
    select groups.functional_group, groups.e as gs, files.e as isa
    from {SEGMENTS} as groups
    left join (select interchange, e from {SEGMENTS} where tag = 'ISA') as files on groups.interchange = files.interchange
    where groups.tag = 'GS' and groups.functional_group > 0
)"""

_AROUND_BENEFITS = f"""(
    select unit, line, {first("tag = 'III' and qualifier = 'ZZ'", "place")}
    from {SEGMENTS} where kind = 271 and line > 0 group by unit, line
)"""

BENEFITS = Record(
    271,
    {
        **elements("ISA", "isa", (13,)),
        **elements("GS", "gs", (6,)),
        **elements("ST", "st", (2,)),
        **elements("BHT", "bht", (3, 4)),
        **elements("NM1PR.", "answering", (3, 9)),
        "NM1IL.09": "through[10]",
        "MEMBER": f"case when hl[4] <> '23' then through[10] else {dependent('through[10]', 'dmg[3]', 'covered[5]')} end",
        "NUMBER": "row_number() over (partition by unit order by segment_number)",
        **elements("EB", "eb", (1, 2, 4, 5, 6, 8, 9, 10, 11, 12)),
        "EB03": "replace(eb[4], chr(30), '^')",
        "EB07": amount("eb[8]"),
        "PLACE_OF_SERVICE": "place[3]",
        "FIRST_DATE": f"case when plan_days[3] = 'RD8' then {component('replace(plan_days[4], chr(45), chr(31))', 1)} else plan_days[4] end",
    },
    f"""(
    select own.*, replies.* exclude (unit, transaction), headers.* exclude transaction,
        envelopes.* exclude functional_group, around.place
    from (
        select unit, line, transaction, functional_group, segment_number, e as eb from {SEGMENTS} where kind = 271 and tag = 'EB'
    ) as own
    left join {_REPLIES} as replies on own.unit = replies.unit
    left join {_REPLY_HEADERS} as headers on own.transaction = headers.transaction
    left join {_REPLY_ENVELOPES} as envelopes on own.functional_group = envelopes.functional_group
    left join {_AROUND_BENEFITS} as around on own.unit = around.unit and own.line = around.line
) as rows_of_benefits""",
    heads=("tag = 'ST'", "tag = 'BHT'"),
    above=_ABOVE,
)
