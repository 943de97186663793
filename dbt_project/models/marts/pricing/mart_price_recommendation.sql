-- The price lists themselves. Spend is volume × price to the last decimal and rounded once, so that the sum over a scenario is its
-- total in mart_price_scenario but for these cents.
select
    {{ surrogate_key(['scenario_id', 'provider_id', 'procedure_id']) }} as price_recommendation_key,
    scenario_id,
    provider_id,
    provider_name,
    procedure_id,
    procedure_family,
    region,
    specialty,
    star_rating,
    tier,
    tier_number,
    volume_quantity,
    baseline_price_amount,
    price_amount,
    cast(price_amount - baseline_price_amount as decimal(18, 6)) as price_change_amount,
    {{ rate('price_amount - baseline_price_amount', 'baseline_price_amount') }} as price_change_share,
    benchmark_amount,
    {{ rate('price_amount', 'benchmark_amount') }} as benchmark_share,
    benchmark_basis,
    benchmark_source,
    benchmark_date,
    cast(baseline_spend_amount as decimal(28, 9)) as baseline_spend_amount,
    cast(spend_amount as decimal(28, 9)) as spend_amount,
    cast(baseline_spend_amount - spend_amount as decimal(28, 9)) as savings_amount,
    binding_rules
from {{ source('pricing', 'recommendation') }}
