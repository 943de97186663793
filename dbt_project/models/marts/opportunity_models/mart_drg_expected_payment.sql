select
    {{ surrogate_key(['expected.data_source', 'expected.period_type', 'expected.fiscal_year', 'expected.provider_id', 'expected.drg_code']) }}
        as drg_expected_payment_key,
    expected.data_source,
    expected.period_type,
    expected.fiscal_year,
    expected.provider_id,
    expected.drg_code,
    measures.discharge_count as discharges_count,
    measures.average_medicare_payment_amount,
    expected.expected_average_payment_amount,
    expected.expected_average_payment_low_amount,
    expected.expected_average_payment_high_amount,
    {{ usd('cast(measures.discharge_count as decimal(9, 0)) * (expected.expected_average_payment_amount - measures.average_medicare_payment_amount)') }}
        as modelled_gap_amount,
    case
        when expected.expected_average_payment_low_amount is null then 'unknown'
        when measures.average_medicare_payment_amount < expected.expected_average_payment_low_amount then 'below'
        when measures.average_medicare_payment_amount > expected.expected_average_payment_high_amount then 'above'
        else 'within'
    end as place_in_interval,
    {{ drg_notice() }} as notice
from {{ source('opportunity', 'drg_expected_payment') }} as expected
inner join {{ ref('mart_drg_measures') }} as measures
    on expected.data_source = measures.data_source and expected.period_type = measures.period_type
    and expected.fiscal_year = measures.fiscal_year and expected.provider_id = measures.provider_id
    and expected.drg_code = measures.drg_code
