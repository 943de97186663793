{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'document_hash', 'touched_by': 'touched_documents'}
) }}
-- depends_on: {{ ref('int_lake__changed_loads') }}
-- depends_on: {{ ref('int_claim__links') }}

-- Nearly all documents stand once on either side, with one amount and in one month: there is nothing to explain. They are
-- found by the hash of where they stand, and believed by the columns themselves.
with alone as (
    select document_hash
    from (
        select document_hash, 1 as warehouse_count, 0 as ledger_count
        from {{ ref('int_finance__warehouse_amounts') }}{{ only_touched('document_hash') }}
        union all
        select document_hash, 0, 1
        from {{ ref('int_finance__ledger_amounts') }}{{ only_touched('document_hash') }}
    ) as amounts
    group by document_hash
    having sum(warehouse_count) = 1 and sum(ledger_count) = 1
)

select
    w.document_hash,
    w.data_source,
    w.posting_month,
    w.entity_code,
    w.payer_id,
    w.line_of_business,
    w.account_code,
    w.claim_token,
    l.posting_id,
    w.amount
from alone
inner join {{ ref('int_finance__warehouse_amounts') }} as w on alone.document_hash = w.document_hash
inner join {{ ref('int_finance__ledger_amounts') }} as l on alone.document_hash = l.document_hash
where
    w.amount = l.amount and w.posting_month = l.posting_month and l.document_level = 'document'
    {%- for column in document_columns() %} and w.{{ column }} = l.{{ column }}{% endfor %}
