-- Rows and dollars of the marts that keep one row for each row of a feed, by the load that brought it: counted there, so
-- that a join that drops or doubles rows on the way shows. Marts that summarise are held by their own tests of sums.
select
    'medical_claim' as feed,
    load_id,
    count(*) as row_count,
    cast(coalesce(sum(charge_amount), 0) as decimal(38, 10)) as amount
from {{ ref('mart_claim_encounter_match') }}
group by load_id

union all

select
    'medical_claim_line', load_id, count(*),
    cast(coalesce(sum(charge_amount), 0) as decimal(38, 10))
from {{ ref('fct_claim_line') }}
where has_line_record
group by load_id

union all

select
    'pharmacy_fill', load_id, count(*),
    cast(coalesce(sum(paid_amount), 0) as decimal(38, 10))
from {{ ref('fct_pharmacy_fill') }}
group by load_id

union all

select
    'ledger_posting', load_id, count(*),
    cast(coalesce(sum(amount), 0) as decimal(38, 10))
from {{ ref('int_finance__ledger_amounts') }}
group by load_id

union all

select
    'encounter', load_id, count(*),
    cast(coalesce(sum(charge_amount), 0) as decimal(38, 10))
from {{ ref('fct_encounter') }}
where encounter_basis = 'record'
group by load_id

union all

-- The amount of these feeds is an average as published; its sum means nothing but that every row arrived.
select
    case when geography_level = 'provider' then 'ipps_provider_drg' else 'ipps_geography_drg' end, load_id, count(*),
    cast(coalesce(sum(average_medicare_payment_amount), 0) as decimal(38, 10))
from {{ ref('fct_ipps_payment') }}
group by geography_level = 'provider', load_id

union all

-- Each transaction and each provider adjustment is an event of its own. A remittance's lines are not: they meet in one
-- event for each adjudication, and sums of the whole feed hold their dollars.
select
    loads.feed, events.load_id, count(*),
    cast(coalesce(sum(events.adjustment_amount), 0) as decimal(38, 10))
from {{ ref('fct_claim_event') }} as events
inner join {{ ref('int_lake__active_loads') }} as loads on events.load_id = loads.load_id
where loads.feed in ('patient_accounting', 'provider_adjustment')
group by loads.feed, events.load_id
