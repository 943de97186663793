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
