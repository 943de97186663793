"""Claims: what was done is priced by contract, coded by somebody, and sent to a payer, or still lies there.

Belongs here: prices, claim headers (w_claim) and lines, coders and their habits, duplicates,
    authorizations. Does not: the payer's answer.
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.canaries import CANARY_NOTE

CODERS = 30
INVALID_DIAGNOSIS = "QQ999"  # on a known number of true claims: it stays, and a code check must flag it


def price_services(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """w_cover (which plan an encounter meets) and w_priced (service lines with charge and contract price)."""
    con.execute(f"""
    create or replace table w_cover as
    with covered as (
        select e.e, p.m, e.starts, e.org,
               case when starts between entry_date and least(first_end, last_day) then 1
                    when second_start is not null and starts between second_start and last_day then 2 end as span,
               second_start, payer_id, plan_1, payer_2, plan_2, secondary_payer, secondary_plan
        from w_encounter e join w_person p using (m)
    )
    select e, m, span is not null as is_covered,
           case when coalesce(span, case when starts > second_start then 2 else 1 end) = 2 then payer_2 else payer_id
               end as payer_id,
           case when coalesce(span, case when starts > second_start then 2 else 1 end) = 2 then plan_2 else plan_1
               end as plan_id,
           case when span is not null then secondary_payer end as secondary_payer, case when span is not null
               then secondary_plan end as secondary_plan
    from covered;
    create or replace table w_priced as
    select s.*, usd(greatest(0.5, base_price * coalesce(c.price_level, 1))) as price,
           usd(greatest(1, base_price * o.charge_factor * (0.95 + 0.1 * u('charge',
               s.e * 1000 + form * 100 + line)))) as charge,
           s.m as member_number
    from w_service s
    join w_encounter e on e.e = s.e
    join w_cover v on v.e = s.e
    join w_provider o on o.org = e.org
    join w_contract c on c.org = e.org and c.payer_id = v.payer_id
    where e.starts <= date '{end}';
    """)


def make_authorizations(con: duckdb.DuckDBPyConnection) -> None:
    """w_authorization: one row per encounter whose payer wants an authorization, had or forgotten."""
    con.execute("""
    create or replace table w_authorization as
    select e.e, e.m, e.starts, e.npi, v.payer_id, e.service_class,
           u('authorization', e.e) >= 0.03 + o.forgets_authorization as is_obtained,
           u('authorization-late', e.e) < 0.02 as is_expired,
           e.starts - (3 + pick('authorization-lead', e.e, 25)) as requested
    from w_encounter e
    join w_cover v on v.e = e.e
    join w_authorization_rule r on r.payer_id = v.payer_id and r.service_class = e.service_class
    join w_provider o on o.org = e.org;
    """)


def make_claims(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """w_claim: one row per claim coded by the end, originals and duplicates; corrected and second ones follow."""
    con.execute(f"""
    create or replace table w_coder as
    select c as coder, 'CDR' || lpad(c::varchar, 3, '0') as coder_id, 'CLIENT-' || (1 + c % 4)::varchar as client_id,
           0.99 - 0.20 * u('coder-accuracy', c) ** 1.7 as accuracy, 0.7 + 0.9 * u('coder-speed', c) as slowness
    from range({CODERS}) numbers(c);
    create or replace table w_claim_base as
    with summed as (
        select e, form, any_value(claim_type) as claim_type, count(*) as line_count, sum(charge) as charge,
            sum(price) as price,
               any_value(place) as place, bool_or(modifier = '25') as has_25,
               count(*) filter (where hcpcs is not null and modifier is not null) as modified_lines
        from w_priced group by e, form
    )
    select e.e * 100 + s.form * 10 as ck, e.*, s.form, s.claim_type, s.line_count, s.charge, s.price, s.place, s.has_25,
        s.modified_lines,
           v.is_covered, v.secondary_payer, v.secondary_plan, v.payer_id as cover_payer, v.plan_id as cover_plan,
           -- one claim in a hundred names another plan than the enrolment, half of them another payer
           case when u('wrong-plan', e.e) < 0.006 then ['HLH', 'MRM', 'BSX', 'SVA', 'PSM'][1 + pick('wrong-payer', e.e,
               5)]
                else v.payer_id end as payer_id,
           (pick('coder', e.org * 1000003 + e.e % 977, 7) * 4 + e.org % 4) % {CODERS} as coder
    from summed s join w_encounter e using (e) join w_cover v using (e)
    where u('unbilled', e.e) >= 0.02 and not (e.kind in (1, 2, 4) and u('missed', e.e) < 0.03)
      and (v.is_covered or u('billed-anyway', e.e) < 0.60);
    create or replace table w_claim_timed as
    with coded as (
        select b.*, r.coder_id, r.client_id, p.filing_days, p.adjudication_days, p.line_of_business, p.payment_weekday,
               -- habits, and bad days
               greatest(0.5, least(1.0, r.accuracy + 0.03 * normal('accuracy', ck))) as accuracy,
               greatest(0.0, least(1.0, documents_well - 0.42 * u('documents', e) ** 5 - case when form > 0 then 0.01
                   else 0 end)) as documentation,
               ends + (1 + floor(2.5 * r.slowness * -ln(1 - u('coding-lag', ck))))::integer
                    + case when kind in (6, 7) then 3 else 0 end as coded_date,
               case when u('forgotten', e) < 0.012 then 70 + pick('forgotten-days', e, 330) else 0
                   end as forgotten_days,
               case when cover_payer = b.payer_id then
                   case when u('wrong-plan', e) between 0.006 and 0.014 and claim_type is not null
                        then coalesce(o.plan_id, cover_plan) else cover_plan end
                   else o.plan_id end as plan_id
        from w_claim_base b
        join w_coder r using (coder)
        join w_payer p on p.payer_id = b.payer_id
        left join (select payer_id, min(plan_id) as plan_id from w_plan group by payer_id) o on o.payer_id = b.payer_id
    )
    select *, coded_date + (1 + floor(2.2 * -ln(1 - u('sending-lag', ck))))::integer + forgotten_days as sent
    from coded where coded_date <= date '{end}';
    create or replace table w_stray as
    select ck from w_claim_timed where form = 0 and kind = 1 and not is_canary(m) and sent <= date '{end}'
    -- a known amount: four in ten thousand, and none of a small world
    qualify row_number() over (order by u('stray', ck), ck) <= floor((select count(*) from w_claim_timed) * 0.0004);
    create or replace table w_claim as
    select c.*, case when sent <= date '{end}' then sent end as submitted_date,
           a.e is not null as needs_authorization,
           case when a.is_obtained then key_code('AUT', c.e * 100) end as authorization_id, coalesce(a.is_expired
               and a.is_obtained, false) as is_expired,
           case when t.is_out_of_network or (is_often_out_of_network and u('out', c.e) < 0.7) then 'out_of_network'
               else 'in_network' end as network_status,
           null::bigint as original_ck, '1' as frequency, false as is_duplicate, 'primary' as coverage_rank,
               null::decimal(18, 2) as prior_paid,
           -- bills of people whom no plan knows: the enrolment is missing
           c.ck in (select ck from w_stray) as is_stray,
           -- diagnoses that do not go with what was done: careless coding
           u('mismatch', ck) < 0.9 * greatest(0, 0.88 - accuracy) as has_wrong_diagnosis,
           kind = 2 and u('wrong-place', ck) < 0.035 as has_wrong_place,
           coalesce(has_25, false) and u('no-modifier', ck) < 0.12 + 1.5 * greatest(0, 0.9 - accuracy) as lacks_modifier
    from w_claim_timed c
    left join w_authorization a on a.e = c.e
    join w_contract t on t.org = c.org and t.payer_id = c.payer_id;
    -- the same bill sent again because no answer had come
    insert into w_claim
    select * replace (ck + 5 as ck, sent + 20 + pick('again', ck, 25) as sent, sent + 20 + pick('again', ck,
        25) as submitted_date, true as is_duplicate)
    from w_claim
    where u('duplicate', ck) < 0.009 and submitted_date + 45 <= date '{end}';
    """)


def write_claim_feeds(con: duckdb.DuckDBPyConnection) -> None:
    """Feeds medical_claim and medical_claim_line, from w_claim with corrected and secondary claims in it."""
    con.execute(f"""
    create or replace table medical_claim as
    select key_code('CLM', c.ck) as claim_id, case when original_ck is not null then key_code('CLM', original_ck)
        end as original_claim_id,
           case when frequency = '7' then key_code('CTL', original_ck) end as payer_claim_control_number,
           frequency as claim_frequency_code, claim_type, case when submitted_date is null then 'in_preparation'
               else 'submitted' end as claim_status,
           claim_member_code(c.m, is_stray) as member_id, account_code_of(c.m) as patient_account_number,
               n.patient_name,
           case when is_canary(c.m) then '{CANARY_NOTE}'
                when u('claim-note', c.ck) < 0.03 then 'See attached record of ' || n.patient_name end as claim_note,
           c.payer_id, c.plan_id, c.line_of_business, coverage_rank, o.provider_id as billing_id, c.npi as rendering_id,
           case when c.claim_type = 'institutional' or c.place not in ('10', '12') then o.provider_id
               end as facility_id,
           starts as claim_start_date, ends as claim_end_date,
           case when c.form = 0 and kind in (6, 7) then starts end as admission_date,
           case when c.form = 0 and kind in (6, 7) then ends end as discharge_date,
           case when c.form = 0 and kind = 7 then case when u('source', e) < 0.6 then '1' else '7' end
               end as admit_source_code,
           case when c.form = 0 and kind = 7 then case when template = 701 and drg in ('470', '236') then '3'
               when drg = '795' then '4' else '1' end
                when c.claim_type = 'institutional' then case when kind = 5 then '1' else '3' end
                end as admit_type_code,
           case when c.claim_type = 'institutional' then case when kind <> 7 then '01' when p.last_day = ends then '20'
                when u('disposition', e) < 0.72 then '01' when u('disposition', e) < 0.88 then '06' else '03' end
                    end as discharge_disposition_code,
           case when c.claim_type = 'institutional' then case when kind = 7 then '11' when kind = 8 then '72' else '13'
               end || frequency end as bill_type_code,
           case when c.form = 0 and kind = 7 then drg end as drg_code, 'icd-10-cm' as diagnosis_code_type,
           case when has_wrong_diagnosis then 'R6889' else diagnoses[1] end as diagnosis_code_1, case
               when u('invalid-code', c.ck) < 0.002 then '{INVALID_DIAGNOSIS}' else diagnoses[2]
               end as diagnosis_code_2,
           diagnoses[3] as diagnosis_code_3, diagnoses[4] as diagnosis_code_4, diagnoses[5] as diagnosis_code_5,
           diagnoses[6] as diagnosis_code_6, diagnoses[7] as diagnosis_code_7, diagnoses[8] as diagnosis_code_8,
           diagnoses[9] as diagnosis_code_9, diagnoses[10] as diagnosis_code_10,
           case when c.form = 0 and procedure is not null then 'icd-10-pcs' end as procedure_code_type,
           case when c.form = 0 then procedure end as procedure_code_1, null::varchar as procedure_code_2,
               null::varchar as procedure_code_3,
           null::varchar as procedure_code_4, null::varchar as procedure_code_5, null::varchar as procedure_code_6,
           c.charge::decimal(18, 2) as charge_amount, c.price::decimal(18, 2) as expected_amount,
           prior_paid::decimal(18, 2) as prior_payer_paid_amount, coded_date, submitted_date, coder_id,
           documentation::decimal(9, 4) as documentation_rate, accuracy::decimal(9, 4) as coding_accuracy_rate,
           authorization_id, network_status
    from w_claim c
    join w_person p on p.m = c.m
    join w_name n on n.m = c.m
    join w_provider o on o.org = c.org;
    create or replace table medical_claim_line as
    select key_code('CLM', c.ck) as claim_id, row_number() over (partition by c.ck
        order by l.line)::bigint as claim_line_number, claim_line_number::varchar as line_control_number,
           c.starts as claim_line_start_date, c.ends as claim_line_end_date, l.revenue as revenue_center_code,
               l.hcpcs as hcpcs_code,
           case when l.hcpcs is not null then 'hcpcs' end as procedure_code_type,
           case when l.modifier = '25' and c.lacks_modifier then null else l.modifier end as hcpcs_modifier_1,
           case when l.modifier = 'RR' then 'KX' end as hcpcs_modifier_2,
           case when c.has_wrong_place then '11' else l.place end as place_of_service_code,
           l.units::decimal(12, 3) as service_unit_quantity, case when l.claim_type = 'professional' then c.npi
               end as rendering_id,
           l.charge::decimal(18, 2) as charge_amount,
           -- a second payer pays what the first left, whatever the contract says of the service
           case when c.coverage_rank = 'primary' then l.price::decimal(18, 2) end as expected_amount
    from w_claim c join w_priced l on l.e = c.e and l.form = c.form;
    """)


def write_contracted_rates(con: duckdb.DuckDBPyConnection) -> None:
    """Feed contracted_rate, from the terms by which w_priced is priced.

    What a service costs in this world depends on how ill the patient was, which no contract knows: so a price of a code is
    agreed for a day at a time, and where two patients of a day would have two prices, none is. Out of network nothing is
    agreed. A stay is paid by its DRG, whose shares its lines carry: they have a price by revenue code.
    """
    con.execute("""
    create or replace table contracted_rate as
    with priced as (
        select v.payer_id, o.provider_id as billing_id, s.claim_type,
               case when s.hcpcs is not null then 'hcpcs' else 'revenue_code' end as billing_code_type,
               coalesce(s.hcpcs, s.revenue) as billing_code,
               -- reading an image is priced apart from taking it; other modifiers change no price here
               case when s.modifier = '26' then '26' else 'ANY' end as billing_code_modifier,
               e.starts as effective_from_date, e.starts as effective_to_date,
               round(s.price / s.units, 6)::decimal(18, 6) as unit_amount
        from w_priced s
        join w_encounter e on e.e = s.e
        join w_cover v on v.e = s.e
        join w_provider o on o.org = e.org
        join w_contract c on c.org = e.org and c.payer_id = v.payer_id
        where not c.is_out_of_network
    )
    select * exclude (unit_amount), min(unit_amount) as unit_amount, null::decimal(9, 6) as charge_rate
    from priced group by all having count(distinct unit_amount) = 1;
    """)
