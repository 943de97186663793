-- The plan that a member's month counts under: primary before secondary, then most days of the month, then the latest
-- start, then the plan's id, so that the choice is the same in every rebuild.
with spans as (
    select
        eligibility.*,
        least(coalesce(eligibility.enrollment_end_date, horizons.horizon_date), horizons.horizon_date) as known_end_date
    from {{ ref('stg_eligibility__spans') }} as eligibility
    inner join {{ ref('int_calendar__horizons') }} as horizons on eligibility.data_source = horizons.data_source
),

by_month as (
    select
        spans.*,
        months.month_start_date,
        {{ days_between('greatest(spans.enrollment_start_date, months.month_start_date)', 'least(spans.known_end_date, months.month_end_date)') }} + 1
            as plan_day_count
    from spans
    inner join {{ ref('int_calendar__months') }} as months
        on spans.enrollment_start_date <= months.month_end_date and spans.known_end_date >= months.month_start_date
    where spans.known_end_date >= spans.enrollment_start_date
),

ranked as (
    select
        *,
        row_number() over (
            partition by data_source, member_token, month_start_date
            order by coverage_rank, plan_day_count desc, enrollment_start_date desc, plan_id, load_id, source_line_number
        ) as plan_rank,
        count(*) over (partition by data_source, member_token, month_start_date) as plan_count
    from by_month
)

select
    data_source, member_token, month_start_date, payer_id, payer_key, plan_id, line_of_business, coverage_rank, plan_day_count, plan_count
from ranked
where plan_rank = 1
