{%- set pool = 'data_source, period_type, fiscal_year, comparison_group' -%}
{%- set passes = 3 -%}  {#- the factors of FY2016 move by 0.3 % (root mean square) in the third, by 0.1 % in a fourth #}
-- Payment of a cell = weight × factor of the DRG × level of the hospital, each taken from the other cells. Dollars stay decimals; a
-- level, a factor and what they let expect are floating point, for they are no one's money.
with cells as (
    select
        payments.ipps_payment_key,
        payments.data_source,
        payments.period_type,
        payments.period_year as fiscal_year,
        hospitals.comparison_group,
        hospitals.state,
        payments.ccn as provider_id,
        payments.drg_code,
        cast(payments.discharge_count as double) as discharges,
        payments.total_medicare_payment_amount as paid_amount,
        payments.discharge_count * cast(drgs.relative_weight as double) as weighted
    from {{ ref('fct_ipps_payment') }} as payments
    inner join {{ ref('dim_hospital_year') }} as hospitals
        on payments.data_source = hospitals.data_source and payments.period_type = hospitals.period_type
        and payments.period_year = hospitals.fiscal_year and payments.ccn = hospitals.provider_id
    inner join {{ ref('dim_drg') }} as drgs
        on payments.data_source = drgs.data_source and payments.period_type = drgs.period_type
        and payments.period_year = drgs.fiscal_year and payments.drg_code = drgs.drg_code
    where payments.geography_level = 'provider' and hospitals.is_standardized and drgs.relative_weight > 0
),

factors_0 as (
    select distinct {{ pool }}, drg_code, cast(1 as double) as factor from cells
),
{% for pass in range(passes) %}
levels_{{ pass }} as (
    select cells.data_source, cells.period_type, cells.fiscal_year, cells.comparison_group, cells.provider_id, sum(cells.paid_amount) / {{ steady_sum('cells.weighted * factors.factor') }} as level
    from cells
    inner join factors_{{ pass }} as factors on {{ same_pool('cells', 'factors') }} and cells.drg_code = factors.drg_code
    group by cells.data_source, cells.period_type, cells.fiscal_year, cells.comparison_group, cells.provider_id
),

factors_{{ pass + 1 }} as (
    select cells.data_source, cells.period_type, cells.fiscal_year, cells.comparison_group, cells.drg_code, sum(cells.paid_amount) / {{ steady_sum('cells.weighted * levels.level') }} as factor
    from cells
    inner join levels_{{ pass }} as levels on {{ same_pool('cells', 'levels') }} and cells.provider_id = levels.provider_id
    group by cells.data_source, cells.period_type, cells.fiscal_year, cells.comparison_group, cells.drg_code
),
{% endfor %}
fitted as (
    select
        cells.*,
        factors.factor,
        levels.level as hospital_level,
        cells.weighted * factors.factor as standard_units,
        cells.weighted * levels.level as level_units
    from cells
    inner join factors_{{ passes }} as factors on {{ same_pool('cells', 'factors') }} and cells.drg_code = factors.drg_code
    inner join levels_{{ passes - 1 }} as levels on {{ same_pool('cells', 'levels') }} and cells.provider_id = levels.provider_id
),

hospitals_summed as (
    select
        {{ pool }}, state, provider_id,
        count(*) as drg_count,
        sum(paid_amount) as paid_amount,
        {{ steady_total('standard_units') }} as units
    from fitted
    group by {{ pool }}, state, provider_id
),

areas_summed as (
    select
        *,
        count(*) over area as hospital_count,
        sum(paid_amount) over area as state_paid_amount,
        sum(units) over area as state_units,
        sum(paid_amount) over whole as pool_paid_amount,
        sum(units) over whole as pool_units
    from hospitals_summed
    window area as (partition by {{ pool }}, state), whole as (partition by {{ pool }})
),

drgs_summed as (
    select
        {{ pool }}, drg_code,
        count(*) as hospital_count,
        sum(paid_amount) as paid_amount,
        {{ steady_sum('level_units') }} as level_units
    from fitted
    group by {{ pool }}, drg_code
),

-- Sums over the other cells of the hospital, of the DRG, and over the other hospitals of the state and the pool.
others as (
    select
        fitted.*,
        areas.paid_amount - fitted.paid_amount as other_paid_amount,
        cast(areas.units as double) - fitted.standard_units as other_units,
        areas.drg_count - 1 as other_drg_count,
        drgs.paid_amount - fitted.paid_amount as drg_other_paid_amount,
        drgs.level_units - fitted.level_units as drg_other_level_units,
        drgs.hospital_count as drg_hospital_count,
        areas.state_paid_amount - areas.paid_amount as other_state_paid_amount,
        cast(areas.state_units - areas.units as double) as state_units,
        areas.pool_paid_amount - areas.paid_amount as other_pool_paid_amount,
        cast(areas.pool_units - areas.units as double) as pool_units,
        areas.hospital_count - 1 as state_other_count
    from fitted
    inner join areas_summed as areas on {{ same_pool('fitted', 'areas') }} and fitted.provider_id = areas.provider_id
    inner join drgs_summed as drgs on {{ same_pool('fitted', 'drgs') }} and fitted.drg_code = drgs.drg_code
),

first_ratios as (
    select
        *,
        drg_other_paid_amount / nullif(drg_other_level_units, 0) as other_factor,
        case when other_drg_count > 0 then other_paid_amount / nullif(other_units, 0) end as own_level,
        case
            when state_other_count >= {{ drg_parameter('minimum_state_hospitals') }} then other_state_paid_amount / nullif(state_units, 0)
            else other_pool_paid_amount / nullif(pool_units, 0)
        end as area_level
    from others
    where drg_hospital_count >= {{ drg_parameter('minimum_drg_hospitals') }}
),

compared as (
    select
        *,
        paid_amount / nullif(weighted * other_factor * coalesce(own_level, area_level), 0) as first_ratio,
        1 / discharges as inverse_discharges
    from first_ratios
),

-- Errors squared = spread between hospitals + noise ÷ discharges: a line, of all DRGs and of each.
variances_of_all as (
    select
        {{ pool }},
        greatest({{ steady_slope('power(first_ratio - 1, 2)', 'inverse_discharges') }}, 0.0001) as noise_of_all,
        greatest({{ steady_intercept('power(first_ratio - 1, 2)', 'inverse_discharges') }}, 0.0001) as spread_of_all
    from compared
    group by {{ pool }}
    having count(*) >= {{ drg_parameter('minimum_variance_cells') }} and min(inverse_discharges) < max(inverse_discharges)
),

variances_of_each as (
    select
        {{ pool }},
        drg_code,
        count(*) as cell_count,
        {{ steady_slope('power(first_ratio - 1, 2)', 'inverse_discharges') }} as noise_of_each,
        {{ steady_intercept('power(first_ratio - 1, 2)', 'inverse_discharges') }} as spread_of_each
    from compared
    group by {{ pool }}, drg_code
    having count(*) >= {{ drg_parameter('minimum_variance_cells') }} and min(inverse_discharges) < max(inverse_discharges)
),

shared as (
    select
        compared.*,
        all_drgs.noise_of_all,
        all_drgs.spread_of_all,
        coalesce(each_drg.cell_count / (each_drg.cell_count + {{ drg_parameter('variance_prior_cells') }}), 0) as own_share,
        each_drg.noise_of_each,
        each_drg.spread_of_each
    from compared
    inner join variances_of_all as all_drgs on {{ same_pool('compared', 'all_drgs') }}
    left join variances_of_each as each_drg on {{ same_pool('compared', 'each_drg') }} and compared.drg_code = each_drg.drg_code
),

varied as (
    select
        *,
        greatest(
            own_share * coalesce(noise_of_each, 0) + (1 - own_share) * noise_of_all,
            {{ drg_parameter('variance_floor_rate') }} * noise_of_all
        ) / discharges as noise_variance,
        greatest(
            own_share * coalesce(spread_of_each, 0) + (1 - own_share) * spread_of_all,
            {{ drg_parameter('variance_floor_rate') }} * spread_of_all
        ) as spread_variance
    from shared
),

-- What the hospital's level and the DRG's factor are uncertain by, each as a weighted mean of its other cells.
uncertain as (
    select
        *,
        ({{ steady_sum_over('power(standard_units, 2) * (noise_variance + spread_variance)', '(partition by ' ~ pool ~ ', provider_id)') }}
            - power(standard_units, 2) * (noise_variance + spread_variance)) as other_units_variance,
        ({{ steady_sum_over('power(level_units, 2) * (noise_variance + spread_variance)', '(partition by ' ~ pool ~ ', drg_code)') }}
            - power(level_units, 2) * (noise_variance + spread_variance)) / nullif(power(drg_other_level_units, 2), 0) as factor_variance
    from varied
),

levelled as (
    select
        *,
        case when own_level is not null then greatest(other_units_variance, 0) / nullif(power(other_units, 2), 0) end as own_level_variance
    from uncertain
),

-- How far hospitals' levels lie from those around them, beyond what chance would make of it.
hospitals_apart as (
    select {{ pool }}, greatest({{ steady_mean('power(own_level / area_level - 1, 2) - own_level_variance', 18) }}, 0.0001) as level_variance
    from (
        select {{ pool }}, provider_id, {{ steady_mean('own_level') }} as own_level, {{ steady_mean('area_level') }} as area_level,
            {{ steady_mean('own_level_variance', 18) }} as own_level_variance
        from levelled
        where own_level is not null and area_level is not null
        group by {{ pool }}, provider_id
    ) as one_each
    group by {{ pool }}
),

shrunk as (
    select
        levelled.*,
        coalesce(apart.level_variance / (apart.level_variance + levelled.own_level_variance), 0) as level_trust_rate,
        coalesce(apart.level_variance, levelled.spread_variance) as level_variance
    from levelled
    left join hospitals_apart as apart on {{ same_pool('levelled', 'apart') }}
),

expected as (
    select
        *,
        level_trust_rate * coalesce(own_level, 0)
            + (1 - level_trust_rate) * coalesce(area_level, own_level) as payment_level,
        case when own_level is null then level_variance else level_trust_rate * own_level_variance end as payment_level_variance
    from shrunk
)

select
    ipps_payment_key,
    data_source,
    period_type,
    fiscal_year,
    comparison_group,
    provider_id,
    drg_code,
    drg_hospital_count,
    other_drg_count,
    hospital_level as hospital_payment_level,
    payment_level,
    level_trust_rate,
    other_factor as drg_factor,
    weighted * other_factor * payment_level as expected_payment,
    paid_amount / (weighted * other_factor * payment_level) as payment_to_expected_rate,
    sqrt(noise_variance + greatest(payment_level_variance, 0) + greatest(factor_variance, 0)) as error_rate,
    sqrt(spread_variance) as spread_rate
from expected
where weighted * other_factor * payment_level > 0
