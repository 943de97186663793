select
    scenario_id,
    rule_id,
    rule_kind,
    is_kind,
    unit,
    rule_reason,
    rule_source,
    relaxed_by,
    saved_if_relaxed_amount,
    saved_if_dropped_amount,
    spend_saved_if_dropped_amount,
    is_exact,
    is_in_conflict,
    repair_quantity,
    note
from {{ source('pricing', 'rule_cost') }}
