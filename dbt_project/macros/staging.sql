{# Rows of a feed's active loads. `is_repeated` rows rank behind another row of their natural key, and are left out under the
   name of an `exclusion`: found by int_lake__repeated_rows and counted per load in int_lake__staged_counts. #}
{% macro active_rows(feed) %}
select
    lake_rows.*,
    repeated.load_id is not null as is_repeated,
    repeated.exclusion
from {{ source('raw', feed) }} as lake_rows
inner join {{ ref('int_lake__active_loads') }} as loads
    on lake_rows.load_id = loads.load_id and loads.feed = '{{ feed }}'
left join {{ ref('int_lake__repeated_rows') }} as repeated
    on repeated.feed = '{{ feed }}'
    and lake_rows.load_id = repeated.load_id
    and lake_rows.source_line_number = repeated.source_line_number
    and lake_rows.source_part_number = repeated.source_part_number
{% endmacro %}

{# The rows of a feed that rank behind another of their natural key: the row of the latest load wins, within a load the
   last line. Loads tie in no case: load_id closes the order. A key with an unknown part repeats nothing. Rows of which a
   feed says that they stand `behind` others win only where there are no others, and the last for each has a name of its own. #}
{% macro repeated_rows(feed) %}
{%- set key = feeds()[feed].key %}
{%- set behind = feeds()[feed].behind %}
{%- set parts = ["'" ~ feed ~ "'", 'lake_rows.data_source'] -%}
{%- for column in key -%}{%- do parts.append('lake_rows.' ~ column) -%}{%- endfor -%}
{%- set columns %}lake_rows.data_source{% for column in key %}, lake_rows.{{ column }}{% endfor %}{% endset %}
{%- set order = 'loaded_at desc, load_number desc, load_id desc, source_line_number desc, source_part_number desc' %}
select
    feed,
    row_key,
    load_id,
    source_line_number,
    source_part_number,
    {% if behind %}case when is_behind = 1 and behind_rank = 1 then '{{ behind.exclusion }}' else 'repeated_key' end
    {%- else %}'repeated_key'{% endif %} as exclusion
from (
    select
        feed,
        row_key,
        load_id,
        source_line_number,
        source_part_number,
        {%- if behind %}
        is_behind,
        row_number() over (partition by row_key, is_behind, {{ behind.each }} order by {{ order }}) as behind_rank,
        {%- endif %}
        row_number() over (partition by row_key order by {% if behind %}is_behind, {% endif %}{{ order }}) as key_rank
    from (
        select
            '{{ feed }}' as feed,
            {{ surrogate_key(parts) }} as row_key,
            lake_rows.load_id,
            lake_rows.source_line_number,
            lake_rows.source_part_number,
            {%- if behind %}
            {{ behind.when }} as is_behind,
            lake_rows.{{ behind.each }},
            {%- endif %}
            loads.loaded_at,
            loads.load_number
        from {{ source('raw', feed) }} as lake_rows
        inner join {{ ref('int_lake__active_loads') }} as loads
            on lake_rows.load_id = loads.load_id and loads.feed = '{{ feed }}'
        inner join (
            select {{ columns }}
            from {{ source('raw', feed) }} as lake_rows
            {%- if is_incremental() %}
            where lake_rows.load_id in (select load_id from changed_loads)
            group by {{ columns }}
            {%- else %}
            inner join {{ ref('int_lake__active_loads') }} as loads
                on lake_rows.load_id = loads.load_id and loads.feed = '{{ feed }}'
            group by {{ columns }}
            having count(*) > 1
            {%- endif %}
        ) as keys
            on lake_rows.data_source = keys.data_source
            {%- for column in key %} and lake_rows.{{ column }} = keys.{{ column }}{% endfor %}
    ) as candidates
) as ranked
where key_rank > 1
{% endmacro %}
