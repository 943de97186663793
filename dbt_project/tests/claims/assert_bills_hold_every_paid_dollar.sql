-- Bills hold every dollar that payers paid on the claims that bills are made of, and each such claim once: summed again from
-- fct_claim, which knows of no bill.
with bills as (
    select
        data_source,
        sum(primary_paid_amount + secondary_paid_amount + other_paid_amount) as paid_amount,
        sum(answered_claim_count) as claim_count
    from {{ ref('mart_patient_balance') }}
    group by data_source
),

claims as (
    select data_source, sum(paid_amount) as paid_amount, count(*) as claim_count
    from {{ ref('fct_claim') }}
    where claim_state not in ('in_preparation', 'voided', 'replaced', 'unknown') and adjudication_count + reversal_count > 0
    group by data_source
)

select coalesce(bills.data_source, claims.data_source) as data_source
from bills
full outer join claims on bills.data_source = claims.data_source
where
    bills.data_source is null
    or claims.data_source is null
    or bills.paid_amount <> claims.paid_amount
    or bills.claim_count <> claims.claim_count
