"""The work around claims: coding, edits, follow-up, appeals, postings; authorizations and bookings.

Belongs here: feeds work_record, authorization and scheduled_service. Does not: the claims themselves.
"""

from __future__ import annotations

import duckdb


def write_work_records(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feed work_record: one row per piece of work, in minutes of a coder's day (UTC)."""
    con.execute(f"""
    create or replace table work_record as
    with pieces as (
        select ck, 1 as piece, 'coding' as kind, ends as received, coded_date as done, 4 + 5 * line_count + case
            when kind = 7 then 22 else 0 end as effort,
               coder, 5 as due_days from w_claim where frequency = '1' and not is_duplicate
                   and coverage_rank = 'primary'
        union all
        select ck, 2, 'edit_review', coded_date, coalesce(submitted_date, coded_date), 9, (coder + 1) % 30, 3
            from w_claim
        where frequency = '1' and not is_duplicate and coverage_rank = 'primary' and u('edit',
            ck) < 0.05 + 1.1 * greatest(0, 0.93 - accuracy)
        union all
        select t.ck, 3, 'denial_follow_up', t.decided, t.acted, 24, (c.coder + 2) % 30, 30 from w_fate t
            join w_claim c using (ck) where t.fate <> 'open'
        union all
        select t.ck, 4, 'appeal', t.acted, t.acted + 4, 65, (c.coder + 3) % 30, 21 from w_fate t
            join w_claim c using (ck) where t.fate = 'appealed'
        union all
        select a.ck, 5, 'payment_posting', a.paid_date, a.paid_date + 1, 3, (c.coder + 4) % 30, 2 from w_adjudication a
            join w_claim c using (ck)
        where a.adjudication = 1 and u('manual-posting', a.ck) < 0.08
    ), timed as (
        select p.*, c.payer_id, r.coder_id, r.client_id, r.accuracy,
               p.received::timestamp + to_minutes(420 + pick('received', p.ck * 10 + piece, 240)) as received_at,
               usd(effort * r.slowness * exp(0.35 * normal('effort', p.ck * 10 + piece))) as minutes
        from pieces p join w_claim c using (ck) join w_coder r on r.coder = p.coder
        where p.done <= date '{end}'
    )
    select entry_code('WRK', ck, piece) as work_record_id, key_code('CLM', ck) as claim_id, client_id, payer_id,
        coder_id, kind as work_type,
           received_at, greatest(received_at, done::timestamp + to_minutes(480 + pick('begun', ck * 10 + piece,
               400))) as started_at,
           greatest(received_at, done::timestamp + to_minutes(480 + pick('begun', ck * 10 + piece,
               400))) + to_seconds((minutes * 60)::integer) as completed_at,
           received_at + to_days(due_days) as due_at, minutes::decimal(9, 2) as minutes_worked, u('checked',
               ck * 10 + piece) < 0.12 as is_quality_checked,
           case when u('checked', ck * 10 + piece) < 0.12 then case when u('quality', ck * 10 + piece) < accuracy
               then 'pass' else 'fail' end end as quality_result,
           usd(minutes * 0.62) as cost_amount
    from timed;
    """)


def write_scheduling_feeds(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feeds authorization and scheduled_service; bookings reach two months beyond the end."""
    con.execute(f"""
    create or replace table authorization_all as
    select e * 100 as akey, a.m, a.payer_id, requested, requested + 2 + pick('authorization-lag', e, 6) as decided,
           case when is_obtained then 'approved' when u('authorization-refused', e) < 0.4 then 'denied' else 'none'
               end as state, is_expired, starts, npi, e
    from w_authorization a
    union all
    -- asked for afterwards, for a corrected claim
    select c.e * 100 + 1, c.m, min(c.payer_id), min(c.coded_date) - 4, min(c.coded_date) - 1, 'approved', false,
        c.starts, c.npi, c.e
    from w_claim c where c.frequency = '7' and c.authorization_id = key_code('AUT', c.e * 100 + 1) group by c.e, c.m,
        c.starts, c.npi;
    create or replace table "authorization" as
    select key_code('AUT', akey) as authorization_id, member_code(a.m) as member_id, a.payer_id,
        requested::date as requested_date,
           case when decided <= date '{end}' then decided::date end as decided_date,
           case when decided > date '{end}' then 'pending' when state = 'approved' and is_expired then 'expired'
                when state = 'approved' and u('authorization-cancelled', akey) < 0.01 and starts > date '{end}'
                    then 'cancelled' else state end as authorization_status,
           case when state = 'approved' and decided <= date '{end}' then least(decided, starts)::date
               end as valid_from_date,
           case when state = 'approved' and decided <= date '{end}' then case when is_expired then starts - 3
               else starts + 60 end::date end as valid_to_date,
           s.hcpcs as hcpcs_code, case when state = 'approved' and decided <= date '{end}' then coalesce(s.units,
               1)::decimal(12, 3) end as approved_unit_quantity,
           a.npi as rendering_id
    from authorization_all a
    left join (select e, arg_min(hcpcs, form * 100 + line) as hcpcs, arg_min(units, form * 100 + line) as units
        from w_service where hcpcs is not null group by e) s
        on s.e = a.e
    where state <> 'none' and requested <= date '{end}' order by akey;
    create or replace table scheduled_service as
    with booked as (
        select e.*, starts - (2 + pick('booking-lead', e.e, 45)) as booked, kind in (1, 2, 4) and u('missed',
            e.e) < 0.03 as is_missed,
               u('cancelled', e.e) < 0.6 as is_cancelled
        from w_encounter e where kind in (1, 2, 4) and (starts > date '{end}' or u('planned', e.e) < 0.35 or u('missed',
            e.e) < 0.03)
    )
    select key_code('APT', b.e * 100) as scheduled_service_id, record_code(b.m) as medical_record_number,
           case when u('record-knows-member', b.e) < 0.10 then member_code(b.m) end as member_id, v.payer_id, v.plan_id,
           booked::date as booked_date, b.starts as scheduled_date,
           case when b.starts > date '{end}' then case when u('early-cancel', b.e) < 0.04 then 'cancelled'
               else 'scheduled' end
                when is_missed then case when is_cancelled then 'cancelled' else 'no_show' end else 'completed'
                    end as service_status,
           s.hcpcs as hcpcs_code, b.diagnosis as diagnosis_code, case when b.kind = 1 then '11' when b.kind = 2
               then '10' else '22' end as place_of_service_code,
           b.npi as rendering_id, o.provider_id as facility_id,
           case when a.is_obtained and a.requested <= date '{end}' then key_code('AUT', b.e * 100)
               end as authorization_id,
           usd(s.price * o.charge_factor) as estimated_charge_amount
    from booked b join w_cover v on v.e = b.e join w_provider o on o.org = b.org left join w_authorization a
        on a.e = b.e
    left join (select e, arg_min(hcpcs, form * 100 + line) as hcpcs, sum(base_price) as price from w_service
        group by e) s on s.e = b.e
    where booked <= date '{end}' order by b.e;
    """)
