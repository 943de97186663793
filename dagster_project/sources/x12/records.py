"""Rows of the feeds from the segments of X12: one statement for each kind of row, over a table of segments.

Belongs here: which loop and element of the implementation guides (ASC X12N 005010X222A2, X223A3, X221A1) a cell is.
Does not: what cells mean for a feed (the contracts' layouts), whether envelopes hold (envelopes.py).

A statement gives line (number of the segment that the row is named after), part (which of several rows on that segment),
unit, transaction, and c, the cells in the order of the record's columns; a cell that is not there is NULL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from dagster_project.sources.x12.segments import Segments

SEGMENTS = "x12_segments"
ADJUSTMENTS = 6  # reason, amount and quantity stand up to six times in one CAS, and reason and amount in one PLB
DIAGNOSES, PROCEDURES, MODIFIERS = 10, 6, 4


@dataclass(frozen=True)
class Record:
    """One kind of row: the transaction it is read from, its columns, and where they come from."""

    kind: int
    cells: Mapping[str, str]
    source: str
    line: str = "segment_number"
    part: str = "1"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.cells)

    def statement(self) -> str:
        cells = ", ".join(f"cast({cell} as varchar)" for cell in self.cells.values())
        return (
            f"select {self.line} as line, {self.part} as part, unit, transaction, "
            f"list_transform([{cells}], lambda cell: nullif(cell, '')) as c from {self.source}"
        )


def take_segments(con: duckdb.DuckDBPyConnection, blocks: Iterable[bytes]) -> int:
    """Makes the table SEGMENTS; returns how many bytes belong to no segment. Raises NotX12."""
    segments = Segments(blocks)
    reader = segments.reader()  # noqa: F841 (DuckDB reads it by its name)
    con.execute(
        f"create or replace temp table {SEGMENTS} as "
        "select * exclude text, string_split(text, chr(29))[1] as tag, string_split(text, chr(29)) as e from reader"
    )
    return segments.loose_bytes


def _elements(prefix: str, of: str, numbers: Iterable[int]) -> dict[str, str]:
    """`CLP01: clp[2]`: the tag itself is the first of a segment's elements."""
    return {f"{prefix}{number:02}": f"{of}[{number + 1}]" for number in numbers}


def _first(condition: str, called: str) -> str:
    """The first segment of a group for which something holds."""
    return f"min_by(e, segment_number) filter (where {condition}) as {called}"


def _part(cell: str, number: int) -> str:
    return f"string_split({cell}, chr(31))[{number}]"


# An amount as the standard writes it: no commas, no exponents, no sign but a minus in front.
AMOUNT = "-?([0-9]{1,18}([.][0-9]{0,10})?|[.][0-9]{1,10})"


def _exact(cell: str) -> str:
    """An amount for a sum. What is no amount counts nothing here, and its row is set aside for itself."""
    return f"case when regexp_full_match({cell}, '{AMOUNT}') then cast({cell} as decimal(38, 10)) else 0 end"


def _amount(cell: str) -> str:
    """An amount as sent, or a sign that no amount is read from."""
    return f"case when nullif({cell}, '') is null or regexp_full_match({cell}, '{AMOUNT}') then {cell} else '?' end"


def _text(amount: str) -> str:
    """As a sender would write it, with no more decimals than it has."""
    return f"rtrim(rtrim(cast({amount} as varchar), '0'), '.')"


# --- 835: payments of claims -------------------------------------------------------------------------------------------

_PAYMENT_HEADERS = f"""(
    select transaction,
        {_first("tag = 'BPR'", "bpr")}, {_first("tag = 'TRN'", "trn")},
        {_first("tag = 'DTM' and e[2] = '405'", "produced")},
        {_first("tag = 'N1' and e[2] = 'PR'", "payer")}, {_first("tag = 'N1' and e[2] = 'PE'", "payee")}
    from {SEGMENTS} where kind = 835 and unit = 0 and transaction > 0 group by transaction
)"""

_PAYMENTS = f"""(
    select unit, any_value(transaction) as transaction, min(segment_number) as segment_number,
        {_first("tag = 'CLP'", "clp")},
        {_first("tag = 'NM1' and e[2] = 'QC'", "patient")}, {_first("tag = 'NM1' and e[2] = 'IL'", "insured")},
        {_first("tag = 'DTM' and e[2] = '050'", "received")},
        {_first("tag = 'DTM' and e[2] in ('232', '472')", "began")}, {_first("tag = 'DTM' and e[2] = '233'", "ended")},
        count(*) filter (where tag = 'CAS') as reason_count
    from {SEGMENTS} where kind = 835 and unit > 0 and line = 0 group by unit
)"""

