{# The state of claims by their events, and by nothing else: the same text for fct_claim, which takes all events, for what was
   known of claims on a day, which takes those known by then (fct_claim_event.known_date), and for the command line, which
   renders it without dbt (dagster_project/claims/): so nothing here may need dbt's context.

   `events` is a relation or query with the columns of fct_claim_event; one row comes out per claim that it tells of. Where a
   claim was sent on to a further payer under its number, it stays the first one's: what is sent to another, and what that one
   says before it decides, neither rejects nor voids it. Where it went from one first payer to another, or to the same again, the same is so of
   what was sent before, from the day on which it is known that it was sent again; and a rejection remains one. #}
{% macro claim_states(events) -%}
    {#- The events are named each time: a step of their own that others read would be held in memory whole. -#}
    {%- set moves_the_state -%}
        event_type in (
            'submitted', 'replacement_submitted', 'void_submitted', 'rejected', 'accepted', 'adjudicated', 'reversed', 'paid',
            'recouped', 'patient_payment', 'refund', 'denial_write_off', 'bad_debt_write_off', 'charity_write_off'
        )
    {%- endset -%}
    {%- set is_submission = "event_type in ('submitted', 'replacement_submitted', 'void_submitted')" -%}
    {%- set is_further = 'coalesce(is_to_further_payer, false)' -%}
    {%- set is_aside = '(' ~ is_further ~ ' or coalesce(submission_number < last_submission_number, false))' -%}
    {%- set is_sent_since -%}
            coalesce(
                max(last_submission_number) > 1
                and max(event_date) filter (where {{ is_submission }} and not {{ is_aside }})
                > max(event_date) filter (where event_type = 'adjudicated'),
                false
            )
    {%- endset %}
    with sent_again as (
        select claim_key as sent_claim_key, max(submission_number) as last_submission_number
        from {{ events }}
        where submission_number > 1 and {{ is_submission }}
        group by claim_key
    ),

    totals as (
        select
            data_source,
            claim_key,
            claim_token,
            {%- for column in ['payer_key', 'payer_id', 'line_of_business'] %}
            coalesce(
                max({{ column }}) filter (where {{ is_submission }} and not {{ is_aside }}), max({{ column }}) filter (where {{ moves_the_state }})
            ) as {{ column }},
            {%- endfor %}
            max(event_date) filter (where {{ moves_the_state }}) as last_event_date,
            count(*) filter (where event_type = 'coded') as coded_count,
            count(*) filter (where {{ is_submission }}) as submission_count,
            count(distinct payer_id) filter (where {{ is_submission }} and {{ is_further }}) as further_payer_count,
            max(last_submission_number) - 1 as earlier_submission_count,
            coalesce(
                min(payer_id) filter (where {{ is_submission }} and not {{ is_further }})
                <> max(payer_id) filter (where {{ is_submission }} and not {{ is_further }}),
                false
            ) as has_several_first_payers,
            count(*) filter (where event_type in ('void_submitted', 'voided') and not {{ is_aside }}) as void_count,
            count(*) filter (where event_type = 'replaced') as replacement_count,
            count(*) filter (where event_type in ('accepted', 'rejected', 'acknowledged') and not {{ is_further }}) as acknowledgement_count,
            count(*) filter (where event_type = 'rejected' and not {{ is_further }}) as rejection_count,
            count(*) filter (where event_type = 'appealed') as appeal_count,
            count(*) filter (where event_type = 'adjudicated') as adjudication_count,
            count(*) filter (where event_type = 'reversed') as reversal_count,
            max(related_claim_key) filter (where event_type in ('replaced', 'voided')) as successor_claim_key,
            max(event_date) filter (where event_type = 'rejected' and not {{ is_aside }}) as last_rejected_date,
            max(event_date) filter (where event_type = 'accepted' and not {{ is_aside }}) as last_accepted_date,
            max(event_date) filter (where {{ is_submission }} and not {{ is_aside }}) as last_submitted_date,
            {{ is_sent_since }} as is_sent_since,
            min(adjudication_number) filter (where event_type = 'adjudicated') as first_decision_number,
            -- the last decision stands, unless a reversal or another submission came after it
            case
                when
                    not {{ is_sent_since }}
                    and max(adjudication_number) filter (where event_type = 'adjudicated')
                    > coalesce(max(adjudication_number) filter (where event_type = 'reversed'), 0)
                    then max(adjudication_number) filter (where event_type = 'adjudicated')
            end as standing_decision_number,
            min(event_date) filter (where event_type = 'adjudicated') as first_adjudicated_date,
            min(event_date) filter (where event_type = 'paid' and paid_amount > 0) as first_paid_date,
            max(event_date) filter (where event_type = 'paid') as last_paid_date,
            -- of a claim that went to another payer since it is said again, and was known before
            coalesce(
                sum(charge_amount), max(repeated_charge_amount) filter (where {{ is_submission }} and not {{ is_aside }})
            ) as charge_amount,
            sum(allowed_amount) as allowed_amount,
            sum(paid_amount) as paid_amount,
            sum(patient_responsibility_amount) as patient_responsibility_amount,
            sum(adjustment_amount) filter (where event_type = 'recouped') as recouped_amount,
            sum(adjustment_amount) filter (where event_type in ('patient_payment', 'refund')) as patient_paid_amount,
            sum(adjustment_amount) filter (where event_type in ('denial_write_off', 'bad_debt_write_off', 'charity_write_off')) as written_off_amount,
            max(load_id) filter (where {{ moves_the_state }}) as load_id
        from {{ events }}
        left join sent_again on claim_key = sent_claim_key
        group by data_source, claim_key, claim_token
    ),

    decisions as (
        select
            claim_key,
            adjudication_number,
            bool_or(is_denied) filter (where event_type = 'adjudicated') as is_denied,
            bool_or(is_partially_denied) filter (where event_type = 'adjudicated') as is_partially_denied,
            max(denial_category) filter (where event_type = 'adjudicated') as denial_category,
            max(payer_id) filter (where event_type = 'adjudicated') as payer_id,
            bool_or(can_appeal) filter (where event_type = 'adjudicated') as can_appeal,
            sum(denied_amount) as denied_amount,
            sum(allowed_amount) as allowed_amount,
            sum(paid_amount) as paid_amount
        from {{ events }}
        where event_type in ('adjudicated', 'paid')
        group by claim_key, adjudication_number
        having count(*) filter (where event_type = 'adjudicated') > 0
    )

    select
        totals.data_source,
        totals.claim_key,
        totals.claim_token,
        totals.payer_key,
        totals.payer_id,
        totals.line_of_business,
        totals.successor_claim_key,
        case
            when totals.void_count > 0 then 'voided'
            when totals.replacement_count > 0 then 'replaced'
            when totals.adjudication_count + totals.reversal_count = 0 or totals.is_sent_since then
                case
                    when
                        totals.last_rejected_date >= coalesce(totals.last_accepted_date, totals.last_rejected_date)
                        and totals.last_rejected_date >= coalesce(totals.last_submitted_date, totals.last_rejected_date)
                        then 'rejected'
                    when totals.submission_count > 0 then 'submitted'
                    when totals.coded_count > 0 then 'in_preparation'
                    else 'unknown'
                end
            when standing.claim_key is null then 'reversed'
            when standing.is_denied then 'denied'
            when standing.is_partially_denied then 'partially_denied'
            when standing.paid_amount > 0 then 'paid'
            when standing.allowed_amount > 0 then 'patient_responsibility'
            else 'adjudicated'
        end as claim_state,
        totals.further_payer_count,
        coalesce(totals.earlier_submission_count, 0) as earlier_submission_count,
        totals.has_several_first_payers,
        totals.acknowledgement_count,
        totals.rejection_count,
        totals.appeal_count,
        totals.adjudication_count,
        totals.reversal_count,
        totals.last_submitted_date,
        totals.first_adjudicated_date,
        totals.first_paid_date,
        totals.last_paid_date,
        totals.last_event_date,
        firsts.is_denied as is_denied_at_first,
        firsts.is_partially_denied as is_partially_denied_at_first,
        firsts.denial_category as first_denial_category,
        firsts.payer_id as first_decision_payer_id,
        firsts.can_appeal as can_appeal_first_denial,
        {{ usd('firsts.denied_amount') }} as first_denied_amount,
        standing.is_denied as is_denied_now,
        standing.denial_category as current_denial_category,
        {{ usd('totals.charge_amount') }} as charge_amount,
        {{ usd('totals.allowed_amount') }} as allowed_amount,
        {{ usd('case when totals.adjudication_count + totals.reversal_count > 0 then coalesce(totals.paid_amount, 0) end') }} as paid_amount,
        {{ usd('totals.patient_responsibility_amount') }} as patient_responsibility_amount,
        {{ usd('totals.recouped_amount') }} as recouped_amount,
        {{ usd('totals.patient_paid_amount') }} as patient_paid_amount,
        {{ usd('totals.written_off_amount') }} as written_off_amount,
        totals.load_id
    from totals
    left join decisions as firsts
        on totals.claim_key = firsts.claim_key and totals.first_decision_number = firsts.adjudication_number
    left join decisions as standing
        on totals.claim_key = standing.claim_key and totals.standing_decision_number = standing.adjudication_number
{%- endmacro %}

{# Claims as they were known at the end of a day (SQL of a date): of events known by then. `which` are all of them, or some. #}
{% macro claims_as_of(day, which='true') -%}
    {{ claim_states('(select * from ' ~ ref('fct_claim_event') ~ ' where known_date <= ' ~ day ~ ' and ' ~ which ~ ') as known') }}
{%- endmacro %}

{# Each claim with every claim that was sent in its place, and in theirs: claim_key and replacement_key. Each step doubles how
   deep it looks, so that five find chains of 32; a recursive query would not run on every engine. #}
{% macro chains_of_replacements() -%}
    with step_0 as (
        select original_claim_key as claim_key, claim_key as replacement_key
        from {{ ref('fct_claim') }}
        where original_claim_key is not null and original_claim_key <> claim_key and coalesce(claim_state, 'unknown') <> 'in_preparation'
    )
    {%- for step in range(1, 6) %},

    step_{{ step }} as (
        select claim_key, replacement_key from step_{{ step - 1 }}
        union
        select one.claim_key, two.replacement_key
        from step_{{ step - 1 }} as one
        inner join step_{{ step - 1 }} as two on one.replacement_key = two.claim_key
    )
    {%- endfor %}

    select claim_key, replacement_key from step_5 where replacement_key <> claim_key
{%- endmacro %}

{# What was paid on the claims that were sent in a claim's place, and in theirs, less what was taken back of it (PLB WO):
   claim_key and paid_amount. #}
{% macro paid_in_their_place() -%}
    select chains.claim_key, sum(coalesce(claims.paid_amount, 0) - coalesce(claims.recouped_amount, 0)) as paid_amount
    from ({{ chains_of_replacements() }}) as chains
    inner join {{ ref('fct_claim') }} as claims on chains.replacement_key = claims.claim_key
    group by chains.claim_key
{%- endmacro %}

{# Lines as they were billed, by the number under which their payer answers them (837 REF 6R, which 835 repeats): where both
   sides have one, a payer's line is that line, whatever its place in the remittance. A number that a claim's lines share is none. #}
{% macro lines_by_control_number() -%}
    select data_source, claim_token, line_control_token, min(claim_line_number) as billed_line_number
    from {{ ref('stg_medical_claim_line__lines') }}
    where line_control_token is not null{{ only_touched('claim_token', 'and') }}
    group by data_source, claim_token, line_control_token
    having count(*) = 1
{%- endmacro %}

{# Amounts of a decision that a reversal of it negates. #}
{% macro decided_amounts_of() %}
    {{- return(['charge', 'allowed', 'paid', 'deductible', 'coinsurance', 'copayment']) -}}
{% endmacro %}

{# A decision as a whole, of the lines of a remittance: whether it takes back, of whom, when, and its amounts. #}
{% macro decided_amounts() -%}
    max(case when remitted.claim_status_code = '22' then 1 else 0 end) as is_reversal,
        max(remitted.member_token) as member_token,
        min(remitted.claim_start_date) as claim_start_date,
        min(coalesce(remitted.adjudicated_date, remitted.paid_date)) as decided_date
        {%- for amount in decided_amounts_of() %},
        coalesce(sum(remitted.{{ amount }}_amount), 0) as {{ amount }}_amount
        {%- endfor %}
{%- endmacro %}
