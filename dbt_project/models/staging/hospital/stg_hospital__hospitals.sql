with active_rows as (
    {{ active_rows('hospital') }}
)

select
    ccn,
    hospital_name,
    address_line,
    city,
    state,
    zip_code,
    hospital_type,
    hospital_ownership,
    has_emergency_services,
    star_rating,
    wage_index,
    resident_to_bed_ratio,
    case_mix_index,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
