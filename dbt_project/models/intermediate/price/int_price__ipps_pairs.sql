-- Each hospital, MS-DRG and period of CMS's inpatient file: price of today is what was paid in all, benchmark what Medicare itself paid.
with drgs as (
    select drg_code, mdc_code, row_number() over (partition by drg_code order by fiscal_year desc, data_source) as place
    from {{ ref('stg_drg_weight__weights') }}
),

hospitals as (
    select
        ccn,
        data_source,
        star_rating,
        row_number() over (partition by ccn, data_source order by load_id desc) as own_place,
        row_number() over (partition by ccn order by data_source, load_id desc) as place
    from {{ ref('stg_hospital__hospitals') }}
),

-- Who sends hospitals of its own is asked for no other's: a made-up hospital's number may be a real one's.
senders_of_hospitals as (
    select distinct data_source from {{ ref('stg_hospital__hospitals') }}
),

payments as (
    select
        *,
        period_type || cast(period_year as {{ dbt.type_string() }}) as period_name,
        -- the last day of a fiscal year is in September
        case period_type
            when 'fy' then make_date(cast(period_year as integer), 9, 30) else make_date(cast(period_year as integer), 12, 31)
        end as period_end_date
    from {{ ref('fct_ipps_payment') }}
    where geography_level = 'provider' and discharge_count > 0 and average_total_payment_amount > 0
)

select
    {{ surrogate_key(['payments.data_source', "'ipps'", 'payments.ccn', 'payments.drg_code', 'payments.period_name']) }} as price_pair_key,
    payments.data_source,
    'ipps' as pair_source,
    cast(null as {{ dbt.type_string() }}) as payer_key,
    'medicare' as payer_id,
    cast(null as {{ dbt.type_string() }}) as provider_key,
    payments.ccn as provider_id,
    payments.area_name as provider_name,
    payments.ccn,
    'acute care hospital' as specialty,
    payments.state,
    cast(null as {{ dbt.type_string() }}) as zip3,
    payments.referral_region,
    case when senders_of_hospitals.data_source is null then others.star_rating else own.star_rating end as star_rating,
    'ms_drg' as procedure_code_type,
    payments.drg_code as procedure_code,
    'DRG ' || payments.drg_code as procedure_id,
    'MDC ' || drgs.mdc_code as procedure_family,
    payments.period_name,
    payments.period_end_date,
    cast(12 as bigint) as month_count,
    cast(null as bigint) as people_count,
    payments.discharge_count >= {{ fewest_people() }} as is_large_enough,
    cast(payments.discharge_count as decimal(18, 3)) as volume_quantity,
    {{ usd('payments.total_payment_amount') }} as allowed_amount,
    {{ usd('payments.average_total_payment_amount') }} as baseline_amount,
    {{ usd('payments.average_medicare_payment_amount') }} as benchmark_amount,
    'ipps_hospital' as benchmark_basis,
    'CMS Medicare inpatient payments, ' || payments.period_name || ', ' || payments.data_source as benchmark_source,
    payments.period_end_date as benchmark_date
from payments
left join drgs on payments.drg_code = drgs.drg_code and drgs.place = 1
left join hospitals as own on payments.ccn = own.ccn and payments.data_source = own.data_source and own.own_place = 1
left join hospitals as others on payments.ccn = others.ccn and others.place = 1
left join senders_of_hospitals on payments.data_source = senders_of_hospitals.data_source
