{{ config(materialized=growing(), incremental_strategy='append', full_refresh=false) }}

-- The log that all that grows follows: which loads began or ceased to count in which build. It is never made anew.
with active_loads as (
    select load_id, feed from {{ ref('int_lake__active_loads') }}
),

known as (
    {%- if is_incremental() %}
    select load_id, max(feed) as feed, max(build_number) as build_number, max_by(is_active, build_number) as was_active
    from {{ this }}
    group by load_id
    {%- else %}
    select load_id, feed, 0 as build_number, false as was_active from active_loads where 1 = 0
    {%- endif %}
),

last_builds as (
    select coalesce(max(build_number), 0) as build_number from known
)

select
    cast(last_builds.build_number + 1 as bigint) as build_number,
    coalesce(active_loads.load_id, known.load_id) as load_id,
    coalesce(active_loads.feed, known.feed) as feed,
    active_loads.load_id is not null as is_active
from active_loads
full outer join (select * from known where was_active) as known on active_loads.load_id = known.load_id
cross join last_builds
where active_loads.load_id is null or known.load_id is null
