{# Fewer people than this in a cell are no pair of a price list: a mean over so few is no baseline, and its row would tell of
   them. Eleven is where CMS begins to publish its own inpatient cells. #}
{% macro fewest_people() -%}
    11
{%- endmacro %}
