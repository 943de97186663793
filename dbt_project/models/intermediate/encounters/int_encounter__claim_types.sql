{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_key'}
) }}

-- Which kind of encounter a claim tells of, by the first rule that one of its lines fits.
with lines as (
    select
        distinct categories.claim_key, lines.claim_type, lines.claim_start_date, categories.service_category_1,
        categories.service_category_2
    from {{ ref('int_claim__lines') }} as lines
    inner join {{ ref('int_claim__line_categories') }} as categories on lines.claim_line_key = categories.claim_line_key
    where lines.has_claim_record{{ only_touched('lines.claim_key', 'and') }}
),

matched as (
    select lines.claim_key, min(rules.precedence) as precedence
    from lines
    inner join {{ ref('encounter_rules') }} as rules
        on (rules.claim_type is null or rules.claim_type = lines.claim_type)
        and (rules.service_category_1 is null or rules.service_category_1 = lines.service_category_1)
        and (rules.service_category_2 is null or rules.service_category_2 = lines.service_category_2)
        and lines.claim_start_date >= rules.effective_from
        and lines.claim_start_date <= coalesce(rules.effective_to, cast('9999-12-31' as date))
    group by lines.claim_key
)

select matched.claim_key, matched.precedence, rules.encounter_type, rules.grouped_by
from matched
inner join {{ ref('encounter_rules') }} as rules on matched.precedence = rules.precedence
