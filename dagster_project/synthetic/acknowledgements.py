"""What payers' front ends say of claims before anybody adjudicates them: accepted, or rejected, mended and then accepted.

Belongs here: feed claim_acknowledgement. Does not: decisions (adjudication.py); what was mended, since a claim of the feed is
the one that got through.
"""

from __future__ import annotations

import duckdb

# The group's own plan takes its claims without a front end, and tells of none whether it got through.
SILENT_PAYER = "HLH"
# Category, status and entity (X12 code sources 507, 508 and STC01-3) of rejections, all alike often.
REASONS = [
    ("A3", "33", ""),  # nobody is insured under this number
    ("A3", "116", ""),  # meant for another payer
    ("A6", "158", "QC"),  # the patient's day of birth is missing
    ("A7", "164", "IL"),  # the insured's number has a wrong form
    ("A7", "562", "82"),  # no NPI of this form for who treated
    ("A7", "500", "85"),  # the biller's ZIP lacks four digits
    ("A8", "187", ""),  # the days of service contradict each other
    ("A8", "249", ""),  # the place does not go with what was done
]


def write_acknowledgement_feed(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feed claim_acknowledgement: an answer within two days of sending; what is rejected first is accepted before it is decided.

    Of the claims that are not decided by the end half are not mended and lie rejected.
    """
    reasons = ", ".join(
        f"{{'category': '{category}', 'status': '{status}', 'entity': '{entity}'}}"
        for category, status, entity in REASONS
    )
    con.execute(f"""
    create or replace table claim_acknowledgement as
    with sent as (
        select c.ck, c.payer_id, c.charge, a.decided, submitted_date + 1 + pick('front-end-days', c.ck, 2) as answered,
               -- whoever codes carelessly fills in carelessly
               u('front-end', c.ck) < 0.02 + 0.4 * greatest(0, 0.90 - accuracy) as is_rejected
        from w_claim c left join w_adjudication a on a.ck = c.ck and a.adjudication = 1
        where submitted_date is not null and c.payer_id <> '{SILENT_PAYER}'
    ), answers as (
        select ck, payer_id, charge, answered as day, is_rejected,
               case when is_rejected then [{reasons}][1 + pick('front-end-reason', ck, {len(REASONS)})] end as reason
        from sent
        union all
        -- a decision is at least four days after sending, and so two after the first answer
        select ck, payer_id, charge, least(answered + 2 + floor(-4 * ln(1 - u('mending-days', ck)))::integer, decided - 1),
               false, null
        from sent where is_rejected and (decided is not null or u('mended', ck) < 0.5)
    )
    select 'A-' || payer_id || '-' || strftime(day, '%Y%m%d') as acknowledgement_id, key_code('CLM', ck) as claim_id,
           1::bigint as acknowledgement_number,
           case when not is_rejected then key_code('CTL', ck) end as payer_claim_control_number, payer_id,
           day as acknowledged_date, coalesce(reason.category, 'A2') as status_category_code,
           coalesce(reason.status, '20') as status_code, nullif(reason.entity, '') as entity_code,
           case when is_rejected then 'U' else 'WQ' end as action_code, charge::decimal(18, 2) as charge_amount
    from answers where day <= date '{end}';
    """)
