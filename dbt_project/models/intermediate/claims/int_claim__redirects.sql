-- A payer that takes back what it decided may call the claim otherwise than before (CLP01), and name its own number of the decision
-- (CLP07). What it takes back under that number, and what it decides anew there, is then of the one claim that it had decided under
-- it. Who is paid under a number without a reversal is another claim of that number, and then it is known of none.
--
-- Where its number is new as well, and it never decided under that id before, what it takes back is the decision that it negates to
-- the cent, amount by amount, of the same person and first day of service: of the one claim that has such a decision, not taken back
-- otherwise, and that no other reversal claims. Of several it is known that it is ambiguous. All that it says under that id and
-- number follows.
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
),

-- A claim that was sent keeps what is decided of it: of such a one only a reversal of what was never decided there is another's.
numbered as (
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
),

-- Ids that nobody sent and under which a payer takes something back, and what it says under each of them and a number of its own.
unsent as (
    select reversals.data_source, reversals.payer_id, reversals.claim_token
    from {{ ref('stg_remittance__adjudications') }} as reversals
    left join {{ ref('stg_medical_claim__claims') }} as sent
        on reversals.data_source = sent.data_source and reversals.claim_token = sent.claim_token
    where reversals.claim_status_code = '22' and sent.claim_token is null
    group by reversals.data_source, reversals.payer_id, reversals.claim_token
),

iterations as (
    select
        remitted.data_source,
        remitted.payer_id,
        remitted.claim_token,
        remitted.claim_key,
        coalesce(remitted.payer_claim_control_token, '') as number,
        remitted.remittance_id,
        remitted.adjudication_number,
        {{ decided_amounts() }}
    from {{ ref('stg_remittance__adjudications') }} as remitted
    inner join unsent
        on remitted.data_source = unsent.data_source
        and remitted.payer_id = unsent.payer_id
        and remitted.claim_token = unsent.claim_token
    group by
        remitted.data_source, remitted.payer_id, remitted.claim_token, remitted.claim_key, coalesce(remitted.payer_claim_control_token, ''),
        remitted.remittance_id, remitted.adjudication_number
),

placed as (
    select
        *,
        min(case when is_reversal = 1 then decided_date end) over (partition by data_source, payer_id, claim_token, number)
            as first_reversal_date,
        max(is_reversal) over (partition by data_source, payer_id, claim_token, number, remittance_id) as is_beside_reversal,
        row_number() over (
            partition by data_source, payer_id, claim_token, number
            order by is_reversal desc, decided_date, remittance_id, adjudication_number
        ) as place
    from iterations
),

-- decided there before, it takes back its own
strangers as (
    select data_source, payer_id, claim_token, number
    from placed
    group by data_source, payer_id, claim_token, number
    having max(case
        when is_reversal = 1 then 0
        when decided_date < first_reversal_date or decided_date = first_reversal_date and is_beside_reversal = 0 then 1
        else 0
    end) = 0
),

takebacks as (
    select placed.*
    from placed
    inner join strangers
        on placed.data_source = strangers.data_source
        and placed.payer_id = strangers.payer_id
        and placed.claim_token = strangers.claim_token
        and placed.number = strangers.number
    left join (
        select data_source, payer_id, payer_claim_control_token, min(claim_token) as one_claim_token, max(claim_token) as other_claim_token
        from claims
        where has_decision = 1
        group by data_source, payer_id, payer_claim_control_token
    ) as decided
        on placed.data_source = decided.data_source
        and placed.payer_id = decided.payer_id
        and placed.number = decided.payer_claim_control_token
    where
        placed.place = 1 and placed.is_reversal = 1 and placed.member_token is not null and placed.claim_start_date is not null
        and coalesce(decided.one_claim_token, placed.claim_token) = placed.claim_token
        and coalesce(decided.other_claim_token, placed.claim_token) = placed.claim_token
),

