-- Paid dollars of staged remittances stand in fct_remittance once, and so does cash of the ledger in the proof sheet.
with staged as (
    select 'remitted' as side, data_source, sum(paid_amount) as amount
    from {{ ref('stg_remittance__adjudications') }} where remittance_id <> 'not_stated' group by data_source
    union all
    select 'adjusted', data_source, sum(adjustment_amount) from {{ ref('stg_provider_adjustment__adjustments') }} group by data_source
    union all
    select 'cash', ledger.data_source, sum(ledger.amount)
    from {{ ref('int_finance__ledger_amounts') }} as ledger
    where exists (
        select 1 from {{ ref('ledger_accounts') }} as accounts
        where
            accounts.entity_code = ledger.entity_code and accounts.account_code = ledger.account_code and accounts.payer_id is null
            and accounts.measure_code in ('remittance_paid', 'provider_interest', 'provider_takeback')
    )
    group by ledger.data_source
),

kept as (
    select 'remitted' as side, data_source, sum(claim_paid_amount) as amount from {{ ref('fct_remittance') }} group by data_source
    union all
    select 'adjusted', data_source, sum(provider_adjustment_amount) from {{ ref('fct_remittance') }} group by data_source
    union all
    select 'cash', data_source, sum(deposited_amount) from {{ ref('mart_remittance_balance') }} group by data_source
)

select coalesce(staged.side, kept.side) as side, coalesce(staged.data_source, kept.data_source) as data_source
from staged
full outer join kept on staged.side = kept.side and staged.data_source = kept.data_source
where coalesce(staged.amount, 0) <> coalesce(kept.amount, 0)
