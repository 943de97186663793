-- Reversals one by one, matched with what they take back. One that matches nothing, or not to the cent, is no smaller than the
-- others: it is here, and its money stands in every total.
with adjudications as (
    select * from {{ ref('int_claim__adjudications') }}
),

corrected as (
    select data_source, claim_token, payer_id, max(adjudication_number) as correction_number
    from adjudications
    where is_correction
    group by data_source, claim_token, payer_id
)

select
    reversals.adjudication_key as reversal_key,
    reversals.data_source,
    reversals.claim_key,
    reversals.claim_token,
    reversals.claim_rule,
    reversals.payer_key,
    reversals.payer_id,
    reversals.remittance_id,
    cast(reversals.adjudication_number as bigint) as adjudication_number,
    reversals.adjudicated_date,
    reversals.paid_date,
    cast(reversals.reversed_adjudication_number as bigint) as reversed_adjudication_number,
    originals.paid_date as original_paid_date,
    case
        when reversals.is_reversal_ambiguous or reversals.claim_rule = 'ambiguous' then 'ambiguous'
        when originals.adjudication_key is null then 'no_original'
        when
            reversals.reversal_difference_amount = 0
            and coalesce(originals.charge_amount, 0) + coalesce(reversals.charge_amount, 0) = 0
            then 'to_the_cent'
        else 'not_to_the_cent'
    end as reversal_match,
    coalesce(corrected.correction_number > reversals.adjudication_number, false) as is_followed_by_correction,
    {{ usd('reversals.charge_amount') }} as charge_amount,
    {{ usd('reversals.paid_amount') }} as paid_amount,
    {{ usd('originals.charge_amount') }} as original_charge_amount,
    {{ usd('originals.paid_amount') }} as original_paid_amount,
    {{ usd('coalesce(reversals.reversal_difference_amount, reversals.paid_amount)') }} as difference_amount,
    reversals.load_id,
    reversals.source_line_number
from adjudications as reversals
left join adjudications as originals
    on reversals.data_source = originals.data_source
    and reversals.claim_token = originals.claim_token
    and reversals.reversed_adjudication_number = originals.adjudication_number
left join corrected
    on reversals.data_source = corrected.data_source
    and reversals.claim_token = corrected.claim_token
    and coalesce(reversals.payer_id, '') = coalesce(corrected.payer_id, '')
where reversals.is_reversal
