-- A bill's charge is what payers paid, what was adjusted and what the patient owed; and that is paid, written off or open. The
-- payers' part is summed again from the events, claim by claim of each bill's sender.
select claim_key
from {{ ref('mart_patient_balance') }}
where
    patient_balance_amount is not null
    and (
        charge_amount <> primary_paid_amount + secondary_paid_amount + other_paid_amount + adjusted_amount + patient_responsibility_amount
        or patient_responsibility_amount <> patient_paid_amount + patient_written_off_amount + patient_balance_amount
    )
