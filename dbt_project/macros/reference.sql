{# A code list of reference/, too long for a seed: it stands in the repository like one, so it is no asset of its own. #}
{% macro reference_list(name) -%}
    {{ return(adapter.dispatch('reference_list')(name)) }}
{%- endmacro %}

{% macro default__reference_list(name) -%}
    read_csv('{{ env_var("DBT_PROFILES_DIR") }}/reference/{{ name }}.csv.gz', header = true, all_varchar = true)
{%- endmacro %}

{% macro spark__reference_list(name) -%}
    (select _c0 as code, _c1 as effective_from, _c2 as effective_to
     from csv.`{{ env_var("DBT_PROFILES_DIR") }}/reference/{{ name }}.csv.gz` where _c0 <> 'code') as {{ name }}
{%- endmacro %}
