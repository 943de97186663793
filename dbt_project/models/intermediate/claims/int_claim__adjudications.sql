{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token'}
) }}

-- One adjudication of a claim as a whole. CLP02 = 4 may be used only in narrow cases, so a denial is read from the
-- reasons: in full where nothing was allowed, in part where something was refused and something allowed. A lone
-- CO-45, the patient's share, effects of a prior payer and capitation refuse nothing. Without reasons a denial stays
-- unknown, unless the payer says 4 or pays everything that was charged. A row without a status code may be a reversal; it
-- counts as a decision, so that a sender without such codes still has first and standing decisions.
with claims as (
    select
        data_source,
        claim_key,
        claim_token,
        adjudication_number,
        max(claim_rule) as claim_rule,
        max(remittance_id) as remittance_id,
        max(member_token) as member_token,
        max(payer_key) as payer_key,
        max(payer_id) as payer_id,
        max(payer_claim_control_token) as payer_claim_control_token,
        max(line_of_business) as line_of_business,
        max(claim_status_code) as claim_status_code,
        bool_or(is_reversal) as is_reversal,
        max(adjudicated_date) as adjudicated_date,
        max(paid_date) as paid_date,
        count(*) as line_count,
        sum(charge_amount) as charge_amount,
        sum(allowed_amount) as allowed_amount,
        sum(paid_amount) as paid_amount,
        sum(deductible_amount) as deductible_amount,
        sum(coinsurance_amount) as coinsurance_amount,
        sum(copayment_amount) as copayment_amount,
        sum(adjustment_amount) as adjustment_amount,
        sum(contractual_adjustment_amount) as contractual_adjustment_amount,
        sum(denied_amount) as denied_amount,
        sum(reason_count) as reason_count,
        sum(unmapped_reason_count) as unmapped_reason_count,
        max(load_id) as load_id,
        min(source_line_number) as source_line_number
    from {{ ref('int_claim__adjudication_lines') }}{{ only_touched('claim_token') }}
    group by data_source, claim_key, claim_token, adjudication_number
),

refused as (
    select
        reasons.data_source,
        reasons.claim_token,
        reasons.adjudication_number,
        reasons.denial_category,
        sum(reasons.adjustment_amount) as refused_amount,
        bool_and(coalesce(reasons.can_appeal, true)) as can_appeal,
        max(reasons.carc_code) as carc_code
    from {{ ref('int_claim__adjudication_reasons') }} as reasons
    where reasons.denial_category <> 'not_a_denial'{{ only_touched('reasons.claim_token', 'and') }}
    group by reasons.data_source, reasons.claim_token, reasons.adjudication_number, reasons.denial_category
),

main_categories as (
    select
        *,
        row_number() over (
            partition by data_source, claim_token, adjudication_number
            order by case when denial_category = 'unmapped' then 1 else 0 end, refused_amount desc, denial_category
        ) as category_rank
    from refused
),

ordered as (
    select
        *,
        max(case when is_reversal then adjudication_number end) over (partition by data_source, claim_token) as last_reversal_number,
        max(case when is_decision then adjudication_number end) over (partition by data_source, claim_token) as last_decision_number,
        min(case when is_decision then adjudication_number end) over (partition by data_source, claim_token) as first_decision_number,
        lag(is_reversal) over (partition by data_source, claim_token, payer_id order by adjudication_number) as follows_reversal,
        case
            when claim_status_code in ('1', '19') then 1
            when claim_status_code in ('2', '20') then 2
            when claim_status_code in ('3', '21') then 3
        end as stated_rank
    from (select *, not coalesce(is_reversal, false) as is_decision from claims) as numbered
),

decided as (
    select
        ordered.*,
        case
            when is_reversal then null
            when reason_count is not null then denied_amount > 0 and allowed_amount = 0 and paid_amount = 0
            when paid_amount > 0 or allowed_amount > 0 then false
            when claim_status_code = '4' then true
            when charge_amount = 0 then false
        end as is_denied,
        case
            when is_reversal then null
            when reason_count is not null then denied_amount > 0 and (allowed_amount <> 0 or paid_amount <> 0)
            when charge_amount = allowed_amount then false
            when claim_status_code = '4' and paid_amount = 0 and allowed_amount = 0 then false
        end as is_partially_denied
    from ordered
),

