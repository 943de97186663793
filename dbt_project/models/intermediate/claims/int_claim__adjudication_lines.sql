{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- A payer's decision line by line with its reasons summed. A reason whose code has no category counts as a denial only
-- where the line was allowed nothing; a reversal denies nothing, it takes back. Without a status code it is unknown
-- whether a row takes back; what such a row refuses is read from its reasons as a decision's is.
with iterations as (
    select * from {{ ref('int_claim__iterations') }}{{ only_touched('claim_token') }}
),

lines as (
    select
        *,
        coalesce(
            allowed_amount,
            paid_amount + coalesce(deductible_amount, 0) + coalesce(coinsurance_amount, 0) + coalesce(copayment_amount, 0)
        ) as known_allowed_amount
    from {{ ref('int_claim__remitted_lines') }}{{ only_touched('claim_token') }}
),

billed as (
    {{ lines_by_control_number() }}
),

reasons as (
    select
        data_source,
        claim_token,
        sent_line_number,
        adjudication_number,
        count(*) as reason_count,
        count(*) filter (where denial_category = 'unmapped') as unmapped_reason_count,
        sum(adjustment_amount) as adjustment_amount,
        sum(adjustment_amount) filter (where adjustment_group_code = 'CO' and not is_denial_reason) as contractual_adjustment_amount,
        sum(adjustment_amount) filter (where is_denial_reason) as denial_reason_amount,
        sum(adjustment_amount) filter (where denial_category = 'unmapped') as unmapped_amount
    from {{ ref('int_claim__adjudication_reasons') }}{{ only_touched('claim_token') }}
    group by data_source, claim_token, sent_line_number, adjudication_number
)

select
    lines.data_source,
    lines.claim_key,
    lines.claim_token,
    lines.claim_rule,
    coalesce(billed.billed_line_number, lines.claim_line_number) as claim_line_number,
    coalesce(iterations.adjudication_number, lines.adjudication_number) as adjudication_number,
    lines.remittance_id,
    lines.member_token,
    lines.payer_key,
    lines.payer_id,
    lines.payer_claim_control_token,
    lines.line_of_business,
    lines.claim_status_code,
    lines.claim_status_code = '22' as is_reversal,
    lines.adjudicated_date,
    lines.paid_date,
    lines.charge_amount,
    lines.known_allowed_amount as allowed_amount,
    lines.paid_amount,
    lines.deductible_amount,
    lines.coinsurance_amount,
    lines.copayment_amount,
    reasons.reason_count,
    coalesce(reasons.unmapped_reason_count, 0) as unmapped_reason_count,
    reasons.adjustment_amount,
    reasons.contractual_adjustment_amount,
    case
        when coalesce(lines.claim_status_code = '22', false) then null
        when reasons.reason_count is not null then
            coalesce(reasons.denial_reason_amount, 0)
            + case
                when lines.known_allowed_amount = 0 and lines.paid_amount = 0 then coalesce(reasons.unmapped_amount, 0)
                else 0
            end
    end as denied_amount,
    lines.load_id,
    lines.source_line_number
from lines
left join iterations
    on lines.data_source = iterations.data_source
    and lines.claim_token = iterations.claim_token
    and lines.sent_claim_token = iterations.sent_claim_token
    and lines.remittance_id = iterations.remittance_id
    and lines.adjudication_number = iterations.sent_number
left join billed
    on lines.data_source = billed.data_source
    and lines.claim_token = billed.claim_token
    and lines.line_control_token = billed.line_control_token
left join reasons
    on lines.data_source = reasons.data_source
    and lines.claim_token = reasons.claim_token
    and lines.claim_line_number = reasons.sent_line_number
    and coalesce(iterations.adjudication_number, lines.adjudication_number) = reasons.adjudication_number
