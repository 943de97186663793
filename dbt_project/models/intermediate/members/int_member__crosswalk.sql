-- Every record number that an encounter or booking names, as a person: the plan's token where a crosswalk or the record
-- itself knows it, else the record's own token, so that nobody falls out.
with named as (
    select data_source, medical_record_token, max(member_token) as named_member_token
    from {{ ref('stg_encounter__encounters') }}
    where medical_record_token is not null
    group by data_source, medical_record_token
    union all
    select data_source, medical_record_token, max(member_token)
    from {{ ref('stg_scheduled_service__services') }}
    where medical_record_token is not null
    group by data_source, medical_record_token
    union all
    select data_source, medical_record_token, cast(null as {{ dbt.type_string() }})
    from {{ ref('stg_member_crosswalk__records') }}
),

records as (
    select data_source, medical_record_token, max(named_member_token) as named_member_token
    from named
    group by data_source, medical_record_token
),

crosswalk as (
    select * from {{ ref('stg_member_crosswalk__records') }}
)

select
    records.data_source,
    records.medical_record_token,
    coalesce(crosswalk.member_token, records.named_member_token, records.medical_record_token) as person_token,
    coalesce(crosswalk.member_token, records.named_member_token) as member_token,
    case
        when crosswalk.member_token is not null then 'crosswalk'
        when records.named_member_token is not null then 'record'
        else 'none'
    end as crosswalk_rule,
    coalesce(crosswalk.member_token, records.named_member_token) is not null as is_member_known
from records
left join crosswalk
    on records.data_source = crosswalk.data_source and records.medical_record_token = crosswalk.medical_record_token
