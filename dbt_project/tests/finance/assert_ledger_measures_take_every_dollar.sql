-- What stands against the books must be what the feeds sent: each measure summed a second time, straight from staging.
with straight as (
    select data_source, 'remittance_paid' as measure_code, sum(paid_amount) as amount
    from {{ ref('stg_remittance__adjudications') }} group by data_source
    union all
    select data_source, 'remittance_contractual', sum(adjustment_amount)
    from {{ ref('stg_remittance_adjustment__adjustments') }}
    where adjustment_group_code = 'CO' and carc_code = '45' group by data_source
    union all
    select data_source, 'provider_takeback', -sum(adjustment_amount)
    from {{ ref('stg_provider_adjustment__adjustments') }} where adjustment_reason_code = 'WO' group by data_source
    union all
    select data_source, 'provider_interest', -sum(adjustment_amount)
    from {{ ref('stg_provider_adjustment__adjustments') }} where adjustment_reason_code = 'L6' group by data_source
    union all
    select data_source, transaction_type, sum(transaction_amount)
    from {{ ref('stg_patient_accounting__transactions') }}
    where transaction_type in ('patient_payment', 'denial_write_off', 'refund') group by data_source, transaction_type
),

taken as (
    select data_source, measure_code, sum(amount) as amount
    from {{ ref('int_finance__warehouse_amounts') }}
    where entity_code = 'provider_group' and measure_code not in ('claim_charge', 'claim_charge_reversed')
    group by data_source, measure_code
)

select coalesce(straight.data_source, taken.data_source) as data_source, coalesce(straight.measure_code, taken.measure_code) as measure_code
from straight
full join taken on straight.data_source = taken.data_source and straight.measure_code = taken.measure_code
where coalesce(straight.amount, 0) <> coalesce(taken.amount, 0)
