with mentioned as (
    select data_source, payer_id from {{ ref('stg_payer__payers') }}
    union
    select data_source, payer_id from {{ ref('stg_eligibility__spans') }}
    union
    select data_source, payer_id from {{ ref('stg_benefit_plan__periods') }}
    union
    select data_source, payer_id from {{ ref('stg_contracted_rate__rates') }}
    union
    select data_source, payer_id from {{ ref('stg_medical_claim__claims') }}
    union
    select data_source, payer_id from {{ ref('stg_medical_claim__other_submissions') }}
    union
    select data_source, payer_id from {{ ref('stg_claim_acknowledgement__statuses') }}
    union
    select data_source, payer_id from {{ ref('stg_remittance_advice__payments') }}
    union
    select data_source, payer_id from {{ ref('stg_remittance__adjudications') }}
    union
    select data_source, payer_id from {{ ref('stg_provider_adjustment__adjustments') }}
    union
    select data_source, payer_id from {{ ref('stg_pharmacy_fill__fills') }}
    union
    select data_source, payer_id from {{ ref('stg_encounter__encounters') }} where payer_id is not null
    union
    select data_source, payer_id from {{ ref('stg_patient_accounting__transactions') }} where payer_id is not null
    union
    select data_source, payer_id from {{ ref('stg_work_record__records') }} where payer_id is not null
),

payers as (
    select * from {{ ref('stg_payer__payers') }}
)

select
    {{ surrogate_key(['mentioned.data_source', 'mentioned.payer_id']) }} as payer_key,
    mentioned.data_source,
    mentioned.payer_id,
    payers.payer_name,
    payers.payer_type,
    payers.state,
    payers.payer_id is not null as has_payer_record,
    payers.load_id,
    payers.source_line_number
from mentioned
left join payers on mentioned.data_source = payers.data_source and mentioned.payer_id = payers.payer_id
