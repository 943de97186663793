-- Three balances of each 835, from within outwards, then its payment against the ledger's cash by trace number. What is
-- unknown stays unknown: no reason sent at all balances nothing, and neither does a remittance that never said what it pays.
-- Cash is what stands in the accounts of whoever is paid (rows of ledger_accounts for every payer): the books of a plan that
-- the system owns hold the same money going out.
with remittances as (
    select * from {{ ref('fct_remittance') }}
),

reasoned as (
    select data_source from {{ ref('stg_remittance_adjustment__adjustments') }} group by data_source
),

lines as (
    select
        lines.data_source, lines.remittance_id, lines.payer_id, lines.claim_token, lines.adjudication_number,
        lines.claim_line_number, lines.load_id,
        lines.paid_amount,
        lines.charge_amount,
        -- of a sender who gives reasons, none means that nothing was adjusted
        case when reasoned.data_source is not null then coalesce(lines.adjustment_amount, 0) end as adjustment_amount
    from {{ ref('int_claim__adjudication_lines') }} as lines
    left join reasoned on lines.data_source = reasoned.data_source
    where lines.remittance_id <> 'not_stated'
),

claims as (
    select
        data_source,
        remittance_id,
        payer_id,
        claim_token,
        adjudication_number,
        case
            when count(*) = count(charge_amount) and count(*) = count(adjustment_amount)
                then sum(charge_amount) - sum(adjustment_amount) - sum(paid_amount)
        end as difference_amount,
        count(*) filter (where claim_line_number > 0) as line_count,
        count(charge_amount - adjustment_amount) filter (where claim_line_number > 0) as known_line_count,
        count(*) filter (where claim_line_number > 0 and charge_amount - adjustment_amount <> paid_amount) as unbalanced_line_count,
        sum(abs(charge_amount - adjustment_amount - paid_amount)) filter (where claim_line_number > 0) as line_difference_amount
    from lines
    group by data_source, remittance_id, payer_id, claim_token, adjudication_number
),

balances as (
    select
        data_source,
        remittance_id,
        payer_id,
        count(*) as claim_count,
        count(difference_amount) as known_claim_count,
        count(*) filter (where difference_amount <> 0) as unbalanced_claim_count,
        sum(abs(difference_amount)) as claim_difference_amount,
        sum(line_count) as line_count,
        sum(known_line_count) as known_line_count,
        sum(unbalanced_line_count) as unbalanced_line_count,
        sum(line_difference_amount) as line_difference_amount
    from claims
    group by data_source, remittance_id, payer_id
),

-- What did not arrive of the files that a remittance came in, set aside by the reader or waiting in a load that is held: where it
-- does not balance, this may be why.
files as (
    select rows_of.remittance_key, loads.content_hash
    from (
        select {{ surrogate_key(['data_source', 'remittance_id', 'payer_id']) }} as remittance_key, load_id
        from (select data_source, remittance_id, payer_id, load_id from lines group by data_source, remittance_id, payer_id, load_id) as decided
        union
        select remittance_key, load_id from remittances
    ) as rows_of
    inner join {{ ref('int_lake__loads') }} as loads on rows_of.load_id = loads.load_id
    group by rows_of.remittance_key, loads.content_hash
),

broken as (
    select
        loads.content_hash,
        sum(outcomes.row_count) as row_count,
        sum(outcomes.amount) filter (where loads.feed = 'remittance') as paid_amount,
        max_by(coalesce(outcomes.reason_code, loads.load_state), outcomes.row_count) as reason_code
    from {{ ref('stg_lake__load_outcomes') }} as outcomes
    inner join {{ ref('int_lake__loads') }} as loads on outcomes.load_id = loads.load_id
    where
        loads.load_state in ('active', 'held', 'not_judged', 'not_conserved')
        and (outcomes.outcome = 'set_aside' or (outcomes.outcome = 'accepted' and loads.load_state <> 'active'))
        and loads.feed in ('remittance_advice', 'remittance', 'remittance_adjustment', 'provider_adjustment')
    group by loads.content_hash
),

