with active_rows as (
    {{ active_rows('medical_claim_line') }}
)

select
    {{ surrogate_key(['data_source', 'claim_token', 'claim_line_number']) }} as claim_line_key,
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key,
    claim_token,
    claim_line_number,
    line_control_token,
    claim_line_start_date,
    claim_line_end_date,
    revenue_center_code,
    hcpcs_code,
    procedure_code_type,
    hcpcs_modifier_1,
    hcpcs_modifier_2,
    place_of_service_code,
    service_unit_quantity,
    rendering_id,
    charge_amount,
    expected_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
