{# A key: never NULL, never twice. One query where `unique` and `not_null` are two, since what checks cost a build at night
   is their number. #}
{% test key(model, column_name) %}
select {{ column_name }}, count(*) as row_count
from {{ model }}
group by {{ column_name }}
having {{ column_name }} is null or count(*) > 1
{% endtest %}
