-- One question of each family: who is in its most severe member. A member that is missing has 0 to 10 stays, not none:
-- is_whole marks the cells in which none is missing.
select
    data_source,
    period_type,
    fiscal_year,
    provider_id,
    family_code,
    severe_discharge_count + other_discharge_count as discharge_count,
    severe_discharge_count,
    suppressed_member_count = 0 as is_whole
from {{ ref('mart_severity_capture') }}
where severity_measure <> 'cc_of_others' and severe_discharge_count + other_discharge_count > 0