-- What the same payer said of the same people under other ids.
said as (
    select
        remitted.data_source,
        remitted.payer_id,
        coalesce(numbered.claim_token, remitted.claim_token) as claim_token,
        coalesce(numbered.claim_key, remitted.claim_key) as claim_key,
        remitted.remittance_id,
        remitted.adjudication_number,
        {{ decided_amounts() }}
    from {{ ref('stg_remittance__adjudications') }} as remitted
    inner join (select data_source, payer_id, member_token from takebacks group by data_source, payer_id, member_token) as people
        on remitted.data_source = people.data_source
        and remitted.payer_id = people.payer_id
        and remitted.member_token = people.member_token
    left join strangers
        on remitted.data_source = strangers.data_source
        and remitted.payer_id = strangers.payer_id
        and remitted.claim_token = strangers.claim_token
        and coalesce(remitted.payer_claim_control_token, '') = strangers.number
    left join numbered
        on remitted.data_source = numbered.data_source
        and remitted.claim_token = numbered.sent_claim_token
        and remitted.remittance_id = numbered.remittance_id
        and remitted.adjudication_number = numbered.adjudication_number
    where strangers.claim_token is null
    group by
        remitted.data_source, remitted.payer_id, coalesce(numbered.claim_token, remitted.claim_token),
        coalesce(numbered.claim_key, remitted.claim_key), remitted.claim_token, remitted.remittance_id, remitted.adjudication_number
),

-- Claims with more such decisions than reversals of them.
candidates as (
    select takebacks.data_source, takebacks.payer_id, takebacks.claim_token as sent_claim_token, takebacks.number, said.claim_token, said.claim_key
    from takebacks
    inner join said
        on takebacks.data_source = said.data_source
        and takebacks.payer_id = said.payer_id
        and takebacks.member_token = said.member_token
        and takebacks.claim_start_date = said.claim_start_date
        {%- for amount in decided_amounts_of() %}
        and takebacks.{{ amount }}_amount = case when said.is_reversal = 1 then said.{{ amount }}_amount else -said.{{ amount }}_amount end
        {%- endfor %}
    where said.is_reversal = 1 or said.decided_date <= takebacks.decided_date
    group by takebacks.data_source, takebacks.payer_id, takebacks.claim_token, takebacks.number, said.claim_token, said.claim_key
    having sum(case when said.is_reversal = 1 then -1 else 1 end) > 0
),

counted as (
    select
        *,
        count(*) over (partition by data_source, payer_id, sent_claim_token, number) as claim_count,
        count(*) over (partition by data_source, payer_id, claim_token) as takeback_count
    from candidates
),

negated as (
    select
        data_source,
        payer_id,
        sent_claim_token,
        number,
        max(claim_token) as claim_token,
        max(claim_key) as claim_key,
        max(case when claim_count = 1 and takeback_count = 1 then 0 else 1 end) as is_ambiguous
    from counted
    group by data_source, payer_id, sent_claim_token, number
),

followers as (
    select
        placed.data_source,
        placed.claim_token as sent_claim_token,
        placed.remittance_id,
        placed.adjudication_number,
        case when negated.is_ambiguous = 1 then placed.claim_token else negated.claim_token end as claim_token,
        case when negated.is_ambiguous = 1 then placed.claim_key else negated.claim_key end as claim_key,
        case when negated.is_ambiguous = 1 then 'ambiguous' else 'negated_to_the_cent' end as claim_rule
    from placed
    inner join negated
        on placed.data_source = negated.data_source
        and placed.payer_id = negated.payer_id
        and placed.claim_token = negated.sent_claim_token
        and placed.number = negated.number
)

-- What names two numbers over its lines, and so two claims, is of neither.
select data_source, sent_claim_token, remittance_id, adjudication_number, claim_token, claim_key, 'control_number' as claim_rule
from numbered
union all
select
    followers.data_source,
    followers.sent_claim_token,
    followers.remittance_id,
    followers.adjudication_number,
    max(followers.claim_token),
    max(followers.claim_key),
    max(followers.claim_rule)
from followers
left join numbered
    on followers.data_source = numbered.data_source
    and followers.sent_claim_token = numbered.sent_claim_token
    and followers.remittance_id = numbered.remittance_id
    and followers.adjudication_number = numbered.adjudication_number
where numbered.claim_token is null
group by followers.data_source, followers.sent_claim_token, followers.remittance_id, followers.adjudication_number
having count(*) = 1
