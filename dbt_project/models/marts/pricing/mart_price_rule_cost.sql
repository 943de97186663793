-- What each rule costs, dearest first; of an impossible scenario, which rules collide and what would repair it.
select
    {{ surrogate_key(['scenario_id', 'is_kind', 'rule_id']) }} as price_rule_cost_key,
    scenario_id,
    rule_id,
    rule_kind,
    is_kind,
    unit,
    rule_reason,
    rule_source,
    relaxed_by,
    {{ usd('saved_if_relaxed_amount') }} as saved_if_relaxed_amount,
    {{ usd('saved_if_dropped_amount') }} as saved_if_dropped_amount,
    {{ usd('spend_saved_if_dropped_amount') }} as spend_saved_if_dropped_amount,
    case
        when saved_if_dropped_amount is not null
            then cast(rank() over (partition by scenario_id, is_kind order by coalesce(saved_if_dropped_amount, -1) desc) as bigint)
    end as cost_rank,
    is_exact,
    is_in_conflict,
    repair_quantity,
    note
from {{ source('pricing', 'rule_cost') }}
