with active_rows as (
    {{ active_rows('eligibility') }}
)

select
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    member_token,
    subscriber_token,
    payer_id,
    plan_id,
    line_of_business,
    coverage_rank,
    enrollment_start_date,
    enrollment_end_date,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
