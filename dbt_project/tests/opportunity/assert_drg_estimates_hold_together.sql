-- What can be taken apart adds up; what is unknown is not zero; intervals and bounds hold what they are of.
select 'opportunity' as place, drg_opportunity_key as row_key
from {{ ref('mart_drg_opportunity') }}
where has_plain_gap <> (plain_gap_amount > 0)
    or plain_gap_amount < 0
    or (standardization_status = 'standardized') <> (standardized_gap_amount is not null)
    or (standardization_status = 'standardized') <> (opportunity_index is not null)
    or (weight_status in ('missing', 'zero') and expected_payment_amount is not null)
    or (weight_status = 'missing') <> (relative_weight is null)
    or not coalesce(standardized_gap_amount between standardized_gap_low_amount and standardized_gap_high_amount, true)
    or opportunity_index <> gap_points + volume_points + confidence_points + severity_points
    or not coalesce(opportunity_index between 0 and 100, true)
    or q_value < p_value * 0.999999    -- times n and divided by n again
    or (is_gap_found and standardized_gap_amount < 0)
union all
select 'severity', severity_capture_key
from {{ ref('mart_severity_capture') }}
where not (share_rate between lowest_share_rate and highest_share_rate)
    or not (shrunk_share_rate between share_low_rate and share_high_rate)
    or share_low_rate < 0 or share_high_rate > 1
    or reference_p20_rate > reference_median_rate or reference_median_rate > reference_p80_rate
    or (tail = 'unknown') <> (reference_median_rate is null)
    or (is_documentation_gap and is_audit_risk)
    or (suppressed_member_count = 0 and lowest_share_rate <> highest_share_rate)
    or (severity_measure <> 'cc_of_others' and coalesce(severe_discharge_count, 0) + other_discharge_count <> family_discharge_count)
    or not coalesce(to_median_amount between least(to_median_low_amount, to_median_high_amount) and greatest(to_median_low_amount, to_median_high_amount), true)
