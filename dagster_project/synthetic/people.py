"""Members of the invented world: who they are, what they suffer from, and when which plan covers them.

Belongs here: persons, households, enrolment, dual coverage, conditions, identities. Does not: their care.
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.canaries import CANARY_PEOPLE
from dagster_project.synthetic.draws import CANARY_MEMBERS
from dagster_project.synthetic.reference import FAMILY, GIVEN, values_table

STREETS = ["Alder", "Birch", "Cypress", "Dogwood", "Elm", "Foxglove", "Ginkgo", "Hazel", "Ironwood", "Juniper"]
# city, ZIP prefix: the last area is small, so its three digits are blanked when ZIPs are generalised
TOWNS = [
    ("Larkspur", "171"),
    ("Brannoc", "190"),
    ("Fennimore", "159"),
    ("Rio Verde", "191"),
    ("Outer Moss", "821"),
    ("Thistle Gap", "036"),
]


def make_people(con: duckdb.DuckDBPyConnection, members: int, start: str, end: str) -> None:
    """w_person: one row per person with plan before and after a change, spans of cover, frailty and conditions."""
    values_table(
        con,
        "w_canary",
        "m, first_name, last_name, ssn, address, city, phone, email, birth_date, zip",
        [(number, *person) for number, person in enumerate(CANARY_PEOPLE[:CANARY_MEMBERS], start=1)],
    )
    con.execute(f"""
    create or replace table w_person_base as
    with drawn as (
        select m::bigint as m, ((m - 1) // 3)::bigint as household, u('age-band', m) as band, u('age', m) as within
        from range(1, {members} + 1) people(m)
    ), aged as (
        select d.*, (date '{start}' - c.birth_date::date) / 365.25 as canary_age, case when band < 0.22 then within * 18
            when band < 0.57 then 18 + within * 27
                       when band < 0.84 then 45 + within * 19.5 else 65 + 32 * within ** 1.6 end as drawn_age
        from drawn d left join w_canary c using (m)
    ), market as (
        select * exclude (canary_age, drawn_age), coalesce(canary_age, drawn_age) as age, case when coalesce(canary_age,
            drawn_age) >= 64.5 then case when u('senior', m) < 0.55 then 'SVA' else 'OMC' end
                       when u('medicaid', household) < 0.19 then 'PSM' when u('exchange', household) < 0.15 then 'BSX'
                       when u('employer', household) < 0.58 then 'HLH' else 'MRM' end as payer_id,
               u('change', m) as change
        from aged
    )
    select *, (date '{start}' - round(age * 365.25)::integer)::date as birth_date,
           case when u('sex', m) < 0.51 then 'female' else 'male' end as sex,
           -- persistent part of how ill someone is; the part that changes from year to year is drawn with the care
           exp(0.75 * normal('frailty', m) - 0.28) * case when is_canary(m) then 2.5 else 1 end as frailty,
           3 + pick('home-clinic', household, 5) as home_org, pick('home-hospital', household, 3) as home_hospital,
           case when u('entry', m) < 0.80 or is_canary(m) then date '{start}' - (30 + pick('tenure', m, 1500))
                else date '{start}' + pick('entry-day', m, (date '{end}' - date '{start}')::integer - 60)
                    end as entry_date,
           case when u('exit', m) < 0.08 and not is_canary(m) then date '{start}' + (60 + pick('exit-day', m,
               (date '{end}' - date '{start}')::integer - 60))
                end as leaving_date,
           case when not is_canary(m) and u('death', m) < case when age > 65 then 0.0006 * exp((age - 65) / 9)
               else 0.0008 end * 24
                then date '{start}' + pick('death-day', m, (date '{end}' - date '{start}')::integer) end as death_date
    from market;
    """)
    con.execute(f"""
    create or replace table w_person as
    with choices as (
        select payer_id, list(plan_id order by plan_id) as plans from w_plan group by payer_id
    ), first_plan as (
        select p.*, plans[1 + pick('plan', household::varchar || p.payer_id, len(plans))] as plan_1,
               -- 12 % change plan on the second January, 7 % have a gap; the others stay
               case when change < 0.12 then 'switch' when change < 0.19 then 'gap' else 'none' end as change_kind,
               case when age >= 64.5 then case payer_id when 'SVA' then 'OMC' else 'SVA' end
                    when u('new-payer', m) < 0.5 then payer_id
                    else ['HLH', 'MRM', 'BSX', 'PSM'][1 + pick('which-payer', m, 4)] end as payer_after,
               make_date(year(date '{start}') + 1, 1, 1) as january,
               date '{start}' + (90 + pick('gap-day', m, greatest(30,
                   (date '{end}' - date '{start}')::integer - 240))) as gap_start
        from w_person_base p join choices using (payer_id)
    )
    select f.* exclude (payer_after), least(coalesce(leaving_date, date '2999-12-31'), coalesce(death_date,
        date '2999-12-31')) as last_day,
           case when change_kind = 'switch' and january between entry_date + 30 and date '{end}' then payer_after
               else f.payer_id end as payer_2,
           case when change_kind = 'switch' and january between entry_date + 30 and date '{end}'
                then a.plans[1 + pick('plan-after', m, len(a.plans))] else plan_1 end as plan_2,
           case when change_kind = 'switch' and january between entry_date + 30 and date '{end}' then january - 1
                when change_kind = 'gap' and gap_start > entry_date + 30 then gap_start - 1
                else date '2999-12-31' end as first_end,
           case when change_kind = 'switch' and january between entry_date + 30 and date '{end}' then january
                when change_kind = 'gap' and gap_start > entry_date + 30 then gap_start + 45 + pick('gap-length', m,
                    150)
                end as second_start,
           -- a second payer: Medicaid beside Medicare, a spouse's plan beside one's own
           case when age >= 64.5 and u('dual', m) < 0.14 then 'PSM' when age < 64.5 and f.payer_id in ('HLH', 'MRM')
               and u('dual', m) < 0.05
                then case f.payer_id when 'HLH' then 'MRM' else 'HLH' end end as secondary_payer
    from first_plan f join choices a on a.payer_id = f.payer_after;
    alter table w_person add column secondary_plan varchar;
    update w_person set secondary_plan = case secondary_payer when 'PSM' then 'PSM-STD' when 'MRM' then 'MRM-CHOICE'
        when 'HLH' then 'HLH-CORE' end;
    create or replace table w_person_condition as
    select m, condition, code, office, outpatient, emergency, inpatient
    from w_person, w_condition
    where u('condition', m * 100 + condition)
        < least(0.85, logistic(logit(share) + slope * (age - 50) + 0.45 * ln(frailty) - case when age < 18 then 1.5
            else 0 end))
        and (code <> 'C50911' or sex = 'female');
    create or replace table w_person_need as
    select m, list(condition order by condition) as conditions, list(code order by condition) as codes,
        sum(office) as office,
           sum(outpatient) as outpatient, sum(emergency) as emergency, sum(inpatient) as inpatient
    from w_person_condition group by m;
    """)
    con.execute(f"""
    create or replace table w_span as
    with spans as (
        select m, household, age, 'primary' as coverage_rank, payer_id, plan_1 as plan_id, entry_date as starts,
            least(first_end, last_day) as ends
        from w_person
        union all
        select m, household, age, 'primary', payer_2, plan_2, second_start, last_day from w_person
            where second_start is not null
        union all
        select m, household, age, 'secondary', secondary_payer, secondary_plan, entry_date, last_day from w_person
            where secondary_payer is not null
    )
    select * from spans where starts <= ends and starts <= date '{end}';
    """)


def write_people_feeds(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feeds member, member_crosswalk and eligibility."""
    values_table(con, "w_town", "city, prefix, number", [(*town, number) for number, town in enumerate(TOWNS)])
    values_table(con, "w_street", "street, number", [(street, number) for number, street in enumerate(STREETS)])
    con.execute(f"""
    create or replace table w_identity as
    select m, coalesce(c.first_name, g.name) as first_name, coalesce(c.last_name, f.name) as last_name,
           coalesce(c.ssn, '9' || lpad(pick('ssn-a', m, 100)::varchar, 2, '0') || '-' || lpad((pick('ssn-b', m,
               90) + 10)::varchar, 2, '0')
               || '-' || lpad((m % 10000)::varchar, 4, '0')) as ssn,
           coalesce(c.address, (1 + pick('house', p.household,
               980))::varchar || ' ' || s.street || ' Street') as address_line,
           coalesce(c.city, t.city) as city,
           coalesce(c.phone, '555-' || lpad(pick('phone-a', m, 1000)::varchar, 3,
               '0') || '-' || lpad((m % 10000)::varchar, 4, '0')) as phone,
           coalesce(c.email, lower(g.name || '.' || f.name || m::varchar || '@mail.example')) as email,
           p.birth_date, p.death_date, p.sex,
           coalesce(c.zip, t.prefix || lpad(pick('zip', p.household, 100)::varchar, 2, '0')) as zip
    from w_person p
    left join w_canary c using (m)
    join w_given g on g.number = pick('given', m, {len(GIVEN)})
    join w_family f on f.number = pick('family', p.household, {len(FAMILY)})
    join w_street s on s.number = pick('street', p.household, {len(STREETS)})
    join w_town t on t.number = case when u('town', p.household) < 0.97 then pick('big-town', p.household, 4)
                                     else 4 + pick('small-town', p.household, 2) end;
    create or replace table w_name as select m, first_name || ' ' || last_name as patient_name from w_identity;
    create or replace table member as
    select member_code(m) as member_id, ssn as social_security_number, first_name, last_name, address_line, city,
        phone as phone_number,
           email as email_address, birth_date, case when death_date <= date '{end}' then death_date end as death_date,
           case when u('sex-unknown', m) < 0.004 then 'unknown' else sex end as sex,
           ['white', 'black', 'asian', 'hispanic', 'other', 'unknown'][1 + floor(6 * u('race',
               m) ** 1.8)::integer] as race,
           case when u('ethnicity', m) < 0.15 then 'hispanic' else 'not_hispanic' end as ethnicity, 'PA' as state,
               zip as zip_code
    from w_identity order by m;
    create or replace table member_crosswalk as
    select record_code(m) as medical_record_number, member_code(m) as member_id from w_person
    union all
    -- some people were registered twice
    select record_code(m) || 'B', member_code(m) from w_person where u('second-record', m) < 0.03
    order by all;
    create or replace table w_subscriber as
    -- under 65 a household in one plan is a family, and shares the family's limits
    select distinct m, plan_id, coverage_rank,
           case when age < 64.5 then min(m) over (partition by household, plan_id, coverage_rank, age < 64.5) else m
               end as subscriber
    from w_span;
    create or replace table eligibility as
    select member_code(m) as member_id, member_code(subscriber) as subscriber_id,
           payer_id, plan_id, line_of_business, coverage_rank, starts as enrollment_start_date,
           case when ends <= date '{end}' + 60 then ends end as enrollment_end_date
    from w_span join w_payer using (payer_id) join w_subscriber using (m, plan_id, coverage_rank)
    order by m, coverage_rank, starts;
    """)
