with measures as (
    select * from {{ ref('mart_drg_measures') }}
),

-- The plain gap in whole units of the tenth decimal: mean − average, times discharges, times the DRG's discharges. Nothing is
-- rounded before a tie is seen to be none.
plain as (
    select
        *,
        {{ ten_decimals_whole('drg_medicare_payment_amount') }} * discharge_count
            - {{ ten_decimals_whole('total_medicare_payment_amount') }} * drg_discharge_count as short_whole
    from measures
),

expected as (
    select
        *,
        power(spread_rate, 2) / (power(spread_rate, 2) + power(error_rate, 2)) as shrinkage_rate
    from {{ ref('int_drg__expected_payments') }}
),

-- Two questions of the same difference: is it more than chance, and does it stand out from how hospitals differ anyway.
tested as (
    select
        *,
        {{ normal_two_sided('(payment_to_expected_rate - 1) / error_rate') }} as p_value,
        {{ normal_two_sided('(payment_to_expected_rate - 1) / sqrt(power(error_rate, 2) + power(spread_rate, 2))') }} as unusual_p_value
    from expected
),

counted as (
    select
        *,
        count(*) over (partition by data_source, period_type, fiscal_year) as test_count,
        count(*) over (partition by data_source, period_type, fiscal_year order by p_value) as p_rank,
        count(*) over (partition by data_source, period_type, fiscal_year order by unusual_p_value) as unusual_p_rank
    from tested
),

-- Benjamini and Hochberg over all cells of a year: the least rate of false discoveries at which the cell would be found.
controlled as (
    select
        *,
        {%- for kind in ('', 'unusual_') %}
        least(1, min({{ kind }}p_value * test_count / {{ kind }}p_rank) over (
            partition by data_source, period_type, fiscal_year order by {{ kind }}p_value desc
            rows between unbounded preceding and current row
        )) as {{ kind }}q_value{% if not loop.last %},{% endif %}
        {%- endfor %}
    from counted
),

severity as (
    select * from {{ ref('mart_severity_capture') }} where severity_measure <> 'cc_of_others'
),

joined as (
    select
        plain.*,
        hospitals.comparison_group,
        hospitals.is_standardized,
        hospitals.is_level_distorted,
        hospitals.star_rating,
        hospitals.excess_readmission_ratio,
        hospitals.quality_status,
        drgs.relative_weight,
        drgs.weight_year,
        drgs.weight_status,
        drgs.family_code,
        drgs.severity_level,
        drgs.mdc_code,
        controlled.payment_level,
        controlled.expected_payment,
        controlled.payment_to_expected_rate,
        controlled.error_rate,
        controlled.shrinkage_rate,
        controlled.p_value,
        controlled.q_value,
        controlled.unusual_q_value,
        controlled.shrinkage_rate * (1 - controlled.payment_to_expected_rate) as gap_rate,
        sqrt(controlled.shrinkage_rate) * controlled.error_rate as gap_error_rate,
        severity.severity_measure,
        severity.shrunk_share_rate as severity_share_rate,
        severity.reference_median_rate as severity_median_rate,
        severity.reference_p80_rate as severity_p80_rate,
        severity.tail as severity_tail
    from plain
    inner join {{ ref('dim_hospital_year') }} as hospitals
        on plain.data_source = hospitals.data_source and plain.period_type = hospitals.period_type
        and plain.fiscal_year = hospitals.fiscal_year and plain.provider_id = hospitals.provider_id
    inner join {{ ref('dim_drg') }} as drgs
        on plain.data_source = drgs.data_source and plain.period_type = drgs.period_type
        and plain.fiscal_year = drgs.fiscal_year and plain.drg_code = drgs.drg_code
    left join controlled on plain.ipps_payment_key = controlled.ipps_payment_key
    left join severity
        on plain.data_source = severity.data_source and plain.period_type = severity.period_type
        and plain.fiscal_year = severity.fiscal_year and plain.provider_id = severity.provider_id
        and drgs.family_code = severity.family_code
),

