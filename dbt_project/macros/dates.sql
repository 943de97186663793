{# Date arithmetic that gives a DATE on every engine; date + interval is a timestamp on one and a date on the other. #}
{% macro month_of(expression) -%}
    cast(date_trunc('month', {{ expression }}) as date)
{%- endmacro %}

{% macro add_to_date(part, number, expression) -%}
    cast({{ dbt.dateadd(part, number, expression) }} as date)
{%- endmacro %}

{% macro days_between(first, last) -%}
    {{ dbt.datediff(first, last, 'day') }}
{%- endmacro %}

{# Whole months from one month's first day to another's. #}
{% macro months_between(first, last) -%}
    ((year({{ last }}) - year({{ first }})) * 12 + month({{ last }}) - month({{ first }}))
{%- endmacro %}

{# Nights of a stay, where CMS counts a stay that ends on the day it began as one day. #}
{% macro stay_days(first, last) -%}
    greatest({{ dbt.datediff(first, last, 'day') }}, 1)
{%- endmacro %}
