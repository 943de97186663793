{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'month': 'incurred_month', 'also': 'claims_that_moved'}
) }}

with lines as (
    select * from {{ ref('int_claim__lines') }}{{ only_touched('claim_token') }}
),

categories as (
    select * from {{ ref('int_claim__line_categories') }}{{ only_touched('claim_key') }}
),

encounters as (
    select * from {{ ref('int_encounter__claim_encounters') }}
),

codes as (
    select
        claim_key,
        claim_line_number,
        bool_and(is_valid) filter (where code_use = 'revenue_center') as is_revenue_center_valid,
        bool_and(is_valid) filter (where code_use = 'place_of_service') as is_place_of_service_valid,
        bool_and(is_valid) filter (where code_use = 'service') as is_hcpcs_valid
    from {{ ref('int_claim__codes') }}
    where code_use in ('revenue_center', 'place_of_service', 'service'){{ only_touched('claim_key', 'and') }}
    group by claim_key, claim_line_number
)

select
    lines.claim_line_key,
    lines.claim_key,
    encounters.encounter_key,
    lines.data_source,
    lines.claim_token,
    cast(lines.claim_line_number as bigint) as claim_line_number,
    lines.has_claim_record,
    lines.has_line_record,
    lines.claim_type,
    lines.claim_status,
    lines.member_token,
    {{ optional_key(['lines.data_source', 'lines.member_token']) }} as member_key,
    lines.payer_key,
    lines.payer_id,
    lines.plan_id,
    lines.line_of_business,
    {{ optional_key(['lines.data_source', 'lines.billing_id']) }} as billing_provider_key,
    {{ optional_key(['lines.data_source', 'lines.rendering_id']) }} as rendering_provider_key,
    {{ optional_key(['lines.data_source', 'lines.facility_id']) }} as facility_provider_key,
    lines.claim_line_start_date,
    lines.claim_line_end_date,
    lines.incurred_month,
    lines.incurred_month_rule,
    categories.service_category_1,
    categories.service_category_2,
    categories.service_category_3,
    categories.service_category_rule,
    lines.bill_type_code,
    lines.drg_code,
    lines.revenue_center_code,
    codes.is_revenue_center_valid,
    lines.hcpcs_code,
    lines.procedure_code_type,
    codes.is_hcpcs_valid,
    lines.hcpcs_modifier_1,
    lines.hcpcs_modifier_2,
    lines.place_of_service_code,
    codes.is_place_of_service_valid,
    cast(lines.service_unit_quantity as decimal(12, 3)) as service_unit_quantity,
    cast(coalesce(lines.adjudication_count, 0) as bigint) as adjudication_count,
    lines.first_paid_date,
    lines.last_paid_date,
    {{ usd('lines.charge_amount') }} as charge_amount,
    {{ usd('lines.allowed_amount') }} as allowed_amount,
    {{ usd('lines.paid_amount') }} as paid_amount,
    {{ usd('lines.deductible_amount') }} as deductible_amount,
    {{ usd('lines.coinsurance_amount') }} as coinsurance_amount,
    {{ usd('lines.copayment_amount') }} as copayment_amount,
    lines.load_id,
    lines.source_line_number
from lines
inner join categories on lines.claim_line_key = categories.claim_line_key
left join encounters on lines.claim_key = encounters.claim_key
left join codes on lines.claim_key = codes.claim_key and lines.claim_line_number = codes.claim_line_number
