with matched as (
    select * from {{ ref('int_finance__matched') }}
    where cause <> 'tied'
),

-- A source whose books or whose systems are not here has no differences, only one side.
cells as (
    select * from {{ ref('fct_ledger_reconciliation') }}
    where status <> 'no_data'
)

select
    {{ surrogate_key(['matched.data_source', 'matched.document_key', 'matched.posting_month', 'matched.entity_code',
                      'matched.payer_id', 'matched.line_of_business', 'matched.account_code', 'matched.cause']) }}
        as ledger_document_key,
    cells.ledger_cell_key,
    matched.data_source,
    matched.posting_month,
    matched.entity_code,
    matched.payer_id,
    matched.line_of_business,
    matched.account_code,
    matched.cause,
    matched.document_type,
    matched.claim_token,
    matched.remittance_id,
    matched.transaction_token,
    matched.batch_id,
    matched.warehouse_amount,
    matched.ledger_amount,
    matched.difference_amount,
    cast(matched.posting_count as bigint) as posting_count,
    matched.posting_id,
    matched.load_id,
    matched.source_line_number,
    matched.ledger_load_id,
    matched.ledger_source_line_number
from matched
inner join cells
    on matched.data_source = cells.data_source and matched.posting_month = cells.posting_month
    and matched.entity_code = cells.entity_code and matched.payer_id = cells.payer_id
    and matched.line_of_business = cells.line_of_business and matched.account_code = cells.account_code
where matched.difference_amount <> 0
