-- Whoever drills from a figure must find all of it.
with drilled as (
    select ledger_cell_key, sum(difference_amount) as difference_amount
    from {{ ref('fct_ledger_document') }}
    group by ledger_cell_key
)

select cells.ledger_cell_key
from {{ ref('fct_ledger_reconciliation') }} as cells
left join drilled on cells.ledger_cell_key = drilled.ledger_cell_key
where cells.status <> 'no_data' and cells.difference_amount <> coalesce(drilled.difference_amount, 0)
