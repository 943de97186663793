{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_token'}
) }}

-- The encounter of the clinical record that each claim bills: same member, and the claim's service days meet the
-- encounter's. Of several the best rule wins, then the nearest start, then the encounter's key, so that ties never
-- move.
with claims as (
    select
        data_source,
        claim_key,
        member_token,
        coalesce(facility_id, billing_id) as facility_id,
        rendering_id,
        coalesce(admission_date, claim_start_date) as start_date,
        greatest(coalesce(discharge_date, claim_end_date, claim_start_date), claim_start_date) as end_date
    from {{ ref('stg_medical_claim__claims') }}{{ only_touched('member_token') }}
),

records as (
    select * from {{ ref('int_encounter__records') }}
    where coalesce(encounter_status, 'completed') not in ('cancelled', 'no_show'){{ only_touched('member_token', 'and') }}
),

candidates as (
    select
        claims.claim_key,
        claims.member_token,
        records.encounter_key,
        case
            when claims.start_date > records.encounter_end_date or claims.end_date < records.encounter_start_date then 4
            when claims.facility_id = records.facility_id then 1
            when claims.rendering_id = records.attending_id then 2
            else 3
        end as match_rank,
        abs({{ days_between('records.encounter_start_date', 'claims.start_date') }}) as day_distance
    from claims
    inner join records
        on claims.data_source = records.data_source
        and claims.member_token = records.member_token
        and claims.start_date <= {{ add_to_date('day', 1, 'records.encounter_end_date') }}
        and claims.end_date >= {{ add_to_date('day', -1, 'records.encounter_start_date') }}
),

ranked as (
    select
        *,
        row_number() over (partition by claim_key order by match_rank, day_distance, encounter_key) as candidate_rank,
        count(*) over (partition by claim_key) as candidate_count
    from candidates
)

select
    claim_key,
    member_token,
    encounter_key as record_encounter_key,
    case match_rank
        when 1 then 'member_date_facility'
        when 2 then 'member_date_clinician'
        when 3 then 'member_date'
        else 'member_within_a_day'
    end as match_rule,
    day_distance,
    candidate_count
from ranked
where candidate_rank = 1
