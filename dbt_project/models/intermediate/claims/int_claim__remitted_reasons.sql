{{ config(materialized='view') }}

-- Why remittances pay less than was charged, each reason of the claim that it is about.
select
    adjustments.data_source,
    coalesce(redirects.claim_key, adjustments.claim_key) as claim_key,
    coalesce(redirects.claim_token, adjustments.claim_token) as claim_token,
    adjustments.claim_token as sent_claim_token,
    coalesce(redirects.claim_rule, 'claim_id') as claim_rule,
    adjustments.remittance_id,
    adjustments.claim_line_number,
    adjustments.line_control_token,
    adjustments.adjudication_number,
    adjustments.adjustment_number,
    adjustments.paid_date,
    adjustments.adjustment_group_code,
    adjustments.carc_code,
    adjustments.rarc_code,
    adjustments.adjustment_amount,
    adjustments.load_id,
    adjustments.source_line_number,
    adjustments.source_part_number
from {{ ref('stg_remittance_adjustment__adjustments') }} as adjustments
left join {{ ref('int_claim__redirects') }} as redirects
    on adjustments.data_source = redirects.data_source
    and adjustments.claim_token = redirects.sent_claim_token
    and adjustments.remittance_id = redirects.remittance_id
    and adjustments.adjudication_number = redirects.adjudication_number
