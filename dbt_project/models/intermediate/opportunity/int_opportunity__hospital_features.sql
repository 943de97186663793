-- Only what does not depend on what the hospital was paid or charged: a model that read those would expect what it sees.
with hospitals as (
    select * from {{ ref('dim_hospital_year') }}
),

-- CMS's summary of a hospital is of one year: the nearest to the payments' stands for what patients are like.
summaries as (
    select
        hospitals.data_source,
        hospitals.period_type,
        hospitals.fiscal_year,
        hospitals.provider_id,
        years.period_year as attributes_year,
        years.ruca_code,
        cast(years.average_risk_score as double) as average_risk_score,
        cast(years.average_age as double) as average_age,
        cast(years.dual_count as double) / nullif(years.beneficiary_count, 0) as dual_rate,
        cast(years.day_count as double) / nullif(years.discharge_count, 0) as mean_stay_days,
        row_number() over (
            partition by hospitals.data_source, hospitals.period_type, hospitals.fiscal_year, hospitals.provider_id
            order by abs(years.period_year - hospitals.fiscal_year), years.period_year
        ) as nearness
    from hospitals
    left join {{ ref('cms_source_pairs') }} as pairs on hospitals.data_source = pairs.data_source
    inner join {{ ref('stg_hospital_medicare_year__summaries') }} as years
        on hospitals.provider_id = years.ccn
        and coalesce(pairs.hospital_data_source, hospitals.data_source) = years.data_source
),

surgery as (
    select
        payments.data_source,
        payments.period_type,
        payments.period_year as fiscal_year,
        payments.ccn as provider_id,
        cast(sum(case when drgs.drg_type = 'surg' then payments.discharge_count else 0 end) as double)
            / nullif(sum(payments.discharge_count), 0) as surgical_rate
    from {{ ref('fct_ipps_payment') }} as payments
    inner join {{ ref('dim_drg') }} as drgs
        on payments.data_source = drgs.data_source and payments.period_type = drgs.period_type
        and payments.period_year = drgs.fiscal_year and payments.drg_code = drgs.drg_code
    where payments.geography_level = 'provider'
    group by payments.data_source, payments.period_type, payments.period_year, payments.ccn
)

select
    hospitals.data_source,
    hospitals.period_type,
    hospitals.fiscal_year,
    hospitals.provider_id,
    hospitals.comparison_group,
    hospitals.state,
    hospitals.referral_region,
    summaries.ruca_code,
    hospitals.hospital_ownership,
    hospitals.hospital_type,
    details.has_emergency_services,
    hospitals.discharge_count,
    hospitals.drg_count,
    cast(hospitals.case_mix_index as double) as case_mix_index,
    surgery.surgical_rate,
    summaries.average_risk_score,
    summaries.average_age,
    summaries.dual_rate,
    summaries.mean_stay_days,
    hospitals.star_rating,
    cast(details.wage_index as double) as wage_index,
    cast(details.resident_to_bed_ratio as double) as resident_to_bed_ratio,
    summaries.attributes_year
from hospitals
left join {{ ref('cms_source_pairs') }} as pairs on hospitals.data_source = pairs.data_source
left join {{ ref('stg_hospital__hospitals') }} as details
    on hospitals.provider_id = details.ccn
    and coalesce(pairs.hospital_data_source, hospitals.data_source) = details.data_source
left join summaries
    on hospitals.data_source = summaries.data_source and hospitals.period_type = summaries.period_type
    and hospitals.fiscal_year = summaries.fiscal_year and hospitals.provider_id = summaries.provider_id
    and summaries.nearness = 1
left join surgery
    on hospitals.data_source = surgery.data_source and hospitals.period_type = surgery.period_type
    and hospitals.fiscal_year = surgery.fiscal_year and hospitals.provider_id = surgery.provider_id
