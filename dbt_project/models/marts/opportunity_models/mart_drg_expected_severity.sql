select
    {{ surrogate_key(['data_source', 'period_type', 'fiscal_year', 'provider_id', 'family_code']) }} as drg_expected_severity_key,
    data_source,
    period_type,
    fiscal_year,
    provider_id,
    family_code,
    discharge_count,
    severe_discharge_count,
    is_whole,
    {{ rate('severe_discharge_count', 'discharge_count') }} as published_severe_rate,
    cast(expected_severe_rate as double) as expected_severe_rate,
    cast(expected_severe_low_rate as double) as expected_severe_low_rate,
    cast(expected_severe_high_rate as double) as expected_severe_high_rate,
    case
        when not is_whole or expected_severe_low_rate is null then 'unknown'
        when severe_discharge_count < expected_severe_low_rate * discharge_count then 'below'
        when severe_discharge_count > expected_severe_high_rate * discharge_count then 'above'
        else 'within'
    end as place_in_interval,
    {{ drg_notice() }} as notice
from {{ source('opportunity', 'drg_expected_severity') }}
