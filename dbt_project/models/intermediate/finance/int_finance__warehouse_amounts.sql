{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={
        'unit': 'claim_token', 'nobody': true,
        'touched_by': 'touched_claims_and_nobody', 'also': 'replacements_of_touched_claims'
    }
) }}

-- What the source systems say, document by document, in the ledger's terms: each measure of the seed ledger_accounts.
-- A new measure is a branch here and a row there; which account it stands against, and by which date, is the row's business.
with accounts as (
    select * from {{ ref('ledger_accounts') }}
),

loads as (
    select load_id, batch_id from {{ ref('int_lake__active_loads') }}
),

claims as (
    select * from {{ ref('stg_medical_claim__claims') }}
    where claim_status = 'submitted' and submitted_date is not null{{ only_touched('claim_token', 'and') }}
),

billed as (
    select * from claims
    where coalesce(coverage_rank, 'primary') <> 'secondary'      -- a second payer is billed for the same charge
),

adjudications as (
    select
        data_source, claim_token, adjudication_number, remittance_id, payer_id, line_of_business, paid_date,
        sum(paid_amount) as amount,
        max(case when claim_status_code = '22' then 1 else 0 end) as is_reversal,
        min(load_id) as load_id,
        min(source_line_number) as source_line_number,
        count(*) as source_row_count
    from {{ ref('stg_remittance__adjudications') }}{{ only_touched('claim_token') }}
    group by data_source, claim_token, adjudication_number, remittance_id, payer_id, line_of_business, paid_date
),

decided_by as (
    select
        data_source, claim_token, adjudication_number, remittance_id,
        min(payer_id) as payer_id,
        min(line_of_business) as line_of_business,
        max(is_reversal) as is_reversal
    from adjudications
    group by data_source, claim_token, adjudication_number, remittance_id
),

contractual as (
    select
        data_source, claim_token, adjudication_number, remittance_id, paid_date,
        sum(adjustment_amount) as amount,
        min(load_id) as load_id,
        min(source_line_number) as source_line_number,
        count(*) as source_row_count
    from {{ ref('stg_remittance_adjustment__adjustments') }}
    where adjustment_group_code = 'CO' and carc_code = '45'{{ only_touched('claim_token', 'and') }}
    group by data_source, claim_token, adjudication_number, remittance_id, paid_date
),

