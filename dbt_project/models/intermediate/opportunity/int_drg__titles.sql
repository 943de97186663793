-- Titles differ between files of one year, and between years: the hospitals' own file first, in which the measures are.
with published as (
    select data_source, period_type, period_year, drg_code, drg_description, 'provider' as geography_level
    from {{ ref('stg_ipps_provider_drg__payments') }}
    union all
    select data_source, period_type, period_year, drg_code, drg_description, geography_level
    from {{ ref('stg_ipps_geography_drg__payments') }}
),

titles as (
    select
        data_source,
        period_type,
        period_year,
        drg_code,
        coalesce(
            min(case when geography_level = 'provider' then drg_description end),
            min(case when geography_level = 'national' then drg_description end),
            min(drg_description)
        ) as drg_title,
        sum(case when geography_level = 'provider' then 1 else 0 end) as hospital_count
    from published
    group by data_source, period_type, period_year, drg_code
),

-- One way of writing: today's titles say WITH, WITHOUT and CC OR MCC.
normalised as (
    select
        *,
        {{ period_start('period_type', 'period_year') }} as period_start_date,
        trim(replace(replace(replace(replace(
            ' ' || upper(coalesce(drg_title, '')) || ' ', ' WITHOUT ', ' W/O '), ' WITH ', ' W '), ' CC OR MCC ', ' CC/MCC '), '  ', ' '
        )) as normal_title
    from titles
),

ended as (
    select
        normalised.*,
        endings.severity_level,
        endings.is_pure_severity,
        coalesce(endings.is_title_cut, false) as is_title_cut,
        regexp_extract(normalised.normal_title, endings.ending_pattern, 1) as ending,
        row_number() over (
            partition by normalised.data_source, normalised.period_type, normalised.period_year, normalised.drg_code
            order by endings.priority
        ) as ending_rank
    from normalised
    left join {{ ref('drg_title_endings') }} as endings
        on regexp_extract(normalised.normal_title, endings.ending_pattern, 1) <> ''
        and {{ in_force('endings', 'normalised.period_start_date') }}
),

based as (
    select
        *,
        case
            when severity_level is null then normal_title
            else trim(substr(normal_title, 1, length(normal_title) - length(ending)))
        end as base_title
    from ended
    where ending_rank = 1
)

select
    {{ surrogate_key(['data_source', 'period_type', 'period_year', 'drg_code']) }} as drg_key,
    data_source,
    period_type,
    period_year,
    period_start_date,
    drg_code,
    drg_title,
    base_title,
    severity_level,
    is_pure_severity,
    is_title_cut,
    hospital_count,
    case when severity_level is not null then
        min(drg_code) over (partition by data_source, period_type, period_year, base_title, severity_level is not null)
    end as family_code,
    case when severity_level is not null then
        count(*) over (partition by data_source, period_type, period_year, base_title, severity_level is not null)
    end as family_member_count
from based
