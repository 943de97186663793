{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'month': 'claim_start_month', 'also': 'claims_that_moved'}
) }}

-- The state of a claim now, derived from its events; the header adds who, where and what for. A claim that only a
-- remittance tells of is here too, without a header.
{%- set moves_the_state = "event_type in ('submitted', 'replacement_submitted', 'void_submitted', 'adjudicated', 'reversed',
            'paid', 'recouped', 'patient_payment', 'refund', 'denial_write_off', 'bad_debt_write_off', 'charity_write_off')" %}
with headers as (
    select * from {{ ref('stg_medical_claim__claims') }}{{ only_touched('claim_token') }}
),

totals as (
    select
        data_source,
        claim_key,
        claim_token,
        max(payer_key) filter (where moves_the_state) as payer_key,
        max(payer_id) filter (where moves_the_state) as payer_id,
        max(line_of_business) filter (where moves_the_state) as line_of_business,
        max(event_date) filter (where moves_the_state) as last_event_date,
        count(*) filter (where event_type = 'adjudicated') as adjudication_count,
        count(*) filter (where event_type = 'reversed') as reversal_count,
        min(event_date) filter (where event_type = 'adjudicated') as first_adjudicated_date,
        min(event_date) filter (where event_type = 'paid' and paid_amount > 0) as first_paid_date,
        max(event_date) filter (where event_type = 'paid') as last_paid_date,
        sum(allowed_amount) as allowed_amount,
        sum(paid_amount) as paid_amount,
        sum(patient_responsibility_amount) as patient_responsibility_amount,
        sum(adjustment_amount) filter (where event_type = 'recouped') as recouped_amount,
        sum(adjustment_amount) filter (where event_type in ('patient_payment', 'refund')) as patient_paid_amount,
        sum(adjustment_amount) filter (where event_type in ('denial_write_off', 'bad_debt_write_off', 'charity_write_off')) as written_off_amount,
        max(load_id) filter (where moves_the_state) as load_id
    from (
        select *, {{ moves_the_state }} as moves_the_state from {{ ref('fct_claim_event') }}{{ only_touched('claim_token') }}
    ) as events
    group by data_source, claim_key, claim_token
),

first_decisions as (
    select * from {{ ref('int_claim__adjudications') }} where is_first_decision{{ only_touched('claim_token', 'and') }}
),

current_decisions as (
    select * from {{ ref('int_claim__adjudications') }} where is_current{{ only_touched('claim_token', 'and') }}
),

successors as (
    select
        original_claim_key as claim_key,
        bool_or(claim_frequency_code = '8') as is_voided,
        bool_or(coalesce(claim_frequency_code, '7') <> '8') as is_replaced,
        max(claim_key) as successor_claim_key
    from {{ ref('stg_medical_claim__claims') }}
    where original_claim_key is not null and claim_status = 'submitted' and original_claim_key <> claim_key
        {{- only_touched('original_claim_key', 'and', unit='claim_key') }}
    group by original_claim_key
),

lines as (
    select
        claim_key,
        count(*) as line_count,
        sum(charge_amount) as line_charge_amount,
        bool_or(has_line_record) as has_lines
    from {{ ref('int_claim__lines') }}{{ only_touched('claim_token') }}
    group by claim_key
),

codes as (
    select
        claim_key,
        count(*) filter (where code_use = 'diagnosis') as diagnosis_count,
        count(*) filter (where is_valid) as valid_code_count,
        count(*) filter (where not is_valid) as invalid_code_count,
        count(*) filter (where is_valid is null) as unknown_code_count
    from {{ ref('int_claim__codes') }}{{ only_touched('claim_key') }}
    group by claim_key
)

