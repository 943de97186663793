-- Denials that stand, as a queue: those that can still be appealed first, the dearest before the others, of equal dollars the
-- most urgent. The clock starts on the day of the remittance; days left count from the last day that the sender tells of.
-- The deadline is the most particular row of appeal_deadlines: the payer's own, else that of its market; where there is none it
-- is unknown.
with claims as (
    select * from {{ ref('fct_claim') }} where claim_state in ('denied', 'partially_denied')
),

decisions as (
    select * from {{ ref('int_claim__adjudications') }} where is_current and (is_denied or is_partially_denied)
),

appeals as (
    select claim_key, max(event_date) as appealed_date
    from {{ ref('fct_claim_event') }}
    where event_type = 'appealed'
    group by claim_key
),

denials as (
    select
        claims.data_source,
        claims.claim_key,
        claims.claim_token,
        coalesce(claims.payer_id, decisions.payer_id) as payer_id,
        coalesce(claims.line_of_business, decisions.line_of_business) as line_of_business,
        claims.claim_start_date,
        claims.claim_state,
        decisions.denial_category,
        decisions.can_appeal,
        decisions.paid_date as notice_date,
        decisions.denied_amount,
        coalesce(claims.charge_amount, decisions.charge_amount) as charge_amount,
        case when appeals.appealed_date >= decisions.adjudicated_date then appeals.appealed_date end as appealed_date,
        horizons.horizon_date
    from claims
    inner join decisions on claims.claim_key = decisions.claim_key
    inner join {{ ref('int_calendar__horizons') }} as horizons on claims.data_source = horizons.data_source
    left join appeals on claims.claim_key = appeals.claim_key
),

-- the payer's own rule comes before one of its market
clocks as (
    select
        denials.claim_key,
        max_by(deadlines.days, case when deadlines.payer_id is not null then 2 else 1 end) as days,
        max_by(deadlines.source, case when deadlines.payer_id is not null then 2 else 1 end) as source
    from denials
    inner join {{ ref('appeal_deadlines') }} as deadlines
        on (deadlines.data_source is null or deadlines.data_source = denials.data_source)
        and (deadlines.payer_id is null or deadlines.payer_id = denials.payer_id)
        and (deadlines.line_of_business is null or deadlines.line_of_business = denials.line_of_business)
        and denials.notice_date >= deadlines.effective_from
        and denials.notice_date <= coalesce(deadlines.effective_to, cast('9999-12-31' as date))
    group by denials.claim_key
),

timed as (
    select
        denials.*,
        {{ add_to_date('day', 'clocks.days', 'denials.notice_date') }} as appeal_deadline_date,
        clocks.source as deadline_source
    from denials
    left join clocks on denials.claim_key = clocks.claim_key
),

placed as (
    select
        *,
        cast({{ days_between('horizon_date', 'appeal_deadline_date') }} as bigint) as days_left,
        case
            when not can_appeal then 'not_appealable'
            when appealed_date is not null then 'appealed'
            when appeal_deadline_date < horizon_date then 'expired'
            when appeal_deadline_date is null then 'deadline_unknown'
            when can_appeal is null then 'right_unknown'
            else 'appealable'
        end as appeal_state
    from timed
)

select
    claim_key,
    data_source,
    claim_token,
    {{ optional_key(['data_source', 'payer_id']) }} as payer_key,
    payer_id,
    line_of_business,
    claim_start_date,
    claim_state,
    denial_category,
    can_appeal,
    appeal_state,
    row_number() over (
        partition by data_source
        order by
            case
                when appeal_state in ('appealable', 'deadline_unknown', 'right_unknown') then 1
                when appeal_state = 'appealed' then 2
                else 3
            end,
            coalesce(denied_amount, 0) desc, coalesce(days_left, 0), claim_key
    ) as queue_place,
    notice_date,
    appeal_deadline_date,
    deadline_source,
    days_left,
    appealed_date,
    {{ usd('charge_amount') }} as charge_amount,
    {{ usd('denied_amount') }} as denied_amount
from placed
