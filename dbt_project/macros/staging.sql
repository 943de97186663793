{# Rows of a feed's active loads, each with its rank among the rows of one natural key: the row of the latest load wins,
   within a load the last line. What ranks behind is the named exclusion `repeated_key`, counted per load in
   int_lake__staged_counts. Loads tie in no case: load_id closes the order. A key with an unknown part repeats nothing. #}
{% macro active_rows(feed) %}
{%- set key = feeds()[feed].key %}
select
    lake_rows.*,
    case
        when {% for column in key %}lake_rows.{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %} then 1
        else row_number() over (
            partition by lake_rows.data_source, {% for column in key %}lake_rows.{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}

            order by
                loads.loaded_at desc, loads.load_number desc, lake_rows.load_id desc,
                lake_rows.source_line_number desc, lake_rows.source_part_number desc
        )
    end as key_rank
from {{ source('raw', feed) }} as lake_rows
inner join {{ ref('int_lake__active_loads') }} as loads
    on lake_rows.load_id = loads.load_id and loads.feed = '{{ feed }}'
{% endmacro %}
