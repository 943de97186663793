-- An adjustment is about the claim that it names, or the one whose remittance carries the number that it refers to; where none
-- does, about the one that the provider calls so. A number that several claims carry is nobody's, and so is what is no claim's (a
-- letter, a contract).
with adjustments as (
    select
        *,
        -- asked only of an adjustment that names no claim; here, since a condition on one side of a left join holds all against all
        case when claim_token is null then payer_claim_control_token end as asked_number,
        case when claim_token is null then referred_claim_token end as asked_claim_token
    from {{ ref('stg_provider_adjustment__adjustments') }}
),

referred as (
    select data_source, asked_number, asked_claim_token
    from adjustments
    where asked_number is not null
    group by data_source, asked_number, asked_claim_token
),

found as (
    select
        answered.data_source,
        answered.payer_claim_control_token,
        max(answered.claim_token) as claim_token,
        max(answered.claim_key) as claim_key,
        count(distinct answered.claim_token) as claim_count
    from {{ ref('int_claim__remitted_lines') }} as answered
    inner join referred
        on answered.data_source = referred.data_source and answered.payer_claim_control_token = referred.asked_number
    group by answered.data_source, answered.payer_claim_control_token
),

called as (
    select claims.data_source, claims.claim_token, claims.claim_key
    from {{ ref('stg_medical_claim__claims') }} as claims
    inner join referred on claims.data_source = referred.data_source and claims.claim_token = referred.asked_claim_token
    union
    select answered.data_source, answered.claim_token, answered.claim_key
    from {{ ref('int_claim__remitted_lines') }} as answered
    inner join referred on answered.data_source = referred.data_source and answered.claim_token = referred.asked_claim_token
)

select
    adjustments.data_source,
    adjustments.remittance_id,
    adjustments.adjustment_number,
    adjustments.payer_key,
    adjustments.payer_id,
    adjustments.line_of_business,
    adjustments.adjustment_reason_code,
    case
        when adjustments.claim_token is not null then adjustments.claim_token
        when found.claim_count = 1 then found.claim_token
        when found.claim_count is null then called.claim_token
    end as claim_token,
    case
        when adjustments.claim_token is not null then adjustments.claim_key
        when found.claim_count = 1 then found.claim_key
        when found.claim_count is null then called.claim_key
    end as claim_key,
    case
        when adjustments.claim_token is not null then 'claim_id'
        when found.claim_count = 1 then 'control_number'
        when found.claim_count is null and called.claim_token is not null then 'referred_claim_id'
        else 'none'
    end as claim_rule,
    adjustments.paid_date,
    adjustments.adjustment_amount,
    adjustments.load_id,
    adjustments.source_line_number
from adjustments
left join found
    on adjustments.data_source = found.data_source and adjustments.asked_number = found.payer_claim_control_token
left join called
    on adjustments.data_source = called.data_source and adjustments.asked_claim_token = called.claim_token
