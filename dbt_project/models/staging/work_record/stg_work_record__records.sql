with active_rows as (
    {{ active_rows('work_record') }}
)

select
    {{ optional_key(['data_source', 'claim_token']) }} as claim_key,
    {{ optional_key(['data_source', 'payer_id']) }} as payer_key,
    work_record_token,
    claim_token,
    client_id,
    payer_id,
    coder_id,
    work_type,
    received_at,
    started_at,
    completed_at,
    due_at,
    minutes_worked,
    is_quality_checked,
    quality_result,
    cost_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
