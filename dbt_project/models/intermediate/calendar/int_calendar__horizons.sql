-- How far each sender's data reach, by what its own rows say: nothing here depends on the day of the run.
with activity as (
    select data_source, max(claim_start_date) as activity_date from {{ ref('stg_medical_claim__claims') }} group by data_source
    union all
    select data_source, max(submitted_date) from {{ ref('stg_medical_claim__claims') }} group by data_source
    union all
    select data_source, max(submitted_date) from {{ ref('stg_medical_claim__other_submissions') }} group by data_source
    union all
    select data_source, max(paid_date) from {{ ref('stg_remittance__adjudications') }} group by data_source
    union all
    select data_source, max(dispensing_date) from {{ ref('stg_pharmacy_fill__fills') }} group by data_source
    union all
    select data_source, max(encounter_start_date) from {{ ref('stg_encounter__encounters') }} group by data_source
    union all
    select data_source, max(posting_date) from {{ ref('stg_patient_accounting__transactions') }} group by data_source
    union all
    select data_source, max(make_date(cast(amount_year as integer), 12, 31))
    from {{ ref('stg_member_year_amount__amounts') }}
    group by data_source
),

-- A sender of enrolment alone is known until the last day that a span begins or has ended.
enrolment as (
    select data_source, greatest(max(enrollment_start_date), max(enrollment_end_date)) as activity_date
    from {{ ref('stg_eligibility__spans') }}
    group by data_source
),

reached as (
    select data_source, max(activity_date) as horizon_date from activity where activity_date is not null group by data_source
),

horizons as (
    select
        coalesce(reached.data_source, enrolment.data_source) as data_source,
        coalesce(reached.horizon_date, enrolment.activity_date) as horizon_date
    from reached
    full outer join enrolment on reached.data_source = enrolment.data_source
)

select
    data_source,
    horizon_date,
    case
        when {{ days_between('horizon_date', 'months.month_end_date') }} <= {{ var('month_end_grace_days') }}
            then months.month_start_date
        else {{ add_to_date('month', -1, 'months.month_start_date') }}
    end as last_complete_month
from horizons
inner join {{ ref('int_calendar__months') }} as months
    on months.month_start_date = {{ month_of('horizons.horizon_date') }}
