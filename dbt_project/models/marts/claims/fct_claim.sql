{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'month': 'claim_start_month', 'also': 'claims_that_moved', 'slices': 4}
) }}

-- The state of a claim now, derived from its events alone (macro claim_states); the header adds who, where and what for. A
-- claim that only a remittance tells of is here too, without a header.
with headers as (
    select * from {{ ref('stg_medical_claim__claims') }}{{ only_touched('claim_token', sliced_by='claim_key') }}
),

states as (
    {{ claim_states('(select * from ' ~ ref('fct_claim_event') ~ only_touched('claim_token', sliced_by='claim_key') ~ ') as events') }}
),

links as (
    select claim_key, original_claim_key, link_rule from {{ ref('int_claim__links') }}{{ only_touched('claim_token', sliced_by='claim_key') }}
),

lines as (
    select
        claim_key,
        count(*) as line_count,
        sum(charge_amount) as line_charge_amount,
        bool_or(has_line_record) as has_lines
    from {{ ref('int_claim__lines') }}{{ only_touched('claim_token', sliced_by='claim_key') }}
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
    coalesce(headers.claim_key, states.claim_key) as claim_key,
    coalesce(headers.data_source, states.data_source) as data_source,
    coalesce(headers.claim_token, states.claim_token) as claim_token,
    headers.claim_key is not null as has_claim_record,
    links.original_claim_key,
    links.link_rule as original_claim_rule,
    states.successor_claim_key,
    headers.claim_frequency_code,
    headers.claim_type,
    -- a claim that was written and never sent has no event of its own but its coding, if that
    case
        when headers.claim_key is not null and coalesce(states.claim_state, 'unknown') = 'unknown' then 'in_preparation'
        else states.claim_state
    end as claim_state,
    headers.member_token,
    {{ optional_key(["headers.data_source", "headers.member_token"]) }} as member_key,
    coalesce(headers.payer_key, states.payer_key) as payer_key,
    coalesce(headers.payer_id, states.payer_id) as payer_id,
    headers.plan_id,
    coalesce(headers.line_of_business, states.line_of_business) as line_of_business,
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
    -- a claim that nobody acknowledged may have been rejected all the same, by a sender whose 277CA we do not get
    cast(case when states.acknowledgement_count > 0 then states.rejection_count end as bigint) as rejection_count,
    cast(coalesce(states.further_payer_count, 0) as bigint) as further_payer_count,
    cast(coalesce(states.earlier_submission_count, 0) as bigint) as earlier_submission_count,
    cast(coalesce(states.appeal_count, 0) as bigint) as appeal_count,
    cast(coalesce(states.adjudication_count, 0) as bigint) as adjudication_count,
    cast(coalesce(states.reversal_count, 0) as bigint) as reversal_count,
    states.first_adjudicated_date,
    cast({{ days_between('headers.submitted_date', 'states.first_adjudicated_date') }} as bigint) as days_to_adjudicate,
    states.first_paid_date,
    states.last_paid_date,
    states.last_event_date,
    states.is_denied_at_first,
    states.is_partially_denied_at_first,
    states.first_denial_category,
    case
        -- a remittance may call a payer otherwise than the claim does, which is believed where only one can be meant
        when states.first_adjudicated_date is null then null
        when states.has_several_first_payers then states.first_decision_payer_id
        else coalesce(headers.payer_id, states.payer_id)
    end as first_decision_payer_id,
    states.can_appeal_first_denial,
    states.first_denied_amount,
    states.is_denied_now,
    states.current_denial_category,
    {{ usd('headers.charge_amount') }} as charge_amount,
    {{ usd('case when lines.has_lines then headers.charge_amount - lines.line_charge_amount end') }} as charge_difference_amount,
    {{ usd('headers.expected_amount') }} as expected_amount,
    states.allowed_amount,
    states.paid_amount,
    states.patient_responsibility_amount,
    {{ usd('headers.prior_payer_paid_amount') }} as prior_payer_paid_amount,
    states.recouped_amount,
    states.patient_paid_amount,
    states.written_off_amount,
    coalesce(headers.load_id, states.load_id) as load_id,
    headers.source_line_number
from headers
full join states on headers.claim_key = states.claim_key
left join links on headers.claim_key = links.claim_key
left join lines on coalesce(headers.claim_key, states.claim_key) = lines.claim_key
left join codes on coalesce(headers.claim_key, states.claim_key) = codes.claim_key
left join {{ ref('int_encounter__claim_encounters') }} as encounters
    on coalesce(headers.claim_key, states.claim_key) = encounters.claim_key
