with active_rows as (
    {{ active_rows('ledger_posting') }}
)

select
    posting_id,
    posting_date,
    lower(entity_code) as entity_code,
    payer_id,
    lower(line_of_business) as line_of_business,
    lower(account_code) as account_code,
    document_type,
    claim_token,
    claim_line_number,
    adjudication_number,
    remittance_id,
    transaction_token,
    batch_id,
    posting_amount,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
