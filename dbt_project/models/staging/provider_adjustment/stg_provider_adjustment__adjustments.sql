with active_rows as (
    {{ active_rows('provider_adjustment') }}
)

select
    {{ optional_key(['data_source', 'claim_token']) }} as claim_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    remittance_id,
    adjustment_number,
    payer_id,
    lower(line_of_business) as line_of_business,
    adjustment_reason_code,
    claim_token,
    payer_claim_control_token,
    referred_claim_token,
    paid_date,
    adjustment_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
