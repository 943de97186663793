{%- set measures = {'covered_charge': 'covered_charge', 'total_payment': 'payment', 'medicare_payment': 'medicare_payment'} -%}
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

-- Numbers in place of names and of wide decimals: what is sorted below is a row per hospital, DRG and area, three times.
ranked as (
    select
        data_source,
        period_type,
        period_year as fiscal_year,
        ccn as provider_id,
        drg_code,
        dense_rank() over (order by data_source, period_type, period_year, drg_code) as drg_number,
        discharge_count
        {%- for measure, total in measures.items() %},
        average_{{ measure }}_amount,
        total_{{ total }}_amount as total_{{ measure }}_amount,
        rank() over (partition by data_source, period_type, period_year, drg_code order by average_{{ measure }}_amount) as {{ measure }}_rank
        {%- endfor %},
        {{ ten_decimals_whole('total_medicare_payment_amount') }} as medicare_payment_whole
    from payments
    where geography_level = 'provider'
),

numbered_areas as (
    select
        *,
        dense_rank() over (order by data_source, period_type, fiscal_year, benchmark_level, benchmark_area) as area_number
    from areas
),

cells as (
    select
        areas.area_number * 1000000 + ranked.drg_number as cell_number,
        ranked.discharge_count,
        ranked.medicare_payment_whole
        {%- for measure in measures %},
        ranked.total_{{ measure }}_amount,
        ranked.average_{{ measure }}_amount,
        ranked.{{ measure }}_rank
        {%- endfor %}
    from ranked
    inner join numbered_areas as areas
        on ranked.data_source = areas.data_source and ranked.period_type = areas.period_type
        and ranked.fiscal_year = areas.fiscal_year and ranked.provider_id = areas.provider_id
),

sums as (
    select
        cell_number,
        count(*) as hospital_count,
        sum(discharge_count) as discharge_count,
        sum(medicare_payment_whole) as medicare_payment_whole
        {%- for measure in measures %},
        {{ ten_decimals_each(ten_decimals_whole('sum(total_' ~ measure ~ '_amount)'), 'sum(discharge_count)') }} as {{ measure }}_mean
        {%- endfor %}
    from cells
    group by cell_number
),

-- Discharges up to each hospital in the order of its average: half of the discharges are at or below the median, which is an
-- average that was published, and so exact.
counted as (
    select
        cell_number,
        sum(discharge_count) over (partition by cell_number) as cell_discharge_count
        {%- for measure in measures %},
        average_{{ measure }}_amount,
        sum(discharge_count) over (partition by cell_number order by {{ measure }}_rank) as {{ measure }}_discharge_count
        {%- endfor %}
    from cells
),

placed as (
    select
        cell_number
        {%- for measure in measures %},
        min(case when 2 * {{ measure }}_discharge_count >= cell_discharge_count then average_{{ measure }}_amount end) as {{ measure }}_median,
        min(case when 4 * {{ measure }}_discharge_count >= 3 * cell_discharge_count then average_{{ measure }}_amount end) as {{ measure }}_p75
        {%- endfor %}
    from counted
    group by cell_number
),

-- What falls short of each statistic: of the mean in whole numbers, divided once.
short as (
    select
        cells.cell_number,
        {{ ten_decimals_each('sum(greatest(cells.medicare_payment_whole_of_area * cells.discharge_count - cells.medicare_payment_whole * cells.area_discharge_count, 0))', 'max(cells.area_discharge_count)') }} as mean_gap,
        sum(greatest(placed.medicare_payment_median - cells.average_medicare_payment_amount, 0) * cast(cells.discharge_count as decimal(9, 0))) as median_gap,
        sum(greatest(placed.medicare_payment_p75 - cells.average_medicare_payment_amount, 0) * cast(cells.discharge_count as decimal(9, 0))) as p75_gap
    from (
        select cells.*, sums.discharge_count as area_discharge_count, sums.medicare_payment_whole as medicare_payment_whole_of_area
        from cells
        inner join sums on cells.cell_number = sums.cell_number
    ) as cells
    inner join placed on cells.cell_number = placed.cell_number
    group by cells.cell_number
),

named as (
    select areas.area_number * 1000000 + drgs.drg_number as cell_number, areas.data_source, areas.period_type, areas.fiscal_year,
        areas.benchmark_level, areas.benchmark_area, drgs.drg_code
    from (select distinct data_source, period_type, fiscal_year, benchmark_level, benchmark_area, area_number from numbered_areas) as areas
    inner join (select distinct data_source, period_type, fiscal_year, drg_code, drg_number from ranked) as drgs
        on areas.data_source = drgs.data_source and areas.period_type = drgs.period_type and areas.fiscal_year = drgs.fiscal_year
),

wide as (
    select
        named.data_source, named.period_type, named.fiscal_year, named.benchmark_level, named.benchmark_area, named.drg_code,
        sums.hospital_count, sums.discharge_count,
        short.mean_gap, short.median_gap, short.p75_gap
        {%- for measure in measures %},
        sums.{{ measure }}_mean,
        placed.{{ measure }}_median,
        placed.{{ measure }}_p75
        {%- endfor %}
    from sums
    inner join placed on sums.cell_number = placed.cell_number
    inner join short on sums.cell_number = short.cell_number
    inner join named on sums.cell_number = named.cell_number
),

statistics as (
    {%- for statistic in ('mean', 'median', 'p75') %}
    select
        data_source, period_type, fiscal_year, benchmark_level, benchmark_area, drg_code, '{{ statistic }}' as statistic,
        hospital_count, discharge_count
        {%- for measure in measures %}, {{ measure }}_{{ statistic }} as {{ measure }}_amount{% endfor %},
        {{ statistic }}_gap as gap_amount
    from wide
    union all
    {%- endfor %}
    -- What CMS publishes of states and the nation holds the cells that it suppresses hospital by hospital.
    select
        data_source, period_type, period_year,
        case geography_level when 'national' then 'nation_published' else 'state_published' end,
        case geography_level when 'national' then 'US' else area_code end,
        drg_code, 'mean', null, discharge_count,
        average_covered_charge_amount, average_total_payment_amount, average_medicare_payment_amount, null
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
    cast(gap_amount as decimal(38, 10)) as plain_gap_amount,
    {{ drg_notice() }} as notice
from statistics