-- Each part between 0 and 1: nothing for a payment at or above what is expected, nor for a share at or above the median.
parts as (
    select
        *,
        case when gap_rate is not null then least(1, greatest(0, gap_rate) / {{ drg_parameter('index_gap_full_rate') }}) end as gap_part,
        case when gap_rate > 0 then 1 - q_value when gap_rate is not null then 0 end as confidence_part,
        coalesce(least(1, greatest(0, severity_median_rate - severity_share_rate) / {{ drg_parameter('index_severity_full_rate') }}), 0)
            as severity_part,
        least(1, ln(greatest(1, discharge_count / {{ drg_parameter('smallest_cell_count') }}))
            / ln({{ drg_parameter('index_volume_full_count') }} / {{ drg_parameter('smallest_cell_count') }})) as volume_part
    from joined
),

points as (
    select
        *,
        cast(100 * {{ drg_parameter('index_gap_weight') }} * gap_part as decimal(5, 2)) as gap_points,
        cast(100 * {{ drg_parameter('index_volume_weight') }} * case
            when gap_part > 0 or severity_part > 0 then volume_part when gap_part is not null then 0 end as decimal(5, 2)) as volume_points,
        cast(100 * {{ drg_parameter('index_confidence_weight') }} * confidence_part as decimal(5, 2)) as confidence_points,
        cast(100 * {{ drg_parameter('index_severity_weight') }} * severity_part as decimal(5, 2)) as severity_points
    from parts
)

select
    ipps_payment_key as drg_opportunity_key,
    data_source,
    period_type,
    fiscal_year,
    provider_id,
    drg_code,
    family_code,
    severity_level,
    mdc_code,
    comparison_group,
    discharge_count as discharges_count,
    average_medicare_payment_amount,
    total_medicare_payment_amount,
    {{ ten_decimals_each(ten_decimals_whole('drg_medicare_payment_amount'), 'drg_discharge_count') }} as national_mean_payment_amount,
    short_whole > 0 as has_plain_gap,
    {{ ten_decimals_each('greatest(short_whole, 0)', 'drg_discharge_count') }} as plain_gap_amount,
    relative_weight,
    weight_year,
    weight_status,
    case
        when expected_payment is not null then 'standardized'
        when is_level_distorted then 'distorted_level'
        when not is_standardized then 'not_paid_by_drg'
        when weight_status in ('missing', 'zero') then 'weight_' || weight_status
        else 'too_few_hospitals'
    end as standardization_status,
    payment_level,
    {{ usd('expected_payment') }} as expected_payment_amount,
    payment_to_expected_rate,
    error_rate,
    shrinkage_rate,
    {{ usd('expected_payment * gap_rate') }} as standardized_gap_amount,
    {{ usd('expected_payment * (gap_rate - ' ~ drg_parameter('interval_normal_quantile') ~ ' * gap_error_rate)') }} as standardized_gap_low_amount,
    {{ usd('expected_payment * (gap_rate + ' ~ drg_parameter('interval_normal_quantile') ~ ' * gap_error_rate)') }} as standardized_gap_high_amount,
    p_value,
    q_value,
    unusual_q_value,
    case when q_value is not null then q_value <= {{ drg_parameter('false_discovery_rate') }} and gap_rate > 0 end as is_gap_found,
    case when q_value is not null then unusual_q_value <= {{ drg_parameter('false_discovery_rate') }} and gap_rate > 0 end as is_gap_unusual,
    severity_measure,
    severity_share_rate,
    severity_median_rate,
    severity_p80_rate,
    coalesce(severity_tail, 'unknown') as severity_tail,
    gap_points,
    volume_points,
    confidence_points,
    severity_points,
    cast(gap_points + volume_points + confidence_points + severity_points as decimal(5, 2)) as opportunity_index,
    star_rating,
    excess_readmission_ratio,
    quality_status,
    {{ drg_notice() }} as notice
from points
