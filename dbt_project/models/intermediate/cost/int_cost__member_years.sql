-- People ranked by cost in the trailing twelve months and in the twelve before: everyone enrolled on any day of the
-- period or with a cost in it, those without cost included. Nothing was spent on a person without lines where the
-- sender's spend is known in the period; a person whose lines nobody has decided yet, or whose sender tells of no spend,
-- has an unknown cost and no rank. The order is complete, so that a rank never moves by chance.
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
        sum(months.pharmacy_allowed_amount) as pharmacy_allowed_amount,
        sum(months.medical_line_count) as medical_line_count,
        sum(months.pharmacy_line_count) as pharmacy_line_count
    from periods
    inner join {{ ref('int_cost__member_months') }} as months
        on periods.data_source = months.data_source
        and months.incurred_month between periods.first_month
        and periods.last_month
    group by periods.data_source, periods.period_number, months.member_token
),

-- 0 where the sender's spend is known in the period, else NULL: what a person without lines cost.
known as (
    select
        data_source,
        period_number,
        max(case when allowed_amount is not null then 0 end) as no_allowed_amount,
        max(case when paid_amount is not null then 0 end) as no_paid_amount,
        max(case when medical_allowed_amount is not null then 0 end) as no_medical_amount,
        max(case when pharmacy_allowed_amount is not null then 0 end) as no_pharmacy_amount
    from costs
    group by data_source, period_number
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
        coalesce(costs.medical_line_count, 0) as medical_line_count,
        coalesce(costs.pharmacy_line_count, 0) as pharmacy_line_count,
        costs.allowed_amount,
        costs.paid_amount,
        costs.medical_allowed_amount,
        costs.pharmacy_allowed_amount
    from enrolled
    full outer join (select * from costs where member_token is not null) as costs
        on enrolled.data_source = costs.data_source
        and enrolled.period_number = costs.period_number
        and enrolled.member_token = costs.member_token
),

judged as (
    select
        people.data_source,
        people.period_number,
        people.member_token,
        people.member_month_count,
        people.payer_id,
        people.payer_key,
        people.line_of_business,
        case
            when people.medical_line_count + people.pharmacy_line_count > 0 then people.allowed_amount
            else known.no_allowed_amount
        end as allowed_amount,
        case
            when people.medical_line_count + people.pharmacy_line_count > 0 then people.paid_amount
            else known.no_paid_amount
        end as paid_amount,
        case
            when people.medical_line_count > 0 then people.medical_allowed_amount else known.no_medical_amount
        end as medical_allowed_amount,
        case
            when people.pharmacy_line_count > 0 then people.pharmacy_allowed_amount else known.no_pharmacy_amount
        end as pharmacy_allowed_amount
    from people
    left join known on people.data_source = known.data_source and people.period_number = known.period_number
),

ranked as (
    select
        *,
        case when allowed_amount is not null then row_number() over (
            partition by data_source, period_number, allowed_amount is null order by allowed_amount desc, member_token
        ) end as cost_rank,
        count(allowed_amount) over (partition by data_source, period_number) as people_count
    from judged
)

select
    ranked.*,
    periods.first_month,
    periods.last_month,
    case
        when ranked.cost_rank is not null
            then cast(ceil(100.0 * (ranked.people_count - ranked.cost_rank + 1) / ranked.people_count) as bigint)
    end as cost_percentile,
    case
        when ranked.allowed_amount is null then 'unknown'
        when ranked.allowed_amount <= 0 then 'no_cost'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.01) then 'top_1'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.05) then 'top_5'
        when ranked.cost_rank <= ceil(ranked.people_count * 0.10) then 'top_10'
        else 'other'
    end as cost_cohort
from ranked
inner join periods on ranked.data_source = periods.data_source and ranked.period_number = periods.period_number
