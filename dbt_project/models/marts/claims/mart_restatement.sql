-- What each month of service was worth on the day it was closed, and every dollar that moved it since, by cause: each decision
-- and each takeback has one day on which it became known (that of its remittance) and one cause, so that what was known at the
-- close and the causes sum to what is known now. A month that is not closed yet has moved from nothing.
with claims as (
    select
        claims.claim_key,
        claims.claim_start_month,
        claims.original_claim_key,
        claims.coverage_rank,
        claims.submitted_date
    from {{ ref('fct_claim') }} as claims
),

appeals as (
    select claim_key, min(event_date) as appealed_date
    from {{ ref('fct_claim_event') }}
    where event_type = 'appealed'
    group by claim_key
),

moves as (
    select
        data_source, claim_key, paid_date as known_date, allowed_amount, paid_amount,
        case when is_reversal then 'reversal' when is_correction then 'correction' when is_first_decision then 'first' else 'later' end as kind,
        adjudicated_date, payer_rank
    from {{ ref('int_claim__adjudications') }}
    union all
    select
        data_source, claim_key, paid_date, 0, -adjustment_amount,
        case adjustment_reason_code when 'WO' then 'takeback' when 'L6' then 'interest' else 'other_provider_adjustment' end,
        null, null
    from {{ ref('int_claim__provider_adjustments') }}
    where claim_key is not null
),

months as (
    select
        moves.data_source,
        moves.claim_key,
        coalesce(claims.claim_start_month, {{ month_of('min(moves.known_date)') }}) as claim_start_month
    from moves
    left join claims on moves.claim_key = claims.claim_key
    group by moves.data_source, moves.claim_key, claims.claim_start_month
),

-- the sender's own rule comes before the one for all
close_rules as (
    select
        horizons.data_source,
        calendar.month_start_date,
        max(calendar.month_end_date) as month_end_date,
        max_by(rules.days, case when rules.data_source is not null then 2 else 1 end) as days
    from {{ ref('int_calendar__horizons') }} as horizons
    cross join {{ ref('int_calendar__months') }} as calendar
    inner join {{ ref('month_closes') }} as rules
        on (rules.data_source is null or rules.data_source = horizons.data_source)
        and calendar.month_end_date >= rules.effective_from
        and calendar.month_end_date <= coalesce(rules.effective_to, cast('9999-12-31' as date))
    group by horizons.data_source, calendar.month_start_date
),

-- A month that no rule closes stays open.
dated as (
    select
        months.data_source,
        months.claim_key,
        months.claim_start_month,
        {{ add_to_date('day', 'close_rules.days', 'close_rules.month_end_date') }} as close_date,
        horizons.horizon_date
    from months
    inner join {{ ref('int_calendar__horizons') }} as horizons on months.data_source = horizons.data_source
    left join close_rules on months.data_source = close_rules.data_source and months.claim_start_month = close_rules.month_start_date
),

closes as (
    select *, coalesce(close_date <= horizon_date, false) as is_closed from dated
),

caused as (
    select
        moves.data_source,
        closes.claim_start_month,
        closes.close_date,
        closes.is_closed,
        case
            when closes.is_closed and moves.known_date > closes.close_date
                then {{ months_between('closes.close_date', 'moves.known_date') }}
        end as months_after_close,
        case
            when not closes.is_closed then 'not_closed'
            when moves.known_date <= closes.close_date then 'at_close'
            when moves.kind not in ('first', 'later') then moves.kind
            when moves.payer_rank > 1 and coalesce(claims.coverage_rank, 'primary') = 'primary' then 'secondary_payer'
            when moves.kind = 'later' and appeals.appealed_date <= moves.adjudicated_date then 'appeal'
            when moves.kind = 'later' then 'later_decision'
            when claims.coverage_rank = 'secondary' then 'secondary_payer'
            when claims.original_claim_key is not null then 'replacement'
            when coalesce(claims.submitted_date, moves.known_date) > closes.close_date then 'late_claim'
            else 'late_decision'
        end as cause,
        moves.claim_key,
        moves.allowed_amount,
        moves.paid_amount
    from moves
    inner join closes on moves.data_source = closes.data_source and moves.claim_key = closes.claim_key
    left join claims on moves.claim_key = claims.claim_key
    left join appeals on moves.claim_key = appeals.claim_key
)

select
    {{ surrogate_key(['data_source', 'claim_start_month', 'cause', 'months_after_close']) }} as restatement_key,
    data_source,
    claim_start_month,
    close_date,
    is_closed,
    cause,
    cast(months_after_close as bigint) as months_after_close,
    count(distinct claim_key) as claim_count,
    {{ usd('coalesce(sum(allowed_amount), 0)') }} as allowed_amount,
    {{ usd('coalesce(sum(paid_amount), 0)') }} as paid_amount
from caused
group by data_source, claim_start_month, close_date, is_closed, cause, months_after_close
