with active_rows as (
    {{ active_rows('remittance_adjustment') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key,
    remittance_id,
    claim_token,
    claim_line_number,
    line_control_token,
    adjudication_number,
    adjustment_number,
    paid_date,
    adjustment_group_code,
    carc_code,
    rarc_code,
    adjustment_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
