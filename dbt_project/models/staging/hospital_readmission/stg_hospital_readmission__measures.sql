with active_rows as (
    {{ active_rows('hospital_readmission') }}
)

select
    ccn,
    hospital_name,
    state,
    measure_code,
    discharge_count,
    excess_readmission_ratio,
    predicted_readmission_rate,
    expected_readmission_rate,
    readmission_count,
    measure_start_date,
    measure_end_date,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
