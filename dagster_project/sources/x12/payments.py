"""Rows of 835: the payment as a whole, what was paid for claims and lines, why not more, and money that belongs to no claim.

Belongs here: which loop and element of ASC X12N 005010X221A1 a cell is. Does not: what cells mean for a feed (contracts).
"""

from __future__ import annotations

from dagster_project.sources.x12.cells import (
    FILE,
    NUMBERS,
    SEGMENTS,
    Record,
    amount,
    component,
    dated,
    exact,
    firsts,
    written,
)

ADJUSTMENTS = 6  # reason, amount and quantity stand up to six times in one CAS, and reason and amount in one PLB

# The header says when it was paid (BPR16), and where that is no date, its claims say nothing wrong of themselves: the day on which
# the remittance was made (DTM405) stands in, and the file is noted (envelopes.py). Where neither is a date, what was sent is judged
# as in any cell. No 835 says when a claim was decided: by the end of the cycle that produced it, and not after it was paid.
_PAID, _MADE = (dated(cell) for cell in ("bpr16", "produced"))
_PAYMENT_HEADERS = f"""(
    select *, coalesce({_PAID}, {_MADE}, bpr16, produced) as paid_on, coalesce(least({_MADE}, {_PAID}), bpr16, produced) as decided_on
    from (
        select transaction,
            {firsts("tag = 'BPR'", bpr02=2, bpr03=3, bpr04=4, bpr16=16)}, {firsts("tag = 'TRN'", trn02=2, trn03=3)},
            {firsts("tag = 'DTM' and qualifier = '405'", produced=2)},
            {firsts("tag = 'N1' and qualifier = 'PR'", payer=4)},
            {firsts("tag = 'N1' and qualifier = 'PE'", payee_qualifier=3, payee=4)}
        from {SEGMENTS} where kind = 835 and unit = 0 and transaction > 0 group by transaction
    ) as headers
)"""

_HEADS = tuple(
    f"unit = 0 and {condition}"
    for condition in (
        "tag = 'BPR'",
        "tag = 'TRN'",
        "tag = 'DTM' and qualifier = '405'",
        "tag = 'N1' and qualifier = 'PR'",
        "tag = 'N1' and qualifier = 'PE'",
    )
)

_CLP = {f"clp{number:02}": number for number in (1, 2, 3, 4, 6, 7)}
_PAYMENTS = f"""(
    select unit, any_value(transaction) as transaction, min(segment_number) as segment_number,
        {firsts("tag = 'CLP'", **_CLP)},
        {firsts("tag = 'NM1' and qualifier = 'QC'", patient=9)},
        {firsts("tag = 'NM1' and qualifier = 'IL'", insured=9)},
        count(*) filter (where tag = 'CAS') as reason_count
    from {SEGMENTS} where kind = 835 and unit > 0 and line = 0 group by unit
)"""

_SERVICES = f"""(
    select unit, line, min(segment_number) as segment_number,
        {firsts("tag = 'SVC'", charge=2, paid=3)},
        {firsts("tag = 'REF' and qualifier = '6R'", control=2)}
    from {SEGMENTS} where kind = 835 and line > 0 group by unit, line
)"""

# What a claim says of itself beside its lines. With the lines it sums to CLP03 and CLP04, whatever the lines say.
_BESIDE_LINES = f"""(
    select unit, count(*) as line_count, sum({exact("e[3]")}) as charge, sum({exact("e[4]")}) as paid
    from {SEGMENTS} where kind = 835 and tag = 'SVC' and line > 0 group by unit
)"""


# The first day of service that a payer names of a claim, beside its lines (DTM 232) or with them. A day that is none is not said: it
# takes no payment with it.
_FIRST_DAYS = f"""(
    select unit, min({dated("e[3]")}) as first_day
    from {SEGMENTS} where kind = 835 and tag = 'DTM' and qualifier in ('232', '150', '472') and unit > 0 group by unit
)"""


def _each(there: str) -> str:
    """1 and so on, one row for each of those that a segment has room for; the first stands whatever it holds."""
    return f"unnest(range(1, least({ADJUSTMENTS}, greatest(1, {there})) + 1))"


