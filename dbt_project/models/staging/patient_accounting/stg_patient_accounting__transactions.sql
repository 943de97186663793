with active_rows as (
    {{ active_rows('patient_accounting') }}
)

select
    {{ optional_key(['data_source', 'claim_token']) }} as claim_key,
    {{ optional_key(['data_source', 'payer_id']) }} as payer_key,
    transaction_token,
    patient_account_token,
    claim_token,
    member_token,
    payer_id,
    lower(line_of_business) as line_of_business,
    transaction_type,
    posting_date,
    transaction_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
