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
