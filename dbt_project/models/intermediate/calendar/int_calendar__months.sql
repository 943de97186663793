with digits as (
    select 0 as digit union all select 1 union all select 2 union all select 3 union all select 4
    union all select 5 union all select 6 union all select 7 union all select 8 union all select 9
),

numbers as (
    select thousands.digit * 1000 + hundreds.digit * 100 + tens.digit * 10 + ones.digit as month_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    where thousands.digit < 3
),

months as (
    select {{ add_to_date('month', 'month_number', "cast('1900-01-01' as date)") }} as month_start_date
    from numbers
    where month_number < 2400
)

select
    month_start_date,
    {{ add_to_date('day', -1, add_to_date('month', 1, 'month_start_date')) }} as month_end_date,
    {{ days_between('month_start_date', add_to_date('month', 1, 'month_start_date')) }} as day_count
from months