_SERVICES = f"""(
    select unit, line, any_value(transaction) as transaction, min(segment_number) as segment_number,
        {_first("tag = 'SVC'", "svc")},
        {_first("tag = 'DTM' and e[2] in ('472', '150')", "began")},
        {_first("tag = 'REF' and e[2] = '6R'", "control")}
    from {SEGMENTS} where kind = 835 and line > 0 group by unit, line
)"""

# What a claim says of itself beside its lines. With the lines it sums to CLP03 and CLP04, whatever the lines say.
_BESIDE_LINES = f"""(
    select unit, count(*) as line_count, sum({_exact("e[3]")}) as charge, sum({_exact("e[4]")}) as paid
    from {SEGMENTS} where kind = 835 and tag = 'SVC' and line > 0 group by unit
)"""

_REASONS = f"""(
    select unit, line, transaction, segment_number, e[2] as group_code, unnest(range(1, {ADJUSTMENTS + 1})) as number, e
    from {SEGMENTS} where kind = 835 and tag = 'CAS'
)"""

_PATIENTS_SHARE = f"""(
    select unit, line,
        {
    ", ".join(
        _text(f"sum({_exact('e[number * 3 + 1]')}) filter (where group_code = 'PR' and e[number * 3] = '{reason}')")
        + f" as pr{reason}"
        for reason in (1, 2, 3)
    )
}
    from {_REASONS} as reasons where unit > 0 group by unit, line
)"""

_HEADER_CELLS = {
    **_elements("TRN", "trn", (2, 3)),
    **_elements("BPR", "bpr", (2, 16)),
    **_elements("DTM405.", "produced", (2,)),
    **_elements("N1PR.", "payer", (2, 4)),
    **_elements("N1PE.", "payee", (4,)),
}
_CLAIM_CELLS = {
    **_elements("CLP", "clp", range(1, 15)),
    **_elements("NM1QC.", "patient", (3, 4, 9)),
    **_elements("NM1IL.", "insured", (9,)),
    **_elements("DTM050.", "received", (2,)),
    # Of several payments of one claim in one remittance (a reversal and its correction) each has its number.
    "ITERATION": "iteration",
}
_NUMBERED = f"""(
    select *, row_number() over (partition by transaction, clp[2] order by segment_number) as iteration
    from {_PAYMENTS} as payments
)"""

PAYMENT_LINES = Record(
    835,
    {
        **_HEADER_CELLS,
        **_CLAIM_CELLS,
        "LINE": "line",
        "CHARGE": _amount("charge"),
        "PAID": _amount("paid"),
        "PR1": "pr1",
        "PR2": "pr2",
        "PR3": "pr3",
        "SERVICE_DATE": "coalesce(service_date, began[3])",
        "ADJUSTED_BESIDE_LINES": "adjusted_beside_lines",
    },
    f"""(
    select claims.* exclude unit, headers.* exclude transaction, own.*, shares.* exclude (unit, line)
    from (
        select payments.unit, 0 as line, payments.segment_number as place,
            case when payments.reason_count = 0 and sums.line_count > 0
                and {_exact("clp[4]")} = sums.charge and {_exact("clp[5]")} = sums.paid then 'no' else 'yes'
            end as adjusted_beside_lines,
            -- text as sent where nothing stands beside it, so that it is judged as any other amount
            case when sums.unit is null then clp[4] else {_text(f"{_exact('clp[4]')} - sums.charge")} end as charge,
            case when sums.unit is null then clp[5] else {_text(f"{_exact('clp[5]')} - sums.paid")} end as paid,
            cast(null as varchar) as service_date
        from {_PAYMENTS} as payments left join {_BESIDE_LINES} as sums on payments.unit = sums.unit
        union all
        select unit, line, segment_number, 'yes', svc[3], svc[4], began[3] from {_SERVICES} as services
        union all
        -- A service that follows no claim names none, and is set aside; what was paid for it stands in some claim's CLP04.
        select 0, 0, segment_number, 'yes', e[3], null, null from {SEGMENTS} where kind = 835 and unit = 0 and tag = 'SVC'
    ) as own
    left join {_NUMBERED} as claims on own.unit = claims.unit
    left join {_PAYMENT_HEADERS} as headers on claims.transaction = headers.transaction
    left join {_PATIENTS_SHARE} as shares on own.unit = shares.unit and own.line = shares.line
) as rows_of_payment""",
    line="place",
)

