{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_key', 'month': 'claim_start_month', 'also': 'claims_of_touched_people'}
) }}

-- One balance of the patient over all payers. A later payer is billed by a claim of its own or under the first one's number: of
-- the one, the claim is found by person, days, biller and charge; of the other, decisions say in which place their payer stands
-- (CLP02 1, 2, 3). Each payer states anew what it leaves to the patient, so the last one that says it is believed, less what
-- payers behind it paid. In an 835 that is whatever stands under group PR, a refusal too (PR-27, PR-96). What is neither paid nor
-- left to the patient is contractual, which nobody owes, or refused by a decision that stands, which may yet be won. Of several
-- decisions of a payer the last that no reversal takes back stands; where a reversal may be of several, what they say is unknown.
with ranks as (
    select
        *,
        case coverage_rank when 'secondary' then 2 when 'tertiary' then 3 else 1 end as claim_rank
    from {{ ref('fct_claim') }}
    where claim_state not in ('in_preparation', 'voided', 'replaced', 'unknown'){{ only_touched('claim_key', 'and') }}
),

claims as (
    select
        *,
        row_number() over (
            partition by
                data_source, claim_rank, member_token, claim_type, claim_start_date, claim_end_date, billing_id, charge_amount
            order by submitted_date, claim_key
        ) as place
    from ranks
),

bills as (
    select
        claims.data_source,
        coalesce(firsts.claim_key, claims.claim_key) as bill_key,
        claims.claim_key,
        claims.claim_rank,
        coalesce(claims.further_payer_count, 0) as further_payer_count,
        coalesce(claims.earlier_submission_count, 0) as earlier_submission_count
    from claims
    left join claims as firsts
        on claims.claim_rank > firsts.claim_rank
        and firsts.claim_rank = 1
        and claims.data_source = firsts.data_source
        and claims.member_token = firsts.member_token
        and claims.claim_type = firsts.claim_type
        and claims.claim_start_date = firsts.claim_start_date
        and claims.claim_end_date = firsts.claim_end_date
        and claims.billing_id = firsts.billing_id
        and claims.charge_amount = firsts.charge_amount
        and claims.place = firsts.place
),

reasons as (
    select
        claim_key,
        adjudication_number,
        sum(adjustment_amount) as left_amount,
        sum(case when denial_category <> 'not_a_denial' then adjustment_amount else 0 end) as refused_and_left_amount
    from {{ ref('int_claim__adjudication_reasons') }}
    where adjustment_group_code = 'PR'{{ only_touched('claim_key', 'and') }}
    group by claim_key, adjudication_number
),

decisions as (
    select
        bills.bill_key,
        greatest(bills.claim_rank, coalesce(adjudications.payer_rank, 1)) as payer_rank,
        adjudications.claim_key,
        adjudications.payer_id,
        adjudications.adjudication_number,
        adjudications.reversed_adjudication_number,
        coalesce(adjudications.is_reversal, false) as is_reversal,
        adjudications.is_reversal_ambiguous,
        coalesce(adjudications.is_reversal or adjudications.is_correction, false) as is_changed,
        adjudications.paid_date,
        adjudications.paid_amount,
        -- without reasons the patient's share is what the columns say; nothing is left of what is paid as charged
        coalesce(
            reasons.left_amount,
            case
                when coalesce(adjudications.deductible_amount, adjudications.coinsurance_amount, adjudications.copayment_amount) is not null
                    then coalesce(adjudications.deductible_amount, 0) + coalesce(adjudications.coinsurance_amount, 0)
                        + coalesce(adjudications.copayment_amount, 0)
                when adjudications.reason_count > 0 or adjudications.charge_amount = adjudications.paid_amount then 0
            end
        ) as left_amount,
        case
            when adjudications.denied_amount is not null
                then greatest(adjudications.denied_amount - coalesce(reasons.refused_and_left_amount, 0), 0)
            when adjudications.charge_amount = adjudications.paid_amount then 0
        end as refused_amount
    from bills
    inner join {{ ref('int_claim__adjudications') }} as adjudications on bills.claim_key = adjudications.claim_key
    left join reasons
        on adjudications.claim_key = reasons.claim_key and adjudications.adjudication_number = reasons.adjudication_number
    {{- only_touched('adjudications.claim_key') }}
),

taken_back_decisions as (
    select claim_key, reversed_adjudication_number from decisions
    where reversed_adjudication_number is not null
    group by claim_key, reversed_adjudication_number
),

placed as (
    select
        decisions.*,
        not decisions.is_reversal and taken_back_decisions.claim_key is null as is_standing,
        coalesce(
            decisions.adjudication_number < max(case when decisions.is_reversal_ambiguous then decisions.adjudication_number end) over (
                partition by decisions.claim_key, decisions.payer_rank
            ),
            false
        ) as is_unclear
    from decisions
    left join taken_back_decisions
        on decisions.claim_key = taken_back_decisions.claim_key
        and decisions.adjudication_number = taken_back_decisions.reversed_adjudication_number
),

answers as (
    select
        *,
        row_number() over (
            partition by bill_key, payer_rank, is_standing order by paid_date desc, adjudication_number desc, claim_key
        ) as answer_place
    from placed
),

ranked as (
    select
        bill_key,
        payer_rank,
        sum(paid_amount) as paid_amount,
        max(case when is_standing and answer_place = 1 and not is_unclear then left_amount end) as left_amount,
        max(case when is_standing and answer_place = 1 and not is_unclear then refused_amount end) as refused_amount,
        max(case when is_standing then 1 else 0 end) as standing_count,
        max(case when is_standing then paid_date end) as last_answer_date,
        max(case when is_changed then paid_date end) as last_correction_date
    from answers
    group by bill_key, payer_rank
),

