-- Every denial of mart_denials has one outcome, in counts and in dollars. Where a sender gives no reasons it counts none (NULL),
-- though a single claim may be known to be denied (CLP02 4).
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
)

select coalesce(outcomes.data_source, denials.data_source) as data_source, coalesce(outcomes.payer_id, denials.payer_id) as payer_id
from outcomes
full outer join denials
    on outcomes.data_source = denials.data_source and outcomes.adjudicated_month = denials.adjudicated_month
    and outcomes.payer_id = denials.payer_id and outcomes.denial_category = denials.denial_category
where
    denials.data_source is null
    or coalesce(outcomes.denial_count, 0) <> denials.denial_count
    or (denials.denial_count is not null and coalesce(outcomes.denied_amount, 0) <> coalesce(denials.denied_amount, 0))
