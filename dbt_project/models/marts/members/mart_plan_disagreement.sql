-- The claim's plan against the enrolment on the claim's first day. A claim whose plan differs stays in every other
-- mart; here it is counted, in people and dollars.
with claims as (
    select
        claims.claim_key,
        claims.data_source,
        claims.member_token,
        claims.payer_id,
        claims.plan_id,
        claims.claim_start_date,
        {{ month_of('claims.claim_start_date') }} as claim_start_month,
        claims.charge_amount
    from {{ ref('stg_medical_claim__claims') }} as claims
),

amounts as (
    select claim_key, sum(allowed_amount) as allowed_amount, sum(paid_amount) as paid_amount
    from {{ ref('int_claim__lines') }}
    group by claim_key
),

sources_with_enrolment as (
    select distinct data_source from {{ ref('stg_eligibility__spans') }}
),

covering as (
    select
        claims.claim_key,
        spans.payer_id,
        spans.plan_id,
        spans.coverage_rank,
        row_number() over (
            partition by claims.claim_key
            order by
                case when spans.plan_id = claims.plan_id then 0 when spans.payer_id = claims.payer_id then 1 else 2 end,
                spans.coverage_rank, spans.enrollment_start_date desc, spans.plan_id
        ) as span_rank
    from claims
    inner join {{ ref('stg_eligibility__spans') }} as spans
        on claims.data_source = spans.data_source
        and claims.member_token = spans.member_token
        and claims.claim_start_date >= spans.enrollment_start_date
        and claims.claim_start_date <= coalesce(spans.enrollment_end_date, cast('9999-12-31' as date))
),

judged as (
    select
        claims.*,
        covering.payer_id as enrolled_payer_id,
        covering.plan_id as enrolled_plan_id,
        covering.coverage_rank as enrolled_coverage_rank,
        case
            when sources_with_enrolment.data_source is null then 'no_data'
            when covering.claim_key is null then 'not_enrolled'
            when claims.payer_id <> covering.payer_id then 'payer_differs'
            when claims.plan_id is null then 'plan_not_on_claim'
            when claims.plan_id <> covering.plan_id then 'plan_differs'
            else 'agrees'
        end as agreement,
        amounts.allowed_amount,
        amounts.paid_amount
    from claims
    left join covering on claims.claim_key = covering.claim_key and covering.span_rank = 1
    left join sources_with_enrolment on claims.data_source = sources_with_enrolment.data_source
    left join amounts on claims.claim_key = amounts.claim_key
)

select
    {{ surrogate_key(['data_source', 'claim_start_month', 'payer_id', 'plan_id', 'enrolled_payer_id', 'enrolled_plan_id', 'enrolled_coverage_rank', 'agreement']) }}
        as plan_disagreement_key,
    data_source,
    claim_start_month,
    payer_id,
    plan_id,
    enrolled_payer_id,
    enrolled_plan_id,
    enrolled_coverage_rank,
    agreement,
    count(distinct member_token) as member_count,
    count(*) as claim_count,
    {{ usd('sum(charge_amount)') }} as charge_amount,
    {{ usd('sum(allowed_amount)') }} as allowed_amount,
    {{ usd('sum(paid_amount)') }} as paid_amount
from judged
group by data_source, claim_start_month, payer_id, plan_id, enrolled_payer_id, enrolled_plan_id, enrolled_coverage_rank, agreement
