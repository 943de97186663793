-- Which provider does which procedure for which payer in the last twelve complete months, at what mean price, and what stands for
-- Medicare's.
with recent as (
    select procedures.*, horizons.last_complete_month
    from {{ ref('int_price__procedures') }} as procedures
    inner join {{ ref('int_calendar__horizons') }} as horizons on procedures.data_source = horizons.data_source
    where
        procedures.incurred_month <= horizons.last_complete_month
        and procedures.incurred_month > {{ add_to_date('month', -12, 'horizons.last_complete_month') }}
),

claims as (
    select
        data_source,
        payer_key,
        payer_id,
        provider_key,
        procedure_code_type,
        procedure_code,
        procedure_id,
        max(last_complete_month) as last_month,
        count(distinct incurred_month) as month_count,
        count(distinct member_token) as people_count,
        sum(volume_quantity) as volume_quantity,
        sum(allowed_amount) as allowed_amount
    from recent
    group by data_source, payer_key, payer_id, provider_key, procedure_code_type, procedure_code, procedure_id
),

-- Where a procedure falls into several categories of service, the one that most was allowed in is its family.
categories as (
    select
        data_source,
        procedure_id,
        service_category_2,
        row_number() over (partition by data_source, procedure_id order by sum(allowed_amount) desc, service_category_2) as place
    from recent
    where procedure_code_type = 'hcpcs'
    group by data_source, procedure_id, service_category_2
),

drgs as (
    select drg_code, mdc_code, row_number() over (partition by drg_code order by fiscal_year desc, data_source) as place
    from {{ ref('stg_drg_weight__weights') }}
),

-- The mean over all payers stands for a benchmark where no Medicare rate is at hand, and says so.
peers as (
    select
        recent.data_source,
        providers.state,
        recent.procedure_id,
        max(recent.last_complete_month) as last_month,
        sum(recent.allowed_amount) as allowed_amount,
        sum(recent.volume_quantity) as volume_quantity
    from recent
    inner join {{ ref('dim_provider') }} as providers on recent.provider_key = providers.provider_key
    group by recent.data_source, providers.state, recent.procedure_id
    having count(distinct recent.member_token) >= {{ fewest_people() }}
),

hospitals as (
    select
        ccn,
        data_source,
        star_rating,
        row_number() over (partition by ccn, data_source order by load_id desc) as own_place,
        row_number() over (partition by ccn order by data_source, load_id desc) as place
    from {{ ref('stg_hospital__hospitals') }}
),

-- Who sends hospitals of its own is asked for no other's: a made-up hospital's number may be a real one's.
senders_of_hospitals as (
    select distinct data_source from {{ ref('stg_hospital__hospitals') }}
),

occurring as (
    select
        claims.*,
        providers.provider_id,
        providers.provider_name,
        providers.ccn,
        providers.specialty,
        providers.state,
        left(providers.zip_code, 3) as zip3,
        {{ add_to_date('day', -1, add_to_date('month', 1, 'claims.last_month')) }} as period_end_date
    from claims
    inner join {{ ref('dim_provider') }} as providers on claims.provider_key = providers.provider_key
),

senders_of_benchmarks as (
    select distinct data_source from {{ ref('int_price__benchmarks') }} where benchmark_basis <> 'medicare_claims'
),

-- The same of CMS's inpatient files: a sender's own, or, where it has none, another's.
candidates as (
    select
        occurring.data_source,
        occurring.provider_key,
        occurring.payer_key,
        occurring.procedure_id,
        benchmarks.benchmark_basis,
        benchmarks.benchmark_amount,
        benchmarks.benchmark_source,
        benchmarks.benchmark_date,
        row_number() over (
            partition by occurring.data_source, occurring.provider_key, occurring.payer_key, occurring.procedure_id
            order by
                benchmarks.benchmark_rank,
                benchmarks.benchmark_date desc,
                benchmarks.data_source
        ) as place
    from occurring
    inner join {{ ref('int_price__benchmarks') }} as benchmarks on occurring.procedure_id = benchmarks.procedure_id
    left join senders_of_benchmarks on occurring.data_source = senders_of_benchmarks.data_source
    where
        (benchmarks.data_source = occurring.data_source or senders_of_benchmarks.data_source is null)
        and case benchmarks.benchmark_basis
            when 'ipps_hospital' then benchmarks.area_code = occurring.ccn
            when 'ipps_state' then benchmarks.area_code = occurring.state
            when 'medicare_claims' then benchmarks.area_code = occurring.state and benchmarks.data_source = occurring.data_source
            else true
        end
)

select
    {{ surrogate_key(['occurring.data_source', "'claims'", 'occurring.payer_id', 'occurring.provider_id', 'occurring.procedure_id']) }}
        as price_pair_key,
    occurring.data_source,
    'claims' as pair_source,
    occurring.payer_key,
    occurring.payer_id,
    occurring.provider_key,
    occurring.provider_id,
    occurring.provider_name,
    occurring.ccn,
    occurring.specialty,
    occurring.state,
    occurring.zip3,
    cast(null as {{ dbt.type_string() }}) as referral_region,
    case when senders_of_hospitals.data_source is null then others.star_rating else own.star_rating end as star_rating,
    occurring.procedure_code_type,
    occurring.procedure_code,
    occurring.procedure_id,
    case when occurring.procedure_code_type = 'ms_drg' then 'MDC ' || drgs.mdc_code else categories.service_category_2 end as procedure_family,
    'last twelve months' as period_name,
    occurring.period_end_date,
    occurring.month_count,
    occurring.people_count,
    occurring.people_count >= {{ fewest_people() }} as is_large_enough,
    cast(occurring.volume_quantity as decimal(18, 3)) as volume_quantity,
    {{ usd('occurring.allowed_amount') }} as allowed_amount,
    {{ usd_each('occurring.allowed_amount', 'occurring.volume_quantity', 3) }} as baseline_amount,
    coalesce(candidates.benchmark_amount, {{ usd_each('peers.allowed_amount', 'peers.volume_quantity', 3) }}) as benchmark_amount,
    case
        when candidates.benchmark_basis is not null then candidates.benchmark_basis when peers.procedure_id is not null then 'all_payers'
    end as benchmark_basis,
    case
        when candidates.benchmark_basis is not null then candidates.benchmark_source
        when peers.procedure_id is not null
            then 'no Medicare rate at hand: mean over all payers in the state, twelve months, ' || occurring.data_source
    end as benchmark_source,
    case
        when candidates.benchmark_basis is not null then candidates.benchmark_date
        when peers.procedure_id is not null then occurring.period_end_date
    end as benchmark_date
from occurring
left join candidates
    on occurring.data_source = candidates.data_source
    and occurring.provider_key = candidates.provider_key
    and occurring.payer_key = candidates.payer_key
    and occurring.procedure_id = candidates.procedure_id
    and candidates.place = 1
left join peers
    on occurring.data_source = peers.data_source
    and occurring.state = peers.state
    and occurring.procedure_id = peers.procedure_id
left join categories
    on occurring.data_source = categories.data_source
    and occurring.procedure_id = categories.procedure_id
    and categories.place = 1
left join drgs on occurring.procedure_code = drgs.drg_code and drgs.place = 1
left join hospitals as own on occurring.ccn = own.ccn and occurring.data_source = own.data_source and own.own_place = 1
left join hospitals as others on occurring.ccn = others.ccn and others.place = 1
left join senders_of_hospitals on occurring.data_source = senders_of_hospitals.data_source
