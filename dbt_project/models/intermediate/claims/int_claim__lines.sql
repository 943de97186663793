{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- Every line that a claim or a remittance tells of, with what the payer decided on it, net of reversals: billed
-- lines, decisions about a claim as a whole (line 0), headers that came without lines (line 0), and remittance lines
-- whose claim no feed holds. Nothing that was paid is lost for want of a partner.
with headers as (
    select * from {{ ref('stg_medical_claim__claims') }}{{ only_touched('claim_token') }}
),

billed as (
    select * from {{ ref('stg_medical_claim_line__lines') }}{{ only_touched('claim_token') }}
),

decided as (
    select
        data_source,
        claim_key,
        claim_token,
        claim_line_number,
        max(member_token) as member_token,
        max(payer_key) as payer_key,
        max(payer_id) as payer_id,
        max(line_of_business) as line_of_business,
        count(distinct adjudication_number) as adjudication_count,
        min(paid_date) as first_paid_date,
        max(paid_date) as last_paid_date,
        sum(allowed_amount) as allowed_amount,
        sum(paid_amount) as paid_amount,
        sum(deductible_amount) as deductible_amount,
        sum(coinsurance_amount) as coinsurance_amount,
        sum(copayment_amount) as copayment_amount,
        max(load_id) as load_id
    from {{ ref('int_claim__adjudication_lines') }}{{ only_touched('claim_token') }}
    group by data_source, claim_key, claim_token, claim_line_number
),

wanted as (
    select data_source, claim_key, claim_token, claim_line_number from billed
    union
    select data_source, claim_key, claim_token, claim_line_number from decided
    union
    select headers.data_source, headers.claim_key, headers.claim_token, 0
    from headers
    left join billed on headers.claim_key = billed.claim_key
    where billed.claim_key is null
)

select
    {{ surrogate_key(['wanted.data_source', 'wanted.claim_token', 'wanted.claim_line_number']) }} as claim_line_key,
    wanted.claim_key,
    wanted.data_source,
    wanted.claim_token,
    wanted.claim_line_number,
    headers.claim_key is not null as has_claim_record,
    billed.claim_key is not null as has_line_record,
    headers.claim_type,
    headers.claim_status,
    coalesce(headers.member_token, decided.member_token) as member_token,
    coalesce(headers.payer_key, decided.payer_key) as payer_key,
    coalesce(headers.payer_id, decided.payer_id) as payer_id,
    headers.plan_id,
    coalesce(headers.line_of_business, decided.line_of_business) as line_of_business,
    headers.billing_id,
    coalesce(billed.rendering_id, headers.rendering_id) as rendering_id,
    headers.facility_id,
    headers.claim_start_date,
    coalesce(headers.claim_end_date, headers.claim_start_date) as claim_end_date,
    coalesce(billed.claim_line_start_date, headers.claim_start_date) as claim_line_start_date,
    coalesce(billed.claim_line_end_date, billed.claim_line_start_date, headers.claim_end_date) as claim_line_end_date,
    headers.bill_type_code,
    headers.drg_code,
    billed.revenue_center_code,
    billed.hcpcs_code,
    billed.procedure_code_type,
    billed.hcpcs_modifier_1,
    billed.hcpcs_modifier_2,
    billed.place_of_service_code,
    billed.service_unit_quantity,
    case
        when billed.claim_key is not null then billed.charge_amount
        when sent.claim_key is null then headers.charge_amount
    end as charge_amount,
    decided.adjudication_count,
    decided.first_paid_date,
    decided.last_paid_date,
    decided.allowed_amount,
    decided.paid_amount,
    decided.deductible_amount,
    decided.coinsurance_amount,
    decided.copayment_amount,
    coalesce(rules.rule_id, 'paid_date') as incurred_month_rule,
    {{ month_of("case
        when rules.rule_id = 'line_start_date' then coalesce(billed.claim_line_start_date, headers.claim_start_date)
        when rules.rule_id = 'claim_start_date' then coalesce(headers.claim_start_date, billed.claim_line_start_date)
        else coalesce(billed.claim_line_start_date, decided.first_paid_date)
    end") }} as incurred_month,
    coalesce(billed.load_id, headers.load_id, decided.load_id) as load_id,
    coalesce(billed.source_line_number, headers.source_line_number) as source_line_number
from wanted
left join headers on wanted.claim_key = headers.claim_key
left join billed on wanted.claim_key = billed.claim_key and wanted.claim_line_number = billed.claim_line_number
left join decided on wanted.claim_key = decided.claim_key and wanted.claim_line_number = decided.claim_line_number
left join (select distinct claim_key from billed) as sent on wanted.claim_key = sent.claim_key
left join {{ ref('incurred_month_rules') }} as rules
    on headers.claim_type = rules.claim_type
    and headers.claim_start_date >= rules.effective_from
    and headers.claim_start_date <= coalesce(rules.effective_to, cast('9999-12-31' as date))
