-- A payer that takes back what it decided may call the claim otherwise than before (CLP01), and name its own number of the decision
-- (CLP07). What it takes back under that number, and what it decides anew there, is then of the one claim that it had decided under
-- it. Who is paid under a number without a reversal is another claim of that number, and then it is known of none.
with adjudications as (
    select * from {{ ref('stg_remittance__adjudications') }} where payer_claim_control_token is not null
),

taken_back as (
    select data_source, payer_id, payer_claim_control_token
    from adjudications
    where claim_status_code = '22'
    group by data_source, payer_id, payer_claim_control_token
),

decisions as (
    select
        adjudications.data_source,
        adjudications.payer_id,
        adjudications.payer_claim_control_token,
        adjudications.claim_token,
        adjudications.claim_key,
        adjudications.remittance_id,
        adjudications.adjudication_number,
        max(case when adjudications.claim_status_code = '22' then 1 else 0 end) as is_reversal
    from adjudications
    inner join taken_back
        on adjudications.data_source = taken_back.data_source
        and adjudications.payer_id = taken_back.payer_id
        and adjudications.payer_claim_control_token = taken_back.payer_claim_control_token
    group by
        adjudications.data_source, adjudications.payer_id, adjudications.payer_claim_control_token, adjudications.claim_token,
        adjudications.claim_key, adjudications.remittance_id, adjudications.adjudication_number
),

claims as (
    select
        decisions.data_source,
        decisions.payer_id,
        decisions.payer_claim_control_token,
        decisions.claim_token,
        decisions.claim_key,
        max(1 - decisions.is_reversal) as has_decision,
        max(decisions.is_reversal) as has_reversal,
        max(case when sent.claim_token is not null then 1 else 0 end) as is_sent
    from decisions
    left join {{ ref('stg_medical_claim__claims') }} as sent
        on decisions.data_source = sent.data_source and decisions.claim_token = sent.claim_token
    group by
        decisions.data_source, decisions.payer_id, decisions.payer_claim_control_token, decisions.claim_token, decisions.claim_key
),

originals as (
    select
        data_source,
        payer_id,
        payer_claim_control_token,
        max(claim_token) as claim_token,
        max(claim_key) as claim_key
    from claims
    where has_decision = 1 and (is_sent = 1 or has_reversal = 0)
    group by data_source, payer_id, payer_claim_control_token
    having count(*) = 1
)

-- A claim that was sent keeps what is decided of it: of such a one only a reversal of what was never decided there is another's.
select
    decisions.data_source,
    decisions.claim_token as sent_claim_token,
    decisions.remittance_id,
    decisions.adjudication_number,
    max(originals.claim_token) as claim_token,
    max(originals.claim_key) as claim_key
from decisions
inner join claims
    on decisions.claim_key = claims.claim_key
    and decisions.payer_id = claims.payer_id
    and decisions.payer_claim_control_token = claims.payer_claim_control_token
inner join originals
    on decisions.data_source = originals.data_source
    and decisions.payer_id = originals.payer_id
    and decisions.payer_claim_control_token = originals.payer_claim_control_token
where
    decisions.claim_token <> originals.claim_token
    and (claims.is_sent = 0 or claims.has_decision = 0)
group by decisions.data_source, decisions.claim_token, decisions.remittance_id, decisions.adjudication_number
having min(originals.claim_token) = max(originals.claim_token)
