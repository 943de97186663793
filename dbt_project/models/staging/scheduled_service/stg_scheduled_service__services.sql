with active_rows as (
    {{ active_rows('scheduled_service') }}
)

select
    scheduled_service_token,
    medical_record_token,
    member_token,
    payer_id,
    plan_id,
    booked_date,
    scheduled_date,
    service_status,
    hcpcs_code,
    diagnosis_code,
    place_of_service_code,
    rendering_id,
    facility_id,
    authorization_token,
    estimated_charge_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
