select
    run_id,
    checked_at,
    checker,
    asset,
    check_name,
    data_source,
    load_id,
    verdict,
    is_blocking,
    failed_count,
    checked_count,
    note
from {{ source('lake', 'quality') }}
