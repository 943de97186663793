{%- set measures = ('covered_charge', 'total_payment', 'medicare_payment') -%}
{%- set totals = {'covered_charge': 'covered_charge', 'total_payment': 'payment', 'medicare_payment': 'medicare_payment'} -%}
with payments as (
    select * from {{ ref('fct_ipps_payment') }}
),

hospitals as (
    select * from {{ ref('dim_hospital_year') }}
),

-- Each hospital's areas as rows: another benchmark is another row here.
areas as (
    select data_source, period_type, fiscal_year, provider_id, 'nation' as benchmark_level, 'US' as benchmark_area from hospitals
    union all
    select data_source, period_type, fiscal_year, provider_id, 'state', state from hospitals where state is not null
    union all
    select data_source, period_type, fiscal_year, provider_id, 'referral_region', referral_region from hospitals
    where referral_region is not null
    union all
    select data_source, period_type, fiscal_year, provider_id, 'peers', peer_group from hospitals
),

-- Numbers in place of names and of wide decimals: what is sorted is a row per hospital, DRG and area, three times.
ranked as (
    select
        data_source,
        period_type,
        period_year as fiscal_year,
        ccn as provider_id,
        drg_code,
        discharge_count,
        {%- for measure in measures %}
        average_{{ measure }}_amount,
        total_{{ totals[measure] }}_amount,
        rank() over (partition by data_source, period_type, period_year, drg_code order by average_{{ measure }}_amount) as {{ measure }}_rank
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from payments
    where geography_level = 'provider'
),

numbered_areas as (
    select
        *,
        dense_rank() over (order by data_source, period_type, fiscal_year, benchmark_level, benchmark_area) * 1000 as area_number
    from areas
),

cells as (
    select
        areas.area_number + cast(ranked.drg_code as bigint) as cell_number,
        ranked.*
    from ranked
    inner join numbered_areas as areas
        on ranked.data_source = areas.data_source and ranked.period_type = areas.period_type
        and ranked.fiscal_year = areas.fiscal_year and ranked.provider_id = areas.provider_id
),

-- Discharges up to each hospital in the order of its average: half of the discharges are at or below the median.
ordered as (
    select
        *,
        sum(discharge_count) over (partition by cell_number) as area_discharge_count,
        {%- for measure in measures %}
        sum(discharge_count) over (partition by cell_number order by {{ measure }}_rank) as {{ measure }}_discharge_count
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from cells
),

-- Exact: a median and a percentile are an average that was published; a mean is divided to ten decimals.
summed as (
    select
        cell_number,
        count(*) as hospital_count,
        sum(discharge_count) as discharge_count,
        {{ ten_decimals_each('sum(' ~ ten_decimals_whole('total_covered_charge_amount') ~ ')', 'sum(discharge_count)') }} as covered_charge_mean,
        {{ ten_decimals_each('sum(' ~ ten_decimals_whole('total_payment_amount') ~ ')', 'sum(discharge_count)') }} as total_payment_mean,
        {{ ten_decimals_each('sum(' ~ ten_decimals_whole('total_medicare_payment_amount') ~ ')', 'sum(discharge_count)') }} as medicare_payment_mean,
        {%- for measure in measures %}
        min(case when 2 * {{ measure }}_discharge_count >= area_discharge_count then average_{{ measure }}_amount end) as {{ measure }}_median,
        min(case when 4 * {{ measure }}_discharge_count >= 3 * area_discharge_count then average_{{ measure }}_amount end) as {{ measure }}_p75
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from ordered
    group by cell_number
),

named as (
    select distinct
        areas.area_number + cast(drgs.drg_code as bigint) as cell_number,
        areas.data_source, areas.period_type, areas.fiscal_year, areas.benchmark_level, areas.benchmark_area, drgs.drg_code
    from (select distinct data_source, period_type, fiscal_year, benchmark_level, benchmark_area, area_number from numbered_areas) as areas
    inner join (select distinct data_source, period_type, fiscal_year, drg_code from ranked) as drgs
        on areas.data_source = drgs.data_source and areas.period_type = drgs.period_type and areas.fiscal_year = drgs.fiscal_year
),

statistics as (
    {%- for statistic in ('mean', 'median', 'p75') %}
    select
        named.data_source, named.period_type, named.fiscal_year, named.benchmark_level, named.benchmark_area, named.drg_code,
        '{{ statistic }}' as statistic, hospital_count, discharge_count,
        covered_charge_{{ statistic }} as covered_charge_amount,
        total_payment_{{ statistic }} as total_payment_amount,
        medicare_payment_{{ statistic }} as medicare_payment_amount
    from summed
    inner join named on summed.cell_number = named.cell_number
    union all
    {%- endfor %}
    -- What CMS publishes of states and the nation holds the cells that it suppresses hospital by hospital.
    select
        data_source, period_type, period_year,
        case geography_level when 'national' then 'nation_published' else 'state_published' end,
        case geography_level when 'national' then 'US' else area_code end,
        drg_code, 'mean', null, discharge_count,
        average_covered_charge_amount, average_total_payment_amount, average_medicare_payment_amount
    from payments
    where geography_level in ('national', 'state')
)

select
    {{ surrogate_key(['data_source', 'period_type', 'fiscal_year', 'benchmark_level', 'benchmark_area', 'drg_code', 'statistic']) }}
        as drg_benchmark_key,
    data_source,
    period_type,
    fiscal_year,
    benchmark_level,
    benchmark_area,
    drg_code,
    statistic,
    cast(hospital_count as bigint) as hospital_count,
    cast(discharge_count as bigint) as discharge_count,
    cast(covered_charge_amount as decimal(28, 10)) as average_covered_charge_amount,
    cast(total_payment_amount as decimal(28, 10)) as average_total_payment_amount,
    cast(medicare_payment_amount as decimal(28, 10)) as average_medicare_payment_amount,
    {{ drg_notice() }} as notice
from statistics
