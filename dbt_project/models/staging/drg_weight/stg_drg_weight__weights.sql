with active_rows as (
    {{ active_rows('drg_weight') }}
)

select
    fiscal_year,
    drg_code,
    mdc_code,
    drg_type,
    drg_title,
    is_post_acute,
    relative_weight,
    geometric_mean_length_of_stay,
    arithmetic_mean_length_of_stay,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
