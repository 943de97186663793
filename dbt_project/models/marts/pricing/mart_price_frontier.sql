-- How far savings go, and what they cost in fairness or in disruption.
select
    {{ surrogate_key(['scenario_id', 'frontier', 'point_number']) }} as price_frontier_key,
    scenario_id,
    frontier,
    point_number,
    setting_value,
    status,
    savings_share,
    {{ usd('savings_amount') }} as savings_amount,
    {{ usd('spend_amount') }} as spend_amount,
    mean_spread_share,
    largest_spread_share,
    {{ usd('deviation_amount') }} as deviation_amount,
    deviation_share,
    relative_gap,
    is_knee
from {{ source('pricing', 'frontier') }}
