{# The rows of every price list sum to its scenario's totals, and no list is without its scenario or its scenario without a list. #}
{% test price_lists_add_up(model) %}
with lists as (
    select scenario_id, count(*) as row_count, sum(baseline_spend_amount) as baseline_amount, sum(spend_amount) as amount
    from {{ model }}
    group by scenario_id
),

scenarios as (
    select * from {{ ref('mart_price_scenario') }}
)

select
    coalesce(lists.scenario_id, scenarios.scenario_id) as scenario_id,
    lists.row_count,
    scenarios.pair_count
from lists
full outer join scenarios on lists.scenario_id = scenarios.scenario_id
where
    (lists.row_count is not null) <> coalesce(scenarios.status in ('optimal', 'feasible'), false)
    or (
        lists.row_count is not null
        and (
            lists.row_count <> scenarios.pair_count
            or {{ usd('lists.baseline_amount') }} <> scenarios.baseline_spend_amount
            or {{ usd('lists.amount') }} <> scenarios.spend_amount
            or scenarios.savings_amount <> scenarios.baseline_spend_amount - scenarios.spend_amount
        )
    )
{% endtest %}
