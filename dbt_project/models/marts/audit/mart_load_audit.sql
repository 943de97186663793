-- Where did my dollar go? Each load at each step: what came in, what went on, what was set aside, what was left out by name.
with loads as (
    select * from {{ ref('int_lake__loads') }}
),

staged as (
    select
        *,
        rows_repeated_key + rows_sent_to_further_payer + rows_sent_to_earlier_payer + rows_sent_before as rows_left_out,
        amount_repeated_key + amount_sent_to_further_payer + amount_sent_to_earlier_payer + amount_sent_before as amount_left_out
    from {{ ref('int_lake__staged_counts') }}
),

-- From the landed file into the lake, as the reader counted it, and as the bytes were counted another way.
into_lake as (
    select
        load_id,
        'landing_to_lake' as layer,
        cast(1 as integer) as layer_number,
        rows_read as rows_in,
        rows_accepted,
        rows_set_aside,
        rows_excluded,
        amount_read as amount_in,
        amount_accepted,
        amount_set_aside,
        amount_excluded,
        raw_row_count,
        raw_amount,
        control_row_count,
        control_amount,
        case
            when load_state = 'set_aside' then null      -- nothing could be counted in a file that cannot be read
            else
                coalesce(is_conserved, false)
                and rows_read = rows_accepted + rows_set_aside + rows_excluded
                and coalesce(raw_row_count = rows_read, false)
                and coalesce(amount_read = amount_accepted + amount_set_aside + amount_excluded, true)
                and coalesce(raw_amount = amount_read, true)
                and coalesce(control_matches, true)
        end as is_conserved
    from loads
),

-- From the lake into the warehouse. Rows of a load that does not count are left out under the name of its state; of an
-- active load, rows whose key came again or that send a claim on to a further payer. The rows counted here must be those that the reader says it wrote.
into_staging as (
    select
        loads.load_id,
        'lake_to_staging' as layer,
        cast(2 as integer) as layer_number,
        case when loads.load_state = 'active' then coalesce(staged.rows_in, 0) else loads.rows_accepted end as rows_in,
        case when loads.load_state = 'active' then coalesce(staged.rows_staged, 0) else 0 end as rows_accepted,
        cast(0 as bigint) as rows_set_aside,
        case when loads.load_state = 'active' then coalesce(staged.rows_left_out, 0) else loads.rows_accepted end
            as rows_excluded,
        case when loads.load_state = 'active' then coalesce(staged.amount_in, loads.amount_accepted) else loads.amount_accepted end
            as amount_in,
        case
            when loads.amount_accepted is null then null
            when loads.load_state = 'active' then coalesce(staged.amount_staged, 0)
            else 0
        end as amount_accepted,
        case when loads.amount_accepted is not null then 0 end as amount_set_aside,
        case
            when loads.amount_accepted is null then null
            when loads.load_state = 'active' then coalesce(staged.amount_left_out, 0)
            else loads.amount_accepted
        end as amount_excluded,
        cast(null as bigint) as raw_row_count,
        cast(null as decimal(38, 10)) as raw_amount,
        cast(null as bigint) as control_row_count,
        cast(null as decimal(38, 10)) as control_amount,
        case
            when loads.load_state <> 'active' then true
            else
                coalesce(staged.rows_in, 0) = loads.rows_accepted
                and coalesce(staged.rows_in = staged.rows_staged + staged.rows_left_out, true)
                and coalesce(staged.amount_in = loads.amount_accepted, true)
                and coalesce(staged.amount_in = staged.amount_staged + staged.amount_left_out, true)
        end as is_conserved
    from loads
    left join staged on loads.load_id = staged.load_id and loads.feed = staged.feed
    where loads.load_state <> 'set_aside'
),

marts as (
    select
        load_id,
        feed,
        cast(coalesce(sum(row_count) filter (where exclusion is null), 0) as bigint) as rows_kept,
        cast(coalesce(sum(row_count) filter (where exclusion is not null), 0) as bigint) as rows_left_out,
        coalesce(sum(amount) filter (where exclusion is null), 0) as amount_kept,
        coalesce(sum(amount) filter (where exclusion is not null), 0) as amount_left_out
    from {{ ref('int_lake__mart_counts') }}
    group by load_id, feed
),

-- From staging into the marts: a row for a row, or left out by name.
into_marts as (
    select
        loads.load_id,
        'staging_to_marts' as layer,
        cast(3 as integer) as layer_number,
        coalesce(staged.rows_staged, 0) as rows_in,
        coalesce(marts.rows_kept, 0) as rows_accepted,
        cast(0 as bigint) as rows_set_aside,
        coalesce(marts.rows_left_out, 0) as rows_excluded,
        case when loads.amount_accepted is not null then coalesce(staged.amount_staged, 0) end as amount_in,
        case when loads.amount_accepted is not null then coalesce(marts.amount_kept, 0) end as amount_accepted,
        case when loads.amount_accepted is not null then 0 end as amount_set_aside,
        case when loads.amount_accepted is not null then coalesce(marts.amount_left_out, 0) end as amount_excluded,
        cast(null as bigint) as raw_row_count,
        cast(null as decimal(38, 10)) as raw_amount,
        cast(null as bigint) as control_row_count,
        cast(null as decimal(38, 10)) as control_amount,
        coalesce(staged.rows_staged, 0) = coalesce(marts.rows_kept, 0) + coalesce(marts.rows_left_out, 0)
        and (
            loads.amount_accepted is null
            or coalesce(staged.amount_staged, 0) = coalesce(marts.amount_kept, 0) + coalesce(marts.amount_left_out, 0)
        ) as is_conserved
    from loads
    left join staged on loads.load_id = staged.load_id and loads.feed = staged.feed
    left join marts on loads.load_id = marts.load_id and loads.feed = marts.feed
    where loads.load_state = 'active'
),

steps as (
    select * from into_lake
    union all
    select * from into_staging
    union all
    select * from into_marts
)

select
    {{ surrogate_key(['steps.load_id', 'steps.layer']) }} as load_audit_key,
    steps.load_id,
    loads.feed,
    steps.layer,
    steps.layer_number,
    loads.data_source,
    loads.layout,
    loads.file_name,
    loads.batch_id,
    cast(loads.load_number as integer) as load_number,
    loads.loaded_at,
    loads.load_state,
    loads.reason_code,
    steps.rows_in,
    steps.rows_accepted,
    steps.rows_set_aside,
    steps.rows_excluded,
    cast(steps.amount_in as decimal(38, 10)) as amount_in,
    cast(steps.amount_accepted as decimal(38, 10)) as amount_accepted,
    cast(steps.amount_set_aside as decimal(38, 10)) as amount_set_aside,
    cast(steps.amount_excluded as decimal(38, 10)) as amount_excluded,
    steps.raw_row_count,
    cast(steps.raw_amount as decimal(38, 10)) as raw_amount,
    steps.control_row_count,
    cast(steps.control_amount as decimal(38, 10)) as control_amount,
    steps.is_conserved,
    loads.verdict as admission_verdict,
    loads.accepted_by,
    loads.accept_reason,
    loads.key_version
from steps
inner join loads on steps.load_id = loads.load_id
