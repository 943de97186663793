"""What is broken in X12: envelopes whose counts are wrong, units that lack what they need, segments that nobody knows.

Belongs here: which units are set aside and why, the smallest that a fault reaches. Does not: values of elements, which are
judged like any cell; rows (records.py).
"""

from __future__ import annotations

import duckdb

from dagster_project.sources.x12.cells import SEGMENTS

# unit, reason_code: one row for each unit that is set aside. What belongs to no unit is judged with its transaction, whose
# number stands in the unit's place as a negative one.
DAMAGE = "x12_damage"

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


def find_damage(con: duckdb.DuckDBPyConnection, kind: int) -> None:
    """Makes the table DAMAGE for the transactions of one kind."""
    known = ", ".join(f"'{tag}'" for tag in KNOWN_TAGS[kind].split())
    versions = ", ".join(f"'{version}'" for version in VERSIONS[kind])
    order = ", ".join(f"'{reason}'" for reason in REASONS)
    con.execute(f"""
        create or replace temp table {DAMAGE} as
        with transactions as (
            select transaction, count(*) as segment_count, max(unit) as last_unit,
                min_by(e, segment_number) filter (where tag = 'ST') as st,
                min_by(e, segment_number) filter (where tag = 'SE') as se,
                max(functional_group) as functional_group
            from {SEGMENTS} where kind = {kind} and transaction > 0 group by transaction
        ),
        groups as (
            select functional_group, min_by(e, segment_number) as gs
            from {SEGMENTS} where tag = 'GS' and functional_group > 0 group by functional_group
        ),
        others as (
            select transaction from transactions left join groups using (functional_group)
            where coalesce(nullif(gs[9], ''), st[4], '') not in ({versions})
        ),
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
            select unit, 'wrong_segment_count' from units inner join transactions using (transaction)
            where se is not null and try_cast(se[2] as bigint) is distinct from segment_count
            union all
            select unit, 'wrong_control_number' from units inner join transactions using (transaction)
            where se is not null and se[3] is distinct from st[3]
            union all
            select last_unit, 'cut_off' from transactions where se is null and last_unit > 0
            union all
            select unit, 'unknown_segment' from units where unknown_count > 0
            union all
            select unit, 'missing_segment' from units where not is_whole
            {_hierarchy(kind)}
        )
        select unit, min_by(reason_code, list_position([{order}], reason_code)) as reason_code
        from faults group by unit
    """)


def _needed(kind: int) -> str:
    """A claim has lines, and each of them one service; a payment says whose it is; an answer has a result."""
    if kind == 837:
        lines, services = "count(*) filter (where tag = 'LX')", "filter (where tag in ('SV1', 'SV2'))"
        return f"{lines} > 0 and {lines} = count(*) {services} and {lines} = count(distinct line) {services}"
    return {
        835: "count(*) filter (where tag = 'NM1' and e[2] = 'QC') > 0",
        834: "count(*) filter (where tag = 'NM1' and e[2] in ('IL', '74')) > 0",
        271: "true",
        277: "true",  # a status is a row; what has none gives no row
        999: "count(*) filter (where tag = 'IK5') = 1",
    }[kind]


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
