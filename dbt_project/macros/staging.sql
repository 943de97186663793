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
   last line. Loads tie in no case: load_id closes the order. A key with an unknown part repeats nothing.

   Where rows are submissions to payers, a claim is that first payer's to whom it was sent last: of several first payers by the day
   of sending, for files come in any order, and of one payer by its latest word. What is sent on to another (secondary), and what
   is voided with another, does not take the claim from it. The last word to each of them, and the last to each payer before another
   had the claim, repeats nothing, nor does what an 837 sent to any of them before, on another day or for another purpose: a flat
   file says again what it knows of a claim, an 837 sends it again. They are left out under names of their own, and a staging model of its own has them. #}
{% macro repeated_rows(feed) %}
{%- set key = feeds()[feed].key %}
{%- set payers = feeds()[feed].payers %}
{%- set parts = ["'" ~ feed ~ "'", 'lake_rows.data_source'] -%}
{%- for column in key -%}{%- do parts.append('lake_rows.' ~ column) -%}{%- endfor -%}
{%- set columns %}lake_rows.data_source{% for column in key %}, lake_rows.{{ column }}{% endfor %}{% endset %}
{%- set order = 'loaded_at desc, load_number desc, load_id desc, source_line_number desc, source_part_number desc' %}
{%- if payers %}{% set order = 'case when is_sent_again then submitted_date end desc nulls last, ' ~ order %}{% endif %}
select
    feed,
    row_key,
    load_id,
    source_line_number,
    source_part_number,
    {% if payers -%}
    case
        when is_behind = 1 and (word_rank = 1 or sent_as <> next_word_as) then case when is_further = 1 then 'sent_to_further_payer' else 'sent_to_earlier_payer' end
        when is_behind = 0 and sent_to <> next_sent_to then 'sent_to_earlier_payer'
        when is_behind = 0 and sent_as <> next_sent_as then 'sent_before'
        else 'repeated_key'
    end
    {%- else %}'repeated_key'{% endif %} as exclusion
from (
    select
        feed,
        row_key,
        load_id,
        source_line_number,
        source_part_number,
        {%- if payers %}
        is_behind,
        is_further,
        sent_to,
        sent_as,
        lag(sent_to) over (partition by row_key, is_behind order by {{ order }}) as next_sent_to,
        lag(sent_as) over (partition by row_key, is_behind order by {{ order }}) as next_sent_as,
        row_number() over (partition by row_key, is_behind, is_further, payer_id order by {{ order }}) as word_rank,
        lag(sent_as) over (partition by row_key, is_behind, is_further, payer_id order by {{ order }}) as next_word_as,
        {%- endif %}
        row_number() over (partition by row_key order by {% if payers %}is_behind, {% endif %}{{ order }}) as key_rank
    from (
        select
            *
            {%- if payers %},
            case when is_first = 0 and payer_id <> first_payer then 1 else 0 end as is_behind
            {%- endif %}
        from (
            select
                *
                {%- if payers %},
                first_value(case when is_first = 1 then payer_id end) over (
                    partition by row_key order by is_first desc, {{ order }}
                ) as first_payer
                {%- endif %}
            from (
                select
                    '{{ feed }}' as feed,
                    {{ surrogate_key(parts) }} as row_key,
                    lake_rows.load_id,
                    lake_rows.source_line_number,
                    lake_rows.source_part_number,
                    {%- if payers %}
                    lake_rows.payer_id,
                    lake_rows.submitted_date,
                    case when lake_rows.claim_status = 'submitted' then lake_rows.payer_id end as sent_to,
                    case when lake_rows.coverage_rank = 'secondary' then 1 else 0 end as is_further,
                    {{ is_first_payers() }} as is_first,
                    {%- set first %}case when {{ is_first_payers() }} = 1 and lake_rows.claim_status = 'submitted' then lake_rows.payer_id end{% endset %}
                    {%- set as %}case when loads.layout = 'x12' then {{ dbt.concat(["cast(lake_rows.submitted_date as " ~ dbt.type_string() ~ ")", "' '", "coalesce(lake_rows.claim_frequency_code, '1')"]) }} end{% endset %}
                    {{ as }} as sent_as,
                    min({{ first }}) over (partition by {{ columns }}) <> max({{ first }}) over (partition by {{ columns }})
                    or min({{ as }}) over (partition by {{ columns }}) <> max({{ as }}) over (partition by {{ columns }})
                        as is_sent_again,
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
        ) as told
    ) as placed
) as ranked
where key_rank > 1
{% endmacro %}

{# Whether a claim in the lake goes to a payer that pays first, and is no void. #}
{% macro is_first_payers() -%}
    case when coalesce(lake_rows.coverage_rank, 'primary') = 'primary' and coalesce(lake_rows.claim_frequency_code, '1') <> '8' then 1 else 0 end
{%- endmacro %}
