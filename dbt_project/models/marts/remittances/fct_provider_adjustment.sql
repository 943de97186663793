select
    {{ surrogate_key(['data_source', 'remittance_id', 'payer_id', 'adjustment_number']) }} as provider_adjustment_key,
    data_source,
    {{ surrogate_key(['data_source', 'remittance_id', 'payer_id']) }} as remittance_key,
    remittance_id,
    cast(adjustment_number as bigint) as adjustment_number,
    payer_key,
    payer_id,
    line_of_business,
    adjustment_reason_code,
    claim_key,
    claim_token,
    claim_rule,
    paid_date,
    {{ usd('adjustment_amount') }} as adjustment_amount,
    load_id,
    source_line_number
from {{ ref('int_claim__provider_adjustments') }}
