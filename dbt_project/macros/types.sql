{# Money that moves: exact, two decimals. Sums widen on some engines and are brought back here. #}
{% macro usd(expression) -%}
    cast({{ expression }} as decimal(18, 2))
{%- endmacro %}

{% macro text(expression) -%}
    cast({{ expression }} as {{ dbt.type_string() }})
{%- endmacro %}