PAYMENT_ADJUSTMENTS = Record(
    835,
    {
        **_HEADER_CELLS,
        **_elements("CLP", "clp", (1, 2, 7)),
        "ITERATION": "iteration",
        "LINE": "line",
        # Adjustments of a claim or line are numbered through all of its CAS segments.
        "NUMBER": "row_number() over (partition by unit, line order by segment_number, number)",
        "CAS01": "group_code",
        "REASON": "e[number * 3]",
        "AMOUNT": _amount("e[number * 3 + 1]"),
        "QUANTITY": "e[number * 3 + 2]",
        "REMARK": "case when number = 1 then remark end",
    },
    f"""(
    select reasons.* exclude transaction, claims.* exclude (unit, segment_number), headers.* exclude transaction, remarks.remark
    from {_REASONS} as reasons
    left join {_NUMBERED} as claims on reasons.unit = claims.unit
    left join {_PAYMENT_HEADERS} as headers on claims.transaction = headers.transaction
    left join (
        select unit, line, {_first("tag = 'LQ' and e[2] = 'HE'", "said")}, said[3] as remark
        from {SEGMENTS} where kind = 835 and unit > 0 group by unit, line
    ) as remarks on reasons.unit = remarks.unit and reasons.line = remarks.line
    where reasons.number = 1 or concat(e[reasons.number * 3], e[reasons.number * 3 + 1]) <> ''
) as rows_of_reasons""",
    part="number",
)

PROVIDER_ADJUSTMENTS = Record(
    835,
    {
        **_HEADER_CELLS,
        "NUMBER": "row_number() over (partition by transaction order by segment_number, number)",
        "PLB01": "e[2]",
        "PLB02": "e[3]",
        "REASON": _part("e[number * 2 + 2]", 1),
        "REFERENCE": _part("e[number * 2 + 2]", 2),
        "AMOUNT": _amount("e[number * 2 + 3]"),
    },
    f"""(
    select adjustments.* exclude transaction, adjustments.transaction, headers.* exclude transaction
    from (
        select transaction, 0 as unit, segment_number, unnest(range(1, {ADJUSTMENTS + 1})) as number, e
        from {SEGMENTS} where kind = 835 and tag = 'PLB'
    ) as adjustments
    left join {_PAYMENT_HEADERS} as headers on adjustments.transaction = headers.transaction
    where number = 1 or concat(e[number * 2 + 2], e[number * 2 + 3]) <> ''
) as rows_of_adjustments""",
    part="number",
)

# --- 837: claims ---------------------------------------------------------------------------------------------------------

# A claim hangs on a level of the hierarchy: its patient's, below the insured's, below the biller's. They follow one another.
_LEVELS = f"""(
    select *,
        max(case when hl[4] = '20' then level end) over above as biller_level,
        max(case when hl[4] = '22' then level end) over above as insured_level
    from (
        select level, any_value(transaction) as transaction,
            {_first("tag = 'HL'", "hl")}, {_first("tag = 'SBR'", "sbr")}, {_first("tag = 'DMG'", "dmg")},
            {_first("tag = 'NM1' and e[2] = '85'", "biller")}, {_first("tag = 'NM1' and e[2] = 'IL'", "insured")},
            {_first("tag = 'NM1' and e[2] = 'PR'", "payer")}, {_first("tag = 'NM1' and e[2] = 'QC'", "patient")}
        from {SEGMENTS} where kind = 837 and level > 0 and unit = 0 group by level
    ) as levels
    window above as (partition by transaction order by level)
)"""

# Loops of other payers begin with SBR: what they say of people and dates is not of this claim.
_OTHER_PAYERS = f"""(
    select unit, min(segment_number) as first_place,
        sum({_exact("e[3]")}) filter (where tag = 'AMT' and e[2] = 'D') as paid
    from {SEGMENTS} where kind = 837 and unit > 0 and line = 0 and tag in ('SBR', 'AMT')
    group by unit having count(*) filter (where tag = 'SBR') > 0
)"""

