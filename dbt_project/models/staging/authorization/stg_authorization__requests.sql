with active_rows as (
    {{ active_rows('authorization') }}
)

select
    authorization_token,
    member_token,
    payer_id,
    requested_date,
    decided_date,
    authorization_status,
    valid_from_date,
    valid_to_date,
    hcpcs_code,
    approved_unit_quantity,
    rendering_id,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
