with payments as (
    select * from {{ ref('fct_ipps_payment') }} where geography_level = 'provider'
),

sums as (
    select
        *,
        sum(discharge_count) over drg as drg_discharge_count,
        count(*) over drg as drg_hospital_count,
        sum(total_medicare_payment_amount) over drg as drg_medicare_payment_amount,
        rank() over (partition by data_source, period_type, period_year, drg_code order by average_medicare_payment_amount desc)
            as medicare_payment_rank,
        rank() over (partition by data_source, period_type, period_year, drg_code order by discharge_count desc) as volume_rank
    from payments
    window drg as (partition by data_source, period_type, period_year, drg_code)
),

-- The variance is taken about the mean, which squares of sums would lose in floating point.
spread as (
    select
        *,
        {{ rate('drg_medicare_payment_amount', 'drg_discharge_count') }} as drg_mean
    from sums
)

select
    ipps_payment_key,
    data_source,
    period_type,
    period_year as fiscal_year,
    ccn as provider_id,
    drg_code,
    discharge_count,
    average_covered_charge_amount,
    average_total_payment_amount,
    average_medicare_payment_amount,
    total_covered_charge_amount,
    total_payment_amount,
    total_medicare_payment_amount,
    {{ rate('total_medicare_payment_amount', 'total_covered_charge_amount') }} as medicare_payment_to_charge_rate,
    {{ rate('total_payment_amount', 'total_covered_charge_amount') }} as payment_to_charge_rate,
    {{ rate('total_payment_amount - total_medicare_payment_amount', 'total_payment_amount') }} as not_medicare_payment_rate,
    medicare_payment_rank,
    volume_rank,
    drg_hospital_count,
    cast(drg_discharge_count as bigint) as drg_discharge_count,
    cast(drg_medicare_payment_amount as decimal(38, 10)) as drg_medicare_payment_amount,
    {{ steady_sum_over('discharge_count * power(cast(average_medicare_payment_amount as double) - drg_mean, 2)',
        '(partition by data_source, period_type, period_year, drg_code)') }} / cast(drg_discharge_count as double)
        as drg_medicare_payment_variance,
    {{ drg_notice() }} as notice
from spread
