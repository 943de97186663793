with cells as (
    select * from {{ ref('int_finance__cells') }}
),

accounts as (
    select distinct entity_code, account_code, feed from {{ ref('ledger_accounts') }}
),

tolerances as (
    select * from {{ ref('ledger_tolerances') }}
),

senders as (
    select distinct data_source, feed from {{ ref('int_lake__active_loads') }}
),

-- Which accounts of which source can be compared at all: its systems send the measure, and its books are here.
comparable as (
    select senders.data_source, accounts.entity_code, accounts.account_code
    from accounts
    inner join senders on accounts.feed = senders.feed
    group by senders.data_source, accounts.entity_code, accounts.account_code
),

acceptances as (
    select
        *,
        row_number() over (
            partition by
                data_source, posting_month, entity_code, payer_id, line_of_business, account_code, difference_amount
            order by accepted_at desc
        ) as recency
    from {{ ref('stg_lake__ledger_acceptances') }}
),

weighed as (
    select
        cells.*,
        comparable.account_code is not null as has_warehouse_side,
        books.data_source is not null as has_ledger_side,
        coalesce(tolerances.is_cash, true) as is_cash,
        coalesce(tolerances.tolerance_rate, 0) as tolerance_rate,
        case
            when coalesce(tolerances.is_cash, true) then 0
            else greatest(
                tolerances.tolerance_rate * abs(cells.ledger_amount), tolerances.tolerance_floor_amount
            )
        end as tolerance_amount,
        acceptances.accepted_by,
        acceptances.reason as accept_reason,
        acceptances.accepted_at
    from cells
    left join tolerances
        on cells.entity_code = tolerances.entity_code and cells.account_code = tolerances.account_code
        and cells.posting_month >= tolerances.effective_from
        and cells.posting_month <= coalesce(tolerances.effective_to, cast('9999-12-31' as date))
    left join comparable
        on cells.data_source = comparable.data_source and cells.entity_code = comparable.entity_code
        and cells.account_code = comparable.account_code
    left join senders as books on cells.data_source = books.data_source and books.feed = 'ledger_posting'
    left join acceptances
        on cells.data_source = acceptances.data_source and cells.posting_month = acceptances.posting_month
        and cells.entity_code = acceptances.entity_code and cells.payer_id = acceptances.payer_id
        and cells.line_of_business = acceptances.line_of_business and cells.account_code = acceptances.account_code
        and cells.difference_amount = acceptances.difference_amount
        and acceptances.recency = 1
),

judged as (
    select
        *,
        case
            when not has_ledger_side then 'no_data'
            when not has_warehouse_side and wrong_account_amount = 0 then 'no_data'
            when fault_gross_amount > 0 or unexplained_gross_amount > tolerance_amount then 'out_of_tolerance'
            when unexplained_gross_amount > 0 then 'within_tolerance'
            when ordinary_gross_amount > 0 then 'explained'
            else 'tied'
        end as finding
    from weighed
)

select
    {{ surrogate_key(['data_source', 'posting_month', 'entity_code', 'payer_id', 'line_of_business', 'account_code']) }}
        as ledger_cell_key,
    data_source,
    posting_month,
    entity_code,
    payer_id,
    line_of_business,
    account_code,
    case when has_warehouse_side or finding <> 'no_data' then warehouse_amount end as warehouse_amount,
    case when has_ledger_side then ledger_amount end as ledger_amount,
    case when finding <> 'no_data' then difference_amount end as difference_amount,
    case when finding <> 'no_data' then {{ rate('difference_amount', 'abs(ledger_amount)') }} end as difference_rate,
    cast(tolerance_rate as decimal(9, 4)) as tolerance_rate,
    {{ usd('tolerance_amount') }} as tolerance_amount,
    is_cash,
    case when finding = 'out_of_tolerance' and accepted_by is not null then 'accepted' else finding end as status,
    finding = 'out_of_tolerance' and accepted_by is null as is_blocking,
    {%- for cause in ledger_causes() %}
    case when finding <> 'no_data' then {{ cause }}_amount end as {{ cause }}_amount,
    {%- endfor %}
    case when finding <> 'no_data' then fault_gross_amount end as fault_gross_amount,
    case when finding <> 'no_data' then unexplained_gross_amount end as unexplained_gross_amount,
    cast(document_count as bigint) as document_count,
    cast(case when finding <> 'no_data' then parted_document_count end as bigint) as parted_document_count,
    case when finding = 'out_of_tolerance' then accepted_by end as accepted_by,
    case when finding = 'out_of_tolerance' then accept_reason end as accept_reason,
    case when finding = 'out_of_tolerance' then accepted_at end as accepted_at
from judged
