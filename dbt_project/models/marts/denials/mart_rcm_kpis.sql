-- Each measure's formula stands in its column's description. What a sender does not send is unknown: a measure whose
-- input is missing is NULL for that sender, never zero; a month without an event of an input that the sender does
-- send counts 0.
with sources as (
    select
        horizons.data_source,
        max(case when claims.data_source is not null then 1 end) as has_claims,
        max(case when remittances.data_source is not null then 1 end) as has_remittances,
        max(case when reasons.data_source is not null then 1 end) as has_reasons,
        max(case when accounting.data_source is not null then 1 end) as has_accounting,
        max(case when work.data_source is not null then 1 end) as has_work
    from {{ ref('int_calendar__horizons') }} as horizons
    left join (select distinct data_source from {{ ref('stg_medical_claim__claims') }} where submitted_date is not null) as claims
        on horizons.data_source = claims.data_source
    left join (select distinct data_source from {{ ref('stg_remittance__adjudications') }}) as remittances
        on horizons.data_source = remittances.data_source
    left join (select distinct data_source from {{ ref('stg_remittance_adjustment__adjustments') }}) as reasons
        on horizons.data_source = reasons.data_source
    left join (select distinct data_source from {{ ref('stg_patient_accounting__transactions') }}) as accounting
        on horizons.data_source = accounting.data_source
    left join (select distinct data_source from {{ ref('stg_work_record__records') }}) as work
        on horizons.data_source = work.data_source
    group by horizons.data_source
),

reviewed as (
    select distinct claim_key from {{ ref('stg_work_record__records') }} where work_type = 'edit_review' and claim_key is not null
),

claims as (
    select
        claims.*,
        coalesce(claims.payer_id, 'unknown') as known_payer_id,
        reviewed.claim_key is not null as is_reviewed
    from {{ ref('fct_claim') }} as claims
    left join reviewed on claims.claim_key = reviewed.claim_key
),

submitted as (
    select
        data_source,
        known_payer_id as payer_id,
        {{ month_of('submitted_date') }} as activity_month,
        count(*) as submitted_claim_count,
        sum(charge_amount) as submitted_charge_amount,
        count(*) filter (where not is_reviewed) as clean_claim_count,
        count(*) filter (where first_adjudicated_date is not null and not is_denied_at_first and not is_partially_denied_at_first)
            as resolved_at_first_claim_count,
        count(*) filter (where is_denied_at_first is not null) as known_decision_count,
        avg(documentation_rate) as documentation_rate,
        avg(coding_accuracy_rate) as coding_accuracy_rate,
        avg(days_to_submit) as days_to_submit
    from claims
    where submitted_date is not null
    group by data_source, known_payer_id, {{ month_of('submitted_date') }}
),

adjudicated as (
    select
        data_source,
        known_payer_id as payer_id,
        {{ month_of('first_adjudicated_date') }} as activity_month,
        count(*) as adjudicated_claim_count,
        count(*) filter (where is_denied_at_first is not null) as known_decision_count,
        count(*) filter (where is_denied_at_first) as denied_claim_count,
        sum(charge_amount) filter (where is_denied_at_first is not null) as known_charge_amount,
        sum(charge_amount) filter (where is_denied_at_first) as denied_charge_amount,
        count(*) filter (where paid_amount > 0) as paid_claim_count,
        count(*) filter (where paid_amount > 0 and not is_denied_at_first and claim_frequency_code = '1') as paid_at_first_claim_count,
        avg(days_to_adjudicate) as days_to_adjudicate
    from claims
    where first_adjudicated_date is not null
    group by data_source, known_payer_id, {{ month_of('first_adjudicated_date') }}
),

decided as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('paid_date') }} as activity_month,
        sum(paid_amount) as payer_paid_amount,
        sum(charge_amount) as decided_charge_amount,
        sum(contractual_adjustment_amount) as contractual_adjustment_amount
    from {{ ref('int_claim__adjudications') }}
    group by data_source, coalesce(payer_id, 'unknown'), {{ month_of('paid_date') }}
),

receivables as (
    select
        data_source,
        payer_id,
        {{ month_of('step_date') }} as activity_month,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(receivable_amount) as receivable_amount
    from {{ ref('int_claim__receivables') }}
    group by data_source, payer_id, {{ month_of('step_date') }}
),

posted as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('posting_date') }} as activity_month,
        sum(transaction_amount) filter (where transaction_type = 'patient_payment') as patient_paid_amount,
        -sum(transaction_amount) filter (where transaction_type = 'refund') as refund_amount,
        sum(transaction_amount) filter (where transaction_type = 'denial_write_off') as denial_write_off_amount
    from {{ ref('stg_patient_accounting__transactions') }}
    group by data_source, coalesce(payer_id, 'unknown'), {{ month_of('posting_date') }}
),

