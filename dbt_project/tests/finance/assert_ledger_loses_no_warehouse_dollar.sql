-- Matching may move no money: what goes in comes out, on both sides, source by source.
with before as (
    select data_source, sum(warehouse_amount) as warehouse_amount, sum(ledger_amount) as ledger_amount
    from (
        select data_source, amount as warehouse_amount, 0 as ledger_amount from {{ ref('int_finance__warehouse_amounts') }}
        union all
        select data_source, 0, amount from {{ ref('int_finance__ledger_amounts') }}
    ) as both_sides
    group by data_source
),

after as (
    select data_source, sum(warehouse_amount) as warehouse_amount, sum(ledger_amount) as ledger_amount
    from (
        select data_source, warehouse_amount, ledger_amount from {{ ref('int_finance__matched') }}
        union all
        select data_source, amount, amount from {{ ref('int_finance__tied') }}
    ) as settled
    group by data_source
)

select coalesce(before.data_source, after.data_source) as data_source
from before
full join after on before.data_source = after.data_source
where
    coalesce(before.warehouse_amount, 0) <> coalesce(after.warehouse_amount, 0)
    or coalesce(before.ledger_amount, 0) <> coalesce(after.ledger_amount, 0)
