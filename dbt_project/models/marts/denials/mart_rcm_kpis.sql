-- Each measure's formula stands in its column's description. What a sender does not send is unknown: a measure whose
-- input is missing is NULL for that sender, never zero; a month without a row of an input that the sender does send
-- counts 0, and one whose rows name no amount is NULL.
with sources as (
    select
        horizons.data_source,
        max(case when claims.data_source is not null then 1 end) as has_claims,
        max(claims.has_expected) as has_expected,
        max(case when remittances.data_source is not null then 1 end) as has_remittances,
        max(case when reasons.data_source is not null then 1 end) as has_reasons,
        max(case when adjustments.data_source is not null then 1 end) as has_provider_adjustments,
        max(case when accounting.data_source is not null then 1 end) as has_accounting,
        max(accounting.has_denial_write_offs) as has_denial_write_offs,
        max(case when work.data_source is not null then 1 end) as has_work
    from {{ ref('int_calendar__horizons') }} as horizons
    left join (
        select data_source, max(case when expected_amount is not null then 1 end) as has_expected
        from {{ ref('stg_medical_claim__claims') }} where submitted_date is not null group by data_source
    ) as claims
        on horizons.data_source = claims.data_source
    left join (select distinct data_source from {{ ref('stg_remittance__adjudications') }}) as remittances
        on horizons.data_source = remittances.data_source
    left join (select distinct data_source from {{ ref('stg_remittance_adjustment__adjustments') }}) as reasons
        on horizons.data_source = reasons.data_source
    left join (select distinct data_source from {{ ref('stg_provider_adjustment__adjustments') }}) as adjustments
        on horizons.data_source = adjustments.data_source
    left join (
        select data_source, max(case when transaction_type = 'denial_write_off' then 1 end) as has_denial_write_offs
        from {{ ref('stg_patient_accounting__transactions') }} group by data_source
    ) as accounting
        on horizons.data_source = accounting.data_source
    left join (select distinct data_source from {{ ref('stg_work_record__records') }}) as work
        on horizons.data_source = work.data_source
    group by horizons.data_source
),

reviewed as (
    select distinct claim_key from {{ ref('stg_work_record__records') }} where work_type = 'edit_review' and claim_key is not null
),

lines as (
    select claim_key, sum(charge_amount) as charge_amount from {{ ref('int_claim__lines') }} group by claim_key
),

-- A decision whose reasons hold no contractual one has none, and so has one that is paid as charged.
decisions as (
    select
        *,
        case
            when contractual_adjustment_amount is not null then contractual_adjustment_amount
            when reason_count is not null or charge_amount = paid_amount then 0
        end as known_contractual_amount
    from {{ ref('int_claim__adjudications') }}
),

-- All decisions of a claim, and the first of them: asked once of so long a table.
decided_claims as (
    select
        claim_key,
        sum(known_contractual_amount) as contractual_amount,
        max(case when is_first_decision then 1 end) as has_first_decision,
        max(case when is_first_decision then payer_id end) as first_payer_id,
        max(case when is_first_decision then paid_date end) as first_paid_date,
        max(case when is_first_decision then charge_amount end) as first_charge_amount,
        max(case when is_first_decision then allowed_amount end) as first_allowed_amount
    from decisions
    group by claim_key
),

claims as (
    select
        claims.data_source,
        claims.claim_key,
        coalesce(claims.payer_id, 'unknown') as payer_id,
        -- another than the claim's where it was sent to a further first payer afterwards
        coalesce(claims.first_decision_payer_id, claims.payer_id, 'unknown') as deciding_payer_id,
        claims.original_claim_key,
        claims.original_claim_key is null and coalesce(claims.claim_frequency_code, '1') not in ('7', '8') as is_original,
        claims.submitted_date,
        claims.first_adjudicated_date,
        coalesce(claims.charge_amount, lines.charge_amount) as charge_amount,
        claims.paid_amount,
        claims.is_denied_at_first,
        claims.is_partially_denied_at_first,
        -- in full or in part; NULL where one is unknown and the other does not hold
        claims.is_denied_at_first or claims.is_partially_denied_at_first as is_refused_at_first,
        decided_claims.has_first_decision,
        coalesce(decided_claims.first_payer_id, 'unknown') as first_payer_id,
        {{ month_of('decided_claims.first_paid_date') }} as first_decision_month,
        decided_claims.first_paid_date,
        coalesce(decided_claims.first_charge_amount, claims.charge_amount, lines.charge_amount) as first_charge_amount,
        decided_claims.first_allowed_amount,
        decided_claims.contractual_amount,
        claims.documentation_rate,
        claims.coding_accuracy_rate,
        claims.days_to_submit,
        claims.days_to_adjudicate,
        reviewed.claim_key is not null as is_reviewed,
        claims.rejection_count is not null as is_acknowledged,
        -- known to be: where a payer sends no 277CA rejection_rate is NULL
        coalesce(claims.rejection_count, 0) > 0 as is_rejected
    from {{ ref('fct_claim') }} as claims
    left join lines on claims.claim_key = lines.claim_key
    left join decided_claims on claims.claim_key = decided_claims.claim_key
    left join reviewed on claims.claim_key = reviewed.claim_key
),

