-- One question of each family: who is in its most severe member. A member that is missing has 0 to 10 stays, not none:
-- is_whole marks the cells in which none is missing.
select
    data_source,
    period_type,
    fiscal_year,
    provider_id,
    family_code,
    coalesce(severe_count, 0) + other_count as discharge_count,
    coalesce(severe_count, 0) as severe_discharge_count,
    suppressed_member_count = 0 as is_whole
from {{ ref('int_drg__severity_shares') }}
where severity_measure <> 'cc_of_others' and coalesce(severe_count, 0) + other_count > 0