-- Which decision of its payer a reversal takes back: the one with its control number, where neither number comes again; else
-- one that it negates to the cent, the earliest with the earliest; else the only one since the reversal before, and the cents
-- between them are kept. Of several it is unknown which.
sides as (
    select
        data_source,
        claim_token,
        coalesce(payer_id, '') as payer_id,
        payer_claim_control_token,
        adjudication_number,
        not is_decision as is_reversal,
        case when is_decision then paid_amount else -paid_amount end as paid_amount,
        case when is_decision then charge_amount else -charge_amount end as charge_amount
    from decided
    where last_reversal_number is not null
),

of_one_number as (
    select
        reversals.data_source,
        reversals.claim_token,
        reversals.adjudication_number,
        originals.adjudication_number as original_number,
        count(*) over (partition by reversals.data_source, reversals.claim_token, reversals.adjudication_number) as original_count,
        count(*) over (partition by reversals.data_source, reversals.claim_token, originals.adjudication_number) as reversal_count
    from sides as reversals
    inner join sides as originals
        on reversals.data_source = originals.data_source
        and reversals.claim_token = originals.claim_token
        and reversals.payer_id = originals.payer_id
        and reversals.payer_claim_control_token = originals.payer_claim_control_token
    where reversals.is_reversal and not originals.is_reversal and originals.adjudication_number < reversals.adjudication_number
),

numbered as (
    select data_source, claim_token, adjudication_number, original_number
    from of_one_number
    where original_count = 1 and reversal_count = 1
),

settled as (
    select data_source, claim_token, adjudication_number from numbered
    union all
    select data_source, claim_token, original_number from numbered
),

equals as (
    select
        sides.*,
        row_number() over (
            partition by
                sides.data_source, sides.claim_token, sides.payer_id, sides.is_reversal, sides.paid_amount, sides.charge_amount
            order by sides.adjudication_number
        ) as place
    from sides
    left join settled
        on sides.data_source = settled.data_source and sides.claim_token = settled.claim_token
        and sides.adjudication_number = settled.adjudication_number
    where settled.claim_token is null
),

negated as (
    select reversals.data_source, reversals.claim_token, reversals.adjudication_number, originals.adjudication_number as original_number
    from equals as reversals
    inner join equals as originals
        on reversals.data_source = originals.data_source
        and reversals.claim_token = originals.claim_token
        and reversals.payer_id = originals.payer_id
        and reversals.paid_amount = originals.paid_amount
        and coalesce(reversals.charge_amount, 0) = coalesce(originals.charge_amount, 0)
        and reversals.place = originals.place
    where reversals.is_reversal and not originals.is_reversal and originals.adjudication_number < reversals.adjudication_number
),

cancelled as (
    select data_source, claim_token, adjudication_number from negated
    union all
    select data_source, claim_token, original_number from negated
),

-- What is left, in runs of decisions and the reversals that follow them.
leftovers as (
    select
        equals.*,
        lag(equals.is_reversal) over (
            partition by equals.data_source, equals.claim_token, equals.payer_id order by equals.adjudication_number
        ) as follows_reversal
    from equals
    left join cancelled
        on equals.data_source = cancelled.data_source and equals.claim_token = cancelled.claim_token
        and equals.adjudication_number = cancelled.adjudication_number
    where cancelled.claim_token is null
),

runs as (
    select
        *,
        sum(case when follows_reversal and not is_reversal then 1 else 0 end) over (
            partition by data_source, claim_token, payer_id order by adjudication_number rows between unbounded preceding and current row
        ) as run_number
    from leftovers
),

