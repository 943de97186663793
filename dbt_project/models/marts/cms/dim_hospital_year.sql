with payments as (
    select * from {{ ref('fct_ipps_payment') }} where geography_level = 'provider'
),

drgs as (
    select * from {{ ref('dim_drg') }}
),

hospitals_of_years as (
    select
        payments.data_source,
        payments.period_type,
        payments.period_year,
        payments.ccn as provider_id,
        min(payments.area_name) as hospital_name,
        min(payments.state) as state,
        min(payments.referral_region) as referral_region,
        count(*) as drg_count,
        sum(payments.discharge_count) as discharge_count,
        sum(payments.total_covered_charge_amount) as total_covered_charge_amount,
        sum(payments.total_payment_amount) as total_payment_amount,
        sum(payments.total_medicare_payment_amount) as total_medicare_payment_amount,
        sum(case when drgs.relative_weight > 0 then payments.total_medicare_payment_amount end) as weighted_payment_amount,
        sum(case when drgs.relative_weight > 0 then payments.discharge_count end) as weighted_discharge_count,
        sum(case when drgs.relative_weight > 0 then payments.discharge_count * drgs.relative_weight end) as weight_sum
    from payments
    inner join drgs
        on payments.data_source = drgs.data_source and payments.period_type = drgs.period_type
        and payments.period_year = drgs.fiscal_year and payments.drg_code = drgs.drg_code
    group by payments.data_source, payments.period_type, payments.period_year, payments.ccn
),

described as (
    select
        hospitals_of_years.*,
        {{ period_start('period_type', 'period_year') }} as period_start_date,
        coalesce(pairs.hospital_data_source, hospitals_of_years.data_source) as hospital_data_source,
        {{ rate('weight_sum', 'weighted_discharge_count') }} as case_mix_index,
        {{ rate('weighted_payment_amount', 'weight_sum') }} as payment_per_weight
    from hospitals_of_years
    left join {{ ref('cms_source_pairs') }} as pairs on hospitals_of_years.data_source = pairs.data_source
),

systems as (
    select
        described.data_source,
        described.period_type,
        described.period_year,
        described.provider_id,
        rules.rule_id,
        rules.comparison_group,
        rules.is_standardized,
        row_number() over (
            partition by described.data_source, described.period_type, described.period_year, described.provider_id
            order by rules.priority, rules.rule_id
        ) as rule_rank
    from described
    inner join {{ ref('payment_systems') }} as rules
        on (rules.state is null or described.state = rules.state)
        and (rules.ccn is null or described.provider_id = rules.ccn)
        and (rules.ccn_from is null or right(described.provider_id, 4) between rules.ccn_from and rules.ccn_to)
        and {{ in_force('rules', 'described.period_start_date') }}
),

readmissions as (
    select
        data_source,
        ccn,
        {{ rate('sum(excess_readmission_ratio * discharge_count)', 'sum(case when excess_readmission_ratio is not null then discharge_count end)') }}
            as excess_readmission_ratio,
        count(excess_readmission_ratio) as readmission_measure_count
    from {{ ref('stg_hospital_readmission__measures') }}
    group by data_source, ccn
),

attributed as (
    select
        described.*,
        systems.rule_id as payment_system_rule_id,
        systems.comparison_group,
        systems.is_standardized,
        {{ rate('sum(described.weighted_payment_amount) over pool', 'sum(described.weight_sum) over pool') }} as group_payment_per_weight,
        hospitals.hospital_type,
        hospitals.hospital_ownership,
        coalesce(classes.ownership_class, 'unknown') as ownership_class,
        coalesce(divisions.census_division, 'unknown') as census_division,
        hospitals.star_rating,
        readmissions.excess_readmission_ratio as excess_readmission_ratio,
        coalesce(readmissions.readmission_measure_count, 0) as readmission_measure_count,
        cast(summaries.average_risk_score as double) as average_risk_score,
        percent_rank() over (
            partition by described.data_source, described.period_type, described.period_year, systems.comparison_group
            order by described.discharge_count
        ) as size_rank_rate,
        percent_rank() over (
            partition by described.data_source, described.period_type, described.period_year, systems.comparison_group
            order by described.case_mix_index
        ) as case_mix_rank_rate
    from described
    inner join systems
        on described.data_source = systems.data_source and described.period_type = systems.period_type
        and described.period_year = systems.period_year and described.provider_id = systems.provider_id
        and systems.rule_rank = 1
    left join {{ ref('stg_hospital__hospitals') }} as hospitals
        on described.hospital_data_source = hospitals.data_source and described.provider_id = hospitals.ccn
    left join {{ ref('ownership_classes') }} as classes on hospitals.hospital_ownership = classes.hospital_ownership
    left join {{ ref('census_divisions') }} as divisions on described.state = divisions.state
    left join readmissions
        on described.hospital_data_source = readmissions.data_source and described.provider_id = readmissions.ccn
    left join {{ ref('stg_hospital_medicare_year__summaries') }} as summaries
        on described.hospital_data_source = summaries.data_source and described.provider_id = summaries.ccn
        and described.period_year = summaries.period_year
    window pool as (partition by described.data_source, described.period_type, described.period_year, systems.comparison_group)
),

