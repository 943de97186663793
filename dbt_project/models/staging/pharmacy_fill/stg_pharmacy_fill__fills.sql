with active_rows as (
    {{ active_rows('pharmacy_fill') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token', 'claim_line_number', 'adjudication_number']) }} as pharmacy_fill_key,
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    claim_token,
    claim_line_number,
    adjudication_number,
    member_token,
    payer_id,
    plan_id,
    lower(line_of_business) as line_of_business,
    prescribing_provider_id,
    dispensing_provider_id,
    dispensing_date,
    paid_date,
    ndc_code,
    drug_code_type,
    quantity,
    days_supply,
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
