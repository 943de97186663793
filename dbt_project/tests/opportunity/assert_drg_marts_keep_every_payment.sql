-- Every hospital's row of CMS, once: its discharges and dollars are those of the measures, of the opportunities, of the benchmark
-- of the nation, and of every level of the ranking that leaves nobody out.
with sums as (
    select 'paid' as place, data_source, period_type, period_year as fiscal_year, count(*) as row_count, sum(discharge_count) as discharges,
        sum(total_medicare_payment_amount) as paid
    from {{ ref('fct_ipps_payment') }}
    where geography_level = 'provider'
    group by data_source, period_type, period_year
    union all
    select 'measures', data_source, period_type, fiscal_year, count(*), sum(discharge_count), sum(total_medicare_payment_amount)
    from {{ ref('mart_drg_measures') }}
    group by data_source, period_type, fiscal_year
    union all
    select 'opportunities', data_source, period_type, fiscal_year, count(*), sum(discharges_count), sum(total_medicare_payment_amount)
    from {{ ref('mart_drg_opportunity') }}
    group by data_source, period_type, fiscal_year
    union all
    select 'hospitals', data_source, period_type, fiscal_year, sum(drg_count), sum(discharge_count), sum(total_medicare_payment_amount)
    from {{ ref('dim_hospital_year') }}
    group by data_source, period_type, fiscal_year
    union all
    select 'benchmarks', data_source, period_type, fiscal_year, sum(hospital_count), sum(discharge_count), null
    from {{ ref('mart_drg_benchmarks') }}
    where benchmark_level = 'nation' and statistic = 'p75'
    group by data_source, period_type, fiscal_year
    union all
    select area_level || ' ' || line_level, data_source, period_type, fiscal_year, sum(cell_count), sum(discharges_count), sum(total_medicare_payment_amount)
    from {{ ref('mart_opportunity_ranking') }}
    where area_level in ('nation', 'hospital') and line_level <> 'drg_family'
    group by data_source, period_type, fiscal_year, area_level, line_level
),

gaps as (
    select 'opportunities' as place, data_source, period_type, fiscal_year, sum(plain_gap_amount) as plain, sum(standardized_gap_amount) as standardized
    from {{ ref('mart_drg_opportunity') }}
    group by data_source, period_type, fiscal_year
    union all
    select area_level || ' ' || line_level, data_source, period_type, fiscal_year, sum(plain_gap_amount), sum(standardized_gap_amount)
    from {{ ref('mart_opportunity_ranking') }}
    where area_level in ('nation', 'hospital') and line_level <> 'drg_family'
    group by data_source, period_type, fiscal_year, area_level, line_level
)

select other.place, other.data_source, other.period_type, other.fiscal_year
from sums as here
inner join sums as other
    on here.data_source = other.data_source and here.period_type = other.period_type and here.fiscal_year = other.fiscal_year
where here.place = 'paid'
    and (here.row_count <> other.row_count or here.discharges <> other.discharges or here.paid <> coalesce(other.paid, here.paid))
union all
select other.place, other.data_source, other.period_type, other.fiscal_year
from gaps as here
inner join gaps as other
    on here.data_source = other.data_source and here.period_type = other.period_type and here.fiscal_year = other.fiscal_year
where here.place = 'opportunities'
    and (here.plain <> other.plain or coalesce(here.standardized, 0) <> coalesce(other.standardized, 0))
union all
select 'missing', here.data_source, here.period_type, here.fiscal_year
from sums as here
group by here.data_source, here.period_type, here.fiscal_year
having count(*) <> 5 + 7
