{# What dbt does of itself otherwise on Spark: contracts and seeds. DuckDB runs none of this. #}

{# Spark knows varchar only with a length: where a contract or a seed says varchar, it is string there. #}
{% macro spark__get_empty_schema_sql(columns) %}
    {%- for column in columns.values() if column.data_type == 'varchar' -%}{%- do column.update({'data_type': 'string'}) -%}{%- endfor -%}
    {{- return(dbt.default__get_empty_schema_sql(columns)) -}}
{% endmacro %}

{% macro spark__create_csv_table(model, agate_table) %}
    {%- set types = model.config.column_types -%}
    {%- for name, type in types.items() if type == 'varchar' -%}{%- do types.update({name: 'string'}) -%}{%- endfor -%}
    {{- return(dbt.spark__create_csv_table(model, agate_table)) -}}
{% endmacro %}

{# Rows of a seed as literals: a Spark session binds an unknown value as the word None, and an apostrophe ends its text. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model.config.column_types -%}
    {%- for chunk in agate_table.rows | batch(1000) -%}
        {%- set rows = [] -%}
        {%- for row in chunk -%}
            {%- set cells = [] -%}
            {%- for name in agate_table.column_names -%}
                {%- set value = 'null' if row[name] is none else "'" ~ dbt.escape_single_quotes(row[name] | string) ~ "'" -%}
                {%- do cells.append('cast(' ~ value ~ ' as ' ~ types.get(name, adapter.convert_type(agate_table, loop.index0)) ~ ')') -%}
            {%- endfor -%}
            {%- do rows.append('(' ~ cells | join(', ') ~ ')') -%}
        {%- endfor -%}
        {%- do adapter.add_query('insert into ' ~ this.render() ~ ' values ' ~ rows | join(', '), abridge_sql_log=True) -%}
    {%- endfor -%}
    {{- return('select 1') -}}
{% endmacro %}
