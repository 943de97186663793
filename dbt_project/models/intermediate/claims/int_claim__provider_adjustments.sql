-- An adjustment is about the claim that it names, or the one whose remittance carries the number that it refers to. A number that
-- several claims carry, or none (a letter, a contract), is nobody's.
with adjustments as (
    select * from {{ ref('stg_provider_adjustment__adjustments') }}
),

referred as (
    select data_source, payer_claim_control_token
    from adjustments
    where claim_token is null and payer_claim_control_token is not null
    group by data_source, payer_claim_control_token
),

found as (
    select
        answered.data_source,
        answered.payer_claim_control_token,
        max(answered.claim_token) as claim_token,
        max(answered.claim_key) as claim_key
    from {{ ref('stg_remittance__adjudications') }} as answered
    inner join referred
        on answered.data_source = referred.data_source and answered.payer_claim_control_token = referred.payer_claim_control_token
    group by answered.data_source, answered.payer_claim_control_token
    having count(distinct answered.claim_token) = 1
)

select
    adjustments.data_source,
    adjustments.remittance_id,
    adjustments.adjustment_number,
    adjustments.payer_key,
    adjustments.payer_id,
    adjustments.line_of_business,
    adjustments.adjustment_reason_code,
    coalesce(adjustments.claim_token, found.claim_token) as claim_token,
    coalesce(adjustments.claim_key, found.claim_key) as claim_key,
    case
        when adjustments.claim_token is not null then 'claim_id'
        when found.claim_token is not null then 'control_number'
        else 'none'
    end as claim_rule,
    adjustments.paid_date,
    adjustments.adjustment_amount,
    adjustments.load_id,
    adjustments.source_line_number
from adjustments
left join found
    on adjustments.claim_token is null
    and adjustments.data_source = found.data_source
    and adjustments.payer_claim_control_token = found.payer_claim_control_token