worked as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('completed_at') }} as activity_month,
        sum(cost_amount) as collection_cost_amount,
        count(*) as completed_work_count,
        count(*) filter (where due_at is not null) as due_work_count,
        count(*) filter (where completed_at <= due_at) as in_time_work_count,
        count(*) filter (where is_quality_checked and quality_result is not null) as checked_work_count,
        count(*) filter (where is_quality_checked and quality_result = 'pass') as passed_work_count,
        count(distinct claim_key) filter (where work_type = 'coding' and minutes_worked is not null) as coded_claim_count,
        sum(minutes_worked) filter (where work_type = 'coding') as coding_minutes
    from {{ ref('stg_work_record__records') }}
    where completed_at is not null
    group by data_source, coalesce(payer_id, 'unknown'), {{ month_of('completed_at') }}
),

first_months as (
    select data_source, payer_id, min(activity_month) as first_month
    from (
        select data_source, payer_id, activity_month from submitted
        union all
        select data_source, payer_id, activity_month from adjudicated
        union all
        select data_source, payer_id, activity_month from decided
        union all
        select data_source, payer_id, activity_month from posted
        union all
        select data_source, payer_id, activity_month from worked
    ) as activity
    where activity_month is not null
    group by data_source, payer_id
),

months as (
    select first_months.data_source, first_months.payer_id, months.month_start_date as activity_month
    from first_months
    inner join {{ ref('int_calendar__horizons') }} as horizons on first_months.data_source = horizons.data_source
    inner join {{ ref('int_calendar__months') }} as months
        on months.month_start_date >= first_months.first_month and months.month_start_date <= horizons.horizon_date
),

-- An amount is zero in a month without an event where the sender sends the feed, and NULL where it does not.
amounts as (
    select
        months.data_source,
        months.payer_id,
        months.activity_month,
        case when sources.has_claims = 1 then coalesce(submitted.submitted_claim_count, 0) end as submitted_claim_count,
        case when sources.has_claims = 1 then coalesce(submitted.submitted_charge_amount, 0) end as charge_amount,
        case
            when sources.has_claims = 1 and sources.has_work = 1 then coalesce(submitted.clean_claim_count, 0)
        end as clean_claim_count,
        case
            when sources.has_remittances = 1 then submitted.resolved_at_first_claim_count
        end as resolved_at_first_claim_count,
        case when sources.has_reasons = 1 then submitted.known_decision_count end as submitted_known_decision_count,
        submitted.documentation_rate,
        submitted.coding_accuracy_rate,
        submitted.days_to_submit,
        case
            when sources.has_remittances = 1 then coalesce(adjudicated.adjudicated_claim_count, 0)
        end as adjudicated_claim_count,
        case when sources.has_reasons = 1 then adjudicated.known_decision_count end as known_decision_count,
        case
            when sources.has_reasons = 1 and adjudicated.known_decision_count > 0 then adjudicated.denied_claim_count
        end as denied_claim_count,
        adjudicated.known_charge_amount,
        case
            when adjudicated.known_decision_count > 0 then coalesce(adjudicated.denied_charge_amount, 0)
        end as denied_charge_amount,
        adjudicated.paid_claim_count,
        adjudicated.paid_at_first_claim_count,
        adjudicated.days_to_adjudicate,
        case when sources.has_remittances = 1 then coalesce(decided.payer_paid_amount, 0) end as payer_paid_amount,
        case
            when sources.has_remittances = 1 then coalesce(decided.decided_charge_amount, 0)
        end as decided_charge_amount,
        case
            when sources.has_reasons = 1 then coalesce(decided.contractual_adjustment_amount, 0)
        end as contractual_adjustment_amount,
        case
            when sources.has_claims = 1 and sources.has_remittances = 1 then coalesce(receivables.net_revenue_amount, 0)
        end as net_revenue_amount,
        case when sources.has_claims = 1 and sources.has_remittances = 1 and sources.has_accounting = 1
            then coalesce(receivables.receivable_amount, 0) end as receivable_step_amount,
        case when sources.has_accounting = 1 then coalesce(posted.patient_paid_amount, 0) end as patient_paid_amount,
        case when sources.has_accounting = 1 then coalesce(posted.refund_amount, 0) end as refund_amount,
        case
            when sources.has_accounting = 1 then coalesce(posted.denial_write_off_amount, 0)
        end as denial_write_off_amount,
        case when sources.has_work = 1 then coalesce(worked.collection_cost_amount, 0) end as collection_cost_amount,
        worked.due_work_count,
        worked.in_time_work_count,
        worked.checked_work_count,
        worked.passed_work_count,
        worked.coded_claim_count,
        worked.coding_minutes
    from months
    inner join sources on months.data_source = sources.data_source
    left join submitted
        on months.data_source = submitted.data_source
        and months.payer_id = submitted.payer_id
        and months.activity_month = submitted.activity_month
    left join adjudicated
        on months.data_source = adjudicated.data_source
        and months.payer_id = adjudicated.payer_id
        and months.activity_month = adjudicated.activity_month
    left join decided
        on months.data_source = decided.data_source
        and months.payer_id = decided.payer_id
        and months.activity_month = decided.activity_month
    left join receivables
        on months.data_source = receivables.data_source
        and months.payer_id = receivables.payer_id
        and months.activity_month = receivables.activity_month
    left join posted
        on months.data_source = posted.data_source
        and months.payer_id = posted.payer_id
        and months.activity_month = posted.activity_month
    left join worked
        on months.data_source = worked.data_source
        and months.payer_id = worked.payer_id
        and months.activity_month = worked.activity_month
),

