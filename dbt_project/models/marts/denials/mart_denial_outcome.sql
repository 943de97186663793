-- What became of denials, each a claim whose first decision refused all or a part of it. One outcome per denial, the first that
-- holds: paid more after an appeal, sent again as another claim, paid more without either, given up, appealed and not won,
-- still open. So outcomes partition the denials of mart_denials.
with replaced as (
    {{ paid_in_their_place() }}
),

firsts as (
    select claim_key, paid_amount from {{ ref('int_claim__adjudications') }} where is_first_decision
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
        coalesce(claims.payer_id, 'unknown') as payer_id,
        claims.first_denial_category as denial_category,
        claims.is_denied_at_first,
        claims.charge_amount,
        claims.first_denied_amount as denied_amount,
        claims.appeal_count,
        claims.claim_state,
        claims.successor_claim_key,
        greatest(coalesce(claims.paid_amount, 0) - coalesce(firsts.paid_amount, 0), 0) as later_paid_amount,
        greatest(coalesce(replaced.paid_amount, 0), 0) as replaced_paid_amount,
        write_offs.written_off_amount
    from {{ ref('fct_claim') }} as claims
    left join firsts on claims.claim_key = firsts.claim_key
    left join replaced on claims.claim_key = replaced.claim_key
    left join write_offs on claims.claim_key = write_offs.claim_key
    where claims.is_denied_at_first or claims.is_partially_denied_at_first
),

decided as (
    select
        *,
        case
            when later_paid_amount > 0 and appeal_count > 0 then 'overturned'
            when successor_claim_key is not null then 'corrected'
            when later_paid_amount > 0 then 'recovered'
            when written_off_amount is not null then 'written_off'
            when appeal_count > 0 then 'appealed'
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
    {{ usd('sum(later_paid_amount + replaced_paid_amount)') }} as recovered_amount,
    {{ usd('coalesce(sum(written_off_amount), 0)') }} as written_off_amount
from decided
group by data_source, adjudicated_month, payer_id, denial_category, denial_outcome
