-- Two rows in force at once would double a cell, or a document.
select a.entity_code, a.account_code
from {{ ref('ledger_tolerances') }} as a
inner join {{ ref('ledger_tolerances') }} as b
    on a.entity_code = b.entity_code and a.account_code = b.account_code and a.effective_from < b.effective_from
where a.effective_to is null or a.effective_to >= b.effective_from
union all
select a.entity_code, a.account_code
from {{ ref('ledger_accounts') }} as a
inner join {{ ref('ledger_accounts') }} as b
    on a.entity_code = b.entity_code and a.measure_code = b.measure_code
    and coalesce(a.payer_id, '') = coalesce(b.payer_id, '') and a.effective_from < b.effective_from
where a.effective_to is null or a.effective_to >= b.effective_from
