{%- set exclusions = ['repeated_key', 'sent_to_further_payer', 'sent_to_earlier_payer', 'sent_before'] %}
{% for feed, rules in feeds().items() %}
{%- set amount = ('cast(' ~ rules.amount ~ ' as decimal(38, 10))') if rules.amount else 'cast(null as decimal(38, 10))' %}
select
    '{{ feed }}' as feed,
    load_id,
    data_source,
    count(*) as rows_in,
    count(*) filter (where not is_repeated) as rows_staged,
    {%- for exclusion in exclusions %}
    count(*) filter (where exclusion = '{{ exclusion }}') as rows_{{ exclusion }},
    {%- endfor %}
    {% if rules.amount -%}
    cast(coalesce(sum({{ amount }}), 0) as decimal(38, 10)) as amount_in,
    cast(coalesce(sum({{ amount }}) filter (where not is_repeated), 0) as decimal(38, 10)) as amount_staged
    {%- for exclusion in exclusions %},
    cast(coalesce(sum({{ amount }}) filter (where exclusion = '{{ exclusion }}'), 0) as decimal(38, 10)) as amount_{{ exclusion }}
    {%- endfor %}
    {%- else -%}
    {{ amount }} as amount_in,
    {{ amount }} as amount_staged
    {%- for exclusion in exclusions %},
    {{ amount }} as amount_{{ exclusion }}
    {%- endfor %}
    {%- endif %}
from ({{ active_rows(feed) }}) as {{ feed }}_rows
group by load_id, data_source
{% if not loop.last %}union all{% endif %}
{% endfor %}
