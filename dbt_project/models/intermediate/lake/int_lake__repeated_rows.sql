{{ config(materialized=growing(), incremental_strategy='append', meta={'unit': 'row_key', 'touched_by': 'changed_row_keys'}) }}

-- depends_on: {{ ref('int_lake__changed_loads') }}, {{ ref('int_lake__touched_claims') }}, {{ ref('int_lake__touched_people') }}
{% if is_incremental() -%}
with changed_loads as (
    select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }}
)
{%- endif %}
{% for feed in feeds() %}
{{ repeated_rows(feed) }}
{%- if not loop.last %}
union all
{%- endif %}
{% endfor %}
