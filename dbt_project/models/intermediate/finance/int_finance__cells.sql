-- One row per cell of the books: both sides, the difference by cause, and how much of each cause there is before pluses
-- and minuses cancel. Two faults that cancel in one cell are still two faults.
{%- set causes = ledger_causes() %}
with documents as (
    select
        data_source, posting_month, entity_code, payer_id, line_of_business, account_code, cause,
        warehouse_amount, ledger_amount, difference_amount
    from {{ ref('int_finance__matched') }}
    union all
    select
        data_source, posting_month, entity_code, payer_id, line_of_business, account_code, 'tied',
        amount, amount, 0
    from {{ ref('int_finance__tied') }}
)

select
    data_source,
    posting_month,
    entity_code,
    payer_id,
    line_of_business,
    account_code,
    {{ usd('sum(warehouse_amount)') }} as warehouse_amount,
    {{ usd('sum(ledger_amount)') }} as ledger_amount,
    {{ usd('sum(difference_amount)') }} as difference_amount,
    {%- for cause in causes %}
    {{ usd("sum(case when cause = '" ~ cause ~ "' then difference_amount else 0 end)") }} as {{ cause }}_amount,
    {%- endfor %}
    {{ usd("sum(case when cause in ('missing_load', 'duplicate_posting', 'wrong_account') then abs(difference_amount) else 0 end)") }}
        as fault_gross_amount,
    {{ usd("sum(case when cause in ('posted_in_another_month', 'reversal', 'recoupment') then abs(difference_amount) else 0 end)") }}
        as ordinary_gross_amount,
    {{ usd("sum(case when cause = 'unexplained' then abs(difference_amount) else 0 end)") }} as unexplained_gross_amount,
    sum(case when cause <> 'tied' and difference_amount <> 0 then 1 else 0 end) as parted_document_count,
    count(*) as document_count
from documents
group by data_source, posting_month, entity_code, payer_id, line_of_business, account_code
