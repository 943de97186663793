-- Which lines have a price to hold payers to, and whether the sender's contract system and the contract agree on it. Where it
-- puts less on a line than was agreed, mart_underpayment misses what the payer keeps.
with lines as (
    select
        *,
        {{ month_of('claim_line_start_date') }} as service_month,
        contracted_amount - stated_amount as difference_amount
    from {{ ref('int_claim__expected_amounts') }}
    where is_first_payers and payer_id is not null
)

select
    {{ surrogate_key(['data_source', 'service_month', 'payer_id', 'billing_id']) }} as contract_price_key,
    data_source,
    service_month,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    payer_id,
    billing_id,
    count(*) as line_count,
    count(stated_amount) as stated_line_count,
    count(contracted_amount) as contracted_line_count,
    count(*) - count(expected_amount) as unpriced_line_count,
    {{ usd('sum(charge_amount)') }} as charge_amount,
    {{ usd('sum(case when expected_amount is null then charge_amount end)') }} as unpriced_charge_amount,
    count(difference_amount) as compared_line_count,
    count(case when abs(difference_amount) > 0.01 then 1 end) as differing_line_count,
    {{ usd('sum(case when difference_amount > 0.01 then difference_amount when difference_amount is not null then 0 end)') }} as stated_too_little_amount,
    {{ usd('sum(case when difference_amount < -0.01 then -difference_amount when difference_amount is not null then 0 end)') }} as stated_too_much_amount
from lines
group by data_source, service_month, payer_id, billing_id
