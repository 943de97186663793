-- Every result of every checker, with the newest of each check marked. A load that was superseded speaks for nothing now,
-- so its results are kept and are nobody's newest.
with results as (
    select * from {{ ref('stg_lake__quality') }}
),

loads as (
    select * from {{ ref('int_lake__loads') }}
),

ranked as (
    select
        results.*,
        row_number() over (
            partition by results.checker, results.asset, results.check_name, results.data_source, results.load_id
            order by results.checked_at desc, results.run_id desc
        ) as result_number
    from results
)

select
    ranked.run_id,
    ranked.checked_at,
    ranked.checker,
    ranked.asset,
    ranked.check_name,
    ranked.data_source,
    ranked.load_id,
    ranked.verdict,
    ranked.is_blocking,
    ranked.failed_count,
    ranked.checked_count,
    ranked.note,
    ranked.result_number = 1 and coalesce(loads.load_state, 'active') <> 'superseded' as is_latest
from ranked
left join loads on ranked.load_id = loads.load_id
