-- The people of a top percent never hold less than those of the percent before, and all people hold everything.
with shares as (
    select
        *,
        lag(people_count) over (partition by data_source, basis, period order by top_percent) as people_before
    from {{ ref('mart_pareto') }}
)

select data_source, basis, period, top_percent
from shares
where people_count < people_before
    or (top_percent = 100 and (people_count <> population_count or cumulative_amount <> total_amount))
