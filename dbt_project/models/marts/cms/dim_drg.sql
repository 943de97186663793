with titles as (
    select * from {{ ref('int_drg__titles') }}
),

weight_years as (
    select data_source, fiscal_year, count(*) as drg_count
    from {{ ref('stg_drg_weight__weights') }}
    group by data_source, fiscal_year
),

-- The year's own table; where it is not at hand, the latest before it, or else the first after it.
chosen_years as (
    select
        periods.data_source,
        periods.period_type,
        periods.period_year,
        weight_years.fiscal_year,
        row_number() over (
            partition by periods.data_source, periods.period_type, periods.period_year
            order by
                case when weight_years.fiscal_year <= periods.period_year then 0 else 1 end,
                abs(weight_years.fiscal_year - periods.period_year)
        ) as year_rank
    from (select distinct data_source, period_type, period_year from titles) as periods
    inner join weight_years on periods.data_source = weight_years.data_source
),

weights as (
    select
        chosen_years.data_source,
        chosen_years.period_type,
        chosen_years.period_year,
        chosen_years.fiscal_year as weight_year,
        weights.drg_code,
        weights.relative_weight,
        weights.mdc_code,
        weights.drg_type
    from chosen_years
    inner join {{ ref('stg_drg_weight__weights') }} as weights
        on chosen_years.data_source = weights.data_source and chosen_years.fiscal_year = weights.fiscal_year
    where chosen_years.year_rank = 1
),

-- A family is whole where its members take each level once and together hold every stay.
families as (
    select
        data_source,
        period_type,
        period_year,
        family_code,
        max(base_title) as family_title,
        min(case when is_pure_severity then 1 else 0 end) = 1 as is_pure_family,
        sum(case severity_level when 'mcc' then 1 else 0 end) as mcc_count,
        sum(case severity_level when 'cc' then 1 else 0 end) as cc_count,
        sum(case severity_level when 'cc_or_mcc' then 1 else 0 end) as cc_or_mcc_count,
        sum(case severity_level when 'no_mcc' then 1 else 0 end) as no_mcc_count,
        sum(case severity_level when 'neither' then 1 else 0 end) as neither_count,
        count(*) as member_count
    from titles
    where family_code is not null
    group by data_source, period_type, period_year, family_code
),

shaped as (
    select
        *,
        case
            when member_count = 3 and mcc_count = 1 and cc_count = 1 and neither_count = 1 then 'mcc_cc_neither'
            when member_count = 2 and mcc_count = 1 and no_mcc_count = 1 then 'mcc_other'
            when member_count = 2 and cc_or_mcc_count = 1 and neither_count = 1 then 'cc_or_mcc_other'
            else 'not_whole'
        end as family_shape
    from families
)

select
    titles.drg_key,
    titles.data_source,
    titles.period_type,
    titles.period_year as fiscal_year,
    titles.drg_code,
    titles.drg_title,
    titles.is_title_cut,
    coalesce(ranges.mdc_code, weights.mdc_code, 'unknown') as mdc_code,
    coalesce(names.mdc_label, 'unknown') as mdc_label,
    coalesce(names.service_line, 'unknown') as service_line,
    lower(coalesce(ranges.drg_type, weights.drg_type, 'unknown')) as drg_type,
    weights.mdc_code <> ranges.mdc_code or weights.drg_type <> ranges.drg_type as is_mdc_in_doubt,
    weights.relative_weight,
    weights.weight_year,
    case
        when weights.relative_weight is null then 'missing'
        when weights.relative_weight = 0 then 'zero'
        when weights.weight_year = titles.period_year then 'of_the_year'
        else 'of_another_year'
    end as weight_status,
    titles.severity_level,
    titles.family_code,
    shaped.family_title,
    shaped.family_shape,
    shaped.is_pure_family,
    cast(titles.hospital_count as bigint) as hospital_count
from titles
left join shaped
    on titles.data_source = shaped.data_source and titles.period_type = shaped.period_type
    and titles.period_year = shaped.period_year and titles.family_code = shaped.family_code
left join {{ ref('mdc_ranges') }} as ranges
    on titles.drg_code between ranges.drg_from and ranges.drg_to and {{ in_force('ranges', 'titles.period_start_date') }}
left join {{ ref('mdc_names') }} as names
    on ranges.mdc_code = names.mdc_code and {{ in_force('names', 'titles.period_start_date') }}
left join weights
    on titles.data_source = weights.data_source and titles.period_type = weights.period_type
    and titles.period_year = weights.period_year and titles.drg_code = weights.drg_code
