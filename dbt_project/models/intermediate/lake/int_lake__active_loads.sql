select
    load_id,
    feed,
    layout,
    data_source,
    file_name,
    batch_id,
    load_number,
    loaded_at,
    rows_accepted,
    amount_accepted,
    first_month,
    last_month,
    key_version
from {{ ref('int_lake__loads') }}
where load_state = 'active'
