{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- Every line that a claim or a remittance tells of, with what the payer decided on it, net of reversals: billed
-- lines, decisions about a claim as a whole (line 0), headers that came without lines (line 0), and remittance lines
-- whose claim no feed holds. Nothing that was paid is lost for want of a partner.
with billed as (
    select
        claim_key, data_source, claim_token, claim_line_number, rendering_id, claim_line_start_date, claim_line_end_date,
        revenue_center_code, hcpcs_code, procedure_code_type, hcpcs_modifier_1, hcpcs_modifier_2, place_of_service_code,
        service_unit_quantity, charge_amount, load_id, source_line_number, true as has_line_record
    from {{ ref('stg_medical_claim_line__lines') }}{{ only_touched('claim_token') }}

    union all

    -- the header stands in for lines that nobody sent
    select
        headers.claim_key, headers.data_source, headers.claim_token, 0, null, null, null, null, null, null, null, null, null,
        null, headers.charge_amount, null, null, false
    from {{ ref('stg_medical_claim__claims') }} as headers
    where
        headers.claim_key not in (select claim_key from {{ ref('stg_medical_claim_line__lines') }}{{ only_touched('claim_token') }})
        {{- only_touched('headers.claim_token', word='and') }}
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
        count(*) as adjudication_count,
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

-- Lines that a claim tells of and lines that a remittance does; each column is of one of the two.
told as (
    select
        coalesce(billed.claim_key, decided.claim_key) as claim_key,
        coalesce(billed.data_source, decided.data_source) as data_source,
        coalesce(billed.claim_token, decided.claim_token) as claim_token,
        coalesce(billed.claim_line_number, decided.claim_line_number) as claim_line_number,
        coalesce(billed.has_line_record, false) as has_line_record,
        billed.rendering_id,
        billed.claim_line_start_date,
        billed.claim_line_end_date,
        billed.revenue_center_code,
        billed.hcpcs_code,
        billed.procedure_code_type,
        billed.hcpcs_modifier_1,
        billed.hcpcs_modifier_2,
        billed.place_of_service_code,
        billed.service_unit_quantity,
        billed.charge_amount,
        billed.load_id,
        billed.source_line_number,
        decided.member_token as decided_member_token,
        decided.payer_key as decided_payer_key,
        decided.payer_id as decided_payer_id,
        decided.line_of_business as decided_line_of_business,
        decided.load_id as decided_load_id,
        decided.adjudication_count,
        decided.first_paid_date,
        decided.last_paid_date,
        decided.allowed_amount,
        decided.paid_amount,
        decided.deductible_amount,
        decided.coinsurance_amount,
        decided.copayment_amount
    from billed
    full join decided on billed.claim_key = decided.claim_key and billed.claim_line_number = decided.claim_line_number
)

select
    {{ surrogate_key(['told.data_source', 'told.claim_token', 'told.claim_line_number']) }} as claim_line_key,
    told.claim_key,
    told.data_source,
    told.claim_token,
    told.claim_line_number,
    headers.claim_key is not null as has_claim_record,
    told.has_line_record,
    headers.claim_type,
    headers.claim_status,
    coalesce(headers.member_token, told.decided_member_token) as member_token,
    coalesce(headers.payer_key, told.decided_payer_key) as payer_key,
    coalesce(headers.payer_id, told.decided_payer_id) as payer_id,
    headers.plan_id,
    coalesce(headers.line_of_business, told.decided_line_of_business) as line_of_business,
    headers.billing_id,
    coalesce(told.rendering_id, headers.rendering_id) as rendering_id,
    headers.facility_id,
    headers.claim_start_date,
    coalesce(headers.claim_end_date, headers.claim_start_date) as claim_end_date,
    coalesce(told.claim_line_start_date, headers.claim_start_date) as claim_line_start_date,
    coalesce(told.claim_line_end_date, told.claim_line_start_date, headers.claim_end_date) as claim_line_end_date,
    headers.bill_type_code,
    headers.drg_code,
    told.revenue_center_code,
    told.hcpcs_code,
    told.procedure_code_type,
    told.hcpcs_modifier_1,
    told.hcpcs_modifier_2,
    told.place_of_service_code,
    told.service_unit_quantity,
    told.charge_amount,
    told.adjudication_count,
    told.first_paid_date,
    told.last_paid_date,
    told.allowed_amount,
    told.paid_amount,
    told.deductible_amount,
    told.coinsurance_amount,
    told.copayment_amount,
    coalesce(rules.rule_id, 'paid_date') as incurred_month_rule,
    {{ month_of("case
        when rules.rule_id = 'line_start_date' then coalesce(told.claim_line_start_date, headers.claim_start_date)
        when rules.rule_id = 'claim_start_date' then coalesce(headers.claim_start_date, told.claim_line_start_date)
        else coalesce(told.claim_line_start_date, told.first_paid_date)
    end") }} as incurred_month,
    coalesce(told.load_id, headers.load_id, told.decided_load_id) as load_id,
    coalesce(told.source_line_number, headers.source_line_number) as source_line_number
from told
left join {{ ref('stg_medical_claim__claims') }} as headers
    on told.claim_key = headers.claim_key
    {{- only_touched('headers.claim_token', word='and') }}
left join {{ ref('incurred_month_rules') }} as rules
    on headers.claim_type = rules.claim_type
    and headers.claim_start_date >= rules.effective_from
    and headers.claim_start_date <= coalesce(rules.effective_to, cast('9999-12-31' as date))
