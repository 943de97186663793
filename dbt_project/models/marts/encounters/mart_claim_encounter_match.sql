{{ config(meta={'month': 'claim_start_month'}) }}

-- A sender without a clinical record has nothing to match with: its flags are NULL, not no.
with claims as (
    select * from {{ ref('stg_medical_claim__claims') }}
),

amounts as (
    select claim_key, sum(allowed_amount) as allowed_amount
    from {{ ref('int_claim__lines') }}
    group by claim_key
),

record_sources as (
    select data_source, count(*) as record_count from {{ ref('int_encounter__records') }} group by data_source
),

member_sources as (
    select data_source, count(*) as member_count from {{ ref('stg_member__members') }} group by data_source
),

members as (
    select data_source, member_token from {{ ref('stg_member__members') }}
),

judged as (
    select
        claims.claim_key,
        claims.data_source,
        claims.claim_token,
        claims.member_token,
        claims.payer_key,
        claims.payer_id,
        claims.claim_type,
        claims.claim_status,
        claims.claim_start_date,
        {{ month_of('claims.claim_start_date') }} as claim_start_month,
        matches.record_encounter_key,
        case
            when matches.match_rule is not null then matches.match_rule
            when record_sources.data_source is null then 'no_data'
            else 'none'
        end as match_rule,
        matches.candidate_count,
        case when record_sources.data_source is not null then matches.claim_key is not null end as is_encounter_matched,
        case when member_sources.data_source is not null then members.member_token is not null end as is_member_known,
        claims.charge_amount,
        amounts.allowed_amount,
        claims.load_id,
        claims.source_line_number
    from claims
    left join {{ ref('int_encounter__claim_matches') }} as matches on claims.claim_key = matches.claim_key
    left join amounts on claims.claim_key = amounts.claim_key
    left join record_sources on claims.data_source = record_sources.data_source
    left join member_sources on claims.data_source = member_sources.data_source
    left join members on claims.data_source = members.data_source and claims.member_token = members.member_token
),

-- Of its month alone, so that a day's files leave the months they do not touch as they were published.
rates as (
    select
        data_source,
        claim_start_month,
        {{ rate('count(case when not is_encounter_matched then 1 end)', 'count(is_encounter_matched)') }} as encounter_unmatched_rate,
        {{ rate(
            'count(case when not is_member_known and not is_encounter_matched then 1 end)',
            'count(not is_member_known and not is_encounter_matched)'
        ) }} as unmatched_rate
    from judged
    group by data_source, claim_start_month
)

select
    judged.claim_key,
    judged.data_source,
    judged.claim_token,
    judged.member_token,
    {{ surrogate_key(['judged.data_source', 'judged.member_token']) }} as member_key,
    judged.payer_key,
    judged.payer_id,
    judged.claim_type,
    judged.claim_status,
    judged.claim_start_date,
    judged.claim_start_month,
    judged.record_encounter_key,
    judged.match_rule,
    cast(judged.candidate_count as bigint) as candidate_count,
    judged.is_encounter_matched,
    judged.is_member_known,
    not judged.is_member_known and not judged.is_encounter_matched as is_unmatched,
    rates.encounter_unmatched_rate,
    rates.unmatched_rate,
    {{ usd('judged.charge_amount') }} as charge_amount,
    {{ usd('judged.allowed_amount') }} as allowed_amount,
    judged.load_id,
    judged.source_line_number
from judged
left join rates on judged.data_source = rates.data_source and judged.claim_start_month = rates.claim_start_month
