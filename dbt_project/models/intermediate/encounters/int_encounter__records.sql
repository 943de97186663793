{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'member_token'}
) }}

-- Encounters of the clinical record with the person whom they are about: by the record's own member id, else through
-- the crosswalk, else under the record's token.
with records as (
    select * from {{ ref('stg_encounter__encounters') }}
),

crosswalk as (
    select * from {{ ref('int_member__crosswalk') }}
)

select
    records.record_encounter_key as encounter_key,
    records.data_source,
    records.encounter_token,
    coalesce(records.member_token, crosswalk.person_token) as member_token,
    records.member_token is not null or coalesce(crosswalk.is_member_known, false) as is_member_known,
    records.encounter_type,
    records.encounter_status,
    records.encounter_start_date,
    greatest(coalesce(records.encounter_end_date, records.encounter_start_date), records.encounter_start_date) as encounter_end_date,
    records.admit_source_code,
    records.discharge_disposition_code,
    records.payer_id,
    records.payer_key,
    records.facility_id,
    records.attending_id,
    records.charge_amount,
    records.load_id,
    records.source_line_number
from records
left join crosswalk
    on records.data_source = crosswalk.data_source and records.medical_record_token = crosswalk.medical_record_token
{{- only_touched('coalesce(records.member_token, crosswalk.person_token)', unit='member_token') }}