derived as (
    select
        amounts.*,
        payer_paid_amount + patient_paid_amount - refund_amount as collected_amount,
        sum(receivable_step_amount) over (
            partition by data_source, payer_id order by activity_month rows between unbounded preceding and current row
        ) as receivable_amount,
        sum(net_revenue_amount) over (
            partition by data_source, payer_id order by activity_month rows between 2 preceding and current row
        ) as net_revenue_of_three_months_amount,
        count(*) over (
            partition by data_source, payer_id order by activity_month rows between 2 preceding and current row
        ) as months_in_window
    from amounts
)

select
    {{ surrogate_key(['data_source', 'activity_month', 'payer_id']) }} as rcm_kpi_key,
    data_source,
    activity_month,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    payer_id,
    cast(submitted_claim_count as bigint) as submitted_claim_count,
    cast(adjudicated_claim_count as bigint) as adjudicated_claim_count,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('decided_charge_amount') }} as decided_charge_amount,
    {{ usd('contractual_adjustment_amount') }} as contractual_adjustment_amount,
    {{ usd('payer_paid_amount') }} as payer_paid_amount,
    {{ usd('patient_paid_amount') }} as patient_paid_amount,
    {{ usd('refund_amount') }} as refund_amount,
    {{ usd('collected_amount') }} as collected_amount,
    {{ usd('net_revenue_amount') }} as net_revenue_amount,
    {{ usd('denial_write_off_amount') }} as denial_write_off_amount,
    {{ usd('collection_cost_amount') }} as collection_cost_amount,
    {{ usd('receivable_amount') }} as receivable_amount,
    {{ rate('clean_claim_count', 'submitted_claim_count') }} as clean_claim_rate,
    {{ rate('paid_at_first_claim_count', 'known_decision_count') }} as paid_at_first_submission_rate,
    {{ rate('denied_claim_count', 'known_decision_count') }} as initial_denial_rate,
    {{ rate('denied_charge_amount', 'known_charge_amount') }} as initial_denial_amount_rate,
    case when submitted_known_decision_count > 0 then {{ rate('resolved_at_first_claim_count', 'submitted_claim_count') }} end as first_pass_yield_rate,
    {{ rate('collected_amount', 'decided_charge_amount - contractual_adjustment_amount') }} as net_collection_rate,
    {{ rate('collected_amount', 'decided_charge_amount') }} as gross_collection_rate,
    case when months_in_window = 3 then {{ rate('receivable_amount * 90', 'net_revenue_of_three_months_amount') }} end as net_days_in_receivable,
    {{ rate('denial_write_off_amount', 'decided_charge_amount - contractual_adjustment_amount') }} as denial_write_off_rate,
    {{ rate('collection_cost_amount', 'collected_amount') }} as cost_to_collect_rate,
    {{ rate('paid_claim_count', 'adjudicated_claim_count') }} as pay_rate,
    cast(days_to_submit as double) as average_days_to_submit,
    cast(days_to_adjudicate as double) as average_days_to_adjudicate,
    cast(coding_accuracy_rate as double) as coding_accuracy_rate,
    cast(documentation_rate as double) as documentation_rate,
    {{ rate('in_time_work_count', 'due_work_count') }} as turnaround_in_time_rate,
    {{ rate('passed_work_count', 'checked_work_count') }} as quality_pass_rate,
    {{ rate('coded_claim_count * 60', 'coding_minutes') }} as claims_per_coder_hour,
    {{ rate('submitted_claim_count - clean_claim_count', 'submitted_claim_count') }} as reviewed_by_hand_rate
from derived
