-- The bridge must close: warehouse - ledger = the sum of the causes, in every cell, to the cent.
select ledger_cell_key
from {{ ref('fct_ledger_reconciliation') }}
where
    status <> 'no_data'
    and (
        difference_amount <> warehouse_amount - ledger_amount
        or difference_amount <> {% for cause in ledger_causes() %}{{ cause }}_amount{% if not loop.last %} + {% endif %}{% endfor %}

    )
