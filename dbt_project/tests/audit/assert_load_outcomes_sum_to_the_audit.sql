-- The reasons must account for every row of the step they explain.
with reasons as (
    select
        load_id, layer,
        sum(case when outcome = 'accepted' then row_count else 0 end) as rows_accepted,
        sum(case when outcome = 'set_aside' then row_count else 0 end) as rows_set_aside,
        sum(case when outcome = 'excluded' then row_count else 0 end) as rows_excluded
    from {{ ref('mart_load_outcome') }}
    group by load_id, layer
)

select audit.load_audit_key
from {{ ref('mart_load_audit') }} as audit
left join reasons on audit.load_id = reasons.load_id and audit.layer = reasons.layer
where
    audit.load_state <> 'set_aside'
    and (
        audit.rows_accepted <> coalesce(reasons.rows_accepted, 0)
        or audit.rows_set_aside <> coalesce(reasons.rows_set_aside, 0)
        or audit.rows_excluded <> coalesce(reasons.rows_excluded, 0)
    )
