{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- Why paid differs from charged, each reason with the denial category that it means on the day of payment: a remark
-- code may move the reason to another category, and close the way to an appeal.
with reasons as (
    select * from {{ ref('int_claim__remitted_reasons') }}{{ only_touched('claim_token') }}
),

billed as (
    {{ lines_by_control_number() }}
),

iterations as (
    select * from {{ ref('int_claim__iterations') }}{{ only_touched('claim_token') }}
),

categories as (
    select * from {{ ref('denial_categories') }} where code_list = 'carc'
),

remarks as (
    select * from {{ ref('denial_remarks') }}
)

select
    reasons.data_source,
    reasons.claim_key,
    reasons.claim_token,
    coalesce(billed.billed_line_number, reasons.claim_line_number) as claim_line_number,
    reasons.claim_line_number as sent_line_number,
    coalesce(iterations.adjudication_number, reasons.adjudication_number) as adjudication_number,
    reasons.adjustment_number,
    reasons.paid_date,
    reasons.adjustment_group_code,
    reasons.carc_code,
    reasons.rarc_code,
    reasons.adjustment_amount,
    case
        when categories.code is null then 'unmapped'
        when categories.is_denial then coalesce(remarks.denial_category, categories.denial_category)
        else 'not_a_denial'
    end as denial_category,
    categories.is_denial as is_denial_reason,
    coalesce(remarks.can_appeal, categories.can_appeal) as can_appeal,
    reasons.load_id,
    reasons.source_line_number
from reasons
left join iterations
    on reasons.data_source = iterations.data_source
    and reasons.claim_token = iterations.claim_token
    and reasons.sent_claim_token = iterations.sent_claim_token
    and reasons.remittance_id = iterations.remittance_id
    and reasons.adjudication_number = iterations.sent_number
left join billed
    on reasons.data_source = billed.data_source
    and reasons.claim_token = billed.claim_token
    and reasons.line_control_token = billed.line_control_token
left join categories
    on reasons.carc_code = categories.code
    and reasons.paid_date >= categories.effective_from
    and reasons.paid_date <= coalesce(categories.effective_to, cast('9999-12-31' as date))
left join remarks
    on reasons.rarc_code = remarks.rarc_code
    -- any code where the remark names none: as a range, for an "or" between the sides would hold each row against each remark
    and coalesce(reasons.carc_code, '') >= coalesce(remarks.carc_code, '')
    and coalesce(reasons.carc_code, '') <= coalesce(remarks.carc_code, '~')
    and reasons.paid_date >= remarks.effective_from
    and reasons.paid_date <= coalesce(remarks.effective_to, cast('9999-12-31' as date))
