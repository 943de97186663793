{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_token'}
) }}

-- Facility claims grouped into stays: claims of one member at one facility whose days overlap or meet are one stay,
-- and a claim after one that left the patient in bed (status 30) continues it on the next day. The order is complete
-- (dates, then the claim's key), so the grouping and the stay's id are the same in every rebuild.
with claims as (
    select
        claims.data_source,
        claims.claim_key,
        claims.member_token,
        coalesce(claims.facility_id, claims.billing_id, 'unknown') as place_id,
        coalesce(claims.admission_date, claims.claim_start_date) as start_date,
        greatest(
            coalesce(claims.discharge_date, claims.claim_end_date, claims.claim_start_date),
            coalesce(claims.admission_date, claims.claim_start_date)
        ) as end_date,
        case when claims.discharge_disposition_code = '30' then 1 else 0 end as days_continued,
        types.encounter_type,
        types.precedence
    from {{ ref('stg_medical_claim__claims') }} as claims
    inner join {{ ref('int_encounter__claim_types') }} as types on claims.claim_key = types.claim_key
    where types.grouped_by = 'facility_stay'{{ only_touched('claims.member_token', 'and') }}
),

reaching as (
    select *, {{ add_to_date('day', 'days_continued', 'end_date') }} as reach_date
    from claims
),

ordered as (
    select
        *,
        max(reach_date) over (
            partition by data_source, member_token, place_id order by start_date, end_date, claim_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from reaching
),

numbered as (
    select
        *,
        sum(case when start_date <= reached_before then 0 else 1 end) over (
            partition by data_source, member_token, place_id order by start_date, end_date, claim_key
            rows between unbounded preceding and current row
        ) as stay_number
    from ordered
)

select
    data_source,
    claim_key,
    member_token,
    place_id,
    {{ surrogate_key(['data_source', "'claims'", 'first_value(claim_key) over (partition by data_source, member_token, place_id, stay_number order by start_date, end_date, claim_key)']) }}
        as encounter_key,
    min(start_date) over (partition by data_source, member_token, place_id, stay_number) as start_date,
    max(end_date) over (partition by data_source, member_token, place_id, stay_number) as end_date,
    min(precedence) over (partition by data_source, member_token, place_id, stay_number) as precedence
from numbered
