with active_rows as (
    {{ active_rows('hospital_medicare_year') }}
)

select
    period_year,
    ccn,
    hospital_name,
    city,
    state,
    zip_code,
    ruca_code,
    beneficiary_count,
    discharge_count,
    covered_day_count,
    day_count,
    total_covered_charge_amount,
    total_payment_amount,
    total_medicare_payment_amount,
    average_age,
    dual_count,
    average_risk_score,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
