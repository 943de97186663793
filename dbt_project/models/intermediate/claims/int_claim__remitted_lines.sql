{{ config(materialized='view') }}

-- What remittances say line by line, each of the claim that it is about.
select
    adjudications.data_source,
    coalesce(redirects.claim_key, adjudications.claim_key) as claim_key,
    coalesce(redirects.claim_token, adjudications.claim_token) as claim_token,
    adjudications.claim_token as sent_claim_token,
    coalesce(redirects.claim_rule, 'claim_id') as claim_rule,
    adjudications.payer_key,
    adjudications.remittance_id,
    adjudications.claim_line_number,
    adjudications.line_control_token,
    adjudications.adjudication_number,
    adjudications.payer_claim_control_token,
    adjudications.member_token,
    adjudications.payer_id,
    adjudications.line_of_business,
    adjudications.claim_status_code,
    adjudications.adjudicated_date,
    adjudications.paid_date,
    adjudications.charge_amount,
    adjudications.allowed_amount,
    adjudications.paid_amount,
    adjudications.deductible_amount,
    adjudications.coinsurance_amount,
    adjudications.copayment_amount,
    adjudications.load_id,
    adjudications.source_line_number,
    adjudications.source_part_number
from {{ ref('stg_remittance__adjudications') }} as adjudications
left join {{ ref('int_claim__redirects') }} as redirects
    on adjudications.data_source = redirects.data_source
    and adjudications.claim_token = redirects.sent_claim_token
    and adjudications.remittance_id = redirects.remittance_id
    and adjudications.adjudication_number = redirects.adjudication_number
