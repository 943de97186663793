{#- Areas and lines of which every pair is a level; hospital by DRG is mart_drg_opportunity itself. -#}
{%- set areas = {'nation': "'US'", 'state': 'hospitals.state', 'referral_region': 'hospitals.referral_region', 'hospital': 'cells.provider_id'} -%}
{%- set lines = {
    'all': "'all'", 'mdc': 'drgs.mdc_code', 'service_line': "drgs.mdc_code || ' ' || drgs.drg_type",
    'drg_family': 'drgs.family_code', 'drg': 'cells.drg_code',
} -%}
{%- set left_out = {'hospital': ['drg'], 'referral_region': ['drg_family', 'drg']} %}
with cells as (
    select
        cells.data_source,
        cells.period_type,
        cells.fiscal_year,
        {%- for area, code in areas.items() %}
        {{ code }} as {{ area }}_code,
        {%- endfor %}
        {%- for line, code in lines.items() %}
        {{ code }} as {{ line }}_code,
        {%- endfor %}
        hospitals.hospital_name,
        drgs.mdc_label,
        drgs.drg_type,
        drgs.family_title,
        drgs.drg_title,
        cells.provider_id,
        cells.discharges_count,
        cells.total_medicare_payment_amount,
        cells.has_plain_gap,
        cells.plain_gap_amount,
        cells.standardized_gap_amount,
        cast(power(cast(cells.standardized_gap_high_amount - cells.standardized_gap_low_amount as double) / 2, 2) as decimal(38, 10)) as half_width_squared,
        cells.is_gap_found,
        cells.opportunity_index
    from {{ ref('mart_drg_opportunity') }} as cells
    inner join {{ ref('dim_hospital_year') }} as hospitals
        on cells.data_source = hospitals.data_source and cells.period_type = hospitals.period_type
        and cells.fiscal_year = hospitals.fiscal_year and cells.provider_id = hospitals.provider_id
    inner join {{ ref('dim_drg') }} as drgs
        on cells.data_source = drgs.data_source and cells.period_type = drgs.period_type
        and cells.fiscal_year = drgs.fiscal_year and cells.drg_code = drgs.drg_code
),

levels as (
    {%- for area in areas %}
    {%- for line in lines if line not in left_out.get(area, []) %}
    select
        data_source,
        period_type,
        fiscal_year,
        '{{ area }}' as area_level,
        {{ area }}_code as area_code,
        {% if area == 'hospital' %}min(hospital_name){% else %}{{ area }}_code{% endif %} as area_label,
        '{{ line }}' as line_level,
        {{ line }}_code as line_code,
        {% if line == 'mdc' %}min(mdc_label)
        {%- elif line == 'service_line' %}min(mdc_label || ', ' || case drg_type when 'surg' then 'surgical' when 'med' then 'medical' else drg_type end)
        {%- elif line == 'drg_family' %}min(family_title)
        {%- elif line == 'drg' %}min(drg_title)
        {%- else %}'all'{% endif %} as line_label,
        count(*) as cell_count,
        {% if area == 'hospital' %}cast(1 as bigint){% else %}count(distinct provider_id){% endif %} as hospital_count,
        sum(discharges_count) as discharges_count,
        sum(total_medicare_payment_amount) as total_medicare_payment_amount,
        sum(case when has_plain_gap then 1 else 0 end) as plain_gap_count,
        sum(plain_gap_amount) as plain_gap_amount,
        count(standardized_gap_amount) as standardized_count,
        sum(standardized_gap_amount) as standardized_gap_amount,
        sum(case when standardized_gap_amount > 0 then standardized_gap_amount else 0 end) as standardized_shortfall_amount,
        sqrt({{ steady_sum('half_width_squared') }}) as half_width,
        sum(case when is_gap_found then 1 else 0 end) as found_count,
        sum(case when is_gap_found then standardized_gap_amount else 0 end) as found_gap_amount,
        max(opportunity_index) as highest_opportunity_index
    from cells
    where {{ area }}_code is not null and {{ line }}_code is not null
    group by data_source, period_type, fiscal_year, {{ area }}_code, {{ line }}_code
    {%- if not loop.last or area != 'hospital' %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
)

select
    {{ surrogate_key(['data_source', 'period_type', 'fiscal_year', 'area_level', 'area_code', 'line_level', 'line_code']) }} as opportunity_ranking_key,
    data_source,
    period_type,
    fiscal_year,
    area_level,
    area_code,
    area_label,
    line_level,
    line_code,
    line_label,
    cell_count,
    hospital_count,
    cast(discharges_count as bigint) as discharges_count,
    cast(total_medicare_payment_amount as decimal(38, 10)) as total_medicare_payment_amount,
    cast(plain_gap_count as bigint) as plain_gap_count,
    cast(plain_gap_amount as decimal(38, 10)) as plain_gap_amount,
    standardized_count,
    {{ usd('standardized_gap_amount') }} as standardized_gap_amount,
    {{ usd('standardized_gap_amount - ' ~ usd('half_width')) }} as standardized_gap_low_amount,
    {{ usd('standardized_gap_amount + ' ~ usd('half_width')) }} as standardized_gap_high_amount,
    {{ usd('standardized_shortfall_amount') }} as standardized_shortfall_amount,
    cast(found_count as bigint) as found_count,
    {{ usd('found_gap_amount') }} as found_gap_amount,
    highest_opportunity_index,
    rank() over (partition by data_source, period_type, fiscal_year, area_level, area_code, line_level order by plain_gap_amount desc)
        as plain_rank_among_lines,
    rank() over (partition by data_source, period_type, fiscal_year, area_level, area_code, line_level order by standardized_shortfall_amount desc)
        as standardized_rank_among_lines,
    rank() over (partition by data_source, period_type, fiscal_year, area_level, line_level, line_code order by plain_gap_amount desc)
        as plain_rank_among_areas,
    rank() over (partition by data_source, period_type, fiscal_year, area_level, line_level, line_code order by standardized_shortfall_amount desc)
        as standardized_rank_among_areas,
    {{ drg_notice() }} as notice
from levels
