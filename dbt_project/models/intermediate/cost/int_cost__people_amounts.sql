-- One person's amount in a period, on each basis that concentration is measured on. Everyone known in the period
-- counts, also who cost nothing: enrolled, or named in the sender's own yearly sums, or with an amount. Who has lines
-- that nobody has decided yet has an unknown amount.
with yearly as (
    select
        data_source,
        member_token,
        amount_year as calendar_year,
        sum(paid_amount + coalesce(patient_responsibility_amount, 0) + coalesce(prior_payer_paid_amount, 0)) as amount
    from {{ ref('stg_member_year_amount__amounts') }}
    group by data_source, member_token, amount_year
),

costs as (
    select
        data_source,
        member_token,
        year(incurred_month) as calendar_year,
        sum(allowed_amount) as allowed_amount,
        sum(inpatient_paid_amount) as inpatient_paid_amount,
        bool_or(has_inpatient_claim) as has_inpatient_claim
    from {{ ref('int_cost__member_months') }}
    where member_token is not null
    group by data_source, member_token, year(incurred_month)
),

population as (
    select data_source, member_token, calendar_year from yearly
    union
    select distinct data_source, member_token, year(member_month) from {{ ref('fct_member_month') }}
    union
    select data_source, member_token, calendar_year from costs
),

measured as (
    select data_source, 'yearly_amounts' as basis, calendar_year from yearly group by data_source, calendar_year
    union all
    select data_source, 'claims_and_fills_allowed', calendar_year from costs
    where allowed_amount is not null group by data_source, calendar_year
    union all
    select data_source, 'inpatient_claims_paid', calendar_year from costs
    where inpatient_paid_amount is not null group by data_source, calendar_year
)

select
    measured.data_source,
    measured.basis,
    {{ text('measured.calendar_year') }} as period,
    population.member_token,
    case
        when measured.basis = 'yearly_amounts' and yearly.member_token is not null then yearly.amount
        when measured.basis = 'claims_and_fills_allowed' and costs.member_token is not null then costs.allowed_amount
        when measured.basis = 'inpatient_claims_paid' and costs.has_inpatient_claim then costs.inpatient_paid_amount
        else 0
    end as amount
from measured
inner join population
    on measured.data_source = population.data_source and measured.calendar_year = population.calendar_year
left join yearly
    on population.data_source = yearly.data_source
    and population.member_token = yearly.member_token
    and population.calendar_year = yearly.calendar_year
left join costs
    on population.data_source = costs.data_source
    and population.member_token = costs.member_token
    and population.calendar_year = costs.calendar_year
union all
select data_source, 'claims_and_fills_allowed', 'trailing_12_months', member_token, allowed_amount
from {{ ref('int_cost__member_years') }}
where period_number = 0
