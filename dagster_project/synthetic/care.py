"""What happens to members: encounters with cause, season, place and people, and the drugs they take.

Belongs here: encounters (w_encounter), their services (w_service) and fills to come. Does not: claims, prices,
    payers' decisions.
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.canaries import CANARY_NOTE

# What a month of one person has on average of each kind; frailty is persistent, the year's shock is not.
RATES = """
    case kind
        when 1 then (3.5 + case when age < 3 then 3 when age > 65 then 1.5
            else 0 end) * frailty ** 0.5 * shock ** 0.3 + coalesce(n.office, 0) * 0.9
        when 2 then 0.6 * frailty ** 0.5
        when 3 then 0.5 * frailty ** 0.3
        when 4 then 1.6 * frailty ** 0.8 * shock ** 0.9 * (0.5 + age / 80) + coalesce(n.outpatient,
            0) * 1.0 * shock ** 0.8
        when 5 then 0.32 * frailty ** 0.8 * shock + coalesce(n.emergency, 0) * 0.7 * shock
        when 6 then 0.035 * frailty ** 0.7 * shock * (0.4 + age / 60)
        when 7 then 0.045 * frailty ** 0.9 * shock * (0.4 + (age / 60) ** 2) + coalesce(n.inpatient, 0) * 0.6 * shock
             + case when age < 1 then 1.0 when sex = 'female' and age between 20 and 40 then 0.06 else 0 end
        when 8 then case when list_contains(n.conditions, 5) then 11.4 else 0 end
        when 9 then case when (list_contains(n.conditions, 12) or list_contains(n.conditions, 13))
                         and month_number - (pick('chemo-start', m, {months} + 6) - 6) between 0 and 8 then 11
                             else 0 end
    end / 12"""


def make_encounters(con: duckdb.DuckDBPyConnection, start: str, end: str, months: int, visits: float = 1.0) -> None:
    """w_encounter: one row per encounter, two months beyond the end among them (they are what is scheduled).

    `visits` multiplies how often members are seen.
    """
    con.execute(f"""
    create or replace table w_month as
    select n::integer as month_number, (date '{start}' + to_months(n::integer))::date as month_start,
           last_day(date '{start}' + to_months(n::integer)) as month_end,
           month(date '{start}' + to_months(n::integer)) in (12, 1, 2, 3) as is_winter
    from range({months} + 2) numbers(n);
    create or replace table w_visit as
    with people as (
        select p.m, age, sex, frailty, entry_date, last_day, n.conditions, n.office, n.outpatient, n.emergency,
            n.inpatient
        from w_person p left join w_person_need n on n.m = p.m
    ), person_months as (
        select *, exp(1.2 * normal('year-shock', m * 100 + month_number // 12) - 0.72) as shock
        from people join w_month on entry_date <= month_end and last_day >= month_start
    ), chances as (
        select n.*, kind, {RATES.format(months=months)} * case when kind in (1, 3, 5) then case when is_winter then 1.18
            else 0.91 end else 1 end * {visits} as mean
        from person_months n, range(1, 10) kinds(kind)
    ), counted as (
        select *, poisson('visits', m * 10000 + month_number * 10 + kind, least(mean, 4)) as visits from chances
    ), numbered as (
        -- dialysis and chemotherapy come once a month as a series
        select *, unnest(range(1, case when kind in (8, 9) then least(visits, 1) else visits end + 1)) as i
        from counted where visits > 0
    )
    select (m * 100000 + month_number * 100 + kind * 10 + i) as e, m, kind::integer as kind, month_number, is_winter,
           month_start + pick('day', m * 100000 + month_number * 100 + kind * 10 + i,
               (month_end - month_start + 1)::integer) as starts
    from numbered
    where starts between entry_date and last_day;
    """)
    con.execute("""
    create or replace table w_stay_choice as
    select e, arg_min(drg, -ln(1 - u('stay', e::varchar || drg)) / (s.weight * case when is_winter then winter
        else 1 end
               * case when s.condition = 0 then 1 else 6 end)) as drg
    from w_visit v join w_person p using (m) left join w_person_need n using (m)
    join w_stay s on p.age + month_number / 12 between age_from and age_to and (s.sex is null or s.sex = p.sex)
        and (s.condition = 0 or list_contains(n.conditions, s.condition))
    where kind = 7 group by e;
    create or replace table w_template_choice as
    select e, arg_min(template, -ln(1 - u('template', e * 1000 + template)) / t.weight) as template
    from w_visit v join w_person p using (m) left join w_person_need n using (m)
    join w_template t on t.kind = v.kind and p.age + month_number / 12 between age_from and age_to and (t.sex is null
        or t.sex = p.sex)
        and (t.condition = 0 or list_contains(n.conditions, t.condition))
    group by e;
    create or replace table w_encounter as
    with chosen as (
        select v.*, t.template, s.drg, s.relative_weight, s.diagnosis as stay_diagnosis, s.second_diagnosis,
            s.procedure, x.service_class,
               x.risk, x.diagnosis as template_diagnosis, n.codes, p.home_org, p.home_hospital, p.last_day,
                   p.birth_date, p.sex,
               greatest(1, round(s.days * exp(0.45 * normal('days', e) - 0.1)))::integer as stay_days,
               exp(case when v.kind = 7 then 0.6 * normal('severity', e) - 0.18 else 0.30 * normal('severity',
                   e) - 0.045 end) as severity
        from w_visit v
        join w_template_choice t using (e)
        join w_template x on x.template = t.template
        join w_person p on p.m = v.m
        left join w_person_need n on n.m = v.m
        left join w_stay_choice d using (e)
        left join w_stay s on s.drg = d.drg
        where v.kind <> 7 or d.drg is not null
    ), reasoned as (
        select c.*, coalesce(stay_diagnosis, template_diagnosis,
               case when c.kind = 9 then case when list_contains(codes, 'C3490') then 'C3490' else 'C50911' end end,
               case when len(codes) > 0 and u('chronic-reason', e) < case when c.kind in (1, 2, 4) then 0.55
                   else 0.25 end
                    then codes[1 + pick('which-condition', e, len(codes))] else a.code end, 'Z0000') as diagnosis
        from chosen c
        left join w_acute_slot a on a.kind = c.kind and a.is_winter = c.is_winter and a.slot = pick('reason', e, 1000)
    )
    select e, m, kind, month_number, is_winter, template, service_class, risk, drg, relative_weight, stay_days,
        severity, diagnosis,
           procedure, starts::date as starts,
           least(case when kind = 7 then starts + stay_days when kind = 6 then starts + 1
                      when kind = 8 then least(starts + 25, last_day(starts)) else starts end, last_day)::date as ends,
           case when kind in (4, 5, 6, 7, 9) then home_hospital
                when kind = 3 then 8 when kind = 8 then 9 else home_org end as regular_org,
           list_distinct(list_filter([diagnosis, second_diagnosis, codes[1 + pick('also-1', e, greatest(1,
               len(codes)))],
               codes[1 + pick('also-2', e, greatest(1, len(codes)))]], x -> x is not null)) as loose_diagnoses,
           case when kind = 7 then 'inpatient' when kind = 6 then 'observation' when kind = 5 then 'emergency'
                when kind in (4, 8, 9) then 'outpatient' when kind = 3 then 'urgent_care' when kind = 2
                    then 'telehealth'
                when template = 104 then 'wellness' else 'office' end as encounter_type
    from reasoned;
    """)
    con.execute("""
    -- the principal diagnosis comes first, whatever order a set of the others has
    create or replace table w_encounter as
    select * exclude (loose_diagnoses, regular_org),
           list_prepend(diagnosis, list_sort(list_filter(loose_diagnoses, x -> x <> diagnosis))) as diagnoses,
           -- one in eight goes elsewhere than to the usual place
           case when u('elsewhere', e) < 0.12 then
               case when kind in (4, 5, 6, 7, 9) then pick('other-hospital', e, 3) when kind in (3, 8) then regular_org
                    when template = 411 then 10 else 3 + pick('other-clinic', e, 5) end
                when template = 411 then 10 else regular_org end as org
    from w_encounter;
    -- who treats: a clinician of the place with the fitting specialty
    create or replace table w_clinician_rank as
    select *, row_number() over (partition by specialty_number order by clinician) - 1 as place, count(*)
        over (partition by specialty_number) as peers
    from w_clinician;
    create or replace table w_encounter as
    select e.*, c.clinician, c.npi, c.documents_well, c.is_often_out_of_network
    from (select *, case when kind = 5 then 6 when kind in (6, 7) then 7 when kind = 8 then 11 when kind = 9 then 10
                         when template in (402, 403, 404) then 8 when template = 405 then 5 when template in (406, 105)
                             then 4
                         when template = 408 then 3 when template in (108, 202) then 12 when template = 106 then 13
                         when template = 107 then 15 when template = 410 then 14 else m % 3 end as wanted
                             from w_encounter) e
    join w_clinician_rank c on c.specialty_number = e.wanted and c.place = pick('clinician', m * 20 + wanted,
        peers::integer);
    """)


def make_services(con: duckdb.DuckDBPyConnection) -> None:
    """w_service: one row per encounter, form and line: what was done, before anyone prices it."""
    con.execute("""
    create or replace table w_service as
    select e.e, e.m, l.form, l.line, l.claim_type, case when e.kind = 5 and l.revenue = '0450' then '0450'
        else l.revenue end as revenue,
           case when l.template = 701 and l.form = 2 and l.line = 1 then
               case e.drg when '470' then '27447' when '481' then '27245' when '399' then '44970' when '788'
                   then '59514' when '807' then '59409'
                    when '236' then '33533' when '322' then '92928' else '36556' end
                else l.hcpcs end as hcpcs,
           l.modifier, l.place,
           case when l.revenue = '0120' then e.stay_days when l.hcpcs = '99232' then greatest(1, e.stay_days - 1)
                when l.hcpcs in ('97110', '97530') then l.units + pick('units', e.e * 10 + l.line, 2) else l.units
                    end as units,
           -- a stay is paid by its DRG: lines carry shares of one payment
           case when l.template = 701 and l.form = 0 then l.price * e.relative_weight * 9800 / 1.05
                when l.template = 701 and l.form = 2 and l.line = 1 and e.drg not in ('470', '481', '399', '788', '807',
                    '236', '322') then 90
                else l.price * l.units end
             * case when l.revenue = '0120' then 1 when l.hcpcs = '99232' then greatest(1, e.stay_days - 1) else 1 end
             * case when e.kind in (4, 6, 9) and l.form = 0 then e.severity ** 2 else e.severity end as base_price
    from w_encounter e
    join w_template_line l on l.template = e.template
    where u('line', e.e * 1000 + l.form * 100 + l.line) < l.share
      -- an operation's second bill exists where something was done in the operating room
      and not (l.template = 701 and l.form = 2 and e.procedure is null)
      and not (l.template = 701 and coalesce(l.revenue, '') = '0360' and e.procedure is null);
    """)


def write_encounter_feeds(con: duckdb.DuckDBPyConnection, end: str, unrecorded: float = 0.01) -> None:
    """Feeds encounter, encounter_diagnosis and encounter_procedure: what the record holds, by record number.

    `unrecorded` is the share of encounters that never reached the record.
    """
    con.execute(f"""
    create or replace table w_recorded as
    select e.*, kind in (1, 2, 4) and u('missed', e) < 0.03 as is_missed
    from w_encounter e
    where starts <= date '{end}' and u('unrecorded', e) >= {unrecorded};
    create or replace table encounter as
    select key_code('ENC', e * 100) as encounter_id,
           record_code(r.m) || case when u('second-record', r.m) < 0.03 and u('which-record', e) < 0.4 then 'B'
               else '' end
               as medical_record_number,
           case when u('record-knows-member', e) < 0.10 then member_code(r.m) end as member_id, n.patient_name,
           case when is_canary(r.m) then '{CANARY_NOTE}'
                when u('note', e) < 0.15 then 'Seen, stable; ' || n.patient_name || ' will call back' end as note_text,
           encounter_type,
           case when is_missed then case when u('cancelled', e) < 0.6 then 'cancelled' else 'no_show' end
                when ends > date '{end}' then 'in_progress' else 'completed' end as encounter_status,
           starts as encounter_start_date, case when ends <= date '{end}' then ends end as encounter_end_date,
           case when kind = 7 then case when u('source', e) < 0.6 then '1' else '7' end end as admit_source_code,
           case when kind = 7 then case when p.last_day = ends then '20' when u('disposition', e) < 0.72 then '01'
                when u('disposition', e) < 0.88 then '06' else '03' end end as discharge_disposition_code,
           p.payer_id, o.provider_id as facility_id, r.npi as attending_id, case when is_missed then 0
               else coalesce(c.charge_amount, 0) end::decimal(18, 2) as charge_amount
    from w_recorded r
    join w_person p on p.m = r.m
    join w_name n on n.m = r.m
    join w_provider o on o.org = r.org
    left join (select e as charged, sum(charge) as charge_amount from w_priced group by e) c on charged = r.e;
    create or replace table encounter_diagnosis as
    select key_code('ENC', e * 100) as encounter_id, number::bigint as diagnosis_rank,
        'icd-10-cm' as diagnosis_code_type,
           diagnoses[number] as diagnosis_code, starts as recorded_date
    from w_recorded, range(1, 6) ranks(number)
    where not is_missed and number <= len(diagnoses);
    create or replace table encounter_procedure as
    with done as (
        select e, 100 + row_number() over (partition by e order by form, line) as place, 'hcpcs' as code_type,
            hcpcs as code, charge
        from w_priced where hcpcs is not null
        union all
        select e, 1, 'icd-10-pcs', procedure, null from w_recorded where procedure is not null
    )
    select key_code('ENC', e * 100) as encounter_id, row_number() over (partition by e
        order by place)::bigint as procedure_number,
           code_type as procedure_code_type, code as procedure_code, starts as procedure_date, charge as charge_amount
    from done join w_recorded using (e) where not is_missed;
    """)