-- A payer's front end is known by its answers, though a clearinghouse may give them in its own name: a payer of whom no claim
-- was ever answered may have rejected any of them.
acknowledging as (
    select data_source, payer_id from claims where is_acknowledged group by data_source, payer_id
),

submitted as (
    select
        data_source,
        payer_id,
        {{ month_of('submitted_date') }} as activity_month,
        count(*) as submitted_claim_count,
        sum(charge_amount) as submitted_charge_amount,
        count(*) filter (where not is_reviewed and not is_rejected) as clean_claim_count,
        count(*) filter (where is_rejected) as rejected_claim_count,
        count(*) filter (where is_reviewed) as reviewed_claim_count,
        count(*) filter (
            where first_adjudicated_date is not null and not is_denied_at_first and not is_partially_denied_at_first and not is_rejected
        ) as resolved_at_first_claim_count,
        count(*) filter (where is_denied_at_first is not null) as known_decision_count,
        avg(documentation_rate) as documentation_rate,
        avg(coding_accuracy_rate) as coding_accuracy_rate,
        avg(days_to_submit) as days_to_submit
    from claims
    where submitted_date is not null
    group by data_source, payer_id, {{ month_of('submitted_date') }}
),

adjudicated as (
    select
        data_source,
        deciding_payer_id as payer_id,
        {{ month_of('first_adjudicated_date') }} as activity_month,
        count(*) as adjudicated_claim_count,
        count(*) filter (where is_denied_at_first is not null) as known_decision_count,
        count(*) filter (where is_denied_at_first) as denied_claim_count,
        sum(charge_amount) filter (where is_denied_at_first is not null) as known_charge_amount,
        sum(charge_amount) filter (where is_denied_at_first) as denied_charge_amount,
        count(*) filter (where paid_amount > 0) as paid_claim_count,
        count(*) filter (where is_original and is_refused_at_first is not null) as known_original_count,
        count(*) filter (where is_original and not is_refused_at_first and not is_rejected and first_allowed_amount > 0)
            as paid_at_first_claim_count,
        avg(days_to_adjudicate) as days_to_adjudicate
    from claims
    where first_adjudicated_date is not null
    group by data_source, deciding_payer_id, {{ month_of('first_adjudicated_date') }}
),

decided as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('paid_date') }} as activity_month,
        sum(paid_amount) as payer_paid_amount,
        sum(known_contractual_amount) as contractual_adjustment_amount
    from decisions
    group by data_source, coalesce(payer_id, 'unknown'), {{ month_of('paid_date') }}
),

chains as (
    {{ chains_of_replacements() }}
),

-- A claim and all that was sent in its place bill one service: its charge counts once, at the first decision, and whatever was
-- adjusted later belongs to that charge. By its own month a large adjustment after an appeal would stand against no charge.
-- Few claims have anything in their place; the others are their own service.
replaced as (
    select chains.replacement_key as claim_key, min(chains.claim_key) as service_key
    from chains
    where not exists (select 1 from chains as before where before.replacement_key = chains.claim_key)
    group by chains.replacement_key
),

in_chains as (
    select claim_key, service_key from replaced
    union
    select service_key, service_key from replaced
),

chained as (
    select
        claims.*,
        sum(claims.contractual_amount) over (partition by in_chains.service_key) as service_contractual_amount,
        row_number() over (
            partition by in_chains.service_key
            order by case when claims.has_first_decision = 1 then 0 else 1 end, claims.first_paid_date, claims.claim_key
        ) as decision_rank
    from claims
    inner join in_chains on claims.claim_key = in_chains.claim_key
),

services as (
    select data_source, first_payer_id, first_decision_month, first_charge_amount, contractual_amount
    from claims
    where has_first_decision = 1 and not exists (select 1 from in_chains where in_chains.claim_key = claims.claim_key)
    union all
    select data_source, first_payer_id, first_decision_month, first_charge_amount, service_contractual_amount
    from chained
    where has_first_decision = 1 and decision_rank = 1
),

charged as (
    select
        data_source,
        first_payer_id as payer_id,
        first_decision_month as activity_month,
        sum(first_charge_amount) as decided_charge_amount,
        sum(first_charge_amount - coalesce(contractual_amount, 0)) as collectible_amount
    from services
    group by data_source, first_payer_id, first_decision_month
),

