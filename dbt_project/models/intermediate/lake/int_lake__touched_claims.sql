{{ config(materialized=growing(), incremental_strategy='append', full_refresh=false) }}

-- Claims of which a row came or went. Empty at first: a table made from nothing holds everything.
-- depends_on: {{ ref('int_lake__changed_loads') }}
{%- if is_incremental() %}
with changed_loads as (
    select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }}
),

-- A replacement finds its original by the payer's control number: whichever of the two came or went, both are touched.
linked as (
    select sent.data_source, sent.claim_token, answered.claim_token as original_claim_token
    from {{ source('raw', 'medical_claim') }} as sent
    inner join {{ source('raw', 'remittance') }} as answered
        on sent.data_source = answered.data_source and sent.payer_claim_control_token = answered.payer_claim_control_token
    where
        sent.claim_frequency_code in ('7', '8')
        and (
            sent.load_id in (select load_id from changed_loads) or answered.load_id in (select load_id from changed_loads)
        )
),

named as (
    {%- for feed in ['medical_claim', 'medical_claim_line', 'remittance', 'remittance_adjustment', 'pharmacy_fill', 'claim_acknowledgement'] %}
    select data_source, claim_token from {{ source('raw', feed) }} where load_id in (select load_id from changed_loads)
    union
    {%- endfor %}
    select data_source, claim_token from linked
    union
    select data_source, original_claim_token from linked
    union
    -- what a replacement or void stands for changes its state
    select data_source, original_claim_token from {{ source('raw', 'medical_claim') }}
    where load_id in (select load_id from changed_loads)
    {%- for feed in ['provider_adjustment', 'patient_accounting', 'work_record'] %}
    union
    -- the row that a changed one repeats, or stood before, may name another claim
    select lake_rows.data_source, lake_rows.claim_token
    from {{ source('raw', feed) }} as lake_rows
    inner join (
        select distinct data_source{% for column in feeds()[feed].key %}, {{ column }}{% endfor %}
        from {{ source('raw', feed) }}
        where load_id in (select load_id from changed_loads)
    ) as keys
        on lake_rows.data_source = keys.data_source
        {%- for column in feeds()[feed].key %} and lake_rows.{{ column }} = keys.{{ column }}{% endfor %}
    {%- endfor %}
)

select
    cast({{ build_above() }} as bigint) as build_number,
    claim_token,
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key
from named
where claim_token is not null
{%- else %}
select cast(0 as bigint) as build_number, load_id as claim_token, load_id as claim_key
from {{ ref('int_lake__active_loads') }}
where 1 = 0
{%- endif %}