last_said as (
    select bill_key, max(payer_rank) as said_rank, max_by(left_amount, payer_rank) as left_amount
    from ranked
    where left_amount is not null
    group by bill_key
),

paid as (
    select
        ranked.bill_key,
        max(ranked.payer_rank) as last_payer_rank,
        sum(case when ranked.payer_rank = 1 then ranked.paid_amount else 0 end) as primary_paid_amount,
        sum(case when ranked.payer_rank = 2 then ranked.paid_amount else 0 end) as secondary_paid_amount,
        sum(case when ranked.payer_rank >= 3 then ranked.paid_amount else 0 end) as other_paid_amount,
        sum(ranked.paid_amount) as payer_paid_amount,
        max(last_said.left_amount) as said_amount,
        sum(case when ranked.payer_rank > last_said.said_rank then ranked.paid_amount else 0 end) as paid_since_amount,
        case when count(ranked.refused_amount) = sum(ranked.standing_count) then coalesce(sum(ranked.refused_amount), 0) end
            as refused_amount,
        max(case when ranked.payer_rank = 1 then ranked.last_correction_date end) as primary_correction_date,
        min(case when ranked.payer_rank > 1 then ranked.last_answer_date end) as later_answer_date
    from ranked
    left join last_said on ranked.bill_key = last_said.bill_key
    group by ranked.bill_key
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
    {{- only_touched('transactions.claim_key') }}
    group by bills.bill_key
),

taken_back as (
    select bills.bill_key, sum(adjustments.adjustment_amount) as recouped_amount
    from bills
    inner join {{ ref('int_claim__provider_adjustments') }} as adjustments on bills.claim_key = adjustments.claim_key
    where adjustments.adjustment_reason_code = 'WO'
    group by bills.bill_key
),

-- Of a claim that was sent on, as many payers answered as have an id or a place of their own: a remittance may call a payer by
-- another number than the claim does, two payers may pay under one, and a denial says no place. Who had it first, and no longer
-- has it, answers for no other.
no_longer as (
    select claim_key, payer_id
    from {{ ref('stg_medical_claim__other_submissions') }}
    where claim_status = 'submitted'{{ only_touched('claim_key', 'and') }}
    group by claim_key, payer_id
    having not bool_or(is_to_further_payer)
),

answered as (
    select claim_key, greatest(count(distinct answering_id), count(distinct answering_rank)) as payer_count
    from (
        select
            decisions.claim_key,
            case when no_longer.claim_key is null or decisions.payer_id = ranks.payer_id then decisions.payer_id end as answering_id,
            case when no_longer.claim_key is null or decisions.payer_id = ranks.payer_id then decisions.payer_rank end as answering_rank
        from decisions
        inner join ranks on decisions.claim_key = ranks.claim_key
        left join no_longer on decisions.claim_key = no_longer.claim_key and decisions.payer_id = no_longer.payer_id
    ) as answering
    group by claim_key
),

sent as (
    select
        bills.bill_key,
        count(*) as claim_count,
        count(answered.claim_key) as answered_claim_count,
        max(case
            when bills.claim_rank > 1 and answered.claim_key is null then 1
            when bills.further_payer_count + bills.earlier_submission_count > 0 and coalesce(answered.payer_count, 0) <= bills.further_payer_count then 1
            else 0
        end) as has_unanswered
    from bills
    left join answered on bills.claim_key = answered.claim_key
    group by bills.bill_key
),

left_over as (
    select *, case when said_amount > paid_since_amount then said_amount - paid_since_amount when said_amount >= 0 then 0 else said_amount end as left_amount
    from paid
),

balanced as (
    select left_over.*, claims.charge_amount - left_over.payer_paid_amount - left_over.left_amount as adjusted_amount
    from left_over
    inner join claims on left_over.bill_key = claims.claim_key
),

-- Several payers may refuse one service, and it is open once.
opened as (
    select
        *,
        case
            when adjusted_amount <= 0 then 0
            when adjusted_amount is not null and refused_amount is not null then least(refused_amount, adjusted_amount)
        end as open_amount
    from balanced
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
    cast(sent.answered_claim_count as bigint) as answered_claim_count,
    cast(paid.last_payer_rank as bigint) as last_payer_rank,
    sent.has_unanswered = 1 as is_other_payer_pending,
    coalesce(paid.later_answer_date < paid.primary_correction_date, false) as is_answer_outdated,
    {{ usd('claims.charge_amount') }} as charge_amount,
    {{ usd('paid.primary_paid_amount') }} as primary_paid_amount,
    {{ usd('paid.secondary_paid_amount') }} as secondary_paid_amount,
    {{ usd('paid.other_paid_amount') }} as other_paid_amount,
    {{ usd('paid.adjusted_amount') }} as adjusted_amount,
    {{ usd('paid.adjusted_amount - paid.open_amount') }} as contractual_amount,
    {{ usd('paid.open_amount') }} as refused_amount,
    {{ usd('paid.left_amount') }} as patient_responsibility_amount,
    {{ usd('coalesce(moved.patient_paid_amount, 0)') }} as patient_paid_amount,
    {{ usd('coalesce(moved.patient_written_off_amount, 0)') }} as patient_written_off_amount,
    {{ usd('paid.left_amount - coalesce(moved.patient_paid_amount, 0) - coalesce(moved.patient_written_off_amount, 0)') }}
        as patient_balance_amount,
    {{ usd('coalesce(taken_back.recouped_amount, 0)') }} as recouped_amount
from sent
inner join claims on sent.bill_key = claims.claim_key
inner join opened as paid on sent.bill_key = paid.bill_key
left join moved on sent.bill_key = moved.bill_key
left join taken_back on sent.bill_key = taken_back.bill_key
