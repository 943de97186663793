{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_token', 'month': 'encounter_month', 'also': 'people_whose_claims_became_known'}
) }}

-- Two ways to know an encounter stand side by side and are never added up: grouped from claims, and told by the
-- clinical record. A record encounter names the claims' encounter that bills it.
with claims as (
    select * from {{ ref('stg_medical_claim__claims') }}{{ only_touched('member_token') }}
),

claim_amounts as (
    select
        claim_key,
        sum(charge_amount) as charge_amount,
        sum(allowed_amount) as allowed_amount,
        sum(paid_amount) as paid_amount
    from {{ ref('int_claim__lines') }}{{ only_touched('member_token') }}
    group by claim_key
),

grouped as (
    select
        encounters.encounter_key,
        encounters.data_source,
        max(claims.member_token) as member_token,
        max(encounters.encounter_type) as encounter_type,
        bool_and(encounters.is_orphan) as is_orphan,
        min(case
            when encounters.grouping_rule = 'facility_stay' then coalesce(claims.admission_date, claims.claim_start_date)
            when encounters.grouping_rule <> 'attached_to_stay' then claims.claim_start_date
        end) as encounter_start_date,
        max(case
            when encounters.grouping_rule = 'facility_stay'
                then greatest(coalesce(claims.discharge_date, claims.claim_end_date, claims.claim_start_date), coalesce(claims.admission_date, claims.claim_start_date))
            when encounters.grouping_rule <> 'attached_to_stay' then coalesce(claims.claim_end_date, claims.claim_start_date)
        end) as encounter_end_date,
        max_by(claims.facility_id, case when claims.facility_id is null then null else claims.claim_key end) as facility_id,
        max_by(claims.payer_key, claims.claim_key) as payer_key,
        max_by(claims.payer_id, claims.claim_key) as payer_id,
        max(claims.drg_code) as drg_code,
        max_by(
            claims.discharge_disposition_code,
            case when claims.discharge_disposition_code is not null then {{ text('claims.claim_end_date') }} || claims.claim_key end
        ) as discharge_disposition_code,   -- of two claims that end on one day the key decides, so that no rebuild differs
        count(*) as claim_count,
        sum(claim_amounts.charge_amount) as charge_amount,
        sum(claim_amounts.allowed_amount) as allowed_amount,
        sum(claim_amounts.paid_amount) as paid_amount,
        max(claims.load_id) as load_id
    from {{ ref('int_encounter__claim_encounters') }} as encounters
    inner join claims on encounters.claim_key = claims.claim_key
    left join claim_amounts on encounters.claim_key = claim_amounts.claim_key
    group by encounters.encounter_key, encounters.data_source
),

record_claims as (
    select
        matches.record_encounter_key,
        count(*) as claim_count,
        min(encounters.encounter_key) as billed_encounter_key,
        sum(claim_amounts.allowed_amount) as allowed_amount,
        sum(claim_amounts.paid_amount) as paid_amount
    from {{ ref('int_encounter__claim_matches') }} as matches
    left join {{ ref('int_encounter__claim_encounters') }} as encounters on matches.claim_key = encounters.claim_key
    left join claim_amounts on matches.claim_key = claim_amounts.claim_key
    {{- only_touched('matches.member_token') }}
    group by matches.record_encounter_key
),

sources_with_claims as (
    select distinct data_source from {{ ref('stg_medical_claim__claims') }}
),

together as (
    select
        encounter_key,
        data_source,
        'claims' as encounter_basis,
        encounter_type,
        cast(null as {{ dbt.type_string() }}) as record_encounter_type,
        cast(null as {{ dbt.type_string() }}) as encounter_status,
        member_token,
        true as is_member_known,
        is_orphan,
        encounter_start_date,
        encounter_end_date,
        payer_key,
        payer_id,
        facility_id,
        cast(null as {{ dbt.type_string() }}) as attending_id,
        drg_code,
        discharge_disposition_code,
        cast(null as {{ dbt.type_string() }}) as billed_encounter_key,
        claim_count,
        charge_amount,
        allowed_amount,
        paid_amount,
        load_id,
        cast(null as bigint) as source_line_number
    from grouped
    union all
    select
        records.encounter_key,
        records.data_source,
        'record',
        coalesce(record_types.encounter_type, 'other'),
        records.encounter_type,
        records.encounter_status,
        records.member_token,
        records.is_member_known,
        false,
        records.encounter_start_date,
        records.encounter_end_date,
        records.payer_key,
        records.payer_id,
        records.facility_id,
        records.attending_id,
        null,
        records.discharge_disposition_code,
        record_claims.billed_encounter_key,
        case when sources_with_claims.data_source is not null then coalesce(record_claims.claim_count, 0) end,
        records.charge_amount,
        record_claims.allowed_amount,
        record_claims.paid_amount,
        records.load_id,
        records.source_line_number
    from {{ ref('int_encounter__records') }} as records
    left join record_claims on records.encounter_key = record_claims.record_encounter_key
    left join {{ ref('record_encounter_types') }} as record_types on records.encounter_type = record_types.record_encounter_type
    left join sources_with_claims on records.data_source = sources_with_claims.data_source
    {{- only_touched('records.member_token') }}
)

select
    encounter_key,
    data_source,
    encounter_basis,
    encounter_type,
    record_encounter_type,
    encounter_status,
    member_token,
    {{ optional_key(['data_source', 'member_token']) }} as member_key,
    is_member_known,
    is_orphan,
    encounter_start_date,
    encounter_end_date,
    {{ month_of('encounter_start_date') }} as encounter_month,
    cast({{ stay_days('encounter_start_date', 'encounter_end_date') }} as bigint) as stay_day_count,
    payer_key,
    payer_id,
    {{ optional_key(['data_source', 'facility_id']) }} as facility_provider_key,
    facility_id,
    {{ optional_key(['data_source', 'attending_id']) }} as attending_provider_key,
    drg_code,
    discharge_disposition_code,
    billed_encounter_key,
    cast(claim_count as bigint) as claim_count,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('allowed_amount') }} as allowed_amount,
    {{ usd('paid_amount') }} as paid_amount,
    load_id,
    source_line_number
from together
