{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_key'}
) }}

-- Which rule places each line. Rules are matched once per distinct combination of what they ask about and then joined
-- back, so that a million lines cost no more than their few thousand combinations.
with lines as (
    select
        claim_line_key,
        claim_key,
        claim_type,
        substring(right('0000' || bill_type_code, 3), 1, 2) as bill_type,
        revenue_center_code,
        place_of_service_code,
        drg_code,
        case when coalesce(procedure_code_type, 'hcpcs') = 'hcpcs' then hcpcs_code end as hcpcs_code,
        incurred_month
    from {{ ref('int_claim__lines') }}{{ only_touched('claim_key') }}
),

keyed as (
    select
        *,
        {{ surrogate_key(['claim_type', 'bill_type', 'revenue_center_code', 'place_of_service_code', 'drg_code', 'hcpcs_code', 'incurred_month']) }}
            as combination_key
    from lines
),

combinations as (
    select distinct
        combination_key, claim_type, bill_type, revenue_center_code, place_of_service_code, drg_code, hcpcs_code, incurred_month
    from keyed
),

matched as (
    select
        combinations.combination_key,
        min(rules.priority) filter (where rules.scope = 'claim') as claim_priority,
        min(rules.priority) filter (where rules.scope = 'line') as line_priority
    from combinations
    inner join {{ ref('service_category_rules') }} as rules
        on (rules.claim_type is null or rules.claim_type = combinations.claim_type)
        and (rules.bill_type_from is null or combinations.bill_type between rules.bill_type_from and rules.bill_type_to)
        and (rules.revenue_from is null or combinations.revenue_center_code between rules.revenue_from and rules.revenue_to)
        and (rules.place_of_service_from is null or combinations.place_of_service_code between rules.place_of_service_from and rules.place_of_service_to)
        and (rules.has_drg is null or rules.has_drg = (combinations.drg_code is not null))
        and (rules.drg_from is null or combinations.drg_code between rules.drg_from and rules.drg_to)
        and (rules.hcpcs_from is null or combinations.hcpcs_code between rules.hcpcs_from and rules.hcpcs_to)
        and combinations.incurred_month >= {{ month_of('rules.effective_from') }}
        and combinations.incurred_month <= coalesce(rules.effective_to, cast('9999-12-31' as date))
    group by combinations.combination_key
),

claims as (
    select keyed.claim_key, min(matched.claim_priority) as claim_priority
    from keyed
    inner join matched on keyed.combination_key = matched.combination_key
    group by keyed.claim_key
)

select
    keyed.claim_line_key,
    keyed.claim_key,
    coalesce(rules.rule_id, 'none') as service_category_rule,
    coalesce(rules.service_category_1, 'unclassified') as service_category_1,
    coalesce(rules.service_category_2, 'unclassified') as service_category_2,
    coalesce(rules.service_category_3, 'unclassified') as service_category_3
from keyed
left join matched on keyed.combination_key = matched.combination_key
left join claims on keyed.claim_key = claims.claim_key
left join {{ ref('service_category_rules') }} as rules
    on least(claims.claim_priority, matched.line_priority) = rules.priority
