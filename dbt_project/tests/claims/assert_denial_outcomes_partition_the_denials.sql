-- Every denial of mart_denials has one outcome, in counts and in dollars.
with outcomes as (
    select
        data_source, adjudicated_month, payer_id, denial_category,
        sum(denial_count) as denial_count, sum(denied_amount) as denied_amount
    from {{ ref('mart_denial_outcome') }}
    group by data_source, adjudicated_month, payer_id, denial_category
),

denials as (
    select
        data_source, adjudicated_month, payer_id, denial_category,
        denied_claim_count + partially_denied_claim_count as denial_count, denied_amount
    from {{ ref('mart_denials') }}
    where denied_claim_count + partially_denied_claim_count > 0
)

select coalesce(outcomes.data_source, denials.data_source) as data_source, coalesce(outcomes.payer_id, denials.payer_id) as payer_id
from outcomes
full outer join denials
    on outcomes.data_source = denials.data_source and outcomes.adjudicated_month = denials.adjudicated_month
    and outcomes.payer_id = denials.payer_id and outcomes.denial_category = denials.denial_category
where
    coalesce(outcomes.denial_count, 0) <> coalesce(denials.denial_count, 0)
    or coalesce(outcomes.denied_amount, 0) <> coalesce(denials.denied_amount, 0)
