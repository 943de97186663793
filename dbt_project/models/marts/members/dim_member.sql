-- Everyone whom any feed names, so that a claim's person is never missing from here.
with mentioned as (
    select data_source, member_token, 'eligibility' as feed from {{ ref('stg_eligibility__spans') }}
    union
    select data_source, member_token, 'claims' from {{ ref('stg_medical_claim__claims') }}
    union
    select data_source, member_token, 'claims' from {{ ref('stg_remittance__adjudications') }} where member_token is not null
    union
    select data_source, member_token, 'fills' from {{ ref('stg_pharmacy_fill__fills') }}
    union
    select data_source, person_token, 'records' from {{ ref('int_member__crosswalk') }}
    union
    select data_source, member_token, 'records' from {{ ref('stg_encounter__encounters') }} where member_token is not null
    union
    select data_source, member_token, 'yearly_amounts' from {{ ref('stg_member_year_amount__amounts') }}
    union
    select data_source, member_token, 'members' from {{ ref('stg_member__members') }}
),

people as (
    select
        data_source,
        member_token,
        bool_or(feed = 'eligibility') as has_eligibility,
        bool_or(feed = 'claims') as has_claims,
        bool_or(feed = 'fills') as has_fills,
        bool_or(feed = 'records') as has_clinical_record
    from mentioned
    group by data_source, member_token
),

unlinked as (
    select data_source, person_token from {{ ref('int_member__crosswalk') }} where not is_member_known
),

members as (
    select * from {{ ref('stg_member__members') }}
)

select
    {{ surrogate_key(['people.data_source', 'people.member_token']) }} as member_key,
    people.data_source,
    people.member_token,
    -- someone who was young enough when read may be past 89 by now
    cast(case
        when members.birth_year is not null then greatest(members.birth_year, year(horizons.horizon_date) - 90)
    end as bigint) as birth_year,
    members.is_birth_year_pooled or members.birth_year <= year(horizons.horizon_date) - 90 as is_birth_year_pooled,
    cast(members.death_year as bigint) as death_year,
    members.sex,
    members.race,
    members.ethnicity,
    members.state,
    members.zip3,
    members.member_token is not null as has_member_record,
    people.has_eligibility,
    people.has_claims,
    people.has_fills,
    people.has_clinical_record,
    unlinked.person_token is null as is_member_token,
    members.load_id,
    members.source_line_number
from people
left join members on people.data_source = members.data_source and people.member_token = members.member_token
left join {{ ref('int_calendar__horizons') }} as horizons on people.data_source = horizons.data_source
left join unlinked on people.data_source = unlinked.data_source and people.member_token = unlinked.person_token
