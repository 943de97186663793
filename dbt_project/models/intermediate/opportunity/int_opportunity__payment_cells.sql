select
    payments.data_source,
    payments.period_type,
    payments.period_year as fiscal_year,
    payments.ccn as provider_id,
    payments.drg_code,
    payments.discharge_count,
    cast(payments.average_medicare_payment_amount as double) as payment,
    cast(payments.average_medicare_payment_amount as double) / standardized.payment_to_expected_rate as standardized_payment
from {{ ref('fct_ipps_payment') }} as payments
left join {{ ref('int_drg__expected_payments') }} as standardized
    on payments.ipps_payment_key = standardized.ipps_payment_key
where payments.geography_level = 'provider' and payments.average_medicare_payment_amount > 0 and payments.discharge_count > 0
