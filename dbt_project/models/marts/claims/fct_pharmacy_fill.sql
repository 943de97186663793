{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'month': 'incurred_month'}
) }}

with fills as (
    select
        *,
        {{ month_of('dispensing_date') }} as incurred_month
    from {{ ref('stg_pharmacy_fill__fills') }}{{ only_touched('claim_token') }}
)

select
    pharmacy_fill_key,
    data_source,
    {{ surrogate_key(['data_source', 'claim_token', 'claim_line_number']) }} as fill_key,
    claim_token,
    claim_line_number,
    adjudication_number,
    member_token,
    member_key,
    payer_key,
    payer_id,
    plan_id,
    line_of_business,
    {{ optional_key(['data_source', 'prescribing_provider_id']) }} as prescribing_provider_key,
    {{ optional_key(['data_source', 'dispensing_provider_id']) }} as dispensing_provider_key,
    dispensing_date,
    paid_date,
    incurred_month,
    'dispensing_date' as incurred_month_rule,
    'pharmacy' as service_category_1,
    'outpatient_pharmacy' as service_category_2,
    coalesce(drug_code_type, 'ndc') as drug_code_type,
    ndc_code,
    -- a fill that the patient paid alone is taken back with nothing paid: charge and quantity tell
    case
        when paid_amount < 0 or charge_amount < 0 or quantity < 0 then true
        when paid_amount > 0 or charge_amount > 0 or quantity > 0 then false
    end as is_reversal,
    quantity,
    days_supply,
    charge_amount,
    {{ usd('coalesce(allowed_amount, paid_amount + coalesce(deductible_amount, 0) + coalesce(coinsurance_amount, 0) + coalesce(copayment_amount, 0))') }} as allowed_amount,
    paid_amount,
    deductible_amount,
    coinsurance_amount,
    copayment_amount,
    load_id,
    source_line_number
from fills
