with mentioned as (
    select data_source, provider_id from {{ ref('stg_provider__providers') }}
    union
    select data_source, billing_id from {{ ref('stg_medical_claim__claims') }} where billing_id is not null
    union
    select data_source, rendering_id from {{ ref('stg_medical_claim__claims') }} where rendering_id is not null
    union
    select data_source, facility_id from {{ ref('stg_medical_claim__claims') }} where facility_id is not null
    union
    select data_source, billing_id from {{ ref('stg_contracted_rate__rates') }} where billing_id <> 'all'
    union
    select data_source, rendering_id from {{ ref('stg_medical_claim_line__lines') }} where rendering_id is not null
    union
    select data_source, prescribing_provider_id from {{ ref('stg_pharmacy_fill__fills') }} where prescribing_provider_id is not null
    union
    select data_source, dispensing_provider_id from {{ ref('stg_pharmacy_fill__fills') }} where dispensing_provider_id is not null
    union
    select data_source, facility_id from {{ ref('stg_encounter__encounters') }} where facility_id is not null
    union
    select data_source, attending_id from {{ ref('stg_encounter__encounters') }} where attending_id is not null
),

providers as (
    select * from {{ ref('stg_provider__providers') }}
)

select
    {{ surrogate_key(['mentioned.data_source', 'mentioned.provider_id']) }} as provider_key,
    mentioned.data_source,
    mentioned.provider_id,
    providers.npi,
    providers.ccn,
    providers.provider_type,
    providers.provider_name,
    providers.specialty,
    providers.organization_id,
    providers.address_line,
    providers.city,
    providers.state,
    providers.zip_code,
    providers.provider_id is not null as has_provider_record,
    providers.load_id,
    providers.source_line_number
from mentioned
left join providers on mentioned.data_source = providers.data_source and mentioned.provider_id = providers.provider_id
