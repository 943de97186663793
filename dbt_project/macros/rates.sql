{# A quotient as DOUBLE, NULL where the denominator is zero or unknown: decimal division differs between engines, and a
   rate without a denominator is unknown, not zero. #}
{% macro rate(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
{%- endmacro %}
