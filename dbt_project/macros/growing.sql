{# Models that grow are rewritten only where something changed; every other row stays as it is.

   int_lake__changed_loads numbers the builds in which loads began or ceased to count. int_lake__touched_claims and
   int_lake__touched_people name, build by build, every claim and person that a row of those loads names or ever named.
   A growing model states its unit (meta: unit), and its hooks delete and its text writes again the units touched since
   the build that it holds. Which build that is stands in intermediate.built, written in the model's own transaction: a
   build that dies half way is caught up with by the next, model by model, and a build of a few models alone never makes
   the others believe that they have seen what they have not.

   What grows stands below a staging view, and every staging view below int_lake__repeated_rows, which waits for the touched
   claims and people; so they are named here without ref(), which would make every unit test bring rows of them.

   When SQL, rules or macros change, all that grows is made anew, as it is by `dbt build --full-refresh`. On Spark these
   models are plain tables. #}

{# config(materialized=growing(), meta={'unit': …}): unit is a column: claim_token, claim_key, member_token, posting_id … #}
{% macro growing() %}
    {{- return('incremental' if target.type == 'duckdb' else 'table') -}}
{% endmacro %}

{% macro make_intermediate_schema() %}
    create schema if not exists intermediate
{% endmacro %}

{# What each table holds and each test passed. #}
{% macro make_built() %}
    create table if not exists intermediate.built (
        model {{ dbt.type_string() }}, build_number bigint, rules {{ dbt.type_string() }}, changed_build bigint
    );
    {%- if target.type == 'duckdb' %}
    alter table intermediate.built add column if not exists changed_build bigint;
    {%- endif %}
    create table if not exists intermediate.passed (
        test {{ dbt.type_string() }}, asked {{ dbt.type_string() }}, changed_build bigint, rules {{ dbt.type_string() }}
    )
{% endmacro %}

{# dbt asks this before every incremental model: rules that changed apply to every row, and so does a flag. #}
{% macro should_full_refresh() %}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}{{ return(configured) }}{%- endif -%}
    {{- return(flags.FULL_REFRESH or held_build() is none) -}}
{% endmacro %}

{# The build that this model holds; none if it never was built, or by other rules, which apply to all of its rows. A model
   that only ever grows (full_refresh: false) says what came in, which no rule changes. #}
{% macro held_build() %}
    {%- set query -%}
    select max(build_number) from intermediate.built where model = '{{ model.name }}'
    {%- if config.get('full_refresh') is none %} and rules = '{{ env_var("CLAIMHOUSE_RULES", "") }}'{% endif -%}
    {%- endset -%}
    {{- return(run_query(query).columns[0].values()[0]) -}}
{% endmacro %}

{# The newest build that all tables above this model hold; none above int_lake__changed_loads. #}
{% macro build_above() %}
    {%- set query = query_for_build_above() -%}
    {{- return(run_query(query).columns[0].values()[0] if query is not none else none) -}}
{% endmacro %}

{% macro query_for_build_above() %}
    {%- set tables = read_above().tables -%}
    {%- if not tables -%}{{ return(none) }}{%- endif -%}
    {{- return("select min(build_number) from intermediate.built where model in ('" ~ tables | join("', '") ~ "')") -}}
{% endmacro %}

{# True where the model is written by unit in this run; in a unit test there is nothing to grow. #}
{% macro is_growing() %}
    {{- return(this is not none and is_incremental() and model.config.meta.get('unit') is not none) -}}
{% endmacro %}

{% macro touched_relation() -%}
    intermediate.touched__{{ model.name }}
{%- endmacro %}

{# The unit of a row; rows of nobody (and, with meta `nobody`, of no claim) are a unit too. #}
{% macro unit_of(column, unit) -%}
    {%- if unit == 'member_token' or model.config.meta.get('nobody') -%}coalesce({{ column }}, ''){%- else -%}{{ column }}{%- endif -%}
{%- endmacro %}

{# First hook: the units to write again. `touched_by` in meta names another macro that finds them, `also` one that finds
   more of them. #}
{% macro find_touched() %}
    {%- if is_growing() -%}
    {%- set meta = model.config.meta -%}
    {%- set finder = meta.get('touched_by') or ('touched_people' if meta.unit == 'member_token' else 'touched_claims') -%}
    create or replace table {{ touched_relation() }} as
    {{ context[finder]() }}
    {%- if meta.get('also') %}
    union
    {{ context[meta.also]() }}
    {%- endif %}
    {%- endif -%}
{% endmacro %}

{# Second hook: units from which every row went away must lose them too, so the delete stands apart from the insert. #}
{% macro forget_touched() %}
    {%- if is_growing() -%}
    {%- set unit = model.config.meta.unit -%}
    delete from {{ this }} where {{ unit_of(unit, unit) }} in (select {{ unit }} from {{ touched_relation() }} where {{ unit }} is not null)
    {%- endif -%}
{% endmacro %}

{# In the model's own text, behind each table that is read by unit; `unit` where the column is called otherwise. Made anew, a model
   that is made in slices reads one slice of them here, by the same column or `sliced_by`. #}
{% macro only_touched(column, word='where', unit=none, sliced_by=none) -%}
    {%- set unit = unit or column.split('.')[-1] -%}
    {%- if is_growing() %}
    {{ word }} {{ unit_of(column, unit) }} in (select {{ unit }} from {{ touched_relation() }})
    {%- elif slice_count() > 1 %}
    {{ word }} (getvariable('slice') is null or hash({{ sliced_by or column }}) % {{ slice_count() }} = getvariable('slice'))
    {%- endif -%}
{%- endmacro %}

{# Last hook, in the model's transaction: which build it holds now, and in which its rows last changed. One statement, since
   every model pays for it. #}
{% macro remember_built() %}
    {%- if target.type == 'duckdb' and execute -%}
    {%- set is_first = model.name == 'int_lake__changed_loads' -%}
    {%- set query = 'select coalesce(max(build_number), 0) from ' ~ this if is_first else query_for_build_above() or 'select null' -%}
    merge into intermediate.built as built
    using (
        select '{{ model.name }}' as model, ({{ query }}) as build_number, '{{ env_var("CLAIMHOUSE_RULES", "") }}' as rules,
            ({{ query_for_changed_build() or 'select null' }}) as changed_build
    ) as told
        on built.model = told.model
    when matched then update set build_number = told.build_number, rules = told.rules, changed_build = told.changed_build
    when not matched then insert values (told.model, told.build_number, told.rules, told.changed_build)
    {%- endif -%}
{% endmacro %}

{# The builds that this model has not seen, as a condition on build_number. #}
{% macro unseen_builds() -%}
    build_number > {{ held_build() }} and build_number <= {{ build_above() }}
{%- endmacro %}

{% macro touched_claims() %}
    select claim_token, claim_key from intermediate.int_lake__touched_claims where {{ unseen_builds() }} group by claim_token, claim_key
{% endmacro %}

{# The same, and the rows that name no claim. #}
{% macro touched_claims_and_nobody() %}
    {{ touched_claims() }}
    union
    select '', ''
{% endmacro %}

{# Claims that take the place of a touched one: they take back what it charged. #}
{% macro replacements_of_touched_claims() %}
    select claim_token, claim_key from {{ ref('int_claim__links') }}
    where original_claim_token in (select claim_token from intermediate.int_lake__touched_claims where {{ unseen_builds() }})
{% endmacro %}

{# All claims where what payers agreed to pay changed: a price may be any claim's. New claims are touched anyway. #}
{% macro claims_with_other_prices() %}
    select distinct claim_token, claim_key from intermediate.int_claim__expected_amounts
    where exists (
        select 1 from intermediate.int_lake__changed_loads where feed = 'contracted_rate' and {{ unseen_builds() }}
    )
{% endmacro %}

{# Claims that may stand on one bill with a touched one, now or before: those of its people. #}
{% macro claims_of_touched_people() %}
    select claim_token, claim_key from {{ ref('fct_claim') }}
    where member_token in (select member_token from intermediate.int_lake__touched_people where {{ unseen_builds() }})
{% endmacro %}

{# Postings of changed loads: each is a unit of its own. #}
{% macro touched_postings() %}
    select posting_id from {{ source('raw', 'ledger_posting') }}
    where load_id in (select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }})
{% endmacro %}

{# Documents whose amounts were written again or taken away on either side, and those that have not agreed so far. A row of
   nobody is always touched. #}
{% macro touched_documents() %}
    with claims as (
        {{ touched_claims_and_nobody() }}
        union
        {{ replacements_of_touched_claims() }}
    ),

    postings as (
        {{ touched_postings() }}
    )

    select document_hash from {{ ref('int_finance__warehouse_amounts') }}
    where coalesce(claim_token, '') in (select claim_token from claims)
    union
    select document_hash from {{ ref('int_finance__ledger_amounts') }}
    where posting_id in (select posting_id from postings)
    union
    select document_hash from {{ this }}
    where coalesce(claim_token, '') in (select claim_token from claims) or posting_id in (select posting_id from postings)
    {%- for side in (ref('int_finance__warehouse_amounts'), ref('int_finance__ledger_amounts')) %}
    union
    select side.document_hash from {{ side }} as side
    where not exists (select 1 from {{ this }} as tied where tied.document_hash = side.document_hash)
    {%- endfor %}
{% endmacro %}

{% macro touched_people() %}
    select member_token from intermediate.int_lake__touched_people where {{ unseen_builds() }}
    union
    select ''
{% endmacro %}

{# Claims that a late claim of their stay moved to another encounter; their own rows did not change. #}
{% macro claims_that_moved() %}
    select known.claim_token, known.claim_key
    from {{ this }} as known
    left join {{ ref('int_encounter__claim_encounters') }} as grouped on known.claim_key = grouped.claim_key
    where coalesce(known.encounter_key, '') <> coalesce(grouped.encounter_key, '')
{% endmacro %}

{# Whether a record's encounter was billed is unknown until its sender sends claims, then it is known of all of them. #}
{% macro people_whose_claims_became_known() %}
    select coalesce(known.member_token, '')
    from {{ this }} as known
    left join (select distinct data_source from {{ ref('stg_medical_claim__claims') }}) as senders on known.data_source = senders.data_source
    where known.encounter_basis = 'record' and (known.claim_count is null) <> (senders.data_source is null)
{% endmacro %}

{# Of the rows of changed loads, and of those that they repeat or stood before, which may name another claim. Where
   changed_loads is at hand. #}
{% macro columns_of_changed_rows(feed, columns) -%}
    select lake_rows.data_source{% for column in columns %}, lake_rows.{{ column }}{% endfor %}
    from {{ source('raw', feed) }} as lake_rows
    inner join (
        select distinct data_source{% for column in feeds()[feed].key %}, {{ column }}{% endfor %}
        from {{ source('raw', feed) }}
        where load_id in (select load_id from changed_loads)
    ) as keys
        on lake_rows.data_source = keys.data_source
        {%- for column in feeds()[feed].key %} and lake_rows.{{ column }} = keys.{{ column }}{% endfor %}
{%- endmacro %}

{# Keys of the rows of a changed load, of whatever feed. #}
{% macro changed_row_keys() %}
    {%- for feed, rules in feeds().items() %}
    select {{ surrogate_key(["'" ~ feed ~ "'", 'data_source'] + rules.key) }} as row_key from {{ source('raw', feed) }}
    where load_id in (select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }})
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{# Member months to write again: all of touched people; of others, those from the month on in which their sender's horizon
   was or is now, since an open enrolment is known up to there. A row has the key of a month to delete, a person, or a
   sender's first open month. #}
{% macro touched_member_months() %}
    with people as (
        {{ touched_people() }}
    ),

    open_months as (
        select horizons.data_source, least({{ month_of('horizons.horizon_date') }}, max(known.member_month)) as first_open_month
        from {{ ref('int_calendar__horizons') }} as horizons
        inner join {{ this }} as known on horizons.data_source = known.data_source
        group by horizons.data_source, horizons.horizon_date
    )

    select known.member_month_key, cast(null as {{ dbt.type_string() }}) as member_token,
        cast(null as {{ dbt.type_string() }}) as data_source, cast(null as date) as first_open_month
    from {{ this }} as known
    left join open_months on known.data_source = open_months.data_source
    where known.member_token in (select member_token from people) or known.member_month >= open_months.first_open_month
    union all
    select null, member_token, null, null from people
    union all
    select null, null, data_source, first_open_month from open_months
{% endmacro %}

{% macro only_touched_member_months(member, source, month) %}
    {%- if is_growing() %}
where
    {{ member }} in (select member_token from {{ touched_relation() }} where member_token is not null)
    or exists (
        select 1 from {{ touched_relation() }} as touched
        where touched.data_source = {{ source }} and {{ month }} >= touched.first_open_month
    )
    {%- endif %}
{% endmacro %}
