{# Columns that are never NULL, all looked at in one pass: a row for each that is. #}
{% test filled(model, columns) %}
with counts as (
    select {% for column in columns %}count(*) - count({{ column }}) as {{ column }}{% if not loop.last %}, {% endif %}{% endfor %}
    from {{ model }}
)
{% for column in columns %}
select '{{ column }}' as column_name, {{ column }} as row_count from counts where {{ column }} > 0
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% endtest %}
