-- A remittance's lines meet in one event for each adjudication, which carries the load of its last line: the paid dollars of
-- each load must all be there.
with decided as (
    select adjudications.load_id, sum(lines.paid_amount) as paid_amount
    from {{ ref('int_claim__adjudication_lines') }} as lines
    inner join {{ ref('int_claim__adjudications') }} as adjudications
        on lines.data_source = adjudications.data_source
        and lines.claim_token = adjudications.claim_token
        and lines.adjudication_number = adjudications.adjudication_number
    group by adjudications.load_id
),

told as (
    select load_id, sum(paid_amount) as paid_amount from {{ ref('fct_claim_event') }} where event_type = 'paid' group by load_id
)

select coalesce(decided.load_id, told.load_id) as load_id, decided.paid_amount as decided_amount, told.paid_amount as told_amount
from decided
full outer join told on decided.load_id = told.load_id
where coalesce(decided.paid_amount, 0) <> coalesce(told.paid_amount, 0)
