with active_rows as (
    {{ active_rows('eligibility_benefit') }}
)

select
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    reply_token,
    member_token,
    benefit_number,
    subscriber_token,
    payer_id,
    replied_date,
    plan_begin_date,
    benefit_information_code,
    coverage_level_code,
    service_type_codes,
    insurance_type_code,
    plan_name,
    period_code,
    benefit_amount,
    benefit_rate,
    quantity_type_code,
    benefit_quantity,
    is_authorization_needed,
    network_code,
    place_of_service_code,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
