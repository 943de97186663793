-- Both sides side by side, and why they part, for every document that int_finance__tied has not settled. A cause is found
-- by the document that a posting names; the size of a difference is only ever compared within one document (or one claim
-- and its reversal), never between cells. Every amount of either side gets exactly one cause, so that the causes of a cell
-- sum to its difference by construction.

-- Hashes alone are held against hashes: with whole rows this would be the largest join of all.
with unsettled as (
    select document_hash from {{ ref('int_finance__warehouse_amounts') }} as w
    where not exists (select 1 from {{ ref('int_finance__tied') }} as tied where tied.document_hash = w.document_hash)
    union
    select document_hash from {{ ref('int_finance__ledger_amounts') }} as l
    where not exists (select 1 from {{ ref('int_finance__tied') }} as tied where tied.document_hash = l.document_hash)
),

warehouse_amounts as (
    select w.*
    from {{ ref('int_finance__warehouse_amounts') }} as w
    where w.document_hash in (select document_hash from unsettled)
),

ledger_amounts as (
    select l.*
    from {{ ref('int_finance__ledger_amounts') }} as l
    where l.document_hash in (select document_hash from unsettled)
),

batches as (
    select distinct data_source, batch_id from {{ ref('int_lake__active_loads') }}
),

payment_accounts as (
    select distinct entity_code, account_code from {{ ref('ledger_accounts') }} where measure_code = 'remittance_paid'
),

-- A posting may be of a whole remittance or batch. It stands against the sum of the documents that the same account does
-- not hold one by one; where the account has no such posting, against those that no account holds one by one.
whole_postings as (
    select distinct
        data_source, entity_code, account_code, document_level, document_key,
        case when document_level = 'remittance' then remittance_id else batch_id end as whole_id
    from ledger_amounts
    where document_level <> 'document'
),

wholes as (
    select distinct data_source, entity_code, document_level, document_key, whole_id from whole_postings
),

touched as (
    select distinct
        w.data_source, w.entity_code, w.account_code, w.document_key,
        min(wholes.document_key) over (
            partition by w.data_source, w.entity_code, w.account_code, w.document_key
        ) as whole_key
    from warehouse_amounts as w
    inner join wholes
        on w.data_source = wholes.data_source and w.entity_code = wholes.entity_code
        and wholes.whole_id = case when wholes.document_level = 'remittance' then w.remittance_id else w.batch_id end
),

posted_one_by_one as (
    select distinct data_source, entity_code, document_key, account_code
    from {{ ref('int_finance__ledger_amounts') }}
    where document_key in (select document_key from touched)
),

posted_documents as (
    select distinct data_source, entity_code, document_key from posted_one_by_one
),

posted_whole as (
    select touched.data_source, touched.entity_code, touched.account_code, touched.document_key, touched.whole_key
    from touched
    left join whole_postings as here
        on touched.data_source = here.data_source and touched.entity_code = here.entity_code
        and touched.account_code = here.account_code and touched.whole_key = here.document_key
    left join posted_one_by_one as one
        on touched.data_source = one.data_source and touched.entity_code = one.entity_code
        and touched.document_key = one.document_key and touched.account_code = one.account_code
    left join posted_documents as anywhere
        on touched.data_source = anywhere.data_source and touched.entity_code = anywhere.entity_code
        and touched.document_key = anywhere.document_key
    where
        case when here.document_key is not null then one.document_key is null else anywhere.document_key is null end
),

warehouse_side as (
    select
        w.data_source,
        coalesce(p.whole_key, w.document_key) as document_key,
        w.document_type,
        w.nature,
        w.entity_code,
        w.payer_id,
        w.line_of_business,
        w.account_code,
        w.posting_month,
        w.claim_token,
        w.remittance_id,
        w.transaction_token,
        w.batch_id,
        w.load_id,
        w.source_line_number,
        w.amount
    from warehouse_amounts as w
    left join posted_whole as p
        on w.data_source = p.data_source and w.entity_code = p.entity_code and w.account_code = p.account_code
        and w.document_key = p.document_key
),

-- One row per document and cell of the books, without the month.
warehouse_documents as (
    select
        data_source, document_key, entity_code, payer_id, line_of_business, account_code,
        sum(amount) as warehouse_amount,
        min(posting_month) as first_month,
        max(posting_month) as last_month,
        max(case when nature = 'reversal' then 1 else 0 end) as is_reversal,
        max(case when nature = 'recoupment' then 1 else 0 end) as is_recoupment,
        min(claim_token) as claim_token
    from warehouse_side
    group by data_source, document_key, entity_code, payer_id, line_of_business, account_code
),

