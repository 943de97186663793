{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_token', 'also': 'claims_with_other_prices'}
) }}

-- What payer and patient together should pay for a line: what the sender's contract system put on it, else what the contract
-- says. A line with a HCPCS code is priced by that code, another by its revenue code; by a contract with the billing provider
-- before one for all, by the code with the line's modifier before the code with any, by a price of its form before one for
-- both, and of several that cover the day of service by the one that began last. Where no price covers it, it is unknown.
with lines as (
    select
        lines.data_source,
        lines.claim_key,
        lines.claim_token,
        lines.claim_line_number,
        lines.claim_line_start_date,
        lines.hcpcs_code,
        lines.revenue_center_code,
        lines.service_unit_quantity,
        lines.charge_amount,
        lines.expected_amount as stated_amount,
        claims.payer_id,
        claims.billing_id,
        coalesce(claims.coverage_rank, 'primary') not in ('secondary', 'tertiary') as is_first_payers,
        -- a second payer has no contract price; here, since a condition on one side of a left join holds all against all
        case when coalesce(claims.coverage_rank, 'primary') not in ('secondary', 'tertiary') then claims.payer_id end as asked_payer_id,
        -- what a price is found by; nothing here is NULL, so that lines find their own again
        coalesce(claims.billing_id, '') as asked_billing_id,
        coalesce(claims.claim_type, '') as asked_claim_type,
        case
            when lines.hcpcs_code is null then 'revenue_code'
            when lines.procedure_code_type = 'hcpcs' then 'hcpcs'
            else ''
        end as asked_code_type,
        coalesce(lines.hcpcs_code, lines.revenue_center_code, '') as asked_code,
        coalesce(lines.hcpcs_modifier_1, '') as asked_modifier_1,
        coalesce(lines.hcpcs_modifier_2, '') as asked_modifier_2
    from {{ ref('stg_medical_claim_line__lines') }} as lines
    left join {{ ref('stg_medical_claim__claims') }} as claims
        on lines.data_source = claims.data_source and lines.claim_token = claims.claim_token
        {{- only_touched('claims.claim_token', word='and') }}
    {{- only_touched('lines.claim_token') }}
),

asked as (
    select distinct
        data_source, asked_payer_id, asked_billing_id, asked_claim_type, asked_code_type, asked_code, asked_modifier_1, asked_modifier_2,
        claim_line_start_date
    from lines
    where asked_payer_id is not null
),

-- a contract of the provider, or one for all: both are found by equality
parties as (
    select *, asked_billing_id as contract_billing_id from asked
    union all
    select *, 'all' as contract_billing_id from asked
),

ranked as (
    select
        parties.*,
        rates.unit_amount,
        rates.charge_rate,
        row_number() over (
            partition by
                parties.data_source, parties.asked_payer_id, parties.asked_billing_id, parties.asked_claim_type, parties.asked_code_type,
                parties.asked_code, parties.asked_modifier_1, parties.asked_modifier_2, parties.claim_line_start_date
            order by
                case when rates.billing_id = 'all' then 1 else 0 end,
                case rates.billing_code_modifier when parties.asked_modifier_1 then 0 when parties.asked_modifier_2 then 1 else 2 end,
                case when rates.claim_type = 'any' then 1 else 0 end,
                rates.effective_from_date desc
        ) as place
    from parties
    inner join {{ ref('stg_contracted_rate__rates') }} as rates
        on parties.data_source = rates.data_source
        and parties.asked_payer_id = rates.payer_id
        and parties.contract_billing_id = rates.billing_id
        and parties.asked_code_type = rates.billing_code_type
        and parties.asked_code = rates.billing_code
        and parties.claim_line_start_date >= rates.effective_from_date
        and parties.claim_line_start_date <= coalesce(rates.effective_to_date, cast('9999-12-31' as date))
    where
        rates.claim_type in (parties.asked_claim_type, 'any')
        and rates.billing_code_modifier in (parties.asked_modifier_1, parties.asked_modifier_2, 'ANY')
),

priced as (
    select
        lines.*,
        -- a row with two prices says none
        case
            when rates.charge_rate is null then {{ usd('lines.service_unit_quantity * rates.unit_amount') }}
            when rates.unit_amount is null then {{ usd('lines.charge_amount * rates.charge_rate') }}
        end as contracted_amount
    from lines
    left join ranked as rates
        on lines.data_source = rates.data_source
        and lines.asked_payer_id = rates.asked_payer_id
        and lines.asked_billing_id = rates.asked_billing_id
        and lines.asked_claim_type = rates.asked_claim_type
        and lines.asked_code_type = rates.asked_code_type
        and lines.asked_code = rates.asked_code
        and lines.asked_modifier_1 = rates.asked_modifier_1
        and lines.asked_modifier_2 = rates.asked_modifier_2
        and lines.claim_line_start_date = rates.claim_line_start_date
        and rates.place = 1
)

select
    data_source,
    claim_key,
    claim_token,
    claim_line_number,
    payer_id,
    billing_id,
    is_first_payers,
    claim_line_start_date,
    hcpcs_code,
    revenue_center_code,
    charge_amount,
    stated_amount,
    contracted_amount,
    coalesce(stated_amount, contracted_amount) as expected_amount,
    case when stated_amount is not null then 'stated' when contracted_amount is not null then 'contracted_rate' end as expected_amount_rule
from priced
