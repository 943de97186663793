-- Why rows went where they went: the reader's reasons, then the warehouse's.
{%- set submissions = ['sent_to_further_payer', 'sent_to_earlier_payer', 'sent_before'] %}
with loads as (
    select * from {{ ref('int_lake__loads') }}
),

steps as (
    select * from {{ ref('mart_load_audit') }}
    where layer <> 'landing_to_lake'
),

staged as (
    select
        *,
        rows_sent_to_further_payer + rows_sent_to_earlier_payer + rows_sent_before as rows_of_submissions,
        amount_sent_to_further_payer + amount_sent_to_earlier_payer + amount_sent_before as amount_of_submissions
    from {{ ref('int_lake__staged_counts') }}
    where rows_sent_to_further_payer + rows_sent_to_earlier_payer + rows_sent_before > 0
),

outcomes as (
    select
        load_id, 'landing_to_lake' as layer, outcome, column_name, reason_code, row_count, amount
    from {{ ref('stg_lake__load_outcomes') }}

    union all

    select load_id, layer, 'accepted', null, null, rows_accepted, amount_accepted
    from steps
    where rows_accepted > 0

    union all

    select
        steps.load_id, steps.layer, 'excluded', null,
        case steps.load_state when 'active' then 'repeated_key' else steps.load_state end,
        steps.rows_excluded - coalesce(staged.rows_of_submissions, 0),
        steps.amount_excluded - coalesce(staged.amount_of_submissions, 0)
    from steps
    left join staged on steps.load_id = staged.load_id and steps.feed = staged.feed
    where steps.rows_excluded > coalesce(staged.rows_of_submissions, 0) and steps.layer = 'lake_to_staging'

    union all

    {%- for name in submissions %}
    select load_id, 'lake_to_staging', 'excluded', null, '{{ name }}', rows_{{ name }}, amount_{{ name }}
    from staged
    where rows_{{ name }} > 0

    union all
    {% endfor %}
    select load_id, 'staging_to_marts', 'excluded', null, exclusion, row_count, amount
    from {{ ref('int_lake__mart_counts') }}
    where exclusion is not null
)

select
    {{ surrogate_key(['outcomes.load_id', 'outcomes.layer', 'outcomes.outcome', 'outcomes.column_name', 'outcomes.reason_code']) }}
        as load_outcome_key,
    outcomes.load_id,
    loads.feed,
    loads.data_source,
    loads.file_name,
    loads.load_state,
    outcomes.layer,
    outcomes.outcome,
    outcomes.column_name,
    outcomes.reason_code,
    cast(outcomes.row_count as bigint) as row_count,
    cast(outcomes.amount as decimal(38, 10)) as amount
from outcomes
inner join loads on outcomes.load_id = loads.load_id
