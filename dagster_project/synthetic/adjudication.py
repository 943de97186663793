"""What payers answer: adjudications of each claim with amounts by line, corrections, reversals, appeals,
    and the reasons.

Belongs here: dates of decisions, allowed,
    patient's share under the plan, CAS reasons, secondary payers. Does not: the patient's money.
"""

from __future__ import annotations

import duckdb

# The next payment weekday of the payer after a day (0 = Sunday): payers pay once a week.
NEXT_PAYDAY = "({day} + 1 + ((payment_weekday - dayofweek({day} + 1) + 7) % 7)::integer)"


def follow_up(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Decides first adjudications, and what becomes of denials; corrected claims join w_claim."""
    con.execute(f"""
    create or replace table w_first as
    select d.ck, d.is_denied, d.denial_probability, d.category,
           d.decided_date as decided, c.submitted_date is not null as is_sent
    from w_denial d join w_claim c using (ck);
    create or replace table w_fate as
    -- one road per denied claim: corrected and sent again, appealed, written off, or still open
    select f.ck, f.decided, g.category, case
        when u('fate', f.ck) < g.corrected_share then 'corrected'
        when u('fate', f.ck) < g.corrected_share + g.appealed_share then 'appealed'
        when u('fate', f.ck) < g.corrected_share + g.appealed_share + 0.75 * (1 - g.corrected_share - g.appealed_share)
            then 'written_off'
        else 'open' end as fate,
        f.decided + 6 + (5 + pick('follow-up', f.ck, 40)) as acted
    from w_first f join w_category g on g.number = f.category where f.is_denied and is_sent;
    insert into w_claim
    select c.* replace (c.ck + 7 as ck, f.acted as sent, c.ck as original_ck, '7' as frequency,
        f.acted - 2 as coded_date, f.acted as submitted_date,
        least(1.0, documentation + 0.15) as documentation, least(1.0, accuracy + 0.05) as accuracy,
        case when f.category = 'prior_authorization' then key_code('AUT', c.e * 100 + 1) else authorization_id
            end as authorization_id,
        c.cover_payer as payer_id, case when c.cover_payer = c.payer_id then c.plan_id else c.cover_plan end as plan_id,
        p.line_of_business as line_of_business, p.adjudication_days as adjudication_days,
            p.payment_weekday as payment_weekday,
        p.filing_days as filing_days, false as has_wrong_diagnosis, false as has_wrong_place, false as lacks_modifier)
    from w_claim c join w_fate f using (ck) join w_payer p on p.payer_id = c.cover_payer
    where f.fate = 'corrected' and f.acted <= date '{end}';
    -- a corrected claim is judged on its own: most are paid now
    insert into w_first
    select c.ck, u('denied', c.ck) < 0.12 + 0.15 * u('corrected-badly', c.ck), 0.12 + 0.15 * u('corrected-badly', c.ck),
        d.category,
           c.submitted_date + greatest(4, adjudication_days + round(0.35 * adjudication_days * normal('payer-lag',
               c.ck)))::integer, true
    from w_claim c join w_first d on d.ck = c.original_ck where c.frequency = '7';
    update w_first set category = null where not is_denied;
    insert into w_fate
    select f.ck, f.decided, g.category, case when u('fate', f.ck) < 0.3 then 'appealed' when u('fate', f.ck) < 0.75
        then 'written_off' else 'open' end,
           f.decided + 15 + pick('follow-up', f.ck, 40)
    from w_first f join w_claim c using (ck) join w_category g on g.number = f.category where f.is_denied
        and c.frequency = '7';
    """)


def make_adjudications(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """w_adjudication (claim level) and w_payable (lines with money, before the patient's share)."""
    payday = NEXT_PAYDAY.format(day="decided")
    con.execute(f"""
    create or replace table w_adjudication as
    with first(ck, adjudication, outcome, decided, category, factor) as (
        select f.ck, 1 as adjudication, case when is_denied then 'denied' else 'paid' end as outcome, decided, category,
            1.0 as factor
        from w_first f where is_sent
    ), appealed(ck, adjudication, outcome, decided, category, factor) as (
        select ck, 2, case when u('overturned', ck) < 0.45 then 'paid' else 'denied' end,
            acted + 35 + pick('appeal-lag', ck, 50),
               f.category, 0.6 + 0.4 * u('appeal-part', ck)
        from w_fate t join w_first f using (ck) where fate = 'appealed'
    ), reversed(ck, adjudication, outcome, decided, category, factor) as (
        select ck, 2, 'reversed', decided + 30 + pick('reversal-lag', ck, 100), null::integer, 1.0 from w_first
        where is_sent and not is_denied and u('reversed', ck) < 0.016
    ), corrected(ck, adjudication, outcome, decided, category, factor) as (
        select ck, 3, 'repaid', decided, null::integer, 0.70 + 0.38 * u('correction', ck) from reversed
    )
    select a.*, {payday} as paid_date, c.m, c.payer_id, c.line_of_business, c.plan_id
    from (from first union all from appealed union all from reversed union all from corrected) a
    join w_claim c using (ck)
    where {payday} <= date '{end}';
    create or replace table w_line as
    select c.ck, c.m, c.e, row_number() over (partition by c.ck order by l.line) as line, l.charge, l.price,
        c.network_status, c.kind, c.risk,
           c.line_count
    from w_claim c join w_priced l on l.e = c.e and l.form = c.form where c.submitted_date is not null;
    create or replace table w_payable as
    select a.ck, l.line, a.adjudication, a.outcome, a.m, a.plan_id, l.charge, l.kind, a.decided, a.paid_date,
           -- some lines of a paid claim are refused
           a.outcome = 'denied' or (a.adjudication = 1 and l.line = l.line_count and l.line_count > 1
               and u('line-refused', a.ck) < 0.035)
               as is_refused,
           case when a.outcome = 'denied' or (a.adjudication = 1 and l.line = l.line_count and l.line_count > 1
               and u('line-refused', a.ck) < 0.035)
                then 0::decimal(18, 2)
                else least(l.charge, usd(l.price * a.factor * case when network_status = 'out_of_network' then 1.25
                    else 1 end)) end as allowed
    from w_adjudication a join w_line l using (ck)
    where a.outcome in ('paid', 'denied');
    """)


def apply_benefits(con: duckdb.DuckDBPyConnection) -> None:
    """w_share: the patient's share of each payable line and fill, as decided, per member, plan and calendar year."""
    con.execute("""
    create or replace table w_share as
    with events as (
        select p.ck as key, p.line, p.adjudication, p.m, p.plan_id, p.decided, p.allowed, p.kind,
            year(e.starts) as benefit_year,
               -- one copay per visit, on its first line
               case when p.line <> 1 then 0 when p.kind in (1, 2, 3) then copay_office when p.kind = 5 and e.form = 0
                   then copay_emergency else 0 end as copay_due
        from w_payable p join w_claim e using (ck)
        join w_benefit b on b.plan_id = p.plan_id and b.benefit_year = year(e.starts)
        where p.allowed > 0
        union all
        select f.fk, 0, 1, f.m, f.plan_id, f.dispensed, f.allowed, 0, year(f.dispensed), copay_pharmacy
        from w_fill f join w_benefit b on b.plan_id = f.plan_id and b.benefit_year = year(f.dispensed)
    ), copaid as (
        select v.*, least(copay_due, allowed)::decimal(18, 2) as copay, coalesce(f.subscriber, v.m) as subscriber
        from events v left join w_subscriber f on f.m = v.m and f.plan_id = v.plan_id and f.coverage_rank = 'primary'
    ), subject_to as (
        -- drugs have a copay and no deductible
        select *, sum(own_subject) over person as subject
        from (select *, case when kind = 0 then 0 else allowed - copay end as own_subject from copaid)
        window person as (partition by m, plan_id, benefit_year order by decided, key, adjudication,
            line rows unbounded preceding)
    ), of_person as (
        select s.*, b.deductible as deductible_limit, b.out_of_pocket as pocket_limit,
            b.coinsurance as coinsurance_rate,
               least(b.deductible, subject) - least(b.deductible, subject - own_subject) as person_deducted
        from subject_to s join w_benefit b using (plan_id, benefit_year)
    ), of_family as (
        -- embedded: a person's share counts until the family's limit, twice the person's, is reached
        select *, sum(person_deducted) over family as family_deducted from of_person
        window family as (partition by subscriber, plan_id, benefit_year order by decided, key, adjudication,
            line rows unbounded preceding)
    ), deducted as (
        select *, (least(2 * deductible_limit, family_deducted) - least(2 * deductible_limit,
            family_deducted - person_deducted))::decimal(18, 2)
                   as deducted from of_family
    ), coinsured as (
        select *, case when kind = 0 then 0 else round((allowed - copay - deducted) * coinsurance_rate,
            2) end::decimal(18, 2) as coinsured
        from deducted
    ), owed_by_person as (
        select *, copay + deducted + coinsured as own_owed, sum(copay + deducted + coinsured) over person as owed
            from coinsured
        window person as (partition by m, plan_id, benefit_year order by decided, key, adjudication,
            line rows unbounded preceding)
    ), capped as (
        select *, least(pocket_limit, owed) - least(pocket_limit, owed - own_owed) as person_share from owed_by_person
    ), owed_by_family as (
        select *, sum(person_share) over family as family_owed from capped
        window family as (partition by subscriber, plan_id, benefit_year order by decided, key, adjudication,
            line rows unbounded preceding)
    ), limited as (
        select *, (least(2 * pocket_limit, family_owed) - least(2 * pocket_limit,
            family_owed - person_share))::decimal(18, 2) as patient
        from owed_by_family
    )
    -- where the year's maximum cuts, it cuts coinsurance first, then the deductible, then the copay
    select key, line, adjudication, m, subscriber, plan_id, benefit_year, decided, allowed,
        (allowed - patient)::decimal(18, 2) as paid,
           least(copay, patient) as copay, least(deducted, patient - least(copay, patient)) as deductible,
           (patient - least(copay, patient) - least(deducted, patient - least(copay, patient)))::decimal(18,
               2) as coinsurance
    from limited;
    """)


def settle_lines(con: duckdb.DuckDBPyConnection) -> None:
    """w_answer: one row per claim, line and adjudication of first payers, signed: payments, reversals, corrections."""
    con.execute("""
    create or replace table w_settled as
    select p.ck, p.line, p.adjudication, p.outcome, p.is_refused, p.charge, coalesce(s.allowed, 0)::decimal(18,
        2) as allowed,
           coalesce(s.paid, 0)::decimal(18, 2) as paid, coalesce(s.deductible, 0)::decimal(18, 2) as deductible,
           coalesce(s.coinsurance, 0)::decimal(18, 2) as coinsurance, coalesce(s.copay, 0)::decimal(18, 2) as copay,
               0::decimal(18, 2) as prior
    from w_payable p left join w_share s on s.key = p.ck and s.line = p.line and s.adjudication = p.adjudication;
    create or replace table w_answer as
    with original as (
        select * from w_settled where adjudication = 1
    ), reversal as (
        select a.ck, o.line, a.adjudication, 'reversed' as outcome, o.is_refused, -o.charge as charge,
            -o.allowed as allowed, -o.paid as paid,
               -o.deductible as deductible, -o.coinsurance as coinsurance, -o.copay as copay, 0::decimal(18, 2) as prior
        from w_adjudication a join original o using (ck) where a.outcome = 'reversed'
    ), repaid as (
        select a.ck, o.line, a.adjudication, 'repaid' as outcome, o.is_refused, o.charge, least(o.charge,
            usd(o.allowed * a.factor)) as allowed,
               usd(o.deductible * least(1, a.factor)) as deductible, usd(o.coinsurance * least(1,
                   a.factor)) as coinsurance,
               usd(o.copay * least(1, a.factor)) as copay
        from w_adjudication a join original o using (ck) where a.outcome = 'repaid'
    )
    select * from w_settled
    union all by name
    select * from reversal
    union all by name
    select ck, line, adjudication, outcome, is_refused, charge, greatest(allowed,
        deductible + coinsurance + copay) as allowed,
           (greatest(allowed, deductible + coinsurance + copay) - deductible - coinsurance - copay)::decimal(18,
               2) as paid,
           deductible, coinsurance, copay, 0::decimal(18, 2) as prior
    from repaid;
    """)


def answer_second_payers(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Adds to w_claim, w_adjudication and w_answer what second payers were sent, and what they answered."""
    payday = NEXT_PAYDAY.format(day="decided")
    con.execute(f"""
    create or replace table w_secondary as
    select c.ck, c.secondary_payer as payer_id, c.secondary_plan as plan_id, a.paid_date + 4 + pick('secondary-lag',
        c.ck, 20) as submitted,
           s.paid, s.patient, s.charge
    from w_claim c
    join w_adjudication a on a.ck = c.ck and a.adjudication = 1 and a.outcome = 'paid'
    join (select ck, sum(paid) as paid, sum(charge) as charge, sum(deductible + coinsurance + copay) as patient
        from w_settled
          where adjudication = 1 group by ck) s on s.ck = c.ck
    where c.secondary_payer is not null and c.secondary_payer <> c.payer_id and s.patient > 0 and c.frequency = '1'
        and not c.is_duplicate
      and not exists (from w_adjudication r where r.ck = c.ck and r.outcome = 'reversed');
    insert into w_claim
    select c.* replace (c.ck + 6 as ck, s.payer_id as payer_id, s.plan_id as plan_id,
        p.line_of_business as line_of_business,
        p.adjudication_days as adjudication_days, p.payment_weekday as payment_weekday, p.filing_days as filing_days,
        s.submitted as sent, s.submitted - 1 as coded_date, s.submitted as submitted_date, 'secondary' as coverage_rank,
            s.paid as prior_paid,
        s.patient::decimal(18, 2) as price)
    from w_secondary s join w_claim c using (ck) join w_payer p on p.payer_id = s.payer_id
        where s.submitted <= date '{end}';
    insert into w_adjudication
    with decided as (
        select ck, 1 as adjudication, 'secondary' as outcome, submitted_date + greatest(4, adjudication_days
               + round(0.35 * adjudication_days * normal('payer-lag', ck)))::integer as decided,
                   null::integer as category, 1.0 as factor, *
               exclude (ck)
        from w_claim where coverage_rank = 'secondary'
    )
    select ck, adjudication, outcome, decided, category, factor, {payday}, m, payer_id, line_of_business, plan_id
        from decided
    where {payday} <= date '{end}';
    insert into w_first select ck, false, 0.0, null, decided, true from w_adjudication where outcome = 'secondary';
    insert into w_answer by name
    -- the second payer takes most of what the first left to the patient; the rest is the first one's effect
    with shares as (
        select c.ck, o.line, o.charge, (o.deductible + o.coinsurance + o.copay)::decimal(18, 2) as left_over,
               case when c.payer_id = 'PSM' then 1.0 else 0.8 end as part
        from w_adjudication a join w_claim c using (ck) join w_settled o on o.ck = c.ck - 6 and o.adjudication = 1
        where a.outcome = 'secondary'
    )
    select ck, line, 1 as adjudication, 'secondary' as outcome, false as is_refused, charge, left_over as allowed,
        usd(left_over * part) as paid,
           0::decimal(18, 2) as deductible, (left_over - usd(left_over * part))::decimal(18, 2) as coinsurance,
               0::decimal(18, 2) as copay,
           (charge - left_over)::decimal(18, 2) as prior
    from shares;
    """)


def write_remittance_feeds(con: duckdb.DuckDBPyConnection) -> None:
    """Feeds remittance and remittance_adjustment: lines as answered, and a reason for every dollar not paid."""
    con.execute("""
    create or replace table remittance as
    select 'R-' || a.payer_id || '-' || strftime(a.paid_date, '%Y%m%d') as remittance_id, key_code('CLM',
        w.ck) as claim_id,
           w.line::bigint as claim_line_number, w.line::varchar as line_control_number, w.adjudication::bigint as adjudication_number, key_code('CTL',
               w.ck) as payer_claim_control_number,
           claim_member_code(c.m, c.is_stray) as member_id, n.patient_name, a.payer_id, a.line_of_business,
           case when w.outcome = 'reversed' then '22' when w.outcome = 'secondary' then '2'
                when w.outcome = 'denied' and u('status-4', w.ck) < 0.08 then '4' else '1' end as claim_status_code,
           c.starts as claim_start_date, a.decided as adjudicated_date, a.paid_date, w.charge as charge_amount, w.allowed as allowed_amount,
               w.paid as paid_amount,
           w.deductible as deductible_amount, w.coinsurance as coinsurance_amount, w.copay as copayment_amount
    from w_answer w join w_adjudication a using (ck, adjudication) join w_claim c using (ck) join w_name n on n.m = c.m;
    create or replace table remittance_adjustment as
    with answered as (
        select w.*, a.payer_id, a.paid_date, a.outcome as decision, g.adjustment_group, g.carc, g.rarc, g.other_carc,
            case when w.outcome = 'secondary' then 0 else w.charge - w.allowed end as reduction,
            (reduction <> 0)::bigint as place_1, place_1 + (w.deductible <> 0)::bigint as place_2,
            place_2 + (w.coinsurance <> 0)::bigint as place_3, place_3 + (w.copay <> 0)::bigint as place_4,
            place_4 + (w.prior <> 0)::bigint as place_5
        from w_answer w join w_adjudication a using (ck, adjudication)
        left join w_category g on g.number = a.category
    ), reasons as (
        -- numbered by counting the reasons before: sorting them all for it took most of the time
        select ck, line, adjudication, payer_id, paid_date, place_1 as place,
            case when is_refused and decision = 'denied' then adjustment_group else 'CO' end as grp,
            case when not is_refused then '45'
                 when decision = 'denied' then case when other_carc is not null and u('other-code', ck) < 0.3
                     then other_carc else carc end
                 else ['97', '50', '119', '236', '204'][1 + pick('line-reason', ck, 5)] end as carc,
            case when is_refused and decision = 'denied' then rarc end as rarc, reduction as amount
        from answered
        union all
        select ck, line, adjudication, payer_id, paid_date, place_2, 'PR', '1', null, deductible from answered
        union all
        select ck, line, adjudication, payer_id, paid_date, place_3, 'PR', '2', null, coinsurance from answered
        union all
        select ck, line, adjudication, payer_id, paid_date, place_4, 'PR', '3', null, copay from answered
        union all
        select ck, line, adjudication, payer_id, paid_date, place_5, 'OA', '23', null, prior from answered
    )
    select 'R-' || payer_id || '-' || strftime(paid_date, '%Y%m%d') as remittance_id, key_code('CLM', ck) as claim_id,
           line::bigint as claim_line_number, line::varchar as line_control_number, adjudication::bigint as adjudication_number,
           place as adjustment_number, paid_date, grp as adjustment_group_code, carc as carc_code, rarc as rarc_code,
           amount::decimal(18, 2) as adjustment_amount
    from reasons where amount <> 0;
    """)