left_in_runs as (
    select
        data_source,
        claim_token,
        max(case when is_reversal then adjudication_number end) as adjudication_number,
        max(case when not is_reversal then adjudication_number end) as original_number
    from runs
    group by data_source, claim_token, payer_id, run_number
    having count(*) = 2 and max(case when is_reversal then 1 else 0 end) = 1
),

reversed as (
    select * from numbered
    union all
    select * from negated
    union all
    select * from left_in_runs where original_number is not null
),

unclear as (
    select reversals.data_source, reversals.claim_token, reversals.adjudication_number
    from runs as reversals
    inner join runs as originals
        on reversals.data_source = originals.data_source
        and reversals.claim_token = originals.claim_token
        and reversals.payer_id = originals.payer_id
        and reversals.run_number = originals.run_number
    left join reversed
        on reversals.data_source = reversed.data_source
        and reversals.claim_token = reversed.claim_token
        and reversals.adjudication_number = reversed.adjudication_number
    where reversals.is_reversal and not originals.is_reversal and reversed.claim_token is null
    group by reversals.data_source, reversals.claim_token, reversals.adjudication_number
)

select
    {{ surrogate_key(['decided.data_source', 'decided.claim_token', 'decided.adjudication_number']) }} as adjudication_key,
    decided.data_source,
    decided.claim_key,
    decided.claim_token,
    decided.adjudication_number,
    decided.claim_rule,
    decided.remittance_id,
    decided.member_token,
    decided.payer_key,
    decided.payer_id,
    decided.line_of_business,
    decided.claim_status_code,
    decided.is_reversal,
    decided.adjudication_number = decided.first_decision_number as is_first_decision,
    decided.is_decision
    and decided.adjudication_number = decided.last_decision_number
    and decided.adjudication_number > coalesce(decided.last_reversal_number, 0) as is_current,
    -- a decision that follows a reversal of its payer corrects what was reversed
    decided.is_decision and coalesce(decided.follows_reversal, false) as is_correction,
    reversed.original_number as reversed_adjudication_number,
    case when decided.is_reversal then unclear.claim_token is not null end as is_reversal_ambiguous,
    -- A reversal says no place among the payers: it has that of the decision which it takes back, a denial (CLP02 4) its payer's.
    coalesce(
        decided.stated_rank,
        originals.stated_rank,
        max(decided.stated_rank) over (partition by decided.data_source, decided.claim_token, decided.payer_id)
    ) as payer_rank,
    case when decided.is_reversal then originals.paid_amount + decided.paid_amount end as reversal_difference_amount,
    decided.adjudicated_date,
    decided.paid_date,
    decided.line_count,
    decided.charge_amount,
    decided.allowed_amount,
    decided.paid_amount,
    decided.deductible_amount,
    decided.coinsurance_amount,
    decided.copayment_amount,
    decided.adjustment_amount,
    decided.contractual_adjustment_amount,
    decided.denied_amount,
    decided.reason_count,
    decided.unmapped_reason_count,
    decided.is_denied,
    decided.is_partially_denied,
    case
        when decided.is_denied or decided.is_partially_denied then coalesce(main_categories.denial_category, 'unmapped')
    end as denial_category,
    case when decided.is_denied or decided.is_partially_denied then main_categories.can_appeal end as can_appeal,
    decided.load_id,
    decided.source_line_number
from decided
left join main_categories
    on decided.data_source = main_categories.data_source
    and decided.claim_token = main_categories.claim_token
    and decided.adjudication_number = main_categories.adjudication_number
    and main_categories.category_rank = 1
left join reversed
    on decided.data_source = reversed.data_source
    and decided.claim_token = reversed.claim_token
    and decided.adjudication_number = reversed.adjudication_number
left join unclear
    on decided.data_source = unclear.data_source
    and decided.claim_token = unclear.claim_token
    and decided.adjudication_number = unclear.adjudication_number
left join decided as originals
    on reversed.data_source = originals.data_source
    and reversed.claim_token = originals.claim_token
    and reversed.original_number = originals.adjudication_number
