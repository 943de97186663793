select
    posting_month,
    entity_code,
    payer_id,
    line_of_business,
    account_code,
    data_source,
    cast(difference_amount as decimal(18, 2)) as difference_amount,
    accepted_by,
    reason,
    accepted_at
from {{ source('lake', 'ledger_acceptances') }}
