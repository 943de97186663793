-- Lines sum to their header's charge. A header that differs from its lines is kept and counted in
-- fct_claim.charge_difference_amount; more than one in a hundred means that lines went missing on the way.
select
    data_source,
    count(*) as claim_count,
    count(*) filter (where charge_difference_amount <> 0) as different_count
from {{ ref('fct_claim') }}
where charge_difference_amount is not null
group by data_source
having count(*) filter (where charge_difference_amount <> 0) > 0.01 * count(*)
