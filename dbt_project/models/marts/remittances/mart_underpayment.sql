{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'also': 'claims_with_other_prices'}
) }}

-- Lines that a payer allowed less for than the contract lets expect, beyond the tolerance. The first payer's decision that stands
-- is asked: a second payer has no contract price, whether it answers a claim of its own or under the first one's number. A
-- line that is refused in full is a denial (mart_appealable). A reason other than the contract's own (CO-45), the patient's
-- share and effects of other payers explains a shortfall, right or wrong.
with answers as (
    select
        *,
        row_number() over (partition by data_source, claim_token order by adjudication_number desc) as answer_place
    from {{ ref('int_claim__adjudications') }}
    where coalesce(payer_rank, 1) = 1{{ only_touched('claim_token', 'and') }}
),

standing as (
    select answers.data_source, answers.claim_token, answers.adjudication_number
    from answers
    left join {{ ref('fct_claim') }} as claims
        on answers.claim_key = claims.claim_key
        {{- only_touched('claims.claim_token', word='and') }}
    where
        answers.answer_place = 1
        and not coalesce(answers.is_reversal, false)
        and coalesce(claims.coverage_rank, 'primary') not in ('secondary', 'tertiary')
),

expected as (
    select data_source, claim_key, claim_token, claim_line_number, hcpcs_code, revenue_center_code, claim_line_start_date,
        expected_amount, expected_amount_rule, contracted_amount
    from {{ ref('int_claim__expected_amounts') }}
    where expected_amount is not null{{ only_touched('claim_token', 'and') }}
),

-- a payer may answer one line in parts
decided as (
    select
        lines.data_source,
        lines.claim_key,
        lines.claim_token,
        lines.claim_line_number,
        lines.adjudication_number,
        max(lines.payer_key) as payer_key,
        max(lines.payer_id) as payer_id,
        max(lines.remittance_id) as remittance_id,
        max(lines.paid_date) as paid_date,
        sum(lines.charge_amount) as charge_amount,
        sum(lines.allowed_amount) as allowed_amount,
        sum(lines.paid_amount) as paid_amount
    from {{ ref('int_claim__adjudication_lines') }} as lines
    inner join standing
        on lines.data_source = standing.data_source
        and lines.claim_token = standing.claim_token
        and lines.adjudication_number = standing.adjudication_number
    {{- only_touched('lines.claim_token') }}
    group by lines.data_source, lines.claim_key, lines.claim_token, lines.claim_line_number, lines.adjudication_number
),

candidates as (
    select
        lines.data_source,
        lines.claim_key,
        lines.claim_token,
        lines.claim_line_number,
        lines.adjudication_number,
        lines.payer_key,
        lines.payer_id,
        lines.remittance_id,
        lines.paid_date,
        expected.hcpcs_code,
        expected.revenue_center_code,
        expected.claim_line_start_date,
        lines.charge_amount,
        lines.allowed_amount,
        lines.paid_amount,
        expected.expected_amount,
        expected.expected_amount_rule,
        expected.contracted_amount,
        expected.expected_amount - lines.allowed_amount as underpaid_amount
    from decided as lines
    inner join expected
        on lines.data_source = expected.data_source
        and lines.claim_token = expected.claim_token
        and lines.claim_line_number = expected.claim_line_number
    where lines.allowed_amount > 0 and lines.allowed_amount < expected.expected_amount
),

-- the payer's own rule comes before the one for all
tolerances as (
    select
        days.payer_id,
        days.paid_date,
        max_by(rules.tolerance_amount, case when rules.payer_id is not null then 2 else 1 end) as tolerance_amount,
        max_by(rules.tolerance_rate, case when rules.payer_id is not null then 2 else 1 end) as tolerance_rate
    from (select distinct payer_id, paid_date from candidates) as days
    inner join {{ ref('underpayment_tolerances') }} as rules
        on (rules.payer_id is null or rules.payer_id = days.payer_id)
        and days.paid_date >= rules.effective_from
        and days.paid_date <= coalesce(rules.effective_to, cast('9999-12-31' as date))
    group by days.payer_id, days.paid_date
),

short as (
    select
        candidates.*,
        greatest(tolerances.tolerance_amount, candidates.expected_amount * tolerances.tolerance_rate) as tolerance_amount
    from candidates
    inner join tolerances on candidates.payer_id = tolerances.payer_id and candidates.paid_date = tolerances.paid_date
    where
        candidates.underpaid_amount > tolerances.tolerance_amount
        and candidates.underpaid_amount > candidates.expected_amount * tolerances.tolerance_rate
),

reasons as (
    select
        reasons.data_source,
        reasons.claim_token,
        reasons.claim_line_number,
        reasons.adjudication_number,
        sum(reasons.adjustment_amount) as explained_amount,
        max_by(reasons.carc_code, reasons.adjustment_amount) as carc_code
    from {{ ref('int_claim__adjudication_reasons') }} as reasons
    inner join short
        on reasons.data_source = short.data_source
        and reasons.claim_token = short.claim_token
        and reasons.claim_line_number = short.claim_line_number
        and reasons.adjudication_number = short.adjudication_number
    where
        reasons.adjustment_amount > 0
        {{- only_touched('reasons.claim_token', word='and') }}
        and not (reasons.adjustment_group_code = 'CO' and reasons.carc_code = '45')
        and reasons.adjustment_group_code <> 'PR'
        and not (reasons.adjustment_group_code = 'OA' and reasons.carc_code in ('22', '23'))
    group by reasons.data_source, reasons.claim_token, reasons.claim_line_number, reasons.adjudication_number
)

select
    {{ surrogate_key(['short.data_source', 'short.claim_token', 'short.claim_line_number']) }} as claim_line_key,
    short.data_source,
    short.claim_key,
    short.claim_token,
    cast(short.claim_line_number as bigint) as claim_line_number,
    short.payer_key,
    short.payer_id,
    short.remittance_id,
    short.paid_date,
    {{ month_of('short.paid_date') }} as paid_month,
    short.hcpcs_code,
    short.revenue_center_code,
    short.claim_line_start_date,
    {{ usd('short.charge_amount') }} as charge_amount,
    {{ usd('short.expected_amount') }} as expected_amount,
    short.expected_amount_rule,
    {{ usd('short.contracted_amount') }} as contracted_amount,
    {{ usd('short.allowed_amount') }} as allowed_amount,
    {{ usd('short.paid_amount') }} as paid_amount,
    {{ usd('short.tolerance_amount') }} as tolerance_amount,
    {{ usd('short.underpaid_amount') }} as underpaid_amount,
    reasons.carc_code is not null as is_explained,
    reasons.carc_code,
    {{ usd('least(coalesce(reasons.explained_amount, 0), short.underpaid_amount)') }} as explained_amount
from short
left join reasons
    on short.data_source = reasons.data_source
    and short.claim_token = reasons.claim_token
    and short.claim_line_number = reasons.claim_line_number
    and short.adjudication_number = reasons.adjudication_number
