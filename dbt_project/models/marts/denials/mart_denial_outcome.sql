-- What became of denials, each a claim whose first decision refused all or a part of it. One outcome per denial, the first that
-- holds: the claim was voided, the payer that refused paid more after an appeal against the refusal, it was sent again as another
-- claim, or to another first payer, paid more without either, given up, appealed and not won, still open. So outcomes partition the denials of mart_denials.
-- A takeback does not undo an outcome; it lessens what was recovered.
with replaced as (
    {{ paid_in_their_place() }}
),

firsts as (
    select claim_key, payer_id, paid_amount, coalesce(adjudicated_date, paid_date) as decided_date
    from {{ ref('int_claim__adjudications') }}
    where is_first_decision
),

-- What another payer paid overturns nothing.
answers as (
    select
        firsts.claim_key,
        sum(decisions.paid_amount) as payer_paid_amount,
        sum(decisions.paid_amount) - coalesce(max(firsts.paid_amount), 0) as later_paid_amount,
        max(case when decisions.paid_amount > 0 then coalesce(decisions.adjudicated_date, decisions.paid_date) end) as last_paid_decision_date
    from firsts
    inner join {{ ref('int_claim__adjudications') }} as decisions
        on firsts.claim_key = decisions.claim_key and coalesce(firsts.payer_id, '') = coalesce(decisions.payer_id, '')
    group by firsts.claim_key
),

appeals as (
    select events.claim_key, min(events.event_date) as appealed_date
    from {{ ref('fct_claim_event') }} as events
    inner join firsts on events.claim_key = firsts.claim_key
    where events.event_type = 'appealed' and events.event_date >= firsts.decided_date
    group by events.claim_key
),

resent as (
    select events.claim_key
    from {{ ref('fct_claim_event') }} as events
    inner join firsts on events.claim_key = firsts.claim_key
    where events.event_order = 20 and events.submission_number > 1 and events.event_date >= firsts.decided_date
    group by events.claim_key
),

write_offs as (
    select claim_key, sum(adjustment_amount) as written_off_amount
    from {{ ref('fct_claim_event') }}
    where event_type = 'denial_write_off'
    group by claim_key
),

denials as (
    select
        claims.data_source,
        {{ month_of('claims.first_adjudicated_date') }} as adjudicated_month,
        coalesce(claims.first_decision_payer_id, claims.payer_id, 'unknown') as payer_id,
        claims.first_denial_category as denial_category,
        claims.is_denied_at_first,
        claims.charge_amount,
        claims.first_denied_amount as denied_amount,
        claims.claim_state,
        claims.successor_claim_key,
        appeals.appealed_date,
        answers.last_paid_decision_date,
        greatest(coalesce(answers.later_paid_amount, 0), 0) as later_paid_amount,
        coalesce(claims.recouped_amount, 0) as recouped_amount,
        greatest(coalesce(replaced.paid_amount, 0), 0)
        + case when resent.claim_key is not null then greatest(claims.paid_amount - answers.payer_paid_amount, 0) else 0 end as replaced_paid_amount,
        resent.claim_key is not null as is_resent,
        write_offs.written_off_amount
    from {{ ref('fct_claim') }} as claims
    left join answers on claims.claim_key = answers.claim_key
    left join appeals on claims.claim_key = appeals.claim_key
    left join replaced on claims.claim_key = replaced.claim_key
    left join resent on claims.claim_key = resent.claim_key
    left join write_offs on claims.claim_key = write_offs.claim_key
    where claims.is_denied_at_first or claims.is_partially_denied_at_first
),

decided as (
    select
        *,
        greatest(later_paid_amount - recouped_amount, 0) + replaced_paid_amount as recovered_amount,
        case
            when claim_state = 'voided' then 'withdrawn'
            when later_paid_amount > 0 and last_paid_decision_date >= appealed_date then 'overturned'
            when successor_claim_key is not null or is_resent then 'corrected'
            when later_paid_amount > 0 then 'recovered'
            when written_off_amount is not null then 'written_off'
            when appealed_date is not null then 'appealed'
            else 'open'
        end as denial_outcome
    from denials
)

select
    {{ surrogate_key(['data_source', 'adjudicated_month', 'payer_id', 'denial_category', 'denial_outcome']) }} as denial_outcome_key,
    data_source,
    adjudicated_month,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    payer_id,
    denial_category,
    denial_outcome,
    count(*) as denial_count,
    count(*) filter (where is_denied_at_first) as denied_claim_count,
    {{ usd('sum(charge_amount)') }} as charge_amount,
    {{ usd('sum(denied_amount)') }} as denied_amount,
    {{ usd('sum(recovered_amount)') }} as recovered_amount,
    {{ usd('coalesce(sum(written_off_amount), 0)') }} as written_off_amount
from decided
group by data_source, adjudicated_month, payer_id, denial_category, denial_outcome
