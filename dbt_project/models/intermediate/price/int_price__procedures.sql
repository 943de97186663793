{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- Claims by what has a price to negotiate: a stay by its MS-DRG, everything else by its HCPCS code, a facility's apart from a
-- clinician's, a professional or technical part (26, TC) apart from the whole. A second payer's claims are left out (its share is
-- no price), and what nothing was allowed on: a denied line has no price.
with lines as (
    select
        claim_key,
        claim_token,
        data_source,
        payer_key,
        payer_id,
        billing_provider_key,
        incurred_month,
        member_token,
        service_category_2,
        case when drg_code is not null then 'ms_drg' else 'hcpcs' end as procedure_code_type,
        coalesce(drg_code, hcpcs_code) as procedure_code,
        case
            when drg_code is not null then 'DRG ' || drg_code
            else hcpcs_code
                || case
                    when hcpcs_modifier_1 in ('26', 'TC') then '-' || hcpcs_modifier_1
                    when hcpcs_modifier_2 in ('26', 'TC') then '-' || hcpcs_modifier_2
                    else ''
                end
                || case when claim_type = 'institutional' then ' facility' else '' end
        end as procedure_id,
        coalesce(service_unit_quantity, 1) as service_unit_quantity,
        allowed_amount
    from {{ ref('fct_claim_line') }}
    where
        allowed_amount > 0
        and coalesce(service_unit_quantity, 1) > 0
        and coalesce(drg_code, hcpcs_code) is not null
        and billing_provider_key is not null
        and payer_key is not null{{ only_touched('claim_token', 'and') }}
),

first_payers as (
    select claim_key from {{ ref('fct_claim') }}
    where coalesce(coverage_rank, 'primary') = 'primary'{{ only_touched('claim_token', 'and') }}
)

select
    lines.claim_key,
    lines.claim_token,
    lines.data_source,
    lines.payer_key,
    lines.payer_id,
    lines.billing_provider_key as provider_key,
    lines.procedure_code_type,
    lines.procedure_code,
    lines.procedure_id,
    lines.service_category_2,
    lines.incurred_month,
    lines.member_token,
    -- a stay is one however many lines it has
    cast(case when lines.procedure_code_type = 'ms_drg' then 1 else sum(lines.service_unit_quantity) end as decimal(18, 3)) as volume_quantity,
    {{ usd('sum(lines.allowed_amount)') }} as allowed_amount
from lines
inner join first_payers on lines.claim_key = first_payers.claim_key
group by
    lines.claim_key,
    lines.claim_token,
    lines.data_source,
    lines.payer_key,
    lines.payer_id,
    lines.billing_provider_key,
    lines.procedure_code_type,
    lines.procedure_code,
    lines.procedure_id,
    lines.service_category_2,
    lines.incurred_month,
    lines.member_token