_CLAIMS = f"""(
    select s.unit, any_value(s.transaction) as transaction, any_value(s.level) as level,
        min(s.segment_number) as segment_number, any_value(others.paid) as prior_paid,
        {_first("tag = 'CLM'", "clm")}, {_first("tag = 'CL1'", "cl1")},
        {_first("tag = 'DTP' and e[2] = '434'", "statement")}, {_first("tag = 'DTP' and e[2] = '435'", "admitted")},
        {_first("tag = 'REF' and e[2] = 'F8'", "payer_number")}, {_first("tag = 'REF' and e[2] = 'G1'", "authorized")},
        {_first("tag = 'NM1' and e[2] = '82'", "renderer")}, {_first("tag = 'NM1' and e[2] = '77'", "facility")},
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
        select unit, line, {_first("tag = 'LX'", "lx")},
            {_first("tag = 'DTP' and e[2] = '472'", "served")}, {_first("tag = 'REF' and e[2] = '6R'", "control")},
            {_first("tag = 'NM1' and e[2] = '82'", "line_renderer")}
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
    return {f"{called}{number}": _part(f"{found}[{number}]", 2) for number in range(1, count + 1)}


_CLAIM_HEADERS = f"""(
    select transaction, {_first("tag = 'BHT'", "bht")}, {_first("tag = 'ST'", "st")}
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
    **_elements("BHT", "bht", (3, 4)),
    "CLM01": "clm[2]",
    "CLM02": _amount("clm[3]"),
    **{f"CLM05.{number}": _part("clm[6]", number) for number in (1, 2, 3)},
    "NM185.09": "biller[10]",
    "NM182.09": "renderer[10]",
    "NM177.09": "facility[10]",
    "NM1IL.09": "insured[10]",
    # Whoever is not insured himself has no number of his own: the insured's, his day of birth and his given name are his.
    "PATIENT": "case when hl[4] = '23' then concat_ws('|', insured[10], patient_dmg[3], upper(patient[5])) else insured[10] end",
    "NM1PR.03": "payer[4]",
    "NM1PR.09": "payer[10]",
    **_elements("SBR", "sbr", (1, 9)),
}

CLAIMS = Record(
    837,
    {
        **_SENT_CELLS,
        "REFF8.02": "payer_number[3]",
        "REFG1.02": "authorized[3]",
        **_elements("CL1", "cl1", (1, 2, 3)),
        "BILL_TYPE": f"case when st[4] like '%X223%' then {_part('clm[6]', 1)} || {_part('clm[6]', 3)} end",
        "FIRST_DATE": f"coalesce({_day('statement', 1)}, first_service)",
        "LAST_DATE": f"coalesce({_day('statement', 2)}, last_service)",
        "ADMISSION_DATE": _day("admitted", 1),
        "PRIOR_PAID": _text("prior_paid"),
        "DIAGNOSIS_QUALIFIER": _part(
            "list_filter(codes, lambda code: string_split(code, chr(31))[1] in ('ABK', 'BK'))[1]", 1
        ),
        **_codes("'ABK', 'BK', 'ABF', 'BF'", DIAGNOSES, "DIAGNOSIS"),
        "PROCEDURE_QUALIFIER": _part(
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
        "CODE_QUALIFIER": _part("coalesce(sv1[2], sv2[3])", 1),
        "CODE": _part("coalesce(sv1[2], sv2[3])", 2),
        **{f"MODIFIER{number}": _part("coalesce(sv1[2], sv2[3])", number + 2) for number in range(1, MODIFIERS + 1)},
        "REVENUE_CODE": "sv2[2]",
        "CHARGE": _amount("coalesce(sv1[3], sv2[4])"),
        "QUANTITY": "coalesce(sv1[5], sv2[6])",
        "PLACE_OF_SERVICE": f"case when sv1 is not null then coalesce(nullif(sv1[6], ''), {_part('clm[6]', 1)}) end",
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

# What a contract's layout may read, by the name that it gives there.
RECORDS = {
    "claim": CLAIMS,
    "claim_line": CLAIM_LINES,
    "payment_line": PAYMENT_LINES,
    "payment_adjustment": PAYMENT_ADJUSTMENTS,
    "provider_adjustment": PROVIDER_ADJUSTMENTS,
}
