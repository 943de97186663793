-- What was known of claims by the end of time is what fct_claim says of them: one text makes both. It costs as much as
-- fct_claim itself, so that a large house looks at a part of its claims at a time.
{%- set which = part_in_turn(ref('fct_claim'), 'claim_key') %}
with known as (
    {{ claims_as_of("cast('9999-12-31' as date)", which) }}
)

select coalesce(known.claim_key, claims.claim_key) as claim_key
from known
full outer join (
    select claims.* from {{ ref('fct_claim') }} as claims
    where {{ which }} and exists (select 1 from {{ ref('fct_claim_event') }} as events where events.claim_key = claims.claim_key)
) as claims on known.claim_key = claims.claim_key
where
    known.claim_key is null
    or claims.claim_key is null
    or (known.claim_state <> claims.claim_state and known.claim_state <> 'unknown')
    or coalesce(known.paid_amount, 0) <> coalesce(claims.paid_amount, 0)
    or coalesce(known.allowed_amount, 0) <> coalesce(claims.allowed_amount, 0)
    or coalesce(known.is_denied_at_first, false) <> coalesce(claims.is_denied_at_first, false)
