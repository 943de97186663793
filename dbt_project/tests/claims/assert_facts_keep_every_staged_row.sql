-- Every row that staging holds is in its fact, once, source by source; a PLB that is about a claim is an event of it.
{{ config(meta={'dagster': {'ref': {'name': 'fct_claim'}}}) }}
with staged as (
    select 'claims' as kind, data_source, count(*) as row_count from {{ ref('stg_medical_claim__claims') }} group by data_source
    union all
    select 'lines', data_source, count(*) from {{ ref('stg_medical_claim_line__lines') }} group by data_source
    union all
    select 'fills', data_source, count(*) from {{ ref('stg_pharmacy_fill__fills') }} group by data_source
    union all
    select 'records', data_source, count(*) from {{ ref('stg_encounter__encounters') }} group by data_source
    union all
    select 'transactions', data_source, count(*) from {{ ref('stg_patient_accounting__transactions') }}
    where claim_key is not null group by data_source
    union all
    select 'adjustments', data_source, count(*) from {{ ref('int_claim__provider_adjustments') }}
    where claim_key is not null group by data_source
),

kept as (
    select 'claims' as kind, data_source, count(*) as row_count from {{ ref('fct_claim') }} where has_claim_record group by data_source
    union all
    select 'lines', data_source, count(*) from {{ ref('fct_claim_line') }} where has_line_record group by data_source
    union all
    select 'fills', data_source, count(*) from {{ ref('fct_pharmacy_fill') }} group by data_source
    union all
    select 'records', data_source, count(*) from {{ ref('fct_encounter') }} where encounter_basis = 'record' group by data_source
    union all
    select 'transactions', data_source, count(*) from {{ ref('fct_claim_event') }} where event_order = 60 group by data_source
    union all
    select 'adjustments', data_source, count(*) from {{ ref('fct_claim_event') }} where event_order = 50 group by data_source
)

select
    coalesce(staged.kind, kept.kind) as kind,
    coalesce(staged.data_source, kept.data_source) as data_source,
    staged.row_count as staged_count,
    kept.row_count as kept_count
from staged
full outer join kept on staged.kind = kept.kind and staged.data_source = kept.data_source
where coalesce(staged.row_count, 0) <> coalesce(kept.row_count, 0)
