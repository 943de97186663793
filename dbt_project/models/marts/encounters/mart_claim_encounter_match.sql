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
)

select
    claim_key,
    data_source,
    claim_token,
    member_token,
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    payer_key,
    payer_id,
    claim_type,
    claim_status,
    claim_start_date,
    claim_start_month,
    record_encounter_key,
    match_rule,
    cast(candidate_count as bigint) as candidate_count,
    is_encounter_matched,
    is_member_known,
    not is_member_known and not is_encounter_matched as is_unmatched,
    {{ rate(
        'count(case when not is_encounter_matched then 1 end) over (partition by data_source, claim_start_month)',
        'count(is_encounter_matched) over (partition by data_source, claim_start_month)'
    ) }} as encounter_unmatched_rate,
    {{ rate(
        'count(case when not is_member_known and not is_encounter_matched then 1 end) over (partition by data_source)',
        'count(not is_member_known and not is_encounter_matched) over (partition by data_source)'
    ) }} as unmatched_rate,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('allowed_amount') }} as allowed_amount,
    load_id,
    source_line_number
from judged
