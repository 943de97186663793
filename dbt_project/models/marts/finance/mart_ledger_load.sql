-- The files that a figure of the books rests on, on either side.
with warehouse_side as (
    select
        data_source, posting_month, entity_code, payer_id, line_of_business, account_code, 'warehouse' as side, load_id,
        count(*) as document_count,
        sum(amount) as amount
    from {{ ref('int_finance__warehouse_amounts') }}
    group by data_source, posting_month, entity_code, payer_id, line_of_business, account_code, load_id
),

ledger_side as (
    select
        data_source, posting_month, entity_code, payer_id, line_of_business, account_code, 'ledger' as side, load_id,
        count(*) as document_count,
        sum(amount) as amount
    from {{ ref('int_finance__ledger_amounts') }}
    group by data_source, posting_month, entity_code, payer_id, line_of_business, account_code, load_id
),

both_sides as (
    select * from warehouse_side
    union all
    select * from ledger_side
)

select
    {{ surrogate_key(['both_sides.data_source', 'both_sides.posting_month', 'both_sides.entity_code', 'both_sides.payer_id',
                      'both_sides.line_of_business', 'both_sides.account_code']) }} as ledger_cell_key,
    both_sides.data_source,
    both_sides.posting_month,
    both_sides.entity_code,
    both_sides.payer_id,
    both_sides.line_of_business,
    both_sides.account_code,
    both_sides.side,
    both_sides.load_id,
    loads.feed,
    loads.file_name,
    cast(both_sides.document_count as bigint) as document_count,
    {{ usd('both_sides.amount') }} as amount
from both_sides
left join {{ ref('int_lake__active_loads') }} as loads on both_sides.load_id = loads.load_id
