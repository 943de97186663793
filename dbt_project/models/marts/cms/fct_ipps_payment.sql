with payments as (
    select
        data_source, 'provider' as geography_level, period_year, period_type, ccn as area_code, ccn, provider_name as area_name, state,
        referral_region, ruca_code, drg_code, drg_description, discharge_count,
        average_covered_charge_amount, average_total_payment_amount, average_medicare_payment_amount, load_id, source_line_number
    from {{ ref('stg_ipps_provider_drg__payments') }}
    union all
    select
        data_source, geography_level, period_year, period_type, geography_code, null, geography_name,
        case when geography_level = 'state' then geography_code end,
        null, null, drg_code, drg_description, discharge_count,
        average_covered_charge_amount, average_total_payment_amount, average_medicare_payment_amount, load_id, source_line_number
    from {{ ref('stg_ipps_geography_drg__payments') }}
),

weights as (
    select fiscal_year, drg_code, data_source, relative_weight
    from {{ ref('stg_drg_weight__weights') }}
)

select
    {{ surrogate_key(['payments.data_source', 'payments.geography_level', 'payments.area_code', 'payments.period_type', 'payments.period_year', 'payments.drg_code']) }}
        as ipps_payment_key,
    payments.data_source,
    payments.geography_level,
    payments.period_type,
    payments.period_year,
    payments.area_code,
    payments.ccn,
    payments.area_name,
    payments.state,
    payments.referral_region,
    payments.ruca_code,
    payments.drg_code,
    payments.drg_description,
    weights.relative_weight,
    payments.discharge_count,
    payments.average_covered_charge_amount,
    payments.average_total_payment_amount,
    payments.average_medicare_payment_amount,
    cast(cast(payments.discharge_count as decimal(9, 0)) * payments.average_covered_charge_amount as decimal(38, 10)) as total_covered_charge_amount,
    cast(cast(payments.discharge_count as decimal(9, 0)) * payments.average_total_payment_amount as decimal(38, 10)) as total_payment_amount,
    cast(cast(payments.discharge_count as decimal(9, 0)) * payments.average_medicare_payment_amount as decimal(38, 10)) as total_medicare_payment_amount,
    payments.load_id,
    payments.source_line_number
from payments
left join weights
    on payments.data_source = weights.data_source
    and payments.period_year = weights.fiscal_year
    and payments.drg_code = weights.drg_code