set_aside as (
    select
        files.remittance_key,
        sum(broken.row_count) as row_count,
        sum(broken.paid_amount) as paid_amount,
        max_by(broken.reason_code, broken.row_count) as reason_code
    from files
    inner join broken on files.content_hash = broken.content_hash
    group by files.remittance_key
),

cash_accounts as (
    select distinct entity_code, account_code from {{ ref('ledger_accounts') }}
    where measure_code in ('remittance_paid', 'provider_interest', 'provider_takeback') and payer_id is null
),

-- A posting that names a trace number and no payer is that of the one payer who used the number.
traced as (
    select data_source, remittance_id, max(payer_id) as payer_id
    from remittances
    group by data_source, remittance_id
    having count(*) = 1
),

postings as (
    select
        ledger.data_source, ledger.remittance_id, ledger.posting_date, ledger.amount,
        case when ledger.payer_id = 'none' then coalesce(traced.payer_id, 'none') else ledger.payer_id end as payer_id
    from {{ ref('int_finance__ledger_amounts') }} as ledger
    inner join cash_accounts on ledger.entity_code = cash_accounts.entity_code and ledger.account_code = cash_accounts.account_code
    left join traced on ledger.data_source = traced.data_source and ledger.remittance_id = traced.remittance_id
),

books as (
    select data_source, max(posting_date) as last_posting_date
    from {{ ref('int_finance__ledger_amounts') }}
    group by data_source
),

-- Cash without a trace number stands by its payer and day.
deposits as (
    select
        data_source,
        remittance_id,
        payer_id,
        case when remittance_id is null then posting_date end as untraced_date,
        min(posting_date) as first_deposit_date,
        max(posting_date) as last_deposit_date,
        count(*) as posting_count,
        sum(amount) as deposited_amount
    from postings
    group by data_source, remittance_id, payer_id, case when remittance_id is null then posting_date end
),

-- Why the books differ from the remittance, as the ledger's reconciliation found it (int_finance__matched).
caused as (
    select
        data_source,
        remittance_id,
        payer_id,
        sum(difference_amount) as difference_amount,
        max_by(cause, abs(difference_amount)) as cause
    from (
        select documents.data_source, documents.remittance_id, documents.payer_id, documents.cause,
            -sum(documents.difference_amount) as difference_amount
        from {{ ref('fct_ledger_document') }} as documents
        inner join cash_accounts
            on documents.entity_code = cash_accounts.entity_code and documents.account_code = cash_accounts.account_code
        where documents.remittance_id is not null
        group by documents.data_source, documents.remittance_id, documents.payer_id, documents.cause
        having sum(documents.difference_amount) <> 0
    ) as by_cause
    group by data_source, remittance_id, payer_id
),

proved as (
    select
        remittances.*,
        coalesce(remittances.paid_amount, remittances.claim_paid_amount - remittances.provider_adjustment_amount) as remitted_amount,
        remittances.paid_amount - (remittances.claim_paid_amount - remittances.provider_adjustment_amount)
            as transaction_difference_amount,
        balances.line_count as balanced_line_count,
        balances.unbalanced_line_count,
        balances.unbalanced_claim_count,
        balances.line_difference_amount,
        balances.claim_difference_amount,
        -- a wrong one is known even where others are not
        case
            when balances.unbalanced_line_count > 0 then false
            when balances.line_count > 0 and balances.line_count = balances.known_line_count then true
        end as is_line_balanced,
        case
            when balances.unbalanced_claim_count > 0 then false
            when balances.claim_count = balances.known_claim_count then true
        end as is_claim_balanced
    from remittances
    left join balances
        on remittances.data_source = balances.data_source and remittances.remittance_id = balances.remittance_id
        and remittances.payer_id = balances.payer_id
)

