-- How much of an incurred month has arrived by now, from the sender's own lags: chain ladder on allowed amounts, by
-- months between the incurred and the paid month, over the last three years. Nothing is known of a month that is
-- still running.
with arrivals as (
    select
        decisions.data_source,
        'medical' as spend_kind,
        lines.incurred_month,
        {{ month_of('decisions.paid_date') }} as paid_month,
        decisions.allowed_amount
    from {{ ref('int_claim__adjudication_lines') }} as decisions
    inner join {{ ref('int_claim__lines') }} as lines
        on decisions.claim_key = lines.claim_key and decisions.claim_line_number = lines.claim_line_number
    union all
    select
        data_source, 'pharmacy', incurred_month, {{ month_of('coalesce(paid_date, dispensing_date)') }}, allowed_amount
    from {{ ref('fct_pharmacy_fill') }}
),

known as (
    select
        arrivals.data_source,
        arrivals.spend_kind,
        arrivals.incurred_month,
        horizons.last_complete_month,
        greatest({{ months_between('arrivals.incurred_month', 'arrivals.paid_month') }}, 0) as lag_month_count,
        sum(arrivals.allowed_amount) as allowed_amount
    from arrivals
    inner join {{ ref('int_calendar__horizons') }} as horizons on arrivals.data_source = horizons.data_source
    where arrivals.paid_month <= horizons.last_complete_month
        and {{ months_between('arrivals.incurred_month', 'horizons.last_complete_month') }} between 0 and 35
    group by arrivals.data_source, arrivals.spend_kind, arrivals.incurred_month, arrivals.paid_month, horizons.last_complete_month
),

incurred as (
    select distinct
        data_source,
        spend_kind,
        incurred_month,
        {{ months_between('incurred_month', 'last_complete_month') }} as age_month_count
    from known
),

ages as (
    select distinct data_source, spend_kind, age_month_count as lag_month_count from incurred
),

cumulative as (
    select
        incurred.data_source,
        incurred.spend_kind,
        incurred.incurred_month,
        incurred.age_month_count,
        ages.lag_month_count,
        sum(known.allowed_amount) as arrived_amount
    from incurred
    inner join ages
        on incurred.data_source = ages.data_source
        and incurred.spend_kind = ages.spend_kind
        and ages.lag_month_count <= incurred.age_month_count
    left join known
        on incurred.data_source = known.data_source
        and incurred.spend_kind = known.spend_kind
        and incurred.incurred_month = known.incurred_month
        and known.lag_month_count <= ages.lag_month_count
    group by incurred.data_source, incurred.spend_kind, incurred.incurred_month, incurred.age_month_count, ages.lag_month_count
),

links as (
    select
        earlier.data_source,
        earlier.spend_kind,
        earlier.lag_month_count,
        {{ rate('sum(later.arrived_amount)', 'sum(earlier.arrived_amount)') }} as link_ratio
    from cumulative as earlier
    inner join cumulative as later
        on earlier.data_source = later.data_source
        and earlier.spend_kind = later.spend_kind
        and earlier.incurred_month = later.incurred_month
        and later.lag_month_count = earlier.lag_month_count + 1
    group by earlier.data_source, earlier.spend_kind, earlier.lag_month_count
)

select
    incurred.data_source,
    incurred.spend_kind,
    incurred.incurred_month,
    incurred.age_month_count,
    -- rounded: the last digits of a sum of logarithms depend on the order of rows, and a rebuild must give the same mart
    round(least(exp(-coalesce(sum(ln(case when links.link_ratio > 0 then links.link_ratio end)), 0)), 1), 9) as completion_rate
from incurred
left join links
    on incurred.data_source = links.data_source
    and incurred.spend_kind = links.spend_kind
    and links.lag_month_count >= incurred.age_month_count
group by incurred.data_source, incurred.spend_kind, incurred.incurred_month, incurred.age_month_count
