"""What is broken in X12: envelopes whose counts are wrong, units that lack what they need, segments that nobody knows.

Belongs here: which units are set aside and why, the smallest that a fault reaches, and what is told of the file. Does not:
values of elements, which are judged like any cell; rows (records.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from dagster_project.sources.x12.cells import FILE, READ, SEGMENTS, dated, exact

# unit, reason_code: one row for each unit that is set aside. What belongs to no unit is judged with its transaction, whose
# number stands in the unit's place as a negative one.
DAMAGE = "x12_damage"
# transaction, kind, functional_group, last_unit, version, and what is wrong with its end.
TRANSACTIONS = "x12_transactions"

# Segments of the implementation guides, ASC X12N 005010X222A2 and X223A3 (837), X221A1 (835), X220A1 (834),
# X279A1 (271), X214 (277CA), X231A1 (999).
KNOWN_TAGS = {
    837: "ST BHT HL NM1 N3 N4 PER REF PRV CUR SBR PAT DMG CLM DTP CL1 PWK CN1 AMT K3 NTE CR1 CR2 CR3 CRC HI HCP OI MIA "
    "MOA LX SV1 SV2 SV5 SVD CAS LIN CTP LQ FRM MEA QTY PS1 SE",
    835: "ST BPR TRN CUR REF DTM N1 N3 N4 PER RDM LX TS3 TS2 CLP CAS NM1 MIA MOA AMT QTY SVC LQ PLB SE",
    834: "ST BGN REF DTP QTY N1 ACT INS NM1 PER N3 N4 DMG EC ICM AMT HLH LUI DSB HD IDC LX PLA COB LS LE SE",
    271: "ST BHT HL NM1 TRN REF N3 N4 PER AAA PRV DMG INS HI DTP MPI EB HSD MSG III LS LE SE",
    277: "ST BHT HL NM1 TRN STC QTY AMT DTP REF SVC SE",
    999: "ST AK1 AK2 IK3 CTX IK4 IK5 AK9 SE",
}
VERSIONS = {
    837: ("005010X222A1", "005010X222A2", "005010X223A2", "005010X223A3"),
    835: ("005010X221A1",),
    834: ("005010X220", "005010X220A1"),
    271: ("005010X279", "005010X279A1"),
    277: ("005010X214",),  # X212, the answer to an inquiry (276), is another transaction of the same number
    999: ("005010X231", "005010X231A1"),
}

# The level on which an insured hangs: who bills, who asked.
ABOVE_INSURED = {837: "20", 271: "21"}

# Reasons by which units are set aside, the strongest first.
REASONS = (
    "no_transaction",
    "other_version",
    "wrong_segment_count",
    "wrong_control_number",
    "cut_off",
    "unknown_segment",
    "missing_segment",
    "broken_hierarchy",
)


def find_transactions(con: duckdb.DuckDBPyConnection) -> None:
    """Makes the table TRANSACTIONS of all kinds: what is told of a whole transaction. Once for a file, since a part has not all of one."""
    con.execute(f"""
        create or replace temp table {TRANSACTIONS} as
        with counted as (
            select transaction, min(kind) as kind, max(functional_group) as functional_group, max(unit) as last_unit,
                -- segments follow one another, and of some records not all are at hand (Record.stands_apart)
                max(segment_number) - min(segment_number) + 1 as segment_count,
                min(level) filter (where level > 0) as first_level,
                min(segment_number) filter (where tag = 'ST') as opened, min(segment_number) filter (where tag = 'SE') as closed
            from {READ} where transaction > 0 group by transaction
        ),
        groups as (
            select functional_group, min(segment_number) as opened
            from {READ} where tag = 'GS' and functional_group > 0 group by functional_group
        ),
        control as (select segment_number, e from {FILE} where tag in ('GS', 'ST', 'SE')),
        told as (
            select counted.* exclude (opened, closed), coalesce(nullif(gs.e[9], ''), st.e[4], '') as version, se.e is null as is_open,
                se.e is not null and try_cast(se.e[2] as bigint) is distinct from segment_count as is_miscounted,
                se.e is not null and se.e[3] is distinct from st.e[3] as is_misnumbered
            from counted left join groups using (functional_group)
            left join control as gs on groups.opened = gs.segment_number
            left join control as st on counted.opened = st.segment_number
            left join control as se on closed = se.segment_number
        ),
        with_gaps as (
            select transaction from {FILE} inner join told using (transaction)
            where tag = 'HL' and is_miscounted
            group by transaction having bool_or(try_cast(e[2] as bigint) is distinct from level - first_level + 1)
        )
        select told.* exclude (segment_count, first_level), with_gaps.transaction is not null as lacks_levels
        from told left join with_gaps using (transaction)
        order by transaction
    """)


def find_damage(con: duckdb.DuckDBPyConnection, kind: int) -> None:
    """Makes the table DAMAGE for the transactions of one kind, as far as SEGMENTS go."""
    known = ", ".join(f"'{tag}'" for tag in KNOWN_TAGS[kind].split())
    versions = ", ".join(f"'{version}'" for version in VERSIONS[kind])
    order = ", ".join(f"'{reason}'" for reason in REASONS)
    con.execute(f"""
        create or replace temp table {DAMAGE} as
        with transactions as (
            select * from {TRANSACTIONS} where kind = {kind} and transaction between
                (select min(transaction) from {SEGMENTS} where transaction > 0) and (select max(transaction) from {SEGMENTS})
        ),
        others as (select transaction from transactions where version not in ({versions})),
        miscounted as (select transaction from transactions where is_miscounted),
        misnumbered as (select transaction from transactions where is_misnumbered),
        balanced as ({_balanced(kind)}),
        units as (
            select unit, any_value(transaction) as transaction, any_value(level) as level,
                count(*) filter (where tag not in ({known})) as unknown_count, {_needed(kind)} as is_whole
            from {SEGMENTS} where kind = {kind} and unit > 0 group by unit
        ),
        faults as (
            select unit, 'no_transaction' as reason_code from units where transaction = 0
            union all
            select unit, 'other_version' from units inner join others using (transaction)
            union all
            select -transaction, 'other_version' from others
            union all
            select unit, 'wrong_segment_count' from units inner join miscounted using (transaction)
            where unit not in (select unit from balanced)
            union all
            select unit, 'wrong_control_number' from units inner join misnumbered using (transaction)
            union all
            select last_unit, 'cut_off' from transactions where is_open and last_unit > 0
            {_answered_as_a_whole(kind)}
            union all
            select unit, 'unknown_segment' from units where unknown_count > 0
            union all
            select unit, 'missing_segment' from units where not is_whole
            {_hierarchy(kind)}
        )
        select unit, [{order}][min(list_position([{order}], reason_code))] as reason_code
        from faults group by unit
    """)


def _answered_as_a_whole(kind: int) -> str:
    """A 999 that lost its answers looks like one that answers a group as a whole, which is of no unit. A payment as a whole
    and what stands beside its claims (835) prove nothing of the rest, and stand."""
    if kind != 999:
        return ""
    return """
            union all
            select -transaction, 'wrong_segment_count' from miscounted
            union all
            select -transaction, 'wrong_control_number' from misnumbered
            union all
            select -transaction, 'cut_off' from transactions where is_open"""


def _needed(kind: int) -> str:
    """A claim has lines, and each of them one service; a payment says whose it is; an answer has a result."""
    if kind == 837:
        lines, services = "count(*) filter (where tag = 'LX')", "filter (where tag in ('SV1', 'SV2'))"
        return f"{lines} > 0 and {lines} = count(*) {services} and {lines} = count(distinct line) {services}"
    return {
        835: "count(*) filter (where tag = 'NM1' and qualifier = 'QC') > 0",
        834: "count(*) filter (where tag = 'NM1' and qualifier in ('IL', '74')) > 0",
        271: "true",
        277: "true",  # a status is a row; what has none gives no row
        999: "count(*) filter (where tag = 'IK5') = 1",
    }[kind]


def _balanced(kind: int) -> str:
    """Of transactions that count other segments than there are, the claims that prove themselves whole.

    Many senders miscount by one. A payment is whole where its lines and itself balance to the cent and sum to each other; a
    claim where its lines sum to its charge, and no level is missing on which it may hang. Nothing else can prove itself.
    """
    of_miscounted = f"from {SEGMENTS} where kind = {kind} and transaction in (select transaction from miscounted)"
    if kind == 835:
        taken = " + ".join(exact(f"e[{place}]") for place in range(4, 20, 3))
        return f"""
            select unit from (
                select unit, line, min_by(e, segment_number) filter (where tag = 'CLP') as clp,
                    sum({exact("e[3]")}) filter (where tag = 'SVC') as charge,
                    sum({exact("e[4]")}) filter (where tag = 'SVC') as paid,
                    coalesce(sum({taken}) filter (where tag = 'CAS'), 0) as taken
                {of_miscounted} and unit > 0 group by unit, line
            ) as parts
            group by unit
            having bool_and(line = 0 or charge - taken = paid)
                and max({exact("clp[4]")}) filter (where line = 0) - sum(taken) = max({exact("clp[5]")}) filter (where line = 0)
                and coalesce(sum(charge) = max({exact("clp[4]")}) filter (where line = 0), true)"""
    if kind == 837:
        return f"""
            select unit
            from (
                select unit, any_value(transaction) as transaction, max({exact("e[3]")}) filter (where tag = 'CLM') as charge,
                    sum(case tag when 'SV1' then {exact("e[3]")} when 'SV2' then {exact("e[4]")} end) as of_lines
                {of_miscounted} and unit > 0 group by unit
            ) as claims
            where charge = of_lines and transaction not in (select transaction from transactions where lacks_levels)"""
    return "select cast(null as bigint) as unit where false"


def notes_on(con: duckdb.DuckDBPyConnection, loose_bytes: int, kinds: Iterable[int]) -> list[str]:
    """What is wrong with the file around its transactions, by name: it sets nothing aside, and a person has to see it.

    `kinds` are those that some feed reads.
    """
    wanted = ", ".join(map(str, sorted(kinds)))
    versions = ", ".join(f"'{version}'" for version in VERSIONS[277])
    found = con.execute(f"""
        with interchanges as ({_closed("interchange", "ISA", "IEA", "GS")}),
        groups as ({_closed("functional_group", "GS", "GE", "ST")}),
        notes as (
            select case when closing is null then 'interchange_not_closed'
                when try_cast(closing[2] as bigint) is distinct from inner_count then 'wrong_group_count'
                when closing[3] is distinct from opening[14] then 'wrong_interchange_control_number' end as note
            from interchanges
            union all
            select case when closing is null then 'group_not_closed'
                when try_cast(closing[2] as bigint) is distinct from inner_count then 'wrong_transaction_count'
                when closing[3] is distinct from opening[7] then 'wrong_group_control_number' end
            from groups
            union all
            select case when kind not in ({wanted})
                    or (kind = 277 and version not in ({versions})) then 'transaction_not_wanted'
                when is_open then 'transaction_not_closed'
                when is_miscounted then 'wrong_segment_count'
                when is_misnumbered then 'wrong_control_number' end
            from {TRANSACTIONS}
            union all
            select 'wrong_payment_date' from {FILE} where kind = 835 and tag = 'BPR' and e[17] <> '' and {dated("e[17]")} is null
            union all
            select 'loose_segments' from {READ}
            where transaction = 0 and tag not in ('ISA', 'TA1', 'GS', 'GE', 'IEA')
                or interchange = 0 or (functional_group = 0 and transaction > 0)
            union all
            select 'loose_bytes' where {loose_bytes} > 0
        )
        select distinct note from notes where note is not null order by note
    """).fetchall()
    return [note for (note,) in found]


def _closed(called: str, opens: str, closes: str, inner: str) -> str:
    """What opens and what closes each envelope, and how many there are in it."""
    return f"""
            select opening.e as opening, closing.e as closing, inner_count
            from (
                select min(segment_number) filter (where tag = '{opens}') as opened, min(segment_number) filter (where tag = '{closes}') as closed,
                    count(*) filter (where tag = '{inner}') as inner_count
                from {READ} where {called} > 0 and tag in ('{opens}', '{closes}', '{inner}') group by {called}
            ) as envelopes
            left join (select segment_number, e from {FILE} where tag = '{opens}') as opening on opened = opening.segment_number
            left join (select segment_number, e from {FILE} where tag = '{closes}') as closing on closed = closing.segment_number"""


def notes_on_answers(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A claim of a 277CA would be a row if anything were said of it."""
    found = con.execute(f"""
        select 'claim_without_status' from {READ}
        where kind = 277 and unit > 0 and level in (select level from {FILE} where kind = 277 and tag = 'HL' and e[4] = 'PT')
        group by unit having count(*) filter (where tag = 'STC') = 0 limit 1
    """).fetchall()
    return [note for (note,) in found]


def _hierarchy(kind: int) -> str:
    """Units whose level does not hang on the one before it that it names: they would get somebody else's insured."""
    if kind not in ABOVE_INSURED:
        return ""
    return f"""
            union all
            select unit, 'broken_hierarchy'
            from units left join (
                select level, hl[4] as code,
                    hl[3] = last_value(case when hl[4] = '{ABOVE_INSURED[kind]}' then hl[2] end ignore nulls) over above as is_below_sender,
                    hl[3] = last_value(case when hl[4] = '22' then hl[2] end ignore nulls) over above as is_below_insured
                from (
                    select level, any_value(transaction) as transaction, min_by(e, segment_number) as hl
                    from {SEGMENTS} where kind = {kind} and tag = 'HL' group by level
                ) as levels
                window above as (partition by transaction order by level)
            ) as levels using (level)
            where case levels.code when '22' then is_below_sender when '23' then is_below_insured else {kind == 271} end is not true"""
