with shares as (
    select
        *,
        sqrt(shrunk_share_rate * (1 - shrunk_share_rate) / (discharges + prior_discharges + 1)) as share_error_rate
    from {{ ref('int_drg__severity_shares') }}
),

-- Percentiles among the peers, and among the whole comparison group for families that few of them have.
percentiles as (
    select
        data_source, period_type, fiscal_year, family_code, severity_measure, peer_group as reference_group, 'peers' as reference_level,
        count(*) as reference_hospital_count,
        percentile_cont(0.2) within group (order by shrunk_share_rate) as reference_p20_rate,
        percentile_cont(0.5) within group (order by shrunk_share_rate) as reference_median_rate,
        percentile_cont(0.8) within group (order by shrunk_share_rate) as reference_p80_rate
    from shares
    where is_reference
    group by data_source, period_type, fiscal_year, family_code, severity_measure, peer_group
    having count(*) >= {{ drg_parameter('minimum_share_hospitals') }}
    union all
    select
        data_source, period_type, fiscal_year, family_code, severity_measure, comparison_group, 'comparison_group',
        count(*),
        percentile_cont(0.2) within group (order by shrunk_share_rate),
        percentile_cont(0.5) within group (order by shrunk_share_rate),
        percentile_cont(0.8) within group (order by shrunk_share_rate)
    from shares
    where is_reference
    group by data_source, period_type, fiscal_year, family_code, severity_measure, comparison_group
    having count(*) >= {{ drg_parameter('minimum_share_hospitals') }}
),

levels as (
    select distinct data_source, period_type, fiscal_year, provider_id, hospital_payment_level
    from {{ ref('int_drg__expected_payments') }}
),

families as (
    select
        data_source, period_type, fiscal_year, family_code,
        max(family_title) as family_title, max(mdc_code) as mdc_code, max(service_line) as service_line, min(is_pure_family) as is_pure_family
    from {{ ref('dim_drg') }}
    where family_code is not null
    group by data_source, period_type, fiscal_year, family_code
),

compared as (
    select
        shares.*,
        coalesce(peers.reference_level, whole.reference_level) as reference_level,
        coalesce(peers.reference_group, whole.reference_group) as reference_group,
        coalesce(peers.reference_hospital_count, whole.reference_hospital_count) as reference_hospital_count,
        coalesce(peers.reference_p20_rate, whole.reference_p20_rate) as reference_p20_rate,
        coalesce(peers.reference_median_rate, whole.reference_median_rate) as reference_median_rate,
        coalesce(peers.reference_p80_rate, whole.reference_p80_rate) as reference_p80_rate,
        greatest(0, lowest_shrunk_share_rate - {{ drg_parameter('interval_normal_quantile') }} * share_error_rate) as share_low_rate,
        least(1, highest_shrunk_share_rate + {{ drg_parameter('interval_normal_quantile') }} * share_error_rate) as share_high_rate
    from shares
    left join percentiles as peers
        on shares.data_source = peers.data_source and shares.period_type = peers.period_type and shares.fiscal_year = peers.fiscal_year
        and shares.family_code = peers.family_code and shares.severity_measure = peers.severity_measure
        and peers.reference_level = 'peers' and shares.peer_group = peers.reference_group
    left join percentiles as whole
        on shares.data_source = whole.data_source and shares.period_type = whole.period_type and shares.fiscal_year = whole.fiscal_year
        and shares.family_code = whole.family_code and shares.severity_measure = whole.severity_measure
        and whole.reference_level = 'comparison_group' and shares.comparison_group = whole.reference_group
),

-- Weight that would be added if the share were the peers' median; negative above it.
priced as (
    select
        compared.*,
        levels.hospital_payment_level,
        hospitals.weighted_discharge_count,
        hospitals.star_rating,
        hospitals.excess_readmission_ratio,
        hospitals.quality_status,
        discharges * (severe_weight - other_weight) as weight_step,
        case
            when reference_median_rate is null then 'unknown'
            when share_high_rate < reference_median_rate then 'low'
            when share_low_rate > reference_p80_rate then 'high'
            else 'middle'
        end as tail
    from compared
    inner join {{ ref('dim_hospital_year') }} as hospitals
        on compared.data_source = hospitals.data_source and compared.period_type = hospitals.period_type
        and compared.fiscal_year = hospitals.fiscal_year and compared.provider_id = hospitals.provider_id
    left join levels
        on compared.data_source = levels.data_source and compared.period_type = levels.period_type
        and compared.fiscal_year = levels.fiscal_year and compared.provider_id = levels.provider_id
)

select
    {{ surrogate_key(['priced.data_source', 'priced.period_type', 'priced.fiscal_year', 'priced.provider_id', 'priced.family_code', 'priced.severity_measure']) }}
        as severity_capture_key,
    priced.data_source,
    priced.period_type,
    priced.fiscal_year,
    priced.provider_id,
    priced.family_code,
    priced.severity_measure,
    families.family_title,
    families.mdc_code,
    families.service_line,
    families.is_pure_family,
    cast(priced.family_discharge_count as bigint) as family_discharge_count,
    cast(priced.severe_count as bigint) as severe_discharge_count,
    cast(priced.other_count as bigint) as other_discharge_count,
    priced.suppressed_member_count,
    priced.lowest_share_rate,
    priced.share_rate,
    priced.highest_share_rate,
    priced.prior_discharges,
    priced.shrunk_share_rate,
    priced.share_low_rate,
    priced.share_high_rate,
    priced.reference_level,
    priced.reference_group,
    priced.reference_hospital_count,
    priced.reference_p20_rate,
    priced.reference_median_rate,
    priced.reference_p80_rate,
    priced.severe_weight - priced.other_weight as weight_difference,
    {{ rate('priced.weight_step * (priced.reference_median_rate - priced.shrunk_share_rate)', 'priced.weighted_discharge_count') }}
        as case_mix_index_change,
    {{ usd('priced.weight_step * (priced.reference_median_rate - priced.shrunk_share_rate) * priced.hospital_payment_level') }} as to_median_amount,
    {{ usd('priced.weight_step * (priced.reference_median_rate - priced.share_high_rate) * priced.hospital_payment_level') }} as to_median_low_amount,
    {{ usd('priced.weight_step * (priced.reference_median_rate - priced.share_low_rate) * priced.hospital_payment_level') }} as to_median_high_amount,
    priced.tail,
    case when priced.tail <> 'unknown' then priced.tail = 'low' end as is_documentation_gap,
    case when priced.tail <> 'unknown' then priced.tail = 'high' end as is_audit_risk,
    priced.star_rating,
    priced.excess_readmission_ratio,
    priced.quality_status,
    {{ drg_notice() }} as notice
from priced
inner join families
    on priced.data_source = families.data_source and priced.period_type = families.period_type
    and priced.fiscal_year = families.fiscal_year and priced.family_code = families.family_code
