with ranked as (
    select
        load_id,
        feed,
        verdict,
        judged_at,
        failed_expectation_count,
        accepted_by,
        accept_reason,
        row_number() over (partition by load_id order by judged_at desc) as recency
    from {{ source('lake', 'admissions') }}
)

select
    load_id,
    feed,
    verdict,
    judged_at,
    failed_expectation_count,
    accepted_by,
    accept_reason
from ranked
where recency = 1
