with active_rows as (
    {{ active_rows('transaction_acknowledgement') }}
)

select
    acknowledgement_id,
    group_control_number,
    transaction_number,
    transaction_control_number,
    transaction_type,
    version,
    acknowledged_date,
    acknowledgement_code,
    segment_error_count,
    element_error_count,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
