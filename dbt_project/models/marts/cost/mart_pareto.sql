-- Who has an unknown amount is in no rank and no count; where nobody has an amount there is nothing to share out.
with people as (
    select
        *,
        row_number() over (partition by data_source, basis, period order by amount desc, member_token) as cost_rank
    from {{ ref('int_cost__people_amounts') }}
    where amount is not null
),

running as (
    select
        data_source,
        basis,
        period,
        cost_rank,
        sum(amount) over (
            partition by data_source, basis, period order by cost_rank rows between unbounded preceding and current row
        ) as cumulative_amount
    from people
),

totals as (
    select
        data_source,
        basis,
        period,
        count(*) as population_count,
        count(*) filter (where amount <> 0) as people_with_amount_count,
        sum(amount) as total_amount
    from people
    group by data_source, basis, period
),

percents as (
    select cast(month_number as bigint) as top_percent
    from (select row_number() over (order by month_start_date) as month_number from {{ ref('int_calendar__months') }}) as months
    where month_number <= 100
),

cuts as (
    select
        totals.*,
        percents.top_percent,
        cast(ceil(totals.population_count * percents.top_percent / 100.0) as bigint) as people_count
    from totals
    cross join percents
    where totals.total_amount <> 0
)

select
    cuts.data_source,
    cuts.basis,
    cuts.period,
    cuts.top_percent,
    cuts.people_count,
    cast(cuts.population_count as bigint) as population_count,
    cast(cuts.people_with_amount_count as bigint) as people_with_amount_count,
    {{ usd('running.cumulative_amount') }} as cumulative_amount,
    {{ usd('cuts.total_amount') }} as total_amount,
    {{ rate('running.cumulative_amount', 'cuts.total_amount') }} as cumulative_share_rate
from cuts
inner join running
    on cuts.data_source = running.data_source
    and cuts.basis = running.basis
    and cuts.period = running.period
    and cuts.people_count = running.cost_rank
