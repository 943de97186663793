{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns', meta={'unit': 'claim_key'}
) }}

-- What a provider may still expect, as signed steps by day: a claim sent counts with what the contract lets expect
-- (its charge where nobody says, NULL where no charge is known either), then with what was allowed; money received
-- lowers it. A claim that is written off, replaced or voided stops counting. A refused one that nobody writes off or
-- sends again keeps what it let expect, and so does a patient's balance that is neither paid nor written off: nothing
-- here judges what will never come. What a payer takes back was overpaid: it lowers revenue and leaves nothing to collect.
with claims as (
    select data_source, payer_id, claim_key, submitted_date, expected_amount, charge_amount
    from {{ ref('fct_claim') }}
    where submitted_date is not null{{ only_touched('claim_key', 'and') }}
),

successors as (
    select original_claim_key as claim_key, min(submitted_date) as succeeded_date
    from {{ ref('int_claim__links') }}
    where original_claim_key is not null and submitted_date is not null
        {{- only_touched('original_claim_key', 'and', unit='claim_key') }}
    group by original_claim_key
),

decisions as (
    select data_source, payer_id, claim_key, adjudicated_date, paid_date, allowed_amount, paid_amount
    from {{ ref('int_claim__adjudications') }}{{ only_touched('claim_key') }}
),

accounting as (
    select data_source, payer_id, claim_key, posting_date, transaction_type, transaction_amount
    from {{ ref('stg_patient_accounting__transactions') }}
    where claim_key is not null{{ only_touched('claim_key', 'and') }}
),

lines as (
    select claim_key, sum(charge_amount) as charge_amount
    from {{ ref('int_claim__lines') }}{{ only_touched('claim_key') }}
    group by claim_key
),

first_allowed as (
    select claim_key, min(adjudicated_date) as allowed_date from decisions where allowed_amount <> 0 group by claim_key
),

first_written_off as (
    select claim_key, min(posting_date) as written_off_date
    from accounting where transaction_type = 'denial_write_off' group by claim_key
),

expected as (
    select
        claims.data_source,
        coalesce(claims.payer_id, 'unknown') as payer_id,
        claims.claim_key,
        claims.submitted_date,
        coalesce(claims.expected_amount, claims.charge_amount, lines.charge_amount) as expected_amount,
        least(first_allowed.allowed_date, first_written_off.written_off_date, successors.succeeded_date) as settled_date
    from claims
    left join lines on claims.claim_key = lines.claim_key
    left join first_allowed on claims.claim_key = first_allowed.claim_key
    left join first_written_off on claims.claim_key = first_written_off.claim_key
    left join successors on claims.claim_key = successors.claim_key
)

select
    data_source, payer_id, claim_key, submitted_date as step_date, 'expected' as step,
    expected_amount as net_revenue_amount, expected_amount as receivable_amount
from expected
union all
select data_source, payer_id, claim_key, settled_date, 'settled', -expected_amount, -expected_amount
from expected
where settled_date is not null
union all
select
    data_source, coalesce(payer_id, 'unknown'), claim_key, adjudicated_date, 'allowed', allowed_amount,
    allowed_amount
from decisions
where allowed_amount <> 0
union all
select data_source, coalesce(payer_id, 'unknown'), claim_key, paid_date, 'paid', 0, -paid_amount
from decisions
where paid_amount <> 0
union all
select data_source, coalesce(payer_id, 'unknown'), claim_key, posting_date, transaction_type, 0, -transaction_amount
from accounting
where transaction_type <> 'denial_write_off'
union all
select data_source, coalesce(payer_id, 'unknown'), claim_key, paid_date, 'recouped', -adjustment_amount, 0
from {{ ref('int_claim__provider_adjustments') }}
where adjustment_reason_code = 'WO' and claim_key is not null{{ only_touched('claim_key', 'and') }}