select
    case
        when proved.remittance_key is not null then proved.remittance_key
        else {{ surrogate_key(["'deposit'", 'deposits.data_source', 'deposits.remittance_id', 'deposits.payer_id', 'deposits.untraced_date']) }}
    end as remittance_balance_key,
    proved.remittance_key,
    coalesce(proved.data_source, deposits.data_source) as data_source,
    coalesce(proved.remittance_id, deposits.remittance_id) as remittance_id,
    coalesce(proved.payer_id, deposits.payer_id) as payer_id,
    proved.has_advice,
    proved.paid_date,
    {{ month_of('coalesce(proved.paid_date, deposits.first_deposit_date)') }} as paid_month,
    proved.claim_count,
    proved.line_count,
    proved.provider_adjustment_count,
    {{ usd('proved.paid_amount') }} as paid_amount,
    {{ usd('proved.claim_paid_amount') }} as claim_paid_amount,
    {{ usd('proved.provider_adjustment_amount') }} as provider_adjustment_amount,
    proved.is_line_balanced,
    cast(proved.unbalanced_line_count as bigint) as unbalanced_line_count,
    {{ usd('proved.line_difference_amount') }} as line_difference_amount,
    proved.is_claim_balanced,
    cast(proved.unbalanced_claim_count as bigint) as unbalanced_claim_count,
    {{ usd('proved.claim_difference_amount') }} as claim_difference_amount,
    proved.transaction_difference_amount = 0 as is_transaction_balanced,
    {{ usd('proved.transaction_difference_amount') }} as transaction_difference_amount,
    case
        when proved.remittance_key is null then 'no_data'
        when proved.transaction_difference_amount <> 0 then 'transaction'
        when not proved.is_claim_balanced then 'claim'
        when not proved.is_line_balanced then 'line'
        when proved.transaction_difference_amount is null or (proved.claim_count > 0 and proved.is_claim_balanced is null) then 'no_data'
        else 'none'
    end as unbalanced_level,
    cast(coalesce(set_aside.row_count, 0) as bigint) as set_aside_row_count,
    {{ usd('set_aside.paid_amount') }} as set_aside_amount,
    set_aside.reason_code as set_aside_reason_code,
    cast(case when books.data_source is not null then coalesce(deposits.posting_count, 0) end as bigint) as posting_count,
    deposits.first_deposit_date,
    deposits.last_deposit_date,
    cast({{ days_between('proved.paid_date', 'deposits.last_deposit_date') }} as bigint) as days_to_deposit,
    {{ usd('case when books.data_source is not null then coalesce(deposits.deposited_amount, 0) end') }} as deposited_amount,
    {{ usd('case when books.data_source is not null then coalesce(deposits.deposited_amount, 0) - coalesce(proved.remitted_amount, 0) end') }}
        as deposit_difference_amount,
    caused.cause as deposit_difference_cause,
    {{ usd('caused.difference_amount') }} as deposit_explained_amount,
    case
        when books.data_source is null then 'no_data'
        when proved.remittance_key is null then 'deposited_without_remittance'
        when deposits.data_source is null and proved.remitted_amount = 0 then 'nothing_to_deposit'
        when deposits.data_source is null and proved.paid_date > books.last_posting_date then 'not_yet_booked'
        when deposits.data_source is null then 'remitted_not_deposited'
        when deposits.deposited_amount = proved.remitted_amount then 'both'
        else 'amounts_differ'
    end as deposit_status,
    proved.load_id,
    proved.source_line_number
from proved
full outer join deposits
    on proved.data_source = deposits.data_source and proved.remittance_id = deposits.remittance_id and proved.payer_id = deposits.payer_id
left join set_aside on proved.remittance_key = set_aside.remittance_key
left join books on coalesce(proved.data_source, deposits.data_source) = books.data_source
left join caused
    on proved.data_source = caused.data_source and proved.remittance_id = caused.remittance_id and proved.payer_id = caused.payer_id
