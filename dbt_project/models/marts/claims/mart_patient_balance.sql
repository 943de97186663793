-- One balance of the patient over all payers. A second payer is billed by a claim of its own or under the first one's number:
-- of the one, the claim is found by person, days, biller and charge; of the other, decisions say in which place their payer
-- stands (CLP02 1, 2, 3). Each payer states anew what it leaves to the patient, so the last one that answered is believed. A
-- reversal takes its payer's share back. What is neither paid nor left to the patient is adjusted: nobody owes it.
with claims as (
    select
        *,
        row_number() over (
            partition by
                data_source, coverage_rank = 'secondary', member_token, claim_type, claim_start_date, claim_end_date, billing_id,
                charge_amount
            order by submitted_date, claim_key
        ) as place
    from {{ ref('fct_claim') }}
    where claim_state not in ('in_preparation', 'voided', 'replaced', 'unknown')
),

seconds as (
    select * from claims where coverage_rank = 'secondary'
),

bills as (
    select
        claims.data_source, claims.claim_key as bill_key, claims.claim_key, 1 as claim_rank
    from claims
    where coalesce(claims.coverage_rank, 'primary') <> 'secondary'
    union all
    select seconds.data_source, coalesce(firsts.claim_key, seconds.claim_key), seconds.claim_key, 2
    from seconds
    left join claims as firsts
        on coalesce(firsts.coverage_rank, 'primary') <> 'secondary'
        and seconds.data_source = firsts.data_source
        and seconds.member_token = firsts.member_token
        and seconds.claim_type = firsts.claim_type
        and seconds.claim_start_date = firsts.claim_start_date
        and seconds.claim_end_date = firsts.claim_end_date
        and seconds.billing_id = firsts.billing_id
        and seconds.charge_amount = firsts.charge_amount
        and seconds.place = firsts.place
),

answers as (
    select
        bills.bill_key,
        adjudications.payer_id,
        greatest(
            max(bills.claim_rank),
            coalesce(max(case adjudications.claim_status_code when '2' then 2 when '20' then 2 when '3' then 3 when '21' then 3 end), 1)
        ) as payer_rank,
        sum(adjudications.paid_amount) as paid_amount,
        sum(
            coalesce(adjudications.deductible_amount, 0) + coalesce(adjudications.coinsurance_amount, 0)
            + coalesce(adjudications.copayment_amount, 0)
        ) as left_amount,
        count(coalesce(adjudications.deductible_amount, adjudications.coinsurance_amount, adjudications.copayment_amount)) as known_count,
        min(case when not coalesce(adjudications.is_reversal, false) then adjudications.paid_date end) as first_answer_date,
        max(case when adjudications.is_reversal or adjudications.is_correction then adjudications.paid_date end) as last_correction_date
    from bills
    inner join {{ ref('int_claim__adjudications') }} as adjudications on bills.claim_key = adjudications.claim_key
    group by bills.bill_key, adjudications.payer_id
),

ranked as (
    select
        bill_key,
        payer_rank,
        sum(paid_amount) as paid_amount,
        case when sum(known_count) > 0 then sum(left_amount) end as left_amount,
        min(first_answer_date) as first_answer_date,
        max(last_correction_date) as last_correction_date
    from answers
    group by bill_key, payer_rank
),

paid as (
    select
        bill_key,
        max(payer_rank) as last_payer_rank,
        sum(case when payer_rank = 1 then paid_amount else 0 end) as primary_paid_amount,
        sum(case when payer_rank = 2 then paid_amount else 0 end) as secondary_paid_amount,
        sum(case when payer_rank >= 3 then paid_amount else 0 end) as other_paid_amount,
        sum(paid_amount) as payer_paid_amount,
        max_by(coalesce(left_amount, 0), payer_rank) as left_amount,
        count(left_amount) as known_count,
        max(case when payer_rank = 1 then last_correction_date end) as primary_correction_date,
        min(case when payer_rank > 1 then first_answer_date end) as secondary_answer_date
    from ranked
    group by bill_key
),

moved as (
    select
        bills.bill_key,
        sum(case when transactions.transaction_type in ('patient_payment', 'refund') then transactions.transaction_amount else 0 end)
            as patient_paid_amount,
        sum(case when transactions.transaction_type in ('bad_debt_write_off', 'charity_write_off', 'adjustment') then transactions.transaction_amount else 0 end)
            as patient_written_off_amount
    from bills
    inner join {{ ref('stg_patient_accounting__transactions') }} as transactions on bills.claim_key = transactions.claim_key
    group by bills.bill_key
),

taken_back as (
    select bills.bill_key, sum(adjustments.adjustment_amount) as recouped_amount
    from bills
    inner join {{ ref('int_claim__provider_adjustments') }} as adjustments on bills.claim_key = adjustments.claim_key
    where adjustments.adjustment_reason_code = 'WO'
    group by bills.bill_key
),

sent as (
    select bill_key, count(*) as claim_count, max(case when claim_rank = 2 then 1 else 0 end) as has_second
    from bills
    group by bill_key
)

select
    claims.claim_key,
    claims.data_source,
    claims.claim_token,
    claims.member_key,
    claims.payer_key,
    claims.payer_id,
    claims.claim_start_month,
    cast(sent.claim_count as bigint) as claim_count,
    cast(paid.last_payer_rank as bigint) as last_payer_rank,
    sent.has_second = 1 and paid.last_payer_rank = 1 and coalesce(claims.coverage_rank, 'primary') <> 'secondary' as is_other_payer_pending,
    coalesce(paid.secondary_answer_date < paid.primary_correction_date, false) as is_answer_outdated,
    {{ usd('claims.charge_amount') }} as charge_amount,
    {{ usd('paid.primary_paid_amount') }} as primary_paid_amount,
    {{ usd('paid.secondary_paid_amount') }} as secondary_paid_amount,
    {{ usd('paid.other_paid_amount') }} as other_paid_amount,
    {{ usd('case when paid.known_count > 0 then claims.charge_amount - paid.payer_paid_amount - paid.left_amount end') }} as adjusted_amount,
    {{ usd('case when paid.known_count > 0 then paid.left_amount end') }} as patient_responsibility_amount,
    {{ usd('coalesce(moved.patient_paid_amount, 0)') }} as patient_paid_amount,
    {{ usd('coalesce(moved.patient_written_off_amount, 0)') }} as patient_written_off_amount,
    {{ usd('case when paid.known_count > 0 then paid.left_amount - coalesce(moved.patient_paid_amount, 0) - coalesce(moved.patient_written_off_amount, 0) end') }}
        as patient_balance_amount,
    {{ usd('coalesce(taken_back.recouped_amount, 0)') }} as recouped_amount
from sent
inner join claims on sent.bill_key = claims.claim_key
inner join paid on sent.bill_key = paid.bill_key
left join moved on sent.bill_key = moved.bill_key
left join taken_back on sent.bill_key = taken_back.bill_key
