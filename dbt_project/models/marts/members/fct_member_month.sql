{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_month_key', 'month': 'member_month', 'touched_by': 'touched_member_months'}
) }}

with covered as (
    select
        spans.data_source,
        spans.member_token,
        months.month_start_date as member_month,
        months.day_count,
        sum(
            {{ days_between('greatest(spans.start_date, months.month_start_date)', 'least(spans.end_date, months.month_end_date)') }} + 1
        ) as enrolled_day_count
    from {{ ref('int_member__covered_spans') }} as spans
    inner join {{ ref('int_calendar__months') }} as months
        on spans.start_date <= months.month_end_date and spans.end_date >= months.month_start_date
    {{- only_touched_member_months('spans.member_token', 'spans.data_source', 'months.month_start_date') }}
    group by spans.data_source, spans.member_token, months.month_start_date, months.day_count
),

-- The plan that a month counts under: primary before secondary, then most days of the month, then the latest start, then
-- the plan's id, so that the choice is the same in every rebuild.
plan_months as (
    select
        eligibility.*,
        months.month_start_date as member_month,
        {{ days_between(
            'greatest(eligibility.enrollment_start_date, months.month_start_date)',
            'least(coalesce(eligibility.enrollment_end_date, horizons.horizon_date), horizons.horizon_date, months.month_end_date)'
        ) }} + 1 as plan_day_count
    from {{ ref('stg_eligibility__spans') }} as eligibility
    inner join {{ ref('int_calendar__horizons') }} as horizons on eligibility.data_source = horizons.data_source
    inner join {{ ref('int_calendar__months') }} as months
        on eligibility.enrollment_start_date <= least(months.month_end_date, horizons.horizon_date)
        and coalesce(eligibility.enrollment_end_date, horizons.horizon_date) >= greatest(eligibility.enrollment_start_date, months.month_start_date)
        and horizons.horizon_date >= months.month_start_date
    {{- only_touched_member_months('eligibility.member_token', 'eligibility.data_source', 'months.month_start_date') }}
),

plans as (
    select
        *,
        row_number() over (
            partition by data_source, member_token, member_month
            order by coverage_rank, plan_day_count desc, enrollment_start_date desc, plan_id, load_id, source_line_number
        ) as plan_rank,
        count(*) over (partition by data_source, member_token, member_month) as plan_count
    from plan_months
),

members as (
    select * from {{ ref('stg_member__members') }}
)

select
    {{ surrogate_key(['covered.data_source', 'covered.member_token', 'covered.member_month']) }} as member_month_key,
    {{ surrogate_key(['covered.data_source', 'covered.member_token']) }} as member_key,
    covered.data_source,
    covered.member_token,
    covered.member_month,
    plans.payer_key,
    plans.payer_id,
    plans.plan_id,
    plans.line_of_business,
    plans.coverage_rank,
    cast(plans.plan_count as bigint) as plan_count,
    true as is_enrolled_any_day,
    cast(covered.enrolled_day_count as bigint) as enrolled_day_count,
    cast(covered.day_count as bigint) as month_day_count,
    cast({{ rate('covered.enrolled_day_count', 'covered.day_count') }} as decimal(9, 6)) as enrolled_fraction,
    -- of whom only a pooled year is known, the age is 90 or unknown
    cast(case
        when year(covered.member_month) - members.birth_year >= 90 then 90
        when not members.is_birth_year_pooled then year(covered.member_month) - members.birth_year
    end as bigint) as age,
    members.sex,
    members.state
from covered
inner join plans
    on covered.data_source = plans.data_source
    and covered.member_token = plans.member_token
    and covered.member_month = plans.member_month
    and plans.plan_rank = 1
left join members on covered.data_source = members.data_source and covered.member_token = members.member_token
