-- Every load ever made, and whether its rows count now. A load that waits or broke does not displace the one before it:
-- only a later load that may be read itself supersedes an earlier one of the same file.
with loads as (
    select * from {{ ref('stg_lake__loads') }}
),

admissions as (
    select * from {{ ref('stg_lake__admissions') }}
),

judged as (
    select
        loads.*,
        -- versions of one delivery lie beside each other in landing, as version=2/…, and share its name
        regexp_replace(loads.file_name, 'version=[0-9]+/', '') as delivery_name,
        admissions.verdict,
        admissions.accepted_by,
        admissions.accept_reason,
        coalesce(
            loads.status = 'read' and loads.is_conserved and admissions.verdict in ('admitted', 'accepted'), false
        ) as is_readable
    from loads
    left join admissions on loads.load_id = admissions.load_id
),

newest as (
    select
        feed,
        delivery_name,
        max(load_number) as load_number
    from judged
    where is_readable
    group by feed, delivery_name
)

select
    judged.*,
    case
        when judged.status <> 'read' then 'set_aside'
        when not coalesce(judged.is_conserved, false) then 'not_conserved'
        when judged.verdict is null then 'not_judged'
        when judged.verdict = 'held' then 'held'
        when judged.load_number < newest.load_number then 'superseded'
        else 'active'
    end as load_state
from judged
left join newest on judged.feed = newest.feed and judged.delivery_name = newest.delivery_name
