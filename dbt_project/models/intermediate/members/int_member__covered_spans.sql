-- Days of coverage without overlap: spans of whatever plan that touch or overlap become one, so that a day counts once.
with spans as (
    select
        eligibility.data_source,
        eligibility.member_token,
        eligibility.enrollment_start_date as start_date,
        least(coalesce(eligibility.enrollment_end_date, horizons.horizon_date), horizons.horizon_date) as end_date
    from {{ ref('stg_eligibility__spans') }} as eligibility
    inner join {{ ref('int_calendar__horizons') }} as horizons on eligibility.data_source = horizons.data_source
),

ordered as (
    select
        *,
        max(end_date) over (
            partition by data_source, member_token order by start_date, end_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from spans
    where end_date >= start_date
),

numbered as (
    select
        *,
        sum(case when start_date <= {{ add_to_date('day', 1, 'covered_until') }} then 0 else 1 end) over (
            partition by data_source, member_token order by start_date, end_date
            rows between unbounded preceding and current row
        ) as island_number
    from ordered
)

select
    data_source,
    member_token,
    island_number,
    min(start_date) as start_date,
    max(end_date) as end_date
from numbered
group by data_source, member_token, island_number
