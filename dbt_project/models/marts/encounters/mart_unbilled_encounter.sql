-- Only senders that send both, claims and a clinical record: of others nothing is known. An encounter whose status the
-- record does not say may have been cancelled: it is kept, and its status is shown as unknown.
with encounters as (
    select * from {{ ref('fct_encounter') }} where encounter_basis = 'record'
),

usual as (
    select
        data_source,
        encounter_type,
        count(*) as matched_encounter_count,
        cast(median(allowed_amount) as decimal(18, 2)) as usual_allowed_amount
    from encounters
    where claim_count > 0 and allowed_amount is not null     -- a denied one brought nothing, and such are usual too
    group by data_source, encounter_type
),

horizons as (
    select * from {{ ref('int_calendar__horizons') }}
)

select
    encounters.encounter_key,
    encounters.data_source,
    encounters.member_token,
    encounters.member_key,
    encounters.is_member_known,
    encounters.encounter_type,
    encounters.record_encounter_type,
    encounters.encounter_status,
    encounters.encounter_start_date,
    encounters.encounter_month,
    encounters.payer_key,
    encounters.payer_id,
    encounters.facility_provider_key,
    encounters.attending_provider_key,
    cast({{ days_between('encounters.encounter_end_date', 'horizons.horizon_date') }} as bigint) as days_since_encounter,
    encounters.charge_amount,
    {{ usd('usual.usual_allowed_amount') }} as usual_allowed_amount,
    cast(usual.matched_encounter_count as bigint) as matched_encounter_count,
    encounters.load_id,
    encounters.source_line_number
from encounters
inner join horizons on encounters.data_source = horizons.data_source
left join usual on encounters.data_source = usual.data_source and encounters.encounter_type = usual.encounter_type
where encounters.claim_count = 0
    and (encounters.encounter_status = 'completed' or encounters.encounter_status is null)
