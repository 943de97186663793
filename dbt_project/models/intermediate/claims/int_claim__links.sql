{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- What a replacement or void takes the place of: by the claim's id where it is named, else by the payer's control number
-- (837 REF F8), which the remittance of the original carries (835 CLP07). A number that several claims carry links none.
with sent as (
    select * from {{ ref('stg_medical_claim__claims') }}
    where (original_claim_token is not null or claim_frequency_code in ('7', '8')){{ only_touched('claim_token', 'and') }}
),

-- of all claims: the one that a touched claim replaces need not be touched itself
answered as (
    select data_source, payer_claim_control_token, claim_token, claim_key
    from {{ ref('int_claim__remitted_lines') }}
    where payer_claim_control_token in (select payer_claim_control_token from sent where original_claim_token is null)
    group by data_source, payer_claim_control_token, claim_token, claim_key
),

found as (
    select sent.claim_key, count(*) as claim_count, max(answered.claim_token) as claim_token, max(answered.claim_key) as original_claim_key
    from sent
    inner join answered
        on sent.data_source = answered.data_source
        and sent.payer_claim_control_token = answered.payer_claim_control_token
        and sent.claim_token <> answered.claim_token
    where sent.original_claim_token is null
    group by sent.claim_key
)

select
    sent.data_source,
    sent.claim_key,
    sent.claim_token,
    sent.payer_key,
    sent.payer_id,
    sent.line_of_business,
    sent.claim_frequency_code,
    sent.claim_status,
    sent.submitted_date,
    coalesce(sent.original_claim_token, case when found.claim_count = 1 then found.claim_token end) as original_claim_token,
    coalesce(sent.original_claim_key, case when found.claim_count = 1 then found.original_claim_key end) as original_claim_key,
    case
        when sent.original_claim_token is not null then 'claim_id'
        when found.claim_count = 1 then 'control_number'
        when found.claim_count > 1 then 'ambiguous'
        else 'not_found'
    end as link_rule,
    sent.load_id,
    sent.source_line_number
from sent
left join found on sent.claim_key = found.claim_key
