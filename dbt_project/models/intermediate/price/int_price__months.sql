-- How much of each procedure each payer allowed each billing provider, month by month of the last two complete years: what
-- volumes have done in the past, from which drawn volumes of a coming year are made.
select
    procedures.data_source,
    procedures.payer_key,
    procedures.payer_id,
    procedures.provider_key,
    procedures.procedure_id,
    procedures.incurred_month,
    cast(sum(procedures.volume_quantity) as decimal(18, 3)) as volume_quantity,
    {{ usd('sum(procedures.allowed_amount)') }} as allowed_amount
from {{ ref('int_price__procedures') }} as procedures
inner join {{ ref('int_calendar__horizons') }} as horizons on procedures.data_source = horizons.data_source
where
    procedures.incurred_month <= horizons.last_complete_month
    and procedures.incurred_month > {{ add_to_date('month', -24, 'horizons.last_complete_month') }}
group by
    procedures.data_source,
    procedures.payer_key,
    procedures.payer_id,
    procedures.provider_key,
    procedures.procedure_id,
    procedures.incurred_month
