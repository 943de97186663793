-- People ranked by cost in the trailing twelve months and in the twelve before: everyone enrolled on any day of the
-- period or with a cost in it, those without cost included. The order is complete, so that a rank never moves by
-- chance.
with periods as (
    select
        data_source,
        period_number,
        {{ add_to_date('month', '-11 - 12 * period_number', 'last_complete_month') }} as first_month,
        {{ add_to_date('month', '-12 * period_number', 'last_complete_month') }} as last_month
    from {{ ref('int_calendar__horizons') }}
    cross join (select 0 as period_number union all select 1) as numbers
),

enrolled as (
    select
        periods.data_source,
        periods.period_number,
        months.member_token,
        count(*) as member_month_count,
        max_by(months.payer_id, months.member_month) as payer_id,
        max_by(months.payer_key, months.member_month) as payer_key,
        max_by(months.line_of_business, months.member_month) as line_of_business
    from periods
    inner join {{ ref('fct_member_month') }} as months
        on periods.data_source = months.data_source
        and months.member_month between periods.first_month
        and periods.last_month
    group by periods.data_source, periods.period_number, months.member_token
),

costs as (
    select
        periods.data_source,
        periods.period_number,
        months.member_token,
        sum(months.allowed_amount) as allowed_amount,
        sum(months.paid_amount) as paid_amount,
        sum(months.medical_allowed_amount) as medical_allowed_amount,
        sum(months.pharmacy_allowed_amount) as pharmacy_allowed_amount
    from periods
    inner join {{ ref('int_cost__member_months') }} as months
        on periods.data_source = months.data_source
        and months.incurred_month between periods.first_month
        and periods.last_month
    where months.member_token is not null
    group by periods.data_source, periods.period_number, months.member_token
),

people as (
    select
        coalesce(enrolled.data_source, costs.data_source) as data_source,
        coalesce(enrolled.period_number, costs.period_number) as period_number,
        coalesce(enrolled.member_token, costs.member_token) as member_token,
        coalesce(enrolled.member_month_count, 0) as member_month_count,
        enrolled.payer_id,
        enrolled.payer_key,
        enrolled.line_of_business,
        coalesce(costs.allowed_amount, 0) as allowed_amount,
        coalesce(costs.paid_amount, 0) as paid_amount,
        coalesce(costs.medical_allowed_amount, 0) as medical_allowed_amount,
        coalesce(costs.pharmacy_allowed_amount, 0) as pharmacy_allowed_amount
    from enrolled
    full outer join costs
        on enrolled.data_source = costs.data_source
        and enrolled.period_number = costs.period_number
        and enrolled.member_token = costs.member_token
),

ranked as (
    select
        *,
        row_number() over (partition by data_source, period_number order by allowed_amount desc, member_token) as cost_rank,
        count(*) over (partition by data_source, period_number) as people_count
    from people
)

select
    ranked.*,
    periods.first_month,
    periods.last_month,
    cast(ceil(100.0 * (ranked.people_count - ranked.cost_rank + 1) / ranked.people_count) as bigint) as cost_percentile,
    case
        when ranked.allowed_amount <= 0 then 'no_cost'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.01) then 'top_1'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.05) then 'top_5'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.10) then 'top_10'
        else 'other'
    end as cost_cohort
from ranked
inner join periods on ranked.data_source = periods.data_source and ranked.period_number = periods.period_number