ledger_documents as (
    select
        l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code,
        sum(l.amount) as ledger_amount,
        count(*) as posting_count,
        min(l.posting_month) as first_month,
        max(l.posting_month) as last_month,
        min(l.claim_token) as claim_token,
        max(case when l.batch_id is not null and batches.batch_id is null then 1 else 0 end) as is_batch_missing
    from ledger_amounts as l
    left join batches on l.data_source = batches.data_source and l.batch_id = batches.batch_id
    group by l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code
),

documents as (
    select
        coalesce(w.data_source, l.data_source) as data_source,
        coalesce(w.document_key, l.document_key) as document_key,
        coalesce(w.entity_code, l.entity_code) as entity_code,
        coalesce(w.payer_id, l.payer_id) as payer_id,
        coalesce(w.line_of_business, l.line_of_business) as line_of_business,
        coalesce(w.account_code, l.account_code) as account_code,
        coalesce(w.warehouse_amount, 0) as warehouse_amount,
        coalesce(l.ledger_amount, 0) as ledger_amount,
        w.document_key is not null as is_in_warehouse,
        l.document_key is not null as is_in_ledger,
        w.first_month as warehouse_month,
        coalesce(w.is_reversal, 0) as is_reversal,
        coalesce(w.is_recoupment, 0) as is_recoupment,
        coalesce(w.claim_token, l.claim_token) as claim_token,
        coalesce(l.is_batch_missing, 0) as is_batch_missing,
        coalesce(l.posting_count, 0) as posting_count,
        coalesce(
            w.first_month = w.last_month and l.first_month = l.last_month and w.first_month = l.first_month, false
        ) as is_same_month
    from warehouse_documents as w
    full join ledger_documents as l
        on w.data_source = l.data_source and w.document_key = l.document_key and w.entity_code = l.entity_code
        and w.payer_id = l.payer_id and w.line_of_business = l.line_of_business and w.account_code = l.account_code
),

open_documents as (
    select * from documents where warehouse_amount <> ledger_amount
),

-- Postings that say the same of the same document once more than they should. A posting that takes another back allows
-- one more. Of the copies the one nearest to the document's own month is the one that counts.
copies as (
    select
        l.posting_id, l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code, l.amount,
        l.posting_month, d.warehouse_month,
        row_number() over (
            partition by
                l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code, l.amount
            order by case when l.posting_month = d.warehouse_month then 0 else 1 end, l.posting_date, l.posting_id
        ) as copy_number,
        sum(case when l.amount > 0 then 1 else 0 end) over (
            partition by
                l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code, abs(l.amount)
        ) as positive_count,
        sum(case when l.amount < 0 then 1 else 0 end) over (
            partition by
                l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code, abs(l.amount)
        ) as negative_count
    from ledger_amounts as l
    inner join open_documents as d
        on l.data_source = d.data_source and l.document_key = d.document_key and l.entity_code = d.entity_code
        and l.payer_id = d.payer_id and l.line_of_business = d.line_of_business and l.account_code = d.account_code
    where d.posting_count > 1
),

counted as (
    select
        *,
        copy_number > 1 + case when amount > 0 then negative_count else positive_count end as is_extra
    from copies
),

extra_postings as (
    select * from counted where is_extra
),

extra_amounts as (
    select
        data_source, document_key, entity_code, payer_id, line_of_business, account_code,
        sum(case when is_extra then amount else 0 end) as extra_amount,
        max(case when not is_extra and posting_month <> warehouse_month then 1 else 0 end) as is_other_month
    from counted
    group by data_source, document_key, entity_code, payer_id, line_of_business, account_code
),

once as (
    select
        d.*,
        coalesce(x.extra_amount, 0) as extra_amount,
        coalesce(x.is_other_month, 0) as is_other_month,
        d.warehouse_amount - d.ledger_amount + coalesce(x.extra_amount, 0) as residual_amount
    from open_documents as d
    left join extra_amounts as x
        on d.data_source = x.data_source and d.document_key = x.document_key and d.entity_code = x.entity_code
        and d.payer_id = x.payer_id and d.line_of_business = x.line_of_business and d.account_code = x.account_code
),