banded as (
    select
        attributed.*,
        -- What a hospital is paid per weight, so far from its group that it is no price: rehabilitation beds, pass-through, a handful of stays.
        coalesce(
            payment_per_weight > {{ drg_parameter('distorted_level_ratio') }} * group_payment_per_weight
            or payment_per_weight * {{ drg_parameter('distorted_level_ratio') }} < group_payment_per_weight,
            false
        ) as is_level_distorted,
        sizes.band as size_band,
        case when attributed.case_mix_index is null then 'unknown' else mixes.band end as case_mix_band
    from attributed
    left join {{ ref('peer_bands') }} as sizes
        on sizes.band_kind = 'size' and attributed.size_rank_rate >= sizes.from_rank_rate and attributed.size_rank_rate < sizes.to_rank_rate
        and {{ in_force('sizes', 'attributed.period_start_date') }}
    left join {{ ref('peer_bands') }} as mixes
        on mixes.band_kind = 'case_mix' and attributed.case_mix_rank_rate >= mixes.from_rank_rate
        and attributed.case_mix_rank_rate < mixes.to_rank_rate
        and {{ in_force('mixes', 'attributed.period_start_date') }}
),

-- Every hospital under every rule; the first rule under which it has enough company is its own.
candidates as (
    select
        banded.data_source,
        banded.period_type,
        banded.period_year,
        banded.provider_id,
        rules.rule_id,
        rules.priority,
        rules.minimum_hospital_count,
        banded.comparison_group
            || case when rules.is_by_ownership then ' / ' || banded.ownership_class else '' end
            || case when rules.is_by_size then ' / ' || banded.size_band else '' end
            || case when rules.is_by_case_mix then ' / ' || banded.case_mix_band else '' end
            || case when rules.is_by_region then ' / ' || banded.census_division else '' end as peer_group
    from banded
    inner join {{ ref('peer_rules') }} as rules on {{ in_force('rules', 'banded.period_start_date') }}
),

counted as (
    select
        *,
        count(*) over (partition by data_source, period_type, period_year, rule_id, peer_group) as peer_hospital_count
    from candidates
),

peers as (
    select
        *,
        row_number() over (partition by data_source, period_type, period_year, provider_id order by priority) as rule_rank
    from counted
    where peer_hospital_count >= minimum_hospital_count
)

select
    {{ surrogate_key(['banded.data_source', 'banded.period_type', 'banded.period_year', 'banded.provider_id']) }} as hospital_year_key,
    banded.data_source,
    banded.period_type,
    banded.period_year as fiscal_year,
    banded.provider_id,
    banded.hospital_name,
    banded.state,
    banded.referral_region,
    banded.census_division,
    banded.hospital_type,
    banded.hospital_ownership,
    banded.ownership_class,
    banded.drg_count,
    cast(banded.discharge_count as bigint) as discharge_count,
    cast(banded.weighted_discharge_count as bigint) as weighted_discharge_count,
    cast(banded.total_covered_charge_amount as decimal(38, 10)) as total_covered_charge_amount,
    cast(banded.total_payment_amount as decimal(38, 10)) as total_payment_amount,
    cast(banded.total_medicare_payment_amount as decimal(38, 10)) as total_medicare_payment_amount,
    banded.case_mix_index,
    banded.average_risk_score,
    banded.size_band,
    banded.case_mix_band,
    banded.payment_system_rule_id,
    banded.comparison_group,
    banded.payment_per_weight,
    banded.is_level_distorted,
    banded.is_standardized and not banded.is_level_distorted as is_standardized,
    peers.rule_id as peer_rule_id,
    peers.peer_group,
    peers.peer_hospital_count,
    banded.star_rating,
    banded.excess_readmission_ratio,
    banded.readmission_measure_count,
    case
        when banded.star_rating <= {{ drg_parameter('poor_star_rating') }}
            or banded.excess_readmission_ratio >= {{ drg_parameter('poor_readmission_ratio') }} then 'poor'
        when banded.star_rating is null and banded.excess_readmission_ratio is null then 'unknown'
        else 'not_poor'
    end as quality_status,
    {{ drg_notice() }} as notice
from banded
inner join peers
    on banded.data_source = peers.data_source and banded.period_type = peers.period_type
    and banded.period_year = peers.period_year and banded.provider_id = peers.provider_id
    and peers.rule_rank = 1