measures as (
    select
        'claim_charge' as measure_code, data_source, 'claim' as document_type, 'charge' as document_part, 'ordinary' as nature,
        claim_token, cast(null as bigint) as claim_line_number, cast(null as bigint) as document_number,
        cast(null as {{ dbt.type_string() }}) as remittance_id, cast(null as {{ dbt.type_string() }}) as transaction_token,
        payer_id, line_of_business, submitted_date, cast(null as date) as paid_date, cast(null as date) as posting_date,
        charge_amount as amount, load_id, source_line_number, cast(1 as bigint) as source_row_count
    from billed
    where coalesce(claim_frequency_code, '1') <> '8'

    union all

    select
        'claim_charge_reversed', sent.data_source, 'claim', 'reversal', 'reversal',
        sent.claim_token, null, null, null, null,
        original.payer_id, original.line_of_business, sent.submitted_date, null, null,
        original.charge_amount, sent.load_id, sent.source_line_number, 1
    from billed as sent
    inner join {{ ref('int_claim__links') }} as links on sent.claim_key = links.claim_key
    inner join {{ ref('stg_medical_claim__claims') }} as original on links.original_claim_key = original.claim_key
    where
        sent.claim_frequency_code in ('7', '8')
        and original.claim_status = 'submitted' and original.submitted_date is not null
        and coalesce(original.coverage_rank, 'primary') <> 'secondary'

    union all

    select
        'remittance_paid', data_source, 'remittance', 'paid', case when is_reversal = 1 then 'reversal' else 'ordinary' end,
        claim_token, null, adjudication_number, remittance_id, null,
        payer_id, line_of_business, null, paid_date, null,
        amount, load_id, source_line_number, source_row_count
    from adjudications

    union all

    select
        'remittance_contractual', contractual.data_source, 'remittance', 'contractual',
        case when decided_by.is_reversal = 1 then 'reversal' else 'ordinary' end,
        contractual.claim_token, null, contractual.adjudication_number, contractual.remittance_id, null,
        coalesce(decided_by.payer_id, claims.payer_id),
        coalesce(decided_by.line_of_business, claims.line_of_business),
        null, contractual.paid_date, null,
        contractual.amount, contractual.load_id, contractual.source_line_number, contractual.source_row_count
    from contractual
    left join decided_by
        on contractual.data_source = decided_by.data_source and contractual.claim_token = decided_by.claim_token
        and contractual.adjudication_number = decided_by.adjudication_number
        and contractual.remittance_id = decided_by.remittance_id
    -- The adjustments of a remittance whose own file is missing still belong to the payer of their claim.
    left join claims
        on contractual.data_source = claims.data_source and contractual.claim_token = claims.claim_token

    union all

    select
        case adjustment_reason_code when 'WO' then 'provider_takeback' else 'provider_interest' end,
        data_source, 'provider_adjustment', 'provider_adjustment',
        case adjustment_reason_code when 'WO' then 'recoupment' else 'ordinary' end,
        claim_token, null, adjustment_number, remittance_id, null,
        payer_id, line_of_business, null, paid_date, null,
        adjustment_amount, load_id, source_line_number, 1
    from {{ ref('stg_provider_adjustment__adjustments') }}
    where adjustment_reason_code in ('WO', 'L6'){{ only_touched('claim_token', 'and') }}

    union all

    select
        transaction_type, data_source, 'transaction', transaction_type, 'ordinary',
        claim_token, null, null, null, transaction_token,
        payer_id, line_of_business, null, null, posting_date,
        transaction_amount, load_id, source_line_number, 1
    from {{ ref('stg_patient_accounting__transactions') }}
    where transaction_type in ('patient_payment', 'denial_write_off', 'refund'){{ only_touched('claim_token', 'and') }}

    union all

    select
        'fill_paid', data_source, 'fill', 'paid', case when paid_amount < 0 then 'reversal' else 'ordinary' end,
        claim_token, claim_line_number, adjudication_number, null, null,
        payer_id, line_of_business, null, coalesce(paid_date, dispensing_date), null,
        paid_amount, load_id, source_line_number, 1
    from {{ ref('stg_pharmacy_fill__fills') }}{{ only_touched('claim_token') }}
),

dated as (
    select
        measures.*,
        accounts.entity_code,
        accounts.account_code,
        accounts.sign,
        case accounts.date_basis
            when 'submitted_date' then measures.submitted_date
            when 'paid_date' then measures.paid_date
            when 'posting_date' then measures.posting_date
        end as document_date,
        accounts.effective_from,
        accounts.effective_to
    from measures
    inner join accounts
        on measures.measure_code = accounts.measure_code
        and (accounts.payer_id is null or accounts.payer_id = measures.payer_id)
    where measures.amount <> 0          -- what moves no money is posted nowhere
),

amounts as (
    select
        dated.data_source,
        {{ document_key('dated.document_type', 'dated.document_part', 'dated.claim_token', 'dated.claim_line_number',
                        'dated.document_number', 'dated.remittance_id', 'dated.transaction_token') }} as document_key,
        dated.document_type,
        dated.nature,
        dated.measure_code,
        dated.entity_code,
        coalesce(dated.payer_id, 'none') as payer_id,
        coalesce(dated.line_of_business, 'none') as line_of_business,
        dated.account_code,
        {{ month_of('dated.document_date') }} as posting_month,
        dated.document_date,
        dated.claim_token,
        dated.claim_line_number,
        dated.document_number,
        dated.remittance_id,
        dated.transaction_token,
        {{ usd('dated.amount * dated.sign') }} as amount,
        dated.load_id,
        loads.batch_id,
        dated.source_line_number,
        dated.source_row_count
    from dated
    left join loads on dated.load_id = loads.load_id
    where
        dated.document_date >= dated.effective_from
        and (dated.effective_to is null or dated.document_date <= dated.effective_to)
)

select
    amounts.*,
    {{ document_hash('amounts') }} as document_hash
from amounts