taken_back as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('paid_date') }} as activity_month,
        sum(adjustment_amount) as takeback_amount
    from {{ ref('stg_provider_adjustment__adjustments') }}
    where adjustment_reason_code = 'WO'
    group by data_source, coalesce(payer_id, 'unknown'), {{ month_of('paid_date') }}
),

-- A claim of which nobody can say what to expect leaves its months unknown, and the receivable until it is settled.
receivables as (
    select
        data_source,
        payer_id,
        {{ month_of('step_date') }} as activity_month,
        case when count(*) = count(net_revenue_amount) then sum(net_revenue_amount) end as net_revenue_amount,
        sum(receivable_amount) as receivable_amount,
        count(*) filter (where step = 'expected' and receivable_amount is null)
            - count(*) filter (where step = 'settled' and receivable_amount is null) as unknown_claim_count
    from {{ ref('int_claim__receivables') }}
    group by data_source, payer_id, {{ month_of('step_date') }}
),

posted as (
    select
        data_source,
        coalesce(payer_id, 'unknown') as payer_id,
        {{ month_of('posting_date') }} as activity_month,
        count(*) filter (where transaction_type = 'patient_payment') as patient_payment_count,
        count(*) filter (where transaction_type = 'refund') as refund_count,
        count(*) filter (where transaction_type = 'denial_write_off') as denial_write_off_count,
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
        select data_source, payer_id, activity_month from taken_back
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

amounts as (
    select
        months.data_source,
        months.payer_id,
        months.activity_month,
        case when sources.has_claims = 1 then coalesce(submitted.submitted_claim_count, 0) end as submitted_claim_count,
        case
            when submitted.data_source is not null then submitted.submitted_charge_amount
            when sources.has_claims = 1 then 0
        end as charge_amount,
        case
            when sources.has_claims = 1 and sources.has_work = 1 then coalesce(submitted.clean_claim_count, 0)
        end as clean_claim_count,
        case
            when sources.has_claims = 1 and acknowledging.payer_id is not null then coalesce(submitted.rejected_claim_count, 0)
        end as rejected_claim_count,
        case
            when sources.has_claims = 1 and sources.has_work = 1 then coalesce(submitted.reviewed_claim_count, 0)
        end as reviewed_claim_count,
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
        case when sources.has_reasons = 1 then adjudicated.known_charge_amount end as known_charge_amount,
        case
            when adjudicated.known_decision_count > 0 and adjudicated.denied_claim_count = 0 then 0
            else adjudicated.denied_charge_amount
        end as denied_charge_amount,
        adjudicated.paid_claim_count,
        case when sources.has_reasons = 1 then adjudicated.known_original_count end as known_original_count,
        adjudicated.paid_at_first_claim_count,
        adjudicated.days_to_adjudicate,
        case
            when decided.data_source is not null then decided.payer_paid_amount
            when sources.has_remittances = 1 then 0
        end as payer_paid_amount,
        case
            when charged.data_source is not null then charged.decided_charge_amount
            when sources.has_remittances = 1 then 0
        end as decided_charge_amount,
        case
            when sources.has_reasons = 1 and charged.data_source is not null then charged.collectible_amount
            when sources.has_reasons = 1 then 0
        end as collectible_amount,
        case
            when sources.has_reasons = 1 and decided.data_source is not null then decided.contractual_adjustment_amount
            when sources.has_reasons = 1 then 0
        end as contractual_adjustment_amount,
        case
            when taken_back.data_source is not null then taken_back.takeback_amount
            when sources.has_provider_adjustments = 1 then 0
        end as takeback_amount,
        case
            when sources.has_expected = 1 and sources.has_remittances = 1 and receivables.data_source is not null
                then receivables.net_revenue_amount
            when sources.has_expected = 1 and sources.has_remittances = 1 then 0
        end as net_revenue_amount,
        case
            when sources.has_expected = 1 and sources.has_remittances = 1 and sources.has_accounting = 1
                then coalesce(receivables.receivable_amount, 0)
        end as receivable_step_amount,
        coalesce(receivables.unknown_claim_count, 0) as unknown_claim_count,
        case
            when posted.patient_payment_count > 0 then posted.patient_paid_amount
            when sources.has_accounting = 1 then 0
        end as patient_paid_amount,
        case
            when posted.refund_count > 0 then posted.refund_amount
            when sources.has_accounting = 1 then 0
        end as refund_amount,
        case
            when posted.denial_write_off_count > 0 then posted.denial_write_off_amount
            when sources.has_denial_write_offs = 1 then 0
        end as denial_write_off_amount,
        case
            when worked.data_source is not null then worked.collection_cost_amount
            when sources.has_work = 1 then 0
        end as collection_cost_amount,
        worked.due_work_count,
        worked.in_time_work_count,
        worked.checked_work_count,
        worked.passed_work_count,
        worked.coded_claim_count,
        worked.coding_minutes
    from months
    inner join sources on months.data_source = sources.data_source
    left join acknowledging on months.data_source = acknowledging.data_source and months.payer_id = acknowledging.payer_id
    {%- for part in ['submitted', 'adjudicated', 'decided', 'charged', 'taken_back', 'receivables', 'posted', 'worked'] %}
    left join {{ part }}
        on months.data_source = {{ part }}.data_source
        and months.payer_id = {{ part }}.payer_id
        and months.activity_month = {{ part }}.activity_month
    {%- endfor %}
),

collected as (
    select
        *,
        payer_paid_amount + patient_paid_amount - refund_amount - coalesce(takeback_amount, 0) as collected_amount
    from amounts
),

-- A sum over three months is unknown where one of them is.
derived as (
    select
        *,
        case when sum(unknown_claim_count) over so_far = 0 then sum(receivable_step_amount) over so_far end as receivable_amount,
        case when count(net_revenue_amount) over last_three = 3 then sum(net_revenue_amount) over last_three end as trailing_net_revenue_amount,
        case when count(collected_amount) over last_three = 3 then sum(collected_amount) over last_three end as trailing_collected_amount,
        case when count(collectible_amount) over last_three = 3 then sum(collectible_amount) over last_three end as trailing_collectible_amount,
        case
            when count(denial_write_off_amount) over last_three = 3 then sum(denial_write_off_amount) over last_three
        end as trailing_denial_write_off_amount,
        case
            when count(collection_cost_amount) over last_three = 3 then sum(collection_cost_amount) over last_three
        end as trailing_collection_cost_amount
    from collected
    window
        so_far as (partition by data_source, payer_id order by activity_month rows between unbounded preceding and current row),
        last_three as (partition by data_source, payer_id order by activity_month rows between 2 preceding and current row)
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
    {{ usd('collectible_amount') }} as collectible_amount,
    {{ usd('payer_paid_amount') }} as payer_paid_amount,
    {{ usd('patient_paid_amount') }} as patient_paid_amount,
    {{ usd('refund_amount') }} as refund_amount,
    {{ usd('takeback_amount') }} as takeback_amount,
    {{ usd('collected_amount') }} as collected_amount,
    {{ usd('net_revenue_amount') }} as net_revenue_amount,
    {{ usd('denial_write_off_amount') }} as denial_write_off_amount,
    {{ usd('collection_cost_amount') }} as collection_cost_amount,
    {{ usd('receivable_amount') }} as receivable_amount,
    {{ rate('clean_claim_count', 'submitted_claim_count') }} as clean_claim_rate,
    {{ rate('rejected_claim_count', 'submitted_claim_count') }} as rejection_rate,
    {{ rate('paid_at_first_claim_count', 'known_original_count') }} as paid_at_first_submission_rate,
    {{ rate('denied_claim_count', 'known_decision_count') }} as initial_denial_rate,
    {{ rate('denied_charge_amount', 'known_charge_amount') }} as initial_denial_amount_rate,
    case when submitted_known_decision_count > 0 then {{ rate('resolved_at_first_claim_count', 'submitted_claim_count') }} end as first_pass_yield_rate,
    {{ rate('collected_amount', 'collectible_amount') }} as net_collection_rate,
    {{ rate('trailing_collected_amount', 'trailing_collectible_amount') }} as trailing_net_collection_rate,
    {{ rate('collected_amount', 'decided_charge_amount') }} as gross_collection_rate,
    {{ rate('receivable_amount * 90', 'trailing_net_revenue_amount') }} as net_days_in_receivable,
    {{ rate('denial_write_off_amount', 'net_revenue_amount') }} as denial_write_off_rate,
    {{ rate('trailing_denial_write_off_amount', 'trailing_net_revenue_amount') }} as trailing_denial_write_off_rate,
    {{ rate('collection_cost_amount', 'collected_amount') }} as cost_to_collect_rate,
    {{ rate('trailing_collection_cost_amount', 'trailing_collected_amount') }} as trailing_cost_to_collect_rate,
    {{ rate('paid_claim_count', 'adjudicated_claim_count') }} as pay_rate,
    cast(days_to_submit as double) as average_days_to_submit,
    cast(days_to_adjudicate as double) as average_days_to_adjudicate,
    cast(coding_accuracy_rate as double) as coding_accuracy_rate,
    cast(documentation_rate as double) as documentation_rate,
    {{ rate('in_time_work_count', 'due_work_count') }} as turnaround_in_time_rate,
    {{ rate('passed_work_count', 'checked_work_count') }} as quality_pass_rate,
    {{ rate('coded_claim_count * 60', 'coding_minutes') }} as claims_per_coder_hour,
    {{ rate('reviewed_claim_count', 'submitted_claim_count') }} as reviewed_by_hand_rate
from derived
