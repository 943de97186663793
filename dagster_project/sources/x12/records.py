"""Which kinds of rows a contract's layout may read from X12, by the name that it gives there."""

from dagster_project.sources.x12.acknowledgements import CLAIM_STATUSES, TRANSACTION_ANSWERS
from dagster_project.sources.x12.claims import CLAIM_LINES, CLAIMS
from dagster_project.sources.x12.coverage import BENEFITS, COVERAGES, PEOPLE
from dagster_project.sources.x12.payments import PAYMENT_ADJUSTMENTS, PAYMENT_LINES, PAYMENTS, PROVIDER_ADJUSTMENTS

# Of the feeds that read a file the first leads: the file is placed in its folder, and what is noted of it is told there. Who
# changes the order leaves files that arrive again beside their earlier versions.
RECORDS = {
    "claim": CLAIMS,
    "claim_line": CLAIM_LINES,
    "payment": PAYMENTS,
    "payment_line": PAYMENT_LINES,
    "payment_adjustment": PAYMENT_ADJUSTMENTS,
    "provider_adjustment": PROVIDER_ADJUSTMENTS,
    "enrolled_person": PEOPLE,
    "coverage": COVERAGES,
    "benefit": BENEFITS,
    "claim_status": CLAIM_STATUSES,
    "transaction_answer": TRANSACTION_ANSWERS,
}
