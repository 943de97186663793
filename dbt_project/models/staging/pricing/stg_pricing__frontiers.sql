select
    scenario_id,
    frontier,
    point_number,
    setting_value,
    status,
    savings_share,
    savings_amount,
    spend_amount,
    mean_spread_share,
    largest_spread_share,
    deviation_amount,
    deviation_share,
    relative_gap,
    is_knee
from {{ source('pricing', 'frontier') }}
