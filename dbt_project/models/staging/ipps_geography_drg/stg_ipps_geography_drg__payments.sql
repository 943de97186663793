with active_rows as (
    {{ active_rows('ipps_geography_drg') }}
)

select
    period_year,
    period_type,
    geography_level,
    geography_code,
    geography_name,
    drg_code,
    drg_description,
    discharge_count,
    average_covered_charge_amount,
    average_total_payment_amount,
    average_medicare_payment_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
