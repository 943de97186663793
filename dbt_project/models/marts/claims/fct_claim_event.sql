{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'month': 'event_month'}
) }}

-- Amounts stand on one event each: charges where the claim was first sent, the decision where it was adjudicated or reversed,
-- money where it was paid. So every amount sums to its feed's; denied, corrected and appealed point at a decision or a piece
-- of work that has an event of its own, and carry none.
with adjustments as (
    select * from {{ ref('int_claim__provider_adjustments') }} where claim_token is not null{{ only_touched('claim_token', 'and') }}
),

accounting as (
    select * from {{ ref('stg_patient_accounting__transactions') }} where claim_token is not null{{ only_touched('claim_token', 'and') }}
),

work as (
    select * from {{ ref('stg_work_record__records') }} where claim_token is not null and completed_at is not null{{ only_touched('claim_token', 'and') }}
),

statuses as (
    select * from {{ ref('stg_claim_acknowledgement__statuses') }}{{ only_touched('claim_token') }}
),

-- Submissions to first payers are numbered as they were sent; the claim's own is the last.
others as (
    select
        *,
        case
            when not is_to_further_payer then row_number() over (
                partition by data_source, claim_token, is_to_further_payer
                order by submitted_date, load_id, source_line_number, source_part_number
            )
        end as submission_number,
        row_number() over (
            partition by data_source, claim_token, is_to_further_payer, payer_id
            order by submitted_date, load_id, source_line_number, source_part_number
        ) as word_number
    from {{ ref('stg_medical_claim__other_submissions') }}
    where claim_status = 'submitted'{{ only_touched('claim_token', 'and') }}
),

earlier as (
    select data_source, claim_token, coalesce(max(submission_number), 0) as submission_count from others group by data_source, claim_token
),

-- Of a claim that was sent several times, a payer acknowledges what was sent to it; who is none of them (a clearinghouse that answers
-- in its own name) the last that was sent by then.
sent as (
    select
        firsts.data_source, firsts.claim_token, firsts.payer_id, firsts.submitted_date, 0 as is_further,
        earlier.submission_count + 1 as submission_number
    from {{ ref('stg_medical_claim__claims') }} as firsts
    inner join earlier on firsts.data_source = earlier.data_source and firsts.claim_token = earlier.claim_token
    where firsts.claim_status = 'submitted'{{ only_touched('firsts.claim_token', 'and') }}
    union all
    select data_source, claim_token, payer_id, submitted_date, case when is_to_further_payer then 1 else 0 end, submission_number
    from others
),

acknowledged as (
    select
        statuses.data_source,
        statuses.claim_token,
        statuses.acknowledgement_id,
        statuses.acknowledgement_number,
        sent.is_further,
        sent.submission_number,
        row_number() over (
            partition by statuses.data_source, statuses.claim_token, statuses.acknowledgement_id, statuses.acknowledgement_number
            order by
                case when sent.payer_id = statuses.payer_id then 0 else 1 end,
                case when sent.submitted_date <= statuses.acknowledged_date then 0 else 1 end,
                sent.submitted_date desc,
                sent.is_further,
                sent.submission_number desc,
                sent.payer_id
        ) as place
    from statuses
    inner join sent on statuses.data_source = sent.data_source and statuses.claim_token = sent.claim_token
),

adjudications as (
    select * from {{ ref('int_claim__adjudications') }}{{ only_touched('claim_token') }}
),

links as (
    select * from {{ ref('int_claim__links') }}
    where claim_status = 'submitted' and original_claim_key is not null and original_claim_key <> claim_key
),

-- The first decision of a claim that was sent in another's place corrects what was decided of that one.
replacements as (
    select claim_token from links
    where coalesce(claim_frequency_code, '7') <> '8'{{ only_touched('claim_token', 'and') }}
    group by claim_token
),

corrections as (
    select adjudications.*
    from adjudications
    left join replacements on adjudications.claim_token = replacements.claim_token
    where adjudications.is_correction or (adjudications.is_first_decision and replacements.claim_token is not null)
),

