{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite' if target.type == 'spark' else 'delete+insert',
    unique_key='event_month',
    partition_by='event_month' if target.type == 'spark' else none,
    on_schema_change='append_new_columns',
    pre_hook=["{{ changed_claim_event_months() }}", "{{ forget_changed_months('event_month') }}"],
    post_hook=["{{ forget_fact_loads() }}", "{{ remember_fact_loads(['medical_claim', 'remittance', 'remittance_adjustment', 'provider_adjustment', 'patient_accounting', 'work_record']) }}"]
) }}

select
    {{ surrogate_key(['data_source', 'claim_token', 'event_type', 'event_reference']) }} as claim_event_key,
    data_source,
    claim_key,
    claim_token,
    event_type,
    cast(event_order as bigint) as event_order,
    event_date,
    event_month,
    payer_key,
    payer_id,
    line_of_business,
    adjudication_number,
    remittance_id,
    is_denied,
    is_partially_denied,
    denial_category,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('allowed_amount') }} as allowed_amount,
    {{ usd('paid_amount') }} as paid_amount,
    {{ usd('patient_responsibility_amount') }} as patient_responsibility_amount,
    {{ usd('adjustment_amount') }} as adjustment_amount,
    {{ usd('denied_amount') }} as denied_amount,
    load_id,
    source_line_number
from {{ ref('int_claim__events') }}
{{ only_changed_months('event_month') }}
