with active_rows as (
    {{ active_rows('claim_acknowledgement') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    acknowledgement_id,
    claim_token,
    acknowledgement_number,
    payer_claim_control_token,
    payer_id,
    acknowledged_date,
    status_category_code,
    status_code,
    entity_code,
    action_code,
    charge_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
