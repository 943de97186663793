-- A remittance is known by what it says of itself (BPR and TRN), by its claims or by what it adjusts beside them: whichever
-- is missing, it is here. Senders that state no trace number have none.
with advices as (
    select * from {{ ref('stg_remittance_advice__payments') }}
),

decided as (
    select
        data_source,
        remittance_id,
        payer_id,
        max(payer_key) as payer_key,
        max(paid_date) as paid_date,
        count(distinct adjudication_key) as claim_count,
        count(*) filter (where claim_line_number > 0) as line_count,
        sum(paid_amount) as claim_paid_amount,
        max(load_id) as load_id
    from (
        select *, {{ surrogate_key(['claim_token', 'adjudication_number']) }} as adjudication_key
        from {{ ref('int_claim__adjudication_lines') }}
        where remittance_id <> 'not_stated'
    ) as lines
    group by data_source, remittance_id, payer_id
),

adjusted as (
    select
        data_source,
        remittance_id,
        payer_id,
        max(payer_key) as payer_key,
        max(paid_date) as paid_date,
        count(*) as provider_adjustment_count,
        sum(adjustment_amount) as provider_adjustment_amount,
        max(load_id) as load_id
    from {{ ref('stg_provider_adjustment__adjustments') }}
    group by data_source, remittance_id, payer_id
),

keys as (
    select data_source, remittance_id, payer_id from advices
    union
    select data_source, remittance_id, payer_id from decided
    union
    select data_source, remittance_id, payer_id from adjusted
)

select
    {{ surrogate_key(['keys.data_source', 'keys.remittance_id', 'keys.payer_id']) }} as remittance_key,
    keys.data_source,
    keys.remittance_id,
    coalesce(advices.payer_key, decided.payer_key, adjusted.payer_key) as payer_key,
    keys.payer_id,
    advices.remittance_key is not null as has_advice,
    advices.payee_id,
    advices.originator_id,
    advices.payment_method_code,
    advices.credit_debit_code,
    advices.produced_date,
    coalesce(advices.paid_date, decided.paid_date, adjusted.paid_date) as paid_date,
    {{ usd('advices.paid_amount') }} as paid_amount,
    cast(coalesce(decided.claim_count, 0) as bigint) as claim_count,
    cast(coalesce(decided.line_count, 0) as bigint) as line_count,
    cast(coalesce(adjusted.provider_adjustment_count, 0) as bigint) as provider_adjustment_count,
    {{ usd('coalesce(decided.claim_paid_amount, 0)') }} as claim_paid_amount,
    {{ usd('coalesce(adjusted.provider_adjustment_amount, 0)') }} as provider_adjustment_amount,
    coalesce(advices.load_id, decided.load_id, adjusted.load_id) as load_id,
    advices.source_line_number
from keys
left join advices
    on keys.data_source = advices.data_source and keys.remittance_id = advices.remittance_id and keys.payer_id = advices.payer_id
left join decided
    on keys.data_source = decided.data_source and keys.remittance_id = decided.remittance_id and keys.payer_id = decided.payer_id
left join adjusted
    on keys.data_source = adjusted.data_source and keys.remittance_id = adjusted.remittance_id and keys.payer_id = adjusted.payer_id
