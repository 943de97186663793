with active_rows as (
    {{ active_rows('benefit_plan') }}
)

select
    plan_id,
    payer_id,
    plan_name,
    lower(line_of_business) as line_of_business,
    effective_from_date,
    effective_to_date,
    individual_deductible_amount,
    family_deductible_amount,
    individual_out_of_pocket_maximum_amount,
    family_out_of_pocket_maximum_amount,
    coinsurance_rate,
    office_copayment_amount,
    emergency_copayment_amount,
    pharmacy_copayment_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
