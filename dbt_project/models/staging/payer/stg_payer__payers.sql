with active_rows as (
    {{ active_rows('payer') }}
)

select
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    payer_id,
    payer_name,
    lower(payer_type) as payer_type,
    state,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
