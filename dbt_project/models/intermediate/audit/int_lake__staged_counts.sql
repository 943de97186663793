{% for feed, rules in feeds().items() %}
{%- set amount = ('cast(' ~ rules.amount ~ ' as decimal(38, 10))') if rules.amount else 'cast(null as decimal(38, 10))' %}
select
    '{{ feed }}' as feed,
    load_id,
    data_source,
    count(*) as rows_in,
    count(*) filter (where not is_repeated) as rows_staged,
    count(*) filter (where exclusion = 'repeated_key') as rows_repeated_key,
    count(*) filter (where exclusion = 'sent_to_further_payer') as rows_sent_to_further_payer,
    {% if rules.amount -%}
    cast(coalesce(sum({{ amount }}), 0) as decimal(38, 10)) as amount_in,
    cast(coalesce(sum({{ amount }}) filter (where not is_repeated), 0) as decimal(38, 10)) as amount_staged,
    cast(coalesce(sum({{ amount }}) filter (where exclusion = 'repeated_key'), 0) as decimal(38, 10)) as amount_repeated_key,
    cast(coalesce(sum({{ amount }}) filter (where exclusion = 'sent_to_further_payer'), 0) as decimal(38, 10))
        as amount_sent_to_further_payer
    {%- else -%}
    {{ amount }} as amount_in,
    {{ amount }} as amount_staged,
    {{ amount }} as amount_repeated_key,
    {{ amount }} as amount_sent_to_further_payer
    {%- endif %}
from ({{ active_rows(feed) }}) as {{ feed }}_rows
group by load_id, data_source
{% if not loop.last %}union all{% endif %}
{% endfor %}
