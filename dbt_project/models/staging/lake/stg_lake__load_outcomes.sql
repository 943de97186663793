select
    load_id,
    feed,
    outcome,
    column_name,
    reason_code,
    row_count,
    amount
from {{ source('lake', 'load_outcomes') }}
