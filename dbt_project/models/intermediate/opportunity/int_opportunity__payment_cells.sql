select
    data_source,
    period_type,
    period_year as fiscal_year,
    ccn as provider_id,
    drg_code,
    discharge_count,
    cast(average_medicare_payment_amount as double) as payment
from {{ ref('fct_ipps_payment') }}
where geography_level = 'provider' and average_medicare_payment_amount > 0 and discharge_count > 0