_REASONS = f"""(
    select unit, line, transaction, segment_number, e[2] as group_code, {_each("len(e) // 3")} as number, e
    from {SEGMENTS} where kind = 835 and tag = 'CAS'
)"""

_PATIENTS_SHARE = f"""(
    select unit, line,
        {
    ", ".join(
        written(f"sum({exact('e[number * 3 + 1]')}) filter (where e[number * 3] = '{reason}')") + f" as pr{reason}"
        for reason in (1, 2, 3)
    )
}
    from {_REASONS} as reasons
    where unit > 0 and group_code = 'PR' and e[number * 3] in ('1', '2', '3') group by unit, line
)"""

_HEADER_CELLS = {
    "TRN02": "trn02",
    "TRN03": "trn03",
    "BPR02": "bpr02",
    "BPR03": "bpr03",
    "BPR04": "bpr04",
    "DTM405.02": "produced",
    "PAID_DATE": "paid_on",
    "DECIDED_DATE": "decided_on",
    "N1PR.04": "payer",
}
_CLAIM_CELLS = {
    **{called.upper(): called for called in _CLP if called not in ("clp03", "clp04")},
    "NM1QC.09": "patient",
    "NM1IL.09": "insured",
    # Of several payments of one claim in one remittance (a reversal and its correction) each has its number.
    "ITERATION": "iteration",
}
_ITERATIONS = f"""
    select segment_number as line, 1 as part,
        row_number() over (partition by transaction, nullif(e[2], '') order by segment_number) as number
    from {FILE} where kind = 835 and tag = 'CLP'"""
_NUMBERED = f"""(
    select payments.*, coalesce(numbers.number, 1) as iteration
    from {_PAYMENTS} as payments left join {NUMBERS} as numbers on payments.segment_number = numbers.line
)"""

# One BPR opens one transaction. It stands for itself: claims that are set aside do not take it with them, so that what was
# paid and not explained is seen.
PAYMENTS = Record(
    835,
    {
        **_HEADER_CELLS,
        "BPR02": amount("bpr02"),
        # A payee's number may be a tax number (FI), and a tax number a person's (SSN): a national provider id alone is read.
        "PAYEE_NPI": "case when payee_qualifier = 'XX' then payee end",
    },
    f"""(
    select headers.* exclude (transaction, bpr02), own.* exclude transaction
    from (select -transaction as unit, segment_number, e[3] as bpr02, transaction from {SEGMENTS} where kind = 835 and tag = 'BPR') as own
    left join {_PAYMENT_HEADERS} as headers on own.transaction = headers.transaction
) as rows_of_remittances""",
    heads=_HEADS,
    stands_apart=("BPR",),
)

PAYMENT_LINES = Record(
    835,
    {
        **_HEADER_CELLS,
        **_CLAIM_CELLS,
        "LINE": "line",
        "CHARGE": amount("charge"),
        "PAID": amount("paid"),
        # A payment says all that it does not pay: a share of the patient's that it does not name is none.
        **{f"PR{reason}": f"coalesce(pr{reason}, '0')" for reason in (1, 2, 3)},
        "REF6R.02": "control",
        "ADJUSTED_BESIDE_LINES": "adjusted_beside_lines",
        "FIRST_DATE": "first_day",
    },
    f"""(
    select claims.* exclude unit, headers.* exclude transaction, own.*, shares.* exclude (unit, line), days.first_day
    from (
        select payments.unit, 0 as line, payments.segment_number as place,
            case when payments.reason_count = 0 and sums.line_count > 0
                and {exact("clp03")} = sums.charge and {exact("clp04")} = sums.paid then 'no' else 'yes'
            end as adjusted_beside_lines,
            -- text as sent where nothing stands beside it, so that it is judged as any other amount
            case when sums.unit is null then clp03 when {exact("clp03")} = sums.charge then '0' else {written(f"({exact('clp03')} - sums.charge)")} end as charge,
            case when sums.unit is null then clp04 when {exact("clp04")} = sums.paid then '0' else {written(f"({exact('clp04')} - sums.paid)")} end as paid,
            cast(null as varchar) as control
        from {_PAYMENTS} as payments left join {_BESIDE_LINES} as sums on payments.unit = sums.unit
        union all
        select unit, line, segment_number, 'yes', charge, paid, control from {_SERVICES} as services
        union all
        -- A service that follows no claim names none, and is set aside; what was paid for it stands in some claim's CLP04.
        select 0, 0, segment_number, 'yes', e[3], null, null from {SEGMENTS} where kind = 835 and unit = 0 and tag = 'SVC'
    ) as own
    left join {_NUMBERED} as claims on own.unit = claims.unit
    left join {_PAYMENT_HEADERS} as headers on claims.transaction = headers.transaction
    left join {_PATIENTS_SHARE} as shares on own.unit = shares.unit and own.line = shares.line
    left join {_FIRST_DAYS} as days on own.unit = days.unit
) as rows_of_payment""",
    line="place",
    heads=_HEADS,
    numbers=_ITERATIONS,
)

