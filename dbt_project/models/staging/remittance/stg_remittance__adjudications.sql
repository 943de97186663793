with active_rows as (
    {{ active_rows('remittance') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    remittance_id,
    claim_token,
    claim_line_number,
    line_control_token,
    adjudication_number,
    payer_claim_control_token,
    member_token,
    payer_id,
    lower(line_of_business) as line_of_business,
    claim_status_code,
    claim_start_date,
    adjudicated_date,
    paid_date,
    charge_amount,
    allowed_amount,
    paid_amount,
    deductible_amount,
    coinsurance_amount,
    copayment_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
