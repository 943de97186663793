{# A surrogate key: a hash of the source and its natural key, so that it never shifts between rebuilds nor collides
   between sources. NULL parts are told apart from empty ones. #}
{% macro surrogate_key(columns) -%}
    {{ return(adapter.dispatch('surrogate_key')(columns)) }}
{%- endmacro %}

{% macro default__surrogate_key(columns) -%}
    md5({% for column in columns -%}
        coalesce(cast({{ column }} as {{ dbt.type_string() }}), '~'){% if not loop.last %} || '|' || {% endif %}
    {%- endfor %})
{%- endmacro %}

{# The same key, NULL where the natural part is NULL: for references that a row may lack. #}
{% macro optional_key(columns) -%}
    case when {{ columns[-1] }} is not null then {{ surrogate_key(columns) }} end
{%- endmacro %}

{# 64 bits of several columns of a table, quick to group and join by. Not a key: two rows may share it, so whoever uses it
   must hold the columns themselves against each other. #}
{% macro row_hash(columns, alias) -%}
    {{ return(adapter.dispatch('row_hash')(columns, alias)) }}
{%- endmacro %}

{% macro default__row_hash(columns, alias) -%}
    hash({% for column in columns %}{{ alias }}.{{ column }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}

{% macro spark__row_hash(columns, alias) -%}
    xxhash64({% for column in columns %}{{ alias }}.{{ column }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}

{# For a check that costs as much as the table it is of, as a condition on the table's surrogate key: all rows, or, where there
   are more than `most`, a sixteenth of them, and another at each build of new loads. #}
{% macro part_in_turn(relation, key, most=250000) -%}
    {%- if not execute or load_relation(relation) is none -%}{{ return('true') }}{%- endif -%}
    {%- set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] -%}
    {%- if rows <= most -%}{{ return('true') }}{%- endif -%}
    {%- set build = run_query('select coalesce(max(build_number), 0) from intermediate.built').columns[0].values()[0] -%}
    {{- return("left(" ~ key ~ ", 1) = '" ~ '0123456789abcdef'[build % 16] ~ "'") -}}
{%- endmacro %}