PAYMENT_ADJUSTMENTS = Record(
    835,
    {
        **_HEADER_CELLS,
        "CLP01": "clp01",
        "CLP02": "clp02",
        "CLP07": "clp07",
        "ITERATION": "iteration",
        "LINE": "line",
        # Adjustments of a claim or line are numbered through all of its CAS segments.
        "NUMBER": "row_number() over (partition by unit, line order by segment_number, number)",
        "CAS01": "group_code",
        "REASON": "e[number * 3]",
        "AMOUNT": amount("e[number * 3 + 1]"),
        "QUANTITY": "e[number * 3 + 2]",
        "REMARK": "case when number = 1 then remark end",
        "REF6R.02": "control",
    },
    f"""(
    select reasons.* exclude transaction, claims.* exclude (unit, segment_number), headers.* exclude transaction, around.remark, around.control
    from {_REASONS} as reasons
    left join {_NUMBERED} as claims on reasons.unit = claims.unit
    left join {_PAYMENT_HEADERS} as headers on claims.transaction = headers.transaction
    left join (
        select unit, line, {firsts("tag = 'LQ' and qualifier = 'HE'", remark=2)},
            {firsts("tag = 'REF' and qualifier = '6R' and line > 0", control=2)}
        from {SEGMENTS} where kind = 835 and unit > 0 group by unit, line
    ) as around on reasons.unit = around.unit and reasons.line = around.line
    where reasons.number = 1 or concat(e[reasons.number * 3], e[reasons.number * 3 + 1]) <> ''
) as rows_of_reasons""",
    heads=_HEADS,
    numbers=_ITERATIONS,
    part="number",
)

_SAID_BESIDE = "(number = 1 or concat(e[number * 2 + 2], e[number * 2 + 3]) <> '')"


def _beside(segments: str) -> str:
    return f"""(
        select transaction, -transaction as unit, segment_number, {_each("len(e) // 2 - 1")} as number, e
        from {segments} where kind = 835 and tag = 'PLB'
    )"""


PROVIDER_ADJUSTMENTS = Record(
    835,
    {
        **_HEADER_CELLS,
        "NUMBER": "coalesce(counted, 1)",
        "REASON": component("e[number * 2 + 2]", 1),
        "REFERENCE": component("e[number * 2 + 2]", 2),
        "AMOUNT": amount("e[number * 2 + 3]"),
    },
    f"""(
    select adjustments.* exclude transaction, adjustments.transaction, headers.* exclude transaction
    from (
        select beside.*, numbers.number as counted
        from {_beside(SEGMENTS)} as beside
        left join {NUMBERS} as numbers on segment_number = numbers.line and beside.number = numbers.part
    ) as adjustments
    left join {_PAYMENT_HEADERS} as headers on adjustments.transaction = headers.transaction
    where {_SAID_BESIDE}
) as rows_of_adjustments""",
    heads=_HEADS,
    numbers=f"""
    select segment_number as line, number as part, row_number() over (partition by transaction order by segment_number, number) as number
    from (from {_beside(FILE)} as beside where {_SAID_BESIDE})""",
    part="number",
    stands_apart=("PLB",),
)
