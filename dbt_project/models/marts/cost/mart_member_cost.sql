-- The previous year's cohort stands beside this year's: most of the most expensive are not so again the next year, and
-- whoever picks them and measures again sees savings that nobody made.
with current_year as (
    select * from {{ ref('int_cost__member_years') }} where period_number = 0
),

previous_year as (
    select * from {{ ref('int_cost__member_years') }} where period_number = 1
)

select
    {{ surrogate_key(['current_year.data_source', 'current_year.member_token']) }} as member_key,
    current_year.data_source,
    current_year.member_token,
    current_year.first_month as period_start_month,
    current_year.last_month as period_end_month,
    current_year.payer_key,
    current_year.payer_id,
    current_year.line_of_business,
    cast(current_year.member_month_count as bigint) as member_month_count,
    {{ usd('current_year.allowed_amount') }} as allowed_amount,
    {{ usd('current_year.paid_amount') }} as paid_amount,
    {{ usd('current_year.medical_allowed_amount') }} as medical_allowed_amount,
    {{ usd('current_year.pharmacy_allowed_amount') }} as pharmacy_allowed_amount,
    cast(current_year.cost_rank as bigint) as cost_rank,
    cast(current_year.people_count as bigint) as people_count,
    current_year.cost_percentile,
    current_year.cost_cohort,
    current_year.cost_rank <= ceil(current_year.people_count * 0.01) and current_year.allowed_amount > 0 as is_top_1,
    current_year.cost_rank <= ceil(current_year.people_count * 0.05) and current_year.allowed_amount > 0 as is_top_5,
    current_year.cost_rank <= ceil(current_year.people_count * 0.10) and current_year.allowed_amount > 0 as is_top_10,
    {{ usd('previous_year.allowed_amount') }} as previous_allowed_amount,
    previous_year.cost_percentile as previous_cost_percentile,
    previous_year.cost_cohort as previous_cost_cohort,
    case
        when current_year.cost_cohort = 'unknown' then 'unknown'
        when current_year.cost_cohort in ('top_1', 'top_5') and coalesce(previous_year.cost_cohort, 'unknown') = 'unknown'
            then 'high_without_history'
        when current_year.cost_cohort in ('top_1', 'top_5') and previous_year.cost_cohort in ('top_1', 'top_5', 'top_10') then 'high_persistent'
        when current_year.cost_cohort in ('top_1', 'top_5') then 'high_new'
        when previous_year.cost_cohort in ('top_1', 'top_5') then 'falling'
        when current_year.cost_cohort = 'no_cost' then 'no_cost'
        when current_year.cost_percentile > 80 and current_year.allowed_amount >= 2 * previous_year.allowed_amount then 'rising'
        when current_year.cost_percentile > 50 then 'moderate'
        else 'low'
    end as care_segment
from current_year
left join previous_year
    on current_year.data_source = previous_year.data_source and current_year.member_token = previous_year.member_token
