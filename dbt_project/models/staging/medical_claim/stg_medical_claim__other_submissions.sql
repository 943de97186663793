with active_rows as (
    {{ active_rows('medical_claim') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    claim_token,
    claim_frequency_code,
    claim_status,
    payer_id,
    line_of_business,
    claim_start_date,
    claim_end_date,
    charge_amount,
    submitted_date,
    exclusion = 'sent_to_further_payer' as is_to_further_payer,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where exclusion in ('sent_to_further_payer', 'sent_to_earlier_payer', 'sent_before')