-- What is left of a document within one entity, and within the whole house: zero says that it moved between cells.
moves as (
    select
        once.*,
        sum(once.residual_amount) over (
            partition by once.data_source, once.document_key, once.entity_code
        ) as entity_residual_amount,
        sum(once.residual_amount) over (partition by once.data_source, once.document_key) as house_residual_amount,
        sum(
            case when once.residual_amount <> 0 and once.is_in_warehouse and once.is_recoupment = 0 then 1
                when once.residual_amount <> 0 and not once.is_in_warehouse and payment_accounts.account_code is null then 1
                else 0 end
        ) over (partition by once.data_source, once.document_key, once.entity_code) as foreign_count,
        max(case when once.is_in_ledger then 1 else 0 end) over (
            partition by once.data_source, once.document_key, once.entity_code
        ) as is_in_entity_ledger,
        max(case when once.is_in_ledger then 1 else 0 end) over (
            partition by once.data_source, once.document_key
        ) as is_in_house_ledger
    from once
    left join payment_accounts
        on once.entity_code = payment_accounts.entity_code and once.account_code = payment_accounts.account_code
),

strays as (
    select * from open_documents where not is_in_warehouse
),

homes as (
    select data_source, document_key, warehouse_amount from documents
    where is_in_warehouse and warehouse_amount = ledger_amount
    union all
    select w.data_source, w.document_key, w.amount
    from {{ ref('int_finance__warehouse_amounts') }} as w
    inner join {{ ref('int_finance__tied') }} as tied on w.document_hash = tied.document_hash
    inner join (select distinct data_source, document_key from strays) as s
        on w.data_source = s.data_source and w.document_key = s.document_key
),

-- A posting in a cell where its document has no business, while the document's own cell holds the same amount already.
elsewhere as (
    select distinct o.data_source, o.document_key, o.entity_code, o.payer_id, o.line_of_business, o.account_code
    from strays as o
    inner join homes as home
        on o.data_source = home.data_source and o.document_key = home.document_key
        and o.ledger_amount = home.warehouse_amount
),

first_causes as (
    select
        m.data_source, m.document_key, m.entity_code, m.payer_id, m.line_of_business, m.account_code, m.claim_token,
        m.is_reversal, m.residual_amount,
        case
            when m.residual_amount = 0 and m.is_other_month = 0 then 'tied'
            when m.residual_amount = 0 then 'settled'
            when not m.is_in_warehouse and m.is_batch_missing = 1 then 'missing_load'
            when m.entity_residual_amount = 0 and m.foreign_count = 0 and m.is_in_entity_ledger = 1 then 'recoupment'
            when m.entity_residual_amount = 0 and m.is_in_entity_ledger = 1 then 'wrong_account'
            when m.house_residual_amount = 0 and m.is_in_house_ledger = 1 then 'wrong_account'
            when elsewhere.document_key is not null then 'duplicate_posting'
        end as cause,
        -- Without a document that agrees once the copies are gone, a repeated amount proves nothing.
        m.extra_amount <> 0 and (
            m.residual_amount = 0 or not m.is_in_warehouse or m.entity_residual_amount = 0 or m.house_residual_amount = 0
        ) as has_duplicates
    from moves as m
    left join elsewhere
        on m.data_source = elsewhere.data_source and m.document_key = elsewhere.document_key
        and m.entity_code = elsewhere.entity_code and m.payer_id = elsewhere.payer_id
        and m.line_of_business = elsewhere.line_of_business and m.account_code = elsewhere.account_code
),

-- A claim with a reversal whose documents agree in sum, though not one by one: the books net what the payer sent apart.
reversed_claims as (
    select distinct data_source, claim_token, entity_code, payer_id, line_of_business, account_code
    from {{ ref('int_finance__warehouse_amounts') }}
    where nature = 'reversal' and claim_token is not null
),

netted_claims as (
    select f.data_source, f.claim_token, f.entity_code, f.payer_id, f.line_of_business, f.account_code
    from first_causes as f
    inner join reversed_claims as r
        on f.data_source = r.data_source and f.claim_token = r.claim_token and f.entity_code = r.entity_code
        and f.payer_id = r.payer_id and f.line_of_business = r.line_of_business and f.account_code = r.account_code
    where f.cause is null
    group by f.data_source, f.claim_token, f.entity_code, f.payer_id, f.line_of_business, f.account_code
    having sum(f.residual_amount) = 0
),

