with active_rows as (
    {{ active_rows('encounter') }}
)

select
    {{ surrogate_key(['data_source', 'encounter_token']) }} as record_encounter_key,
    {{ optional_key(['data_source', 'payer_id']) }} as payer_key,
    encounter_token,
    medical_record_token,
    member_token,
    lower(encounter_type) as encounter_type,
    encounter_status,
    encounter_start_date,
    encounter_end_date,
    admit_source_code,
    discharge_disposition_code,
    payer_id,
    facility_id,
    attending_id,
    charge_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
