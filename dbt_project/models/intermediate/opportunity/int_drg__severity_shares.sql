with members as (
    select * from {{ ref('dim_drg') }} where family_shape <> 'not_whole'
),

payments as (
    select * from {{ ref('fct_ipps_payment') }} where geography_level = 'provider'
),

-- Members with a suppressed cell are not there; which there are is told by the family.
families as (
    select
        payments.data_source,
        payments.period_type,
        payments.period_year as fiscal_year,
        payments.ccn as provider_id,
        members.family_code,
        max(members.family_shape) as family_shape,
        sum(payments.discharge_count) as family_discharge_count,
        sum(case when members.severity_level in ('mcc', 'cc_or_mcc') then payments.discharge_count end) as top_count,
        sum(case when members.severity_level = 'cc' then payments.discharge_count end) as cc_count,
        sum(case when members.severity_level in ('neither', 'no_mcc') then payments.discharge_count end) as rest_count
    from payments
    inner join members
        on payments.data_source = members.data_source and payments.period_type = members.period_type
        and payments.period_year = members.fiscal_year and payments.drg_code = members.drg_code
    group by payments.data_source, payments.period_type, payments.period_year, payments.ccn, members.family_code
),

weights as (
    select
        data_source,
        period_type,
        fiscal_year,
        family_code,
        max(case when severity_level in ('mcc', 'cc_or_mcc') then cast(relative_weight as double) end) as top_weight,
        max(case when severity_level = 'cc' then cast(relative_weight as double) end) as cc_weight,
        max(case when severity_level in ('neither', 'no_mcc') then cast(relative_weight as double) end) as rest_weight
    from members
    group by data_source, period_type, fiscal_year, family_code
),

-- Two questions of a family of three, one of a family of two: who has an MCC, and of the others, who has a CC. So the
-- changes of case mix add up, and nobody is counted twice.
measures as (
    select
        *,
        case family_shape when 'cc_or_mcc_other' then 'cc_or_mcc_of_all' else 'mcc_of_all' end as severity_measure,
        top_count as severe_count,
        case when family_shape = 'mcc_cc_neither' then coalesce(cc_count, 0) else 0 end + coalesce(rest_count, 0) as other_count,
        case when family_shape = 'mcc_cc_neither' and cc_count is null then 1 else 0 end
            + case when rest_count is null then 1 else 0 end as other_suppressed_count
    from families
    union all
    select *, 'cc_of_others', cc_count, coalesce(rest_count, 0), case when rest_count is null then 1 else 0 end
    from families
    where family_shape = 'mcc_cc_neither' and (cc_count is not null or rest_count is not null)
),

bounded as (
    select
        measures.*,
        case when severe_count is null then 1 else 0 end + other_suppressed_count as suppressed_member_count,
        coalesce(severe_count, 0) + other_count as published_count,
        coalesce(severe_count, {{ drg_parameter('suppressed_cell_count') }}) as severe_discharges,
        coalesce(severe_count, {{ drg_parameter('suppressed_cell_count') }})
            + other_count + other_suppressed_count * {{ drg_parameter('suppressed_cell_count') }} as discharges,
        coalesce(severe_count, 0) as lowest_severe_discharges,
        coalesce(severe_count, 0) + other_count + other_suppressed_count * ({{ drg_parameter('smallest_cell_count') }} - 1) as lowest_discharges,
        coalesce(severe_count, {{ drg_parameter('smallest_cell_count') }} - 1) as highest_severe_discharges,
        coalesce(severe_count, {{ drg_parameter('smallest_cell_count') }} - 1) + other_count as highest_discharges,
        case when severity_measure = 'cc_of_others' then weights.cc_weight else weights.top_weight end as severe_weight,
        case
            when severity_measure = 'cc_of_others' or family_shape <> 'mcc_cc_neither' then weights.rest_weight
            else (coalesce(cc_count, {{ drg_parameter('suppressed_cell_count') }}) * weights.cc_weight
                + coalesce(rest_count, {{ drg_parameter('suppressed_cell_count') }}) * weights.rest_weight)
                / (coalesce(cc_count, {{ drg_parameter('suppressed_cell_count') }}) + coalesce(rest_count, {{ drg_parameter('suppressed_cell_count') }}))
        end as other_weight
    from measures
    left join weights
        on measures.data_source = weights.data_source and measures.period_type = weights.period_type
        and measures.fiscal_year = weights.fiscal_year and measures.family_code = weights.family_code
),

