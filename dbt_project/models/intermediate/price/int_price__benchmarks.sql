-- What Medicare pays, as far as this warehouse knows. For a stay it is CMS's own file: of the hospital, else of its state, else
-- of the nation, the newest period. For anything else no fee schedule is at hand: what Original Medicare's own claims here were
-- allowed stands for it where enough people had them, and nothing else is called Medicare.
with ipps as (
    select
        data_source,
        geography_level,
        case geography_level when 'provider' then ccn when 'state' then state else 'nation' end as area_code,
        drg_code,
        period_type,
        period_year,
        average_medicare_payment_amount,
        row_number() over (
            partition by data_source, geography_level, case geography_level when 'provider' then ccn when 'state' then state else 'nation' end, drg_code
            order by period_year desc, period_type desc
        ) as place
    from {{ ref('fct_ipps_payment') }}
    where average_medicare_payment_amount > 0
),

medicare_claims as (
    select
        procedures.data_source,
        providers.state,
        procedures.procedure_id,
        count(distinct procedures.member_token) as people_count,
        sum(procedures.allowed_amount) as allowed_amount,
        sum(procedures.volume_quantity) as volume_quantity,
        max(horizons.last_complete_month) as last_month
    from {{ ref('int_price__procedures') }} as procedures
    inner join {{ ref('int_calendar__horizons') }} as horizons on procedures.data_source = horizons.data_source
    inner join {{ ref('dim_payer') }} as payers on procedures.payer_key = payers.payer_key
    inner join {{ ref('dim_provider') }} as providers on procedures.provider_key = providers.provider_key
    where
        payers.payer_type = 'medicare'
        and procedures.procedure_code_type = 'hcpcs'
        and providers.state is not null
        and procedures.incurred_month <= horizons.last_complete_month
        and procedures.incurred_month > {{ add_to_date('month', -12, 'horizons.last_complete_month') }}
    group by procedures.data_source, providers.state, procedures.procedure_id
)

select
    data_source,
    case geography_level
        when 'provider' then 'ipps_hospital' when 'state' then 'ipps_state' else 'ipps_nation'
    end as benchmark_basis,
    case geography_level when 'provider' then 1 when 'state' then 2 else 3 end as benchmark_rank,
    area_code,
    'DRG ' || drg_code as procedure_id,
    {{ usd('average_medicare_payment_amount') }} as benchmark_amount,
    'CMS Medicare inpatient payments, ' || period_type || cast(period_year as {{ dbt.type_string() }}) || ', ' || data_source as benchmark_source,
    -- the last day of a fiscal year is in September
    case period_type
        when 'fy' then make_date(cast(period_year as integer), 9, 30) else make_date(cast(period_year as integer), 12, 31)
    end as benchmark_date
from ipps
where place = 1
union all
select
    data_source,
    'medicare_claims',
    4,
    state,
    procedure_id,
    {{ usd_each('allowed_amount', 'volume_quantity', 3) }},
    'Original Medicare''s claims in this warehouse, twelve months, ' || data_source,
    {{ add_to_date('day', -1, add_to_date('month', 1, 'last_month')) }}
from medicare_claims
where people_count >= {{ fewest_people() }}
