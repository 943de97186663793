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
    group by spans.data_source, spans.member_token, months.month_start_date, months.day_count
),

members as (
    select * from {{ ref('dim_member') }}
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
    cast(least(year(covered.member_month) - members.birth_year, 90) as bigint) as age,
    members.sex,
    members.state
from covered
inner join {{ ref('int_member__month_plans') }} as plans
    on covered.data_source = plans.data_source
    and covered.member_token = plans.member_token
    and covered.member_month = plans.month_start_date
left join members on covered.data_source = members.data_source and covered.member_token = members.member_token