shares as (
    select
        bounded.*,
        hospitals.comparison_group,
        hospitals.peer_group,
        severe_discharges / discharges as share_rate,
        {{ rate('lowest_severe_discharges', 'lowest_discharges') }} as lowest_share_rate,
        {{ rate('highest_severe_discharges', 'highest_discharges') }} as highest_share_rate
    from bounded
    inner join {{ ref('dim_hospital_year') }} as hospitals
        on bounded.data_source = hospitals.data_source and bounded.period_type = hospitals.period_type
        and bounded.fiscal_year = hospitals.fiscal_year and bounded.provider_id = hospitals.provider_id
),

judged as (
    select
        *,
        published_count >= {{ drg_parameter('minimum_share_discharges') }}
        and coalesce(highest_share_rate - lowest_share_rate, 1) <= {{ drg_parameter('widest_share_bound_rate') }} as is_reference
    from shares
),

-- Moments of a beta-binomial: what shares vary by beyond the counting of stays is between hospitals.
moments as (
    select
        data_source,
        period_type,
        fiscal_year,
        comparison_group,
        family_code,
        severity_measure,
        count(*) as reference_hospital_count,
        {{ steady_sum('severe_discharges') }} / {{ steady_sum('discharges') }} as mean_rate,
        {{ steady_sum('discharges * power(share_rate, 2)') }} / {{ steady_sum('discharges') }}
            - power({{ steady_sum('severe_discharges') }} / {{ steady_sum('discharges') }}, 2) as share_variance,
        (count(*) - 1) / {{ steady_sum('discharges') }} as counting_rate
    from judged
    where is_reference
    group by data_source, period_type, fiscal_year, comparison_group, family_code, severity_measure
),

priors as (
    select
        *,
        case
            when share_variance > mean_rate * (1 - mean_rate) * counting_rate then least(
                {{ drg_parameter('largest_prior_discharges') }},
                greatest(
                    {{ drg_parameter('smallest_prior_discharges') }},
                    (mean_rate * (1 - mean_rate) - share_variance) / (share_variance - mean_rate * (1 - mean_rate) * counting_rate)
                )
            )
            else {{ drg_parameter('largest_prior_discharges') }}
        end as prior_discharges
    from moments
)

select
    judged.data_source,
    judged.period_type,
    judged.fiscal_year,
    judged.provider_id,
    judged.comparison_group,
    judged.peer_group,
    judged.family_code,
    judged.severity_measure,
    judged.family_discharge_count,
    judged.severe_count,
    judged.other_count,
    judged.published_count,
    judged.suppressed_member_count,
    judged.discharges,
    judged.share_rate,
    judged.lowest_share_rate,
    judged.highest_share_rate,
    judged.is_reference,
    judged.severe_weight,
    judged.other_weight,
    priors.mean_rate,
    priors.prior_discharges,
    (judged.severe_discharges + priors.prior_discharges * priors.mean_rate) / (judged.discharges + priors.prior_discharges) as shrunk_share_rate,
    (judged.lowest_severe_discharges + priors.prior_discharges * priors.mean_rate) / (judged.lowest_discharges + priors.prior_discharges)
        as lowest_shrunk_share_rate,
    (judged.highest_severe_discharges + priors.prior_discharges * priors.mean_rate) / (judged.highest_discharges + priors.prior_discharges)
        as highest_shrunk_share_rate
from judged
inner join priors
    on judged.data_source = priors.data_source and judged.period_type = priors.period_type
    and judged.fiscal_year = priors.fiscal_year and judged.comparison_group = priors.comparison_group
    and judged.family_code = priors.family_code and judged.severity_measure = priors.severity_measure
