{# Facts that grow are rewritten by month: the months of claims that a load touched which became active, or stopped being
   so, since the fact was last built. Which loads a fact was built from stands in intermediate.fact_loads, written in the
   fact's own transaction, together with a fingerprint of the code and rules that built it: when that changes, every month
   is rewritten. `dbt build --full-refresh` starts over. #}

{% macro make_fact_loads() %}
    create schema if not exists intermediate
{% endmacro %}

{% macro make_fact_loads_table() %}
    create table if not exists intermediate.fact_loads (fact {{ dbt.type_string() }}, load_id {{ dbt.type_string() }})
{% endmacro %}

{# A hash over the checksums of a model and of everything it is built from, seeds included. #}
{% macro code_version(node_id) %}
    {%- set seen = [node_id] -%}
    {%- for _ in range(25) -%}
        {%- for name in seen | list -%}
            {%- if name in graph.nodes -%}
                {%- for parent in graph.nodes[name].depends_on.nodes -%}
                    {%- if parent not in seen -%}{%- do seen.append(parent) -%}{%- endif -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set sums = [] -%}
    {%- for name in seen | sort -%}
        {%- if name in graph.nodes -%}{%- do sums.append(graph.nodes[name].checksum.checksum) -%}{%- endif -%}
    {%- endfor -%}
    {{- return('code:' ~ local_md5(sums | join('|'))) -}}
{% endmacro %}

{# First hook of a fact: the months to rewrite, as a table. `rows` is the relation of new rows, `also` more months. #}
{% macro find_changed_months(feeds, month, rows, also=none) %}
    {%- if not is_incremental() -%}
    select 1
    {%- else -%}
    {%- set built = "(select load_id from intermediate.fact_loads where fact = '" ~ this.identifier ~ "')" -%}
    {%- set version = code_version(model.unique_id) -%}
    create or replace table intermediate.changed_months__{{ this.identifier }} as
    with active_loads as (
        select load_id from {{ ref('int_lake__active_loads') }}
        where feed in ({% for feed in feeds %}'{{ feed }}'{% if not loop.last %}, {% endif %}{% endfor %})
    ),

    changed_loads as (
        select load_id from active_loads where load_id not in {{ built }}
        union all
        select load_id from intermediate.fact_loads
        where fact = '{{ this.identifier }}' and load_id not like 'code:%' and load_id not in (select load_id from active_loads)
    ),

    touched as (
        {%- for feed in feeds %}
        select data_source, claim_token from {{ source('raw', feed) }}
        where claim_token is not null and load_id in (select load_id from changed_loads)
        {%- if not loop.last %}
        union
        {%- endif %}
        {%- endfor %}
    ),

    everything as (
        select 1 as one where '{{ version }}' not in {{ built }}
    )

    select known.{{ month }} as changed_month from {{ this }} as known
    inner join touched on known.data_source = touched.data_source and known.claim_token = touched.claim_token
    union
    select fresh.{{ month }} from {{ rows }} as fresh
    inner join touched on fresh.data_source = touched.data_source and fresh.claim_token = touched.claim_token
    union
    select known.{{ month }} from {{ this }} as known cross join everything
    union
    select fresh.{{ month }} from {{ rows }} as fresh cross join everything
    {%- if also %}
    union
    {{ also }}
    {%- endif %}
    {%- endif %}
{% endmacro %}

{# Second hook: months from which every row went away must lose them too, so the delete stands apart from the insert. #}
{% macro forget_changed_months(month) %}
    {%- if is_incremental() -%}
    delete from {{ this }} where {{ month }} in (select changed_month from intermediate.changed_months__{{ this.identifier }})
    {%- else -%}
    select 1
    {%- endif -%}
{% endmacro %}

{# In the fact's own text. #}
{% macro only_changed_months(month) %}
    {%- if is_incremental() %}
where {{ month }} in (select changed_month from intermediate.changed_months__{{ this.identifier }})
    {%- endif %}
{% endmacro %}

{# Last hooks, in the fact's transaction: what it is built from now. #}
{% macro forget_fact_loads() %}
    delete from intermediate.fact_loads where fact = '{{ this.identifier }}'
{% endmacro %}

{% macro remember_fact_loads(feeds) %}
    insert into intermediate.fact_loads
    select '{{ this.identifier }}', load_id from {{ ref('int_lake__active_loads') }}
    where feed in ({% for feed in feeds %}'{{ feed }}'{% if not loop.last %}, {% endif %}{% endfor %})
    union all
    select '{{ this.identifier }}', '{{ code_version(model.unique_id) }}'
{% endmacro %}

{# Which months of each fact changed. A hook cannot hold these calls: it is text within text. #}
{% macro changed_pharmacy_fill_months() %}
    {{ find_changed_months(['pharmacy_fill'], 'incurred_month', '(select data_source, claim_token, ' ~ month_of('dispensing_date') ~ ' as incurred_month from ' ~ ref('stg_pharmacy_fill__fills') ~ ')') }}
{% endmacro %}

{% macro changed_claim_event_months() %}
    {{ find_changed_months(['medical_claim', 'remittance', 'remittance_adjustment', 'provider_adjustment', 'patient_accounting', 'work_record'], 'event_month', ref('int_claim__events')) }}
{% endmacro %}

{# A late claim of a stay may move other claims of the same person to another encounter: their months change as well. #}
{% macro changed_claim_line_months() %}
    {%- set also -%}
    select known.incurred_month
    from {{ this }} as known
    left join {{ ref('int_encounter__claim_encounters') }} as grouped on known.claim_key = grouped.claim_key
    where coalesce(known.encounter_key, '') <> coalesce(grouped.encounter_key, '')
    {%- endset -%}
    {{ find_changed_months(['medical_claim', 'medical_claim_line', 'remittance', 'remittance_adjustment'], 'incurred_month', ref('int_claim__lines'), also) }}
{% endmacro %}
