{# An accounting identity: a column sums to the same, source by source and to the cent, as in the relations that it rests
   on. `where` narrows the tested model; `to_expression` is what is summed there, the same column unless said. #}
{% test sums_match(model, to, column, where=none, to_expression=none) %}
with here as (
    select data_source, sum({{ column }}) as amount
    from {{ model }}
    {% if where %}where {{ where }}{% endif %}
    group by data_source
),

there as (
    select data_source, sum(amount) as amount
    from (
        {% for relation in to %}
        select data_source, {{ to_expression or column }} as amount from {{ relation }}
        {% if not loop.last %}union all{% endif %}
        {% endfor %}
    ) as rows_there
    group by data_source
)

select
    coalesce(here.data_source, there.data_source) as data_source,
    here.amount as amount_here,
    there.amount as amount_there
from here
full outer join there on here.data_source = there.data_source
where coalesce(here.amount, 0) <> coalesce(there.amount, 0)
{% endtest %}
