with active_rows as (
    {{ active_rows('encounter_procedure') }}
)

select
    {{ surrogate_key(['data_source', 'encounter_token']) }} as record_encounter_key,
    encounter_token,
    procedure_number,
    procedure_code_type,
    procedure_code,
    procedure_date,
    charge_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
