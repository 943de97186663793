{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'posting_id', 'touched_by': 'touched_postings'}
) }}
-- depends_on: {{ ref('int_lake__changed_loads') }}

-- The ledger's postings, each with the key of the document it names. A posting may name less than a document: a whole
-- remittance or a whole batch; its key then says so, and the warehouse side is summed to the same height.
with postings as (
    select * from {{ ref('stg_ledger_posting__postings') }}{{ only_touched('posting_id') }}
),

amounts as (
    select
        data_source,
        posting_id,
        coalesce({{ document_key('document_type',
                        "case when posting_amount < 0 then 'reversal' else 'charge' end",
                        'claim_token', 'claim_line_number', 'adjudication_number', 'remittance_id', 'transaction_token',
                        batch='batch_id') }}, 'posting|' || posting_id) as document_key,
        case
            when document_type = 'remittance' and claim_token is null and remittance_id is not null then 'remittance'
            when document_type = 'batch' and batch_id is not null then 'batch'
            else 'document'
        end as document_level,
        document_type,
        entity_code,
        coalesce(payer_id, 'none') as payer_id,
        coalesce(line_of_business, 'none') as line_of_business,
        account_code,
        {{ month_of('posting_date') }} as posting_month,
        posting_date,
        claim_token,
        claim_line_number,
        adjudication_number as document_number,
        remittance_id,
        transaction_token,
        batch_id,
        {{ usd('posting_amount') }} as amount,
        load_id,
        source_line_number
    from postings
)

select
    amounts.*,
    {{ document_hash('amounts') }} as document_hash
from amounts