events as (
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        'coded' as event_type, 10 as event_order, '1' as event_reference, coded_date as event_date, coded_date as known_date,
        cast(null as bigint) as adjudication_number, cast(null as bigint) as reversed_adjudication_number,
        cast(null as {{ dbt.type_string() }}) as related_claim_key, cast(null as {{ dbt.type_string() }}) as remittance_id,
        cast(null as boolean) as is_denied, cast(null as boolean) as is_partially_denied,
        cast(null as {{ dbt.type_string() }}) as denial_category, cast(null as boolean) as can_appeal,
        cast(null as decimal(18, 2)) as charge_amount, cast(null as decimal(18, 2)) as allowed_amount,
        cast(null as decimal(18, 2)) as paid_amount, cast(null as decimal(18, 2)) as patient_responsibility_amount,
        cast(null as decimal(18, 2)) as adjustment_amount, cast(null as decimal(18, 2)) as denied_amount,
        cast(null as bigint) as submission_number, cast(null as boolean) as is_to_further_payer,
        cast(null as decimal(18, 2)) as repeated_charge_amount,
        cast(null as {{ dbt.type_string() }}) as claim_rule, load_id, source_line_number
    from {{ ref('stg_medical_claim__claims') }}
    where coded_date is not null{{ only_touched('claim_token', 'and') }}
    union all
    select
        claims.data_source, claims.claim_token, claims.claim_key, claims.payer_key, claims.payer_id, claims.line_of_business,
        case
            when claims.claim_frequency_code = '7' then 'replacement_submitted'
            when claims.claim_frequency_code = '8' then 'void_submitted'
            else 'submitted'
        end,
        20, cast(coalesce(earlier.submission_count, 0) + 1 as {{ dbt.type_string() }}),
        coalesce(claims.submitted_date, claims.claim_end_date, claims.claim_start_date), null,
        null, null, null, null, null, null, null, null, claims.charge_amount, null, null, null, null, null,
        coalesce(earlier.submission_count, 0) + 1, false, null, null, claims.load_id, claims.source_line_number
    from {{ ref('stg_medical_claim__claims') }} as claims
    left join earlier on claims.data_source = earlier.data_source and claims.claim_token = earlier.claim_token
    where claims.claim_status = 'submitted'{{ only_touched('claims.claim_token', 'and') }}
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        case when claim_frequency_code = '7' then 'replacement_submitted' when claim_frequency_code = '8' then 'void_submitted' else 'submitted' end,
        20, coalesce(
            cast(submission_number as {{ dbt.type_string() }}),
            'payer/' || payer_id || case when word_number > 1 then '/' || cast(word_number as {{ dbt.type_string() }}) else '' end
        ),
        coalesce(submitted_date, claim_end_date, claim_start_date), null,
        null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        submission_number, is_to_further_payer, charge_amount, null, load_id, source_line_number
    from others
    union all
    select
        statuses.data_source, statuses.claim_token, statuses.claim_key, statuses.payer_key, statuses.payer_id, null,
        coalesce(categories.event_type, 'acknowledged'),
        25, statuses.acknowledgement_id || '/' || cast(statuses.acknowledgement_number as {{ dbt.type_string() }}),
        statuses.acknowledged_date, null,
        null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        case when coalesce(acknowledged.is_further, 0) = 0 then coalesce(acknowledged.submission_number, 1) end,
        coalesce(acknowledged.is_further = 1, false), null, null, statuses.load_id, statuses.source_line_number
    from statuses
    left join acknowledged
        on statuses.data_source = acknowledged.data_source
        and statuses.claim_token = acknowledged.claim_token
        and statuses.acknowledgement_id = acknowledged.acknowledgement_id
        and statuses.acknowledgement_number = acknowledged.acknowledgement_number
        and acknowledged.place = 1
    left join {{ ref('acknowledgement_categories') }} as categories
        on statuses.status_category_code = categories.code
        and statuses.acknowledged_date >= categories.effective_from
        and statuses.acknowledged_date <= coalesce(categories.effective_to, cast('9999-12-31' as date))
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        case when is_reversal then 'reversed' else 'adjudicated' end,
        30, cast(adjudication_number as {{ dbt.type_string() }}), adjudicated_date, paid_date,
        adjudication_number, reversed_adjudication_number, null, remittance_id, is_denied, is_partially_denied, denial_category, can_appeal,
        null, allowed_amount, null,
        case
            when coalesce(deductible_amount, coinsurance_amount, copayment_amount) is not null
                then coalesce(deductible_amount, 0) + coalesce(coinsurance_amount, 0) + coalesce(copayment_amount, 0)
        end,
        adjustment_amount, denied_amount, null, null, null, claim_rule, load_id, source_line_number
    from adjudications
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        'denied', 32, cast(adjudication_number as {{ dbt.type_string() }}), adjudicated_date, paid_date,
        adjudication_number, null, null, remittance_id, is_denied, is_partially_denied, denial_category, can_appeal,
        null, null, null, null, null, null, null, null, null, claim_rule, load_id, source_line_number
    from adjudications
    where is_denied or is_partially_denied
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        'corrected', 34, cast(adjudication_number as {{ dbt.type_string() }}), adjudicated_date, paid_date,
        adjudication_number, null, null, remittance_id, null, null, null, null,
        null, null, null, null, null, null, null, null, null, claim_rule, load_id, source_line_number
    from corrections
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        'paid', 40, cast(adjudication_number as {{ dbt.type_string() }}), paid_date, null,
        adjudication_number, null, null, remittance_id, null, null, null, null,
        null, null, paid_amount, null, null, null, null, null, null, claim_rule, load_id, source_line_number
    from adjudications
    where paid_amount <> 0
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        case adjustment_reason_code when 'WO' then 'recouped' when 'L6' then 'interest_paid' else 'provider_adjusted' end,
        50, remittance_id || '/' || cast(adjustment_number as {{ dbt.type_string() }}), paid_date, null,
        null, null, null, remittance_id, null, null, null, null,
        null, null, null, null, adjustment_amount, null, null, null, null, claim_rule, load_id, source_line_number
    from adjustments
    union all
    -- told by the claim that takes its place, and an event of the one whose place is taken
    select
        data_source, original_claim_token, original_claim_key, payer_key, payer_id, line_of_business,
        case when claim_frequency_code = '8' then 'voided' else 'replaced' end,
        55, claim_key, submitted_date, null,
        null, null, claim_key, null, null, null, null, null,
        null, null, null, null, null, null, null, null, null, null, load_id, source_line_number
    from links{{ only_touched('original_claim_token', unit='claim_token') }}
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, line_of_business,
        transaction_type, 60, transaction_token, posting_date, null,
        null, null, null, null, null, null, null, null,
        null, null, null, null, transaction_amount, null, null, null, null, null, load_id, source_line_number
    from accounting
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, null,
        'work_' || work_type, 70, work_record_token, cast(completed_at as date), null,
        null, null, null, null, null, null, null, null,
        null, null, null, null, null, null, null, null, null, null, load_id, source_line_number
    from work
    union all
    select
        data_source, claim_token, claim_key, payer_key, payer_id, null,
        'appealed', 36, work_record_token, cast(completed_at as date), null,
        null, null, null, null, null, null, null, null,
        null, null, null, null, null, null, null, null, null, null, load_id, source_line_number
    from work
    where work_type = 'appeal'
)

select
    {{ surrogate_key(['data_source', 'claim_token', 'event_type', 'event_reference']) }} as claim_event_key,
    data_source,
    claim_key,
    claim_token,
    event_type,
    cast(event_order as bigint) as event_order,
    event_date,
    {{ month_of('event_date') }} as event_month,
    coalesce(known_date, event_date) as known_date,
    payer_key,
    payer_id,
    line_of_business,
    adjudication_number,
    reversed_adjudication_number,
    related_claim_key,
    remittance_id,
    is_denied,
    is_partially_denied,
    denial_category,
    can_appeal,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('allowed_amount') }} as allowed_amount,
    {{ usd('paid_amount') }} as paid_amount,
    {{ usd('patient_responsibility_amount') }} as patient_responsibility_amount,
    {{ usd('adjustment_amount') }} as adjustment_amount,
    {{ usd('denied_amount') }} as denied_amount,
    submission_number,
    is_to_further_payer,
    {{ usd('repeated_charge_amount') }} as repeated_charge_amount,
    claim_rule,
    load_id,
    source_line_number
from events