causes as (
    select
        f.data_source, f.document_key, f.entity_code, f.payer_id, f.line_of_business, f.account_code, f.has_duplicates,
        case when f.cause is not null then f.cause when n.claim_token is not null then 'reversal' end as cause
    from first_causes as f
    left join netted_claims as n
        on f.data_source = n.data_source and f.claim_token = n.claim_token and f.entity_code = n.entity_code
        and f.payer_id = n.payer_id and f.line_of_business = n.line_of_business and f.account_code = n.account_code
),

verdicts as (
    select
        d.data_source, d.document_key, d.entity_code, d.payer_id, d.line_of_business, d.account_code,
        coalesce(c.has_duplicates, false) as has_duplicates,
        case
            when d.warehouse_amount <> d.ledger_amount and c.cause is null then 'unexplained'
            when coalesce(c.cause, 'settled') <> 'settled' then c.cause
            when d.is_same_month then 'tied'
            when d.is_reversal = 1 then 'reversal'
            when d.is_recoupment = 1 then 'recoupment'
            else 'posted_in_another_month'
        end as cause
    from documents as d
    left join causes as c
        on d.data_source = c.data_source and d.document_key = c.document_key and d.entity_code = c.entity_code
        and d.payer_id = c.payer_id and d.line_of_business = c.line_of_business and d.account_code = c.account_code
),

ledger_months as (
    select distinct data_source, posting_month from {{ ref('int_finance__ledger_amounts') }}
),

sides as (
    select
        w.data_source, w.document_key, w.entity_code, w.payer_id, w.line_of_business, w.account_code, w.posting_month,
        -- A month in which the books hold nothing at all: their own file is missing, not these documents.
        case when v.cause = 'unexplained' and ledger_months.posting_month is null then 'missing_load' else v.cause end as cause,
        w.amount as warehouse_amount, cast(0 as decimal(18, 2)) as ledger_amount,
        1 as warehouse_count, 0 as posting_count,
        w.document_type, w.claim_token, w.remittance_id, w.transaction_token, w.batch_id, w.load_id, w.source_line_number,
        cast(null as {{ dbt.type_string() }}) as ledger_load_id, cast(null as bigint) as ledger_source_line_number,
        cast(null as {{ dbt.type_string() }}) as posting_id
    from warehouse_side as w
    inner join verdicts as v
        on w.data_source = v.data_source and w.document_key = v.document_key and w.entity_code = v.entity_code
        and w.payer_id = v.payer_id and w.line_of_business = v.line_of_business and w.account_code = v.account_code
    left join ledger_months on w.data_source = ledger_months.data_source and w.posting_month = ledger_months.posting_month

    union all

    select
        l.data_source, l.document_key, l.entity_code, l.payer_id, l.line_of_business, l.account_code, l.posting_month,
        case when v.has_duplicates and x.posting_id is not null then 'duplicate_posting' else v.cause end as cause,
        0, l.amount, 0, 1,
        l.document_type, l.claim_token, l.remittance_id, l.transaction_token, l.batch_id, null, null,
        l.load_id, l.source_line_number, l.posting_id
    from ledger_amounts as l
    inner join verdicts as v
        on l.data_source = v.data_source and l.document_key = v.document_key and l.entity_code = v.entity_code
        and l.payer_id = v.payer_id and l.line_of_business = v.line_of_business and l.account_code = v.account_code
    left join extra_postings as x on l.data_source = x.data_source and l.posting_id = x.posting_id
)

select
    data_source,
    document_key,
    posting_month,
    entity_code,
    payer_id,
    line_of_business,
    account_code,
    cause,
    {{ usd('sum(warehouse_amount)') }} as warehouse_amount,
    {{ usd('sum(ledger_amount)') }} as ledger_amount,
    {{ usd('sum(warehouse_amount) - sum(ledger_amount)') }} as difference_amount,
    sum(posting_count) as posting_count,
    min(document_type) as document_type,
    min(claim_token) as claim_token,
    min(remittance_id) as remittance_id,
    min(transaction_token) as transaction_token,
    min(batch_id) as batch_id,
    min(load_id) as load_id,
    min(source_line_number) as source_line_number,
    -- file and line of the same posting: the first
    min_by(ledger_load_id, posting_id) as ledger_load_id,
    min_by(ledger_source_line_number, posting_id) as ledger_source_line_number,
    min(posting_id) as posting_id
from sides
group by data_source, document_key, posting_month, entity_code, payer_id, line_of_business, account_code, cause
