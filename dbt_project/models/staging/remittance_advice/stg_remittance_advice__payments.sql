with active_rows as (
    {{ active_rows('remittance_advice') }}
)

select
    {{ surrogate_key(['data_source', 'remittance_id', 'payer_id']) }} as remittance_key,
    {{ surrogate_key(['data_source', 'payer_id']) }} as payer_key,
    remittance_id,
    payer_id,
    payee_id,
    originator_id,
    payment_method_code,
    credit_debit_code,
    produced_date,
    paid_date,
    paid_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
