{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_token'}
) }}

-- Every claim with the encounter that it belongs to. A professional claim of a stay joins the facility stay that
-- holds its first day; where no facility claim tells of that stay it is kept as an orphan, one per member, provider
-- and day.
with claims as (
    select
        claims.data_source,
        claims.claim_key,
        claims.member_token,
        coalesce(claims.rendering_id, claims.billing_id, claims.facility_id, 'unknown') as provider_id,
        claims.claim_start_date as start_date,
        coalesce(claims.claim_end_date, claims.claim_start_date) as end_date,
        types.encounter_type,
        types.precedence,
        types.grouped_by
    from {{ ref('stg_medical_claim__claims') }} as claims
    inner join {{ ref('int_encounter__claim_types') }} as types on claims.claim_key = types.claim_key
    {{- only_touched('claims.member_token') }}
),

stays as (
    select distinct data_source, member_token, place_id, encounter_key, start_date, end_date, precedence
    from {{ ref('int_encounter__facility_stays') }}{{ only_touched('member_token') }}
),

rules as (
    select * from {{ ref('encounter_rules') }}
),

candidates as (
    select
        claims.claim_key,
        stays.encounter_key,
        stay_rules.encounter_type,
        row_number() over (
            partition by claims.claim_key
            order by
                case when stay_rules.encounter_type = claims.encounter_type then 0 else 1 end,
                stays.start_date desc, stays.end_date, stays.encounter_key
        ) as candidate_rank
    from claims
    inner join stays
        on claims.data_source = stays.data_source
        and claims.member_token = stays.member_token
        and claims.start_date between stays.start_date and stays.end_date
    inner join rules as stay_rules on stays.precedence = stay_rules.precedence
    where claims.grouped_by in ('attached_to_stay', 'attached_or_alone')
)

select
    claims.data_source,
    claims.claim_key,
    claims.member_token,
    facility.encounter_key,
    facility_rules.encounter_type,
    'facility_stay' as grouping_rule,
    false as is_orphan
from claims
inner join {{ ref('int_encounter__facility_stays') }} as facility on claims.claim_key = facility.claim_key
inner join rules as facility_rules on facility.precedence = facility_rules.precedence
union all
select
    claims.data_source,
    claims.claim_key,
    claims.member_token,
    coalesce(
        candidates.encounter_key,
        {{ surrogate_key(['claims.data_source', "'claims'", 'claims.encounter_type', 'claims.member_token', 'claims.provider_id', 'claims.start_date']) }}
    ),
    coalesce(candidates.encounter_type, claims.encounter_type),
    case
        when candidates.encounter_key is not null then 'attached_to_stay'
        when claims.grouped_by = 'attached_to_stay' then 'orphan'
        when claims.grouped_by = 'attached_or_alone' then 'member_provider_day'
        else claims.grouped_by
    end,
    claims.grouped_by = 'attached_to_stay' and candidates.encounter_key is null
from claims
left join candidates on claims.claim_key = candidates.claim_key and candidates.candidate_rank = 1
where claims.grouped_by <> 'facility_stay'
