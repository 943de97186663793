"""Prescriptions: who fills what and when, adjudicated at the counter, sometimes reversed.

Belongs here: fills (w_fill)
    and the feed pharmacy_fill. Does not: the patient's share (adjudication.apply_benefits gives it).
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.adjudication import NEXT_PAYDAY


def make_fills(con: duckdb.DuckDBPyConnection, end: str, months: int, drugs: int = 1) -> None:
    """w_fill: one row per paid fill; only what cover pays for is known to the plan.

    With `drugs` of 2 everyone may take two of each kind of drug, drawn apart, and so on.
    """
    payday = NEXT_PAYDAY.format(day="dispensed + 3")
    con.execute(f"""
    create or replace table w_drug_number as
    select d.*, row_number() over (order by copy, ndc) as drug from w_drug d, range({drugs}) copies(copy);
    create or replace table w_fill as
    with chances as (
        select p.m, d.*, n.month_number, n.month_start + pick('fill-day', (p.m * 1000 + n.month_number) * 100 + drug,
            28) as dispensed
        from w_person p
        left join w_person_need w using (m)
        join w_drug_number d on d.condition = 0 or list_contains(w.conditions, d.condition)
        cross join w_month n
        where u('fill', (p.m * 1000 + n.month_number) * 100 + drug) < case when d.condition = 0 and is_winter then 1.5
            when d.condition = 0 then 0.7
              -- some never take a drug, others nearly always: adherence is a habit
              when u('habit', p.m * 100 + drug) < 0.25 then 0.1 else 1.3 end * d.share
          -- costly drugs are tried for a while and given up
          and (d.price < 500 or n.month_number between pick('therapy-start', p.m * 100 + drug, {months} + 18) - 18
               and pick('therapy-start', p.m * 100 + drug, {months} + 18) - 10 + pick('therapy-length',
                   p.m * 100 + drug, 16))
          and n.month_start between p.entry_date and p.last_day
    ), covered as (
        select c.*, s.payer_id, s.plan_id
        from chances c join w_span s on s.m = c.m and s.coverage_rank = 'primary' and c.dispensed between s.starts
            and s.ends
        where c.dispensed <= date '{end}'
    ), priced as (
        select c.m * 10000000 + month_number * 10000 + drug as fk, c.*, p.line_of_business, p.payment_weekday,
               usd(price * (0.92 + 0.16 * u('drug-price',
                   payer_id || ndc)) * (1 + 0.04 * (month_number // 12))) as allowed
        from covered c join w_payer p using (payer_id)
    )
    select *, {payday} as paid_date, pick('pharmacy', m, 10) as pharmacy from priced where {payday} <= date '{end}';
    """)


def write_pharmacy_feed(con: duckdb.DuckDBPyConnection, end: str) -> None:
    """Feed pharmacy_fill: fills and, for some, the reversal a few days later (never picked up)."""
    con.execute(f"""
    create or replace table pharmacy_fill as
    with answered as (
        select f.*, s.paid, s.copay, s.deductible, s.coinsurance, usd(f.allowed * 1.25) as charge
        from w_fill f join w_share s on s.key = f.fk and s.line = 0
    ), decided as (
        select *, 1 as adjudication, 1 as sign, paid_date as answered from answered
        union all
        select *, 2, -1, paid_date + 7 from answered where u('not-picked-up', fk) < 0.015
            and paid_date + 7 <= date '{end}'
    )
    select key_code('RX', fk) as claim_id, 1::bigint as claim_line_number, adjudication::bigint as adjudication_number,
           member_code(b.m) as member_id, b.payer_id, b.plan_id, b.line_of_business, c.npi as prescribing_provider_id,
           o.provider_id as dispensing_provider_id, dispensed::date as dispensing_date, answered::date as paid_date,
               ndc as ndc_code,
           'ndc' as drug_code_type, (quantity * sign)::decimal(12, 3) as quantity, days::bigint as days_supply,
           (charge * sign)::decimal(18, 2) as charge_amount, (allowed * sign)::decimal(18, 2) as allowed_amount,
           (paid * sign)::decimal(18, 2) as paid_amount, (deductible * sign)::decimal(18, 2) as deductible_amount,
           (coinsurance * sign)::decimal(18, 2) as coinsurance_amount, (copay * sign)::decimal(18,
               2) as copayment_amount
    from decided b
    join w_clinician_rank c on c.specialty_number = b.m % 3 and c.place = pick('prescriber', b.m, peers::integer)
    join w_provider o on o.org = case when pharmacy < 5 then 11 when pharmacy < 8 then 12 else 13 end;
    """)
