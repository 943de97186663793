{# What is too wide for memory is made in slices of its units, one after the other: each slice is small enough to be held, where the
   whole would be spilled to disk and read again (docs/decisions/speed.md). A model says into how many (meta: slices), names
   only_touched() behind everything that it reads, by one and the same unit, and needs nothing of another unit's rows.

   Which slice is made stands in a variable of the connection. Where none is set, as in a test, everything is read. #}

{% macro slice_count() %}
    {%- set is_sliced = target.type == 'duckdb' and model.resource_type == 'model' -%}
    {{- return(model.config.meta.get('slices', 1) if is_sliced else 1) -}}
{% endmacro %}

{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}
    {%- set whole = dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) -%}
    {%- if temporary or slice_count() == 1 -%}{{ return(whole) }}{%- endif -%}
    set variable slice = 0;
    {{ whole }};
    {%- for slice in range(1, slice_count()) %}
    set variable slice = {{ slice }};
    insert into {{ relation }} by name {{ compiled_code }};
    {%- endfor %}
    reset variable slice
{% endmacro %}
