-- What a sender's months were worth at their close and everything that moved them since is what its events hold: payments, less
-- what PLBs that name a claim take.
with restated as (
    select data_source, sum(paid_amount) as paid_amount, sum(allowed_amount) as allowed_amount
    from {{ ref('mart_restatement') }}
    group by data_source
),

told as (
    select
        data_source,
        sum(coalesce(paid_amount, 0))
        - sum(case when event_type in ('recouped', 'interest_paid', 'provider_adjusted') then adjustment_amount else 0 end) as paid_amount,
        sum(coalesce(allowed_amount, 0)) as allowed_amount
    from {{ ref('fct_claim_event') }}
    group by data_source
)

select coalesce(restated.data_source, told.data_source) as data_source
from restated
full outer join told on restated.data_source = told.data_source
where
    coalesce(restated.paid_amount, 0) <> coalesce(told.paid_amount, 0)
    or coalesce(restated.allowed_amount, 0) <> coalesce(told.allowed_amount, 0)
