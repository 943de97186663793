-- No row and no cent of a load that counts may be lost at any step.
select load_audit_key
from {{ ref('mart_load_audit') }}
where load_state = 'active' and not coalesce(is_conserved, false)