-- Also claims of which only a work record or an adjustment tells so far.
select
    coalesce(headers.claim_key, totals.claim_key) as claim_key,
    coalesce(headers.data_source, totals.data_source) as data_source,
    coalesce(headers.claim_token, totals.claim_token) as claim_token,
    headers.claim_key is not null as has_claim_record,
    headers.original_claim_key,
    successors.successor_claim_key,
    headers.claim_frequency_code,
    headers.claim_type,
    case
        when headers.claim_status = 'in_preparation' and coalesce(totals.adjudication_count, 0) = 0 then 'in_preparation'
        when headers.claim_frequency_code = '8' or successors.is_voided then 'voided'
        when successors.is_replaced then 'replaced'
        when coalesce(totals.adjudication_count, 0) + coalesce(totals.reversal_count, 0) = 0 then
            case when headers.claim_key is null then 'unknown' else 'submitted' end
        when current_decisions.claim_key is null then 'reversed'
        when current_decisions.is_denied then 'denied'
        when current_decisions.is_partially_denied then 'partially_denied'
        when current_decisions.paid_amount > 0 then 'paid'
        when current_decisions.allowed_amount > 0 then 'patient_responsibility'
        else 'adjudicated'
    end as claim_state,
    headers.member_token,
    {{ optional_key(["headers.data_source", "headers.member_token"]) }} as member_key,
    coalesce(headers.payer_key, totals.payer_key) as payer_key,
    coalesce(headers.payer_id, totals.payer_id) as payer_id,
    headers.plan_id,
    coalesce(headers.line_of_business, totals.line_of_business) as line_of_business,
    headers.coverage_rank,
    encounters.encounter_key,
    encounters.encounter_type,
    {{ optional_key(['headers.data_source', 'headers.billing_id']) }} as billing_provider_key,
    {{ optional_key(['headers.data_source', 'headers.rendering_id']) }} as rendering_provider_key,
    {{ optional_key(['headers.data_source', 'headers.facility_id']) }} as facility_provider_key,
    headers.billing_id,
    headers.rendering_id,
    headers.facility_id,
    headers.claim_start_date,
    headers.claim_end_date,
    {{ month_of('headers.claim_start_date') }} as claim_start_month,
    headers.admission_date,
    headers.discharge_date,
    headers.discharge_disposition_code,
    headers.bill_type_code,
    headers.drg_code,
    headers.diagnosis_code_type,
    headers.diagnosis_code_1,
    headers.coded_date,
    headers.submitted_date,
    cast({{ days_between('headers.claim_start_date', 'headers.submitted_date') }} as bigint) as days_to_submit,
    headers.coder_id,
    headers.documentation_rate,
    headers.coding_accuracy_rate,
    -- whether a sender quotes authorizations at all cannot be seen on one claim, so none is unknown here, not no
    case when headers.authorization_token is not null then true end as has_authorization_number,
    headers.authorization_token,
    headers.network_status,
    cast(coalesce(lines.line_count, 0) as bigint) as line_count,
    cast(coalesce(codes.diagnosis_count, 0) as bigint) as diagnosis_count,
    cast(coalesce(codes.invalid_code_count, 0) as bigint) as invalid_code_count,
    cast(coalesce(codes.unknown_code_count, 0) as bigint) as unknown_code_count,
    cast(coalesce(totals.adjudication_count, 0) as bigint) as adjudication_count,
    cast(coalesce(totals.reversal_count, 0) as bigint) as reversal_count,
    totals.first_adjudicated_date,
    cast({{ days_between('headers.submitted_date', 'totals.first_adjudicated_date') }} as bigint) as days_to_adjudicate,
    totals.first_paid_date,
    totals.last_paid_date,
    totals.last_event_date,
    first_decisions.is_denied as is_denied_at_first,
    first_decisions.is_partially_denied as is_partially_denied_at_first,
    first_decisions.denial_category as first_denial_category,
    first_decisions.can_appeal as can_appeal_first_denial,
    {{ usd('first_decisions.denied_amount') }} as first_denied_amount,
    current_decisions.is_denied as is_denied_now,
    current_decisions.denial_category as current_denial_category,
    {{ usd('headers.charge_amount') }} as charge_amount,
    {{ usd('case when lines.has_lines then headers.charge_amount - lines.line_charge_amount end') }} as charge_difference_amount,
    {{ usd('headers.expected_amount') }} as expected_amount,
    {{ usd('totals.allowed_amount') }} as allowed_amount,
    {{ usd('case when totals.adjudication_count + totals.reversal_count > 0 then coalesce(totals.paid_amount, 0) end') }} as paid_amount,
    {{ usd('totals.patient_responsibility_amount') }} as patient_responsibility_amount,
    {{ usd('headers.prior_payer_paid_amount') }} as prior_payer_paid_amount,
    {{ usd('totals.recouped_amount') }} as recouped_amount,
    {{ usd('totals.patient_paid_amount') }} as patient_paid_amount,
    {{ usd('totals.written_off_amount') }} as written_off_amount,
    coalesce(headers.load_id, totals.load_id) as load_id,
    headers.source_line_number
from headers
full join totals on headers.claim_key = totals.claim_key
left join first_decisions on coalesce(headers.claim_key, totals.claim_key) = first_decisions.claim_key
left join current_decisions on coalesce(headers.claim_key, totals.claim_key) = current_decisions.claim_key
left join successors on coalesce(headers.claim_key, totals.claim_key) = successors.claim_key
left join lines on coalesce(headers.claim_key, totals.claim_key) = lines.claim_key
left join codes on coalesce(headers.claim_key, totals.claim_key) = codes.claim_key
left join {{ ref('int_encounter__claim_encounters') }} as encounters
    on coalesce(headers.claim_key, totals.claim_key) = encounters.claim_key
