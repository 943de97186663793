{{ config(materialized=growing(), incremental_strategy='append', full_refresh=false) }}

-- People of whom a row came or went: everyone whom any load, whether it counts or not, ever put on the same claim,
-- encounter or record number, so that whom a row named before is here as well as whom it names now.
-- depends_on: {{ ref('int_lake__changed_loads') }}, {{ ref('int_lake__touched_claims') }}
{%- if is_incremental() %}
with changed_loads as (
    select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }}
),

encounters as (
    select member_token, medical_record_token
    from {{ source('raw', 'encounter') }}
    where encounter_token in (
        select encounter_token from {{ source('raw', 'encounter') }} where load_id in (select load_id from changed_loads)
    )
),

records as (
    select medical_record_token from encounters
    union
    select medical_record_token from {{ source('raw', 'member_crosswalk') }} where load_id in (select load_id from changed_loads)
    union
    select medical_record_token from {{ source('raw', 'scheduled_service') }}
    where scheduled_service_token in (
        select scheduled_service_token from {{ source('raw', 'scheduled_service') }}
        where load_id in (select load_id from changed_loads)
    )
),

people as (
    {%- for feed in ['eligibility', 'member'] %}
    select member_token from {{ source('raw', feed) }} where load_id in (select load_id from changed_loads)
    union
    {%- endfor %}
    select member_token from {{ source('raw', 'medical_claim') }}
    where claim_token in (select claim_token from {{ ref('int_lake__touched_claims') }} where {{ unseen_builds() }})
    union
    select member_token from encounters
    union
    select medical_record_token from records
    {%- for feed in ['member_crosswalk', 'encounter', 'scheduled_service'] %}
    union
    select member_token from {{ source('raw', feed) }}
    where medical_record_token in (select medical_record_token from records)
    {%- endfor %}
)

select cast({{ build_above() }} as bigint) as build_number, member_token from people where member_token is not null
{%- else %}
select cast(0 as bigint) as build_number, load_id as member_token from {{ ref('int_lake__active_loads') }} where 1 = 0
{%- endif %}
