"""Money beside the claims' answers: what patients pay, what is given up, what payers take back.

Belongs here: feeds patient_accounting, provider_adjustment
    and remittance_advice. Does not: contractual adjustments (they are CO-45 in remittances).
"""

from __future__ import annotations

import duckdb


def write_patient_accounting(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feed patient_accounting: payments (late, partial, in two parts), write-offs, refunds; nothing after the end."""
    con.execute(f"""
    create or replace table w_balance as
    -- what the patient owes once every payer has answered
    select c.ck, c.m, c.payer_id, c.line_of_business, min(a.paid_date) as billed,
        sum(w.deductible + w.coinsurance + w.copay) as owed
    from w_answer w join w_adjudication a using (ck, adjudication) join w_claim c using (ck)
    where w.outcome in ('paid', 'secondary') and not exists (from w_claim s where s.ck = c.ck + 6
        and s.coverage_rank = 'secondary' and c.coverage_rank = 'primary')
    group by c.ck, c.m, c.payer_id, c.line_of_business having owed > 0;
    create or replace table patient_accounting as
    with roads as (
        select *, case when u('pays', ck) < 0.70 then 'in_full' when u('pays', ck) < 0.80 then 'two_parts'
            when u('pays', ck) < 0.88 then 'in_part'
                       when u('pays', ck) < 0.94 then 'never' when u('pays', ck) < 0.97 then 'charity' else 'open'
                           end as road,
               billed + 10 + floor(25 * -ln(1 - u('pay-lag', ck)))::integer as first_day
        from w_balance
    ), entries as (
        select *, 1 as entry, 'patient_payment' as kind, first_day as day, owed as amount from roads
            where road = 'in_full'
        union all select *, 1, 'patient_payment', first_day, usd(owed / 2) from roads where road = 'two_parts'
        union all select *, 2, 'patient_payment', first_day + 30, owed - usd(owed / 2) from roads
            where road = 'two_parts' and owed > 0.02
        union all select *, 1, 'patient_payment', first_day, usd(owed * 0.4) from roads where road = 'in_part'
            and owed > 0.05
        union all select *, 2, case when owed - usd(owed * 0.4) < 10 then 'adjustment' else 'bad_debt_write_off' end,
            first_day + 150,
                         owed - usd(owed * 0.4) from roads where road = 'in_part' and owed > 0.05
        union all select *, 1, 'bad_debt_write_off', billed + 180, owed from roads where road = 'never'
        union all select *, 1, 'charity_write_off', billed + 60, owed from roads where road = 'charity'
        -- paid twice, given back
        union all select *, 3, 'patient_payment', first_day + 12, owed from roads where road = 'in_full'
            and u('paid-twice', ck) < 0.012
        union all select *, 4, 'refund', first_day + 40, -owed from roads where road = 'in_full' and u('paid-twice',
            ck) < 0.012
        union all
        select t.ck, c.m, c.payer_id, c.line_of_business, t.decided, c.charge, 'denied', t.acted, 5, 'denial_write_off',
            t.acted + 20, c.charge
        from w_fate t join w_claim c using (ck) where t.fate = 'written_off' and c.frequency in ('1', '7')
          and exists (from w_adjudication a where a.ck = t.ck)
        union all
        -- a lost appeal is given up as well
        select a.ck, c.m, c.payer_id, c.line_of_business, a.decided, c.charge, 'denied', a.decided, 6,
            'denial_write_off', a.paid_date + 14, c.charge
        from w_adjudication a join w_claim c using (ck) where a.adjudication = 2 and a.outcome = 'denied'
    )
    select entry_code('TRX', ck, entry) as transaction_id, account_code_of(e.m) as patient_account_number,
        key_code('CLM', ck) as claim_id,
           claim_member_code(e.m, c.is_stray) as member_id, n.patient_name, e.payer_id, e.line_of_business,
               e.kind as transaction_type,
           e.day as posting_date, e.amount::decimal(18, 2) as transaction_amount
    from entries e join w_name n on n.m = e.m join w_claim c using (ck)
    where e.day <= date '{end}';
    """)


def write_provider_adjustments(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feed provider_adjustment: takebacks (WO) months after payment, interest (L6) for late payment."""
    con.execute(f"""
    create or replace table w_payday as select distinct payer_id, paid_date from w_adjudication;
    create or replace table provider_adjustment as
    with paid as (
        select w.ck, w.adjudication, a.payer_id, a.line_of_business, a.paid_date, c.submitted_date, sum(w.paid) as paid
        from w_answer w join w_adjudication a using (ck, adjudication) join w_claim c using (ck)
        where w.outcome = 'paid' group by all having sum(w.paid) > 20
    ), wanted as (
        -- taken back: paid for someone who was covered elsewhere, or found too high in an audit
        select ck, payer_id, line_of_business, 'WO' as reason, usd(paid * case when u('takeback-all', ck) < 0.6 then 1
            else 0.35 end) as amount,
               paid_date + 75 + pick('takeback-lag', ck, 190) as wanted_day
        from paid where adjudication = 1 and u('takeback', ck) < 0.011
          and not exists (from w_adjudication r where r.ck = paid.ck and r.outcome = 'reversed')
        union all
        select ck, payer_id, line_of_business, 'L6', -usd(greatest(0.01,
            paid * 0.0003 * (paid_date - submitted_date - 45))), paid_date
        from paid where paid_date - submitted_date > 45
    ), placed as (
        select w.*, min(d.paid_date) as paid_date from wanted w join w_payday d on d.payer_id = w.payer_id
            and d.paid_date >= w.wanted_day
        group by all
    )
    select 'R-' || payer_id || '-' || strftime(paid_date, '%Y%m%d') as remittance_id,
           row_number() over (partition by payer_id, paid_date order by reason, ck)::bigint as adjustment_number,
               payer_id, line_of_business,
           reason as adjustment_reason_code, key_code('CLM', ck) as claim_id,
               key_code('CTL', ck) as payer_claim_control_number, paid_date, amount::decimal(18,
               2) as adjustment_amount
    from placed where paid_date <= date '{end}' order by remittance_id, adjustment_number;
    """)


def write_remittance_advices(con: duckdb.DuckDBPyConnection) -> None:
    """Feed remittance_advice: what each remittance moves, its claims less what is adjusted beside them.

    A payer that is owed more than it pays would carry the rest forward (FB); here its payment is negative.
    """
    con.execute("""
    create or replace table remittance_advice as
    with moved as (
        select remittance_id, payer_id, paid_date, paid_amount as amount from remittance
        union all
        select remittance_id, payer_id, paid_date, -adjustment_amount from provider_adjustment
    )
    select remittance_id, payer_id, null::varchar as payee_id, '1' || rpad(payer_id, 9, '0') as originator_id,
        'ACH' as payment_method_code, 'C' as credit_debit_code, paid_date - 1 as produced_date, paid_date,
        sum(amount)::decimal(18, 2) as paid_amount
    from moved group by remittance_id, payer_id, paid_date;
    """)
