{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- A sender numbers the adjudications of a claim through all remittances, or anew in each of them (a reversal and its
-- correction are the first and second of theirs). By the day of decision both ways give one order. Under each id that a claim
-- goes by (int_claim__redirects) its sender begins anew.
with decided as (
    select data_source, claim_token, sent_claim_token, remittance_id, adjudication_number, adjudicated_date, paid_date, source_line_number
    from {{ ref('int_claim__remitted_lines') }}{{ only_touched('claim_token') }}
    union all
    select data_source, claim_token, sent_claim_token, remittance_id, adjudication_number, null, paid_date, null
    from {{ ref('int_claim__remitted_reasons') }}{{ only_touched('claim_token') }}
),

sent as (
    select
        data_source,
        claim_token,
        sent_claim_token,
        remittance_id,
        adjudication_number as sent_number,
        coalesce(min(adjudicated_date), min(paid_date)) as decided_date,
        min(paid_date) as paid_date,
        min(source_line_number) as source_line_number
    from decided
    group by data_source, claim_token, sent_claim_token, remittance_id, adjudication_number
)

select
    data_source,
    claim_token,
    sent_claim_token,
    remittance_id,
    sent_number,
    row_number() over (
        partition by data_source, claim_token
        order by decided_date, paid_date, sent_number, remittance_id, source_line_number, sent_claim_token
    ) as adjudication_number
from sent
