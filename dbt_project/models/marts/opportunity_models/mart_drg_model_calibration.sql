select
    {{ surrogate_key(['data_source', 'period_type', 'fiscal_year', 'measure', 'bin_number']) }} as drg_model_calibration_key,
    data_source,
    period_type,
    fiscal_year,
    measure,
    bin_number,
    cell_count,
    discharge_count,
    expected,
    actual,
    {{ drg_notice() }} as notice
from {{ source('opportunity', 'drg_model_calibration') }}
