{{ config(materialized=growing(), incremental_strategy='append', full_refresh=false) }}

-- Claims of which a row came or went. Empty at first: a table made from nothing holds everything.
-- depends_on: {{ ref('int_lake__changed_loads') }}
{%- if is_incremental() %}
with changed_loads as (
    select load_id from {{ ref('int_lake__changed_loads') }} where {{ unseen_builds() }}
),

-- A replacement finds its original, a takeback its claim, and a decision the claim that its payer calls otherwise, by the payer's
-- control number: whichever row with such a number came or went, all claims that carry it are touched.
numbers as (
    select data_source, payer_claim_control_token from {{ source('raw', 'medical_claim') }}
    where claim_frequency_code in ('7', '8') and payer_claim_control_token is not null
    union
    select data_source, payer_claim_control_token from {{ source('raw', 'provider_adjustment') }}
    where payer_claim_control_token is not null
),

changed_remitted as (
    {{ columns_of_changed_rows('remittance', ['payer_claim_control_token', 'payer_id', 'member_token']) }}
),

changed_numbers as (
    select numbers.data_source, numbers.payer_claim_control_token
    from numbers
    inner join (
        select data_source, payer_claim_control_token from changed_remitted
        {%- for feed in ['medical_claim', 'provider_adjustment'] %}
        union
        {{ columns_of_changed_rows(feed, ['payer_claim_control_token']) }}
        {%- endfor %}
    ) as changed
        on numbers.data_source = changed.data_source and numbers.payer_claim_control_token = changed.payer_claim_control_token
),

-- Whether a claim was sent decides as well whose a number is that several carry.
remitted_numbers as (
    select data_source, payer_claim_control_token from changed_remitted
    union
    select remitted.data_source, remitted.payer_claim_control_token
    from {{ source('raw', 'remittance') }} as remitted
    inner join {{ source('raw', 'medical_claim') }} as headers
        on remitted.data_source = headers.data_source and remitted.claim_token = headers.claim_token
    where headers.load_id in (select load_id from changed_loads)
),

shared_numbers as (
    select remitted.data_source, remitted.payer_claim_control_token
    from {{ source('raw', 'remittance') }} as remitted
    inner join remitted_numbers
        on remitted.data_source = remitted_numbers.data_source
        and remitted.payer_claim_control_token = remitted_numbers.payer_claim_control_token
    group by remitted.data_source, remitted.payer_claim_control_token
    having min(remitted.claim_token) <> max(remitted.claim_token)
),

all_numbers as (
    select data_source, payer_claim_control_token from changed_numbers
    union
    select data_source, payer_claim_control_token from shared_numbers
),

linked as (
    {%- for feed in ['medical_claim', 'remittance'] %}
    select lake_rows.data_source, lake_rows.claim_token
    from {{ source('raw', feed) }} as lake_rows
    inner join all_numbers
        on lake_rows.data_source = all_numbers.data_source
        and lake_rows.payer_claim_control_token = all_numbers.payer_claim_control_token
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

-- Under an id that nobody sent, and a number that nobody knows, a payer takes back what it negates to the cent: whichever claim of its
-- person had a row come or go, all of them that this payer decided are touched.
reversed_people as (
    select reversals.data_source, reversals.payer_id, reversals.member_token
    from {{ source('raw', 'remittance') }} as reversals
    left join (
        select headers.data_source, headers.claim_token
        from {{ source('raw', 'medical_claim') }} as headers
        inner join {{ ref('int_lake__active_loads') }} as loads on headers.load_id = loads.load_id
        where headers.load_id not in (select load_id from changed_loads)
    ) as sent
        on reversals.data_source = sent.data_source and reversals.claim_token = sent.claim_token
    where reversals.claim_status_code = '22' and reversals.member_token is not null and sent.claim_token is null
    group by reversals.data_source, reversals.payer_id, reversals.member_token
),

decided_of_people as (
    select
        remitted.data_source, remitted.payer_id, remitted.member_token, remitted.claim_token, remitted.payer_claim_control_token
    from {{ source('raw', 'remittance') }} as remitted
    inner join reversed_people
        on remitted.data_source = reversed_people.data_source
        and remitted.payer_id = reversed_people.payer_id
        and remitted.member_token = reversed_people.member_token
    group by
        remitted.data_source, remitted.payer_id, remitted.member_token, remitted.claim_token, remitted.payer_claim_control_token
),

changed_people as (
    select data_source, payer_id, member_token from changed_remitted
    union
    select decided.data_source, decided.payer_id, decided.member_token
    from decided_of_people as decided
    inner join {{ source('raw', 'medical_claim') }} as headers
        on decided.data_source = headers.data_source and decided.claim_token = headers.claim_token
    where headers.load_id in (select load_id from changed_loads)
    union
    select decided.data_source, decided.payer_id, decided.member_token
    from decided_of_people as decided
    inner join remitted_numbers
        on decided.data_source = remitted_numbers.data_source
        and decided.payer_claim_control_token = remitted_numbers.payer_claim_control_token
),

named as (
    {%- for feed in ['medical_claim', 'medical_claim_line', 'remittance', 'remittance_adjustment', 'pharmacy_fill', 'claim_acknowledgement'] %}
    select data_source, claim_token from {{ source('raw', feed) }} where load_id in (select load_id from changed_loads)
    union
    {%- endfor %}
    select data_source, claim_token from linked
    union
    select decided.data_source, decided.claim_token
    from decided_of_people as decided
    inner join changed_people
        on decided.data_source = changed_people.data_source
        and decided.payer_id = changed_people.payer_id
        and decided.member_token = changed_people.member_token
    union
    -- what a replacement or void stands for changes its state
    {{ columns_of_changed_rows('medical_claim', ['original_claim_token']) }}
    {%- for feed in ['provider_adjustment', 'patient_accounting', 'work_record'] %}
    union
    {{ columns_of_changed_rows(feed, ['claim_token']) }}
    {%- endfor %}
    union
    -- a takeback may be the claim's that is called what it refers to, until a remittance carries that as a number
    {{ columns_of_changed_rows('provider_adjustment', ['referred_claim_token']) }}
    union
    select adjustments.data_source, adjustments.referred_claim_token
    from {{ source('raw', 'provider_adjustment') }} as adjustments
    inner join changed_numbers
        on adjustments.data_source = changed_numbers.data_source
        and adjustments.payer_claim_control_token = changed_numbers.payer_claim_control_token
)

select
    cast({{ build_above() }} as bigint) as build_number,
    claim_token,
    {{ surrogate_key(['data_source', 'claim_token']) }} as claim_key
from named
where claim_token is not null
{%- else %}
select cast(0 as bigint) as build_number, load_id as claim_token, load_id as claim_key
from {{ ref('int_lake__active_loads') }}
where 1 = 0
{%- endif %}
