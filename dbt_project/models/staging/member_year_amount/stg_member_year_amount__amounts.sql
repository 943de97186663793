with active_rows as (
    {{ active_rows('member_year_amount') }}
)

select
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    member_token,
    amount_year,
    benefit,
    paid_amount,
    patient_responsibility_amount,
    prior_payer_paid_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
