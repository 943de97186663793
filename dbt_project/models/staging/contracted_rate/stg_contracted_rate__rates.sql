with active_rows as (
    {{ active_rows('contracted_rate') }}
)

select
    payer_id,
    billing_id,
    claim_type,
    billing_code_type,
    billing_code,
    billing_code_modifier,
    effective_from_date,
    effective_to_date,
    unit_amount,
    charge_rate,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
