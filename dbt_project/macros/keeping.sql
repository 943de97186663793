{# What nothing changed above is kept: a table is not made again, a test that passed is not asked again.

   intermediate.built says of each table in which build of the lake its rows last changed (changed_build): the newest in which
   loads of a feed that it reads changed, or a table above it did. A table that stands at that build, made by these rules, is
   already what it would become. intermediate.passed says the same of each test that passed, by the SQL that it asked.

   What reads more than feeds (how loads were judged, what checks found, what Python answered) is always made, and so is what
   stands on it: its changed_build is NULL. A full refresh keeps nothing. On Spark nothing is kept. #}

{# The tables that tell all others what changed stand above everything, and would make everything change with every load.
   What a staging view takes from them is of the loads of its own feed. #}
{% macro tables_of_changes() %}
    {{- return([
        'int_lake__active_loads', 'int_lake__changed_loads', 'int_lake__touched_claims', 'int_lake__touched_people',
        'int_lake__repeated_rows',
    ]) -}}
{% endmacro %}

{# The tables right above this model or test, and through views, which hold what is under them, its feeds; is_outside where it
   reads anything else. #}
{% macro read_above() %}
    {%- set open = model.depends_on.nodes | list -%}
    {%- set above = {'tables': [], 'feeds': [], 'is_outside': false} -%}
    {%- for name in open -%}
        {%- set node = graph.nodes.get(name) or graph.sources.get(name) -%}
        {%- if not node or node.resource_type == 'seed' -%}
        {%- elif node.resource_type == 'source' -%}
            {%- if node.source_name == 'raw' -%}{%- do above.feeds.append(node.name) -%}
            {%- else -%}{%- do above.update({'is_outside': true}) -%}
            {%- endif -%}
        {%- elif node.config.materialized == 'view' -%}
            {%- for parent in node.depends_on.nodes -%}{%- if parent not in open -%}{%- do open.append(parent) -%}{%- endif -%}{%- endfor -%}
        {%- else -%}{%- do above.tables.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(above) -}}
{% endmacro %}

{# The build in which something above this model or test last changed, as SQL that may give NULL; none where nobody can say. #}
{% macro query_for_changed_build() %}
    {%- set above = read_above() -%}
    {#- A test of a source sees loads that do not count as well, and is asked before anybody knows what changed. -#}
    {%- set is_of_lake = model.resource_type == 'test' and model.sources -%}
    {%- if above.is_outside or is_of_lake or model.name in ('int_lake__active_loads', 'int_lake__changed_loads') -%}{{ return(none) }}{%- endif -%}
    {%- set changes = 'select coalesce(max(build_number), 0) as build_number from intermediate.int_lake__changed_loads' -%}
    {%- if model.name in tables_of_changes() -%}{{ return(changes) }}{%- endif -%}
    {%- set told = ['select 0 as build_number'] -%}
    {%- if above.feeds -%}{%- do told.append(changes ~ " where feed in ('" ~ above.feeds | join("', '") ~ "')") -%}{%- endif -%}
    {%- for table in above.tables if table not in tables_of_changes() -%}
        {%- do told.append("select max(changed_build) from intermediate.built where model = '" ~ table ~ "'") -%}
    {%- endfor -%}
    {{- return('select case when count(*) = count(build_number) then max(build_number) end from (' ~ told | join(' union all ') ~ ')') -}}
{% endmacro %}

{% macro is_kept() %}
    {%- set changed = query_for_changed_build() -%}
    {%- if flags.FULL_REFRESH or changed is none or load_cached_relation(this) is none -%}{{ return(false) }}{%- endif -%}
    {%- set query -%}
    select count(*) from intermediate.built
    where model = '{{ model.name }}' and rules = '{{ env_var("CLAIMHOUSE_RULES", "") }}' and changed_build = ({{ changed }})
    {%- endset -%}
    {{- return(run_query(query).columns[0].values()[0] > 0) -}}
{% endmacro %}

{# Its rows stay; it holds the newest build all the same. #}
{% macro keep() %}
    {%- set above = query_for_build_above() or 'select null' -%}
    {%- call statement('main') -%}
    update intermediate.built set build_number = ({{ above }})
    where model = '{{ model.name }}' and build_number is distinct from ({{ above }})
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{- return({'relations': [this.incorporate(type='table')]}) -}}
{% endmacro %}

{% materialization table, adapter='duckdb' %}
    {{- return(keep() if is_kept() else dbt.materialization_table_duckdb()) -}}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {{- return(keep() if is_kept() else dbt.materialization_incremental_duckdb()) -}}
{% endmaterialization %}

{% materialization test, adapter='duckdb' %}
    {%- set changed = query_for_changed_build() -%}
    {%- set asked = local_md5(sql) -%}
    {%- if changed is none -%}{{ return(dbt.materialization_test_default()) }}{%- endif -%}
    {%- set query -%}
    select changed_build, exists (
        select 1 from intermediate.passed as passed
        where passed.test = '{{ model.name }}' and passed.asked = '{{ asked }}' and passed.changed_build = now.changed_build
            and passed.rules = '{{ env_var("CLAIMHOUSE_RULES", "") }}'
    ) as is_kept
    from (select ({{ changed }}) as changed_build) as now
    {%- endset -%}
    {%- set known = run_query(query).rows[0] -%}
    {%- if known[1] and not flags.FULL_REFRESH -%}
        {%- call statement('main', fetch_result=true) -%}
        select 0 as failures, false as should_warn, false as should_error
        {%- endcall -%}
        {{- return({'relations': []}) -}}
    {%- endif -%}
    {%- set done = dbt.materialization_test_default() -%}
    {%- set verdict = load_result('main').data[0] -%}
    {%- if known[0] is not none and not verdict[1] and not verdict[2] -%}
        {%- do run_query(remembered_pass(asked, known[0])) -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
    {{- return(done) -}}
{% endmaterialization %}

{% macro remembered_pass(asked, changed_build) %}
    merge into intermediate.passed as passed
    using (select '{{ model.name }}' as test, '{{ asked }}' as asked, {{ changed_build }} as changed_build, '{{ env_var("CLAIMHOUSE_RULES", "") }}' as rules) as told
        on passed.test = told.test
    when matched then update set asked = told.asked, changed_build = told.changed_build, rules = told.rules
    when not matched then insert values (told.test, told.asked, told.changed_build, told.rules)
{% endmacro %}
