with active_rows as (
    {{ active_rows('member_crosswalk') }}
)

select
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    medical_record_token,
    member_token,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
