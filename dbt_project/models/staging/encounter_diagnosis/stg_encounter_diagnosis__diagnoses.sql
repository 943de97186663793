with active_rows as (
    {{ active_rows('encounter_diagnosis') }}
)

select
    {{ surrogate_key(['data_source', 'encounter_token']) }} as record_encounter_key,
    encounter_token,
    diagnosis_rank,
    diagnosis_code_type,
    diagnosis_code,
    recorded_date,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
