with spend as (
    select
        data_source, incurred_month, coalesce(payer_id, 'unknown') as payer_id,
        coalesce(line_of_business, 'unknown') as line_of_business,
        service_category_1, service_category_2, 'medical' as spend_kind,
        count(*) as line_count, sum(allowed_amount) as allowed_amount, sum(paid_amount) as paid_amount
    from {{ ref('fct_claim_line') }}
    group by data_source, incurred_month, coalesce(payer_id, 'unknown'), coalesce(line_of_business, 'unknown'),
        service_category_1, service_category_2
    union all
    select
        data_source, incurred_month, coalesce(payer_id, 'unknown'), coalesce(line_of_business, 'unknown'),
        service_category_1, service_category_2, 'pharmacy',
        count(*), sum(allowed_amount), sum(paid_amount)
    from {{ ref('fct_pharmacy_fill') }}
    group by data_source, incurred_month, coalesce(payer_id, 'unknown'), coalesce(line_of_business, 'unknown'),
        service_category_1, service_category_2
),

members as (
    select
        data_source, member_month as incurred_month, coalesce(payer_id, 'unknown') as payer_id,
        coalesce(line_of_business, 'unknown') as line_of_business,
        count(*) as member_month_count,
        sum(enrolled_fraction) as member_month_fraction
    from {{ ref('fct_member_month') }}
    group by data_source, member_month, coalesce(payer_id, 'unknown'), coalesce(line_of_business, 'unknown')
),

-- Each month of a plan carries every category that its sender knows, so that a month without claims counts its
-- members and costs nothing, and spend without enrolment does not vanish.
months as (
    select data_source, incurred_month, payer_id, line_of_business from members
    union
    select data_source, incurred_month, payer_id, line_of_business from spend
),

-- Enrolment often reaches further back than claims. What a month cost before the sender's first spend of the kind, or
-- of a sender of enrolment alone, is unknown, not zero.
known as (
    select
        data_source, spend_kind,
        min(case when allowed_amount is not null then incurred_month end) as first_allowed_month,
        min(case when paid_amount is not null then incurred_month end) as first_paid_month
    from spend
    group by data_source, spend_kind
),

categories as (
    select distinct data_source, service_category_1, service_category_2, spend_kind from spend
    union
    select distinct members.data_source, 'none', 'none', 'none'
    from members
    left join spend on members.data_source = spend.data_source
    where spend.data_source is null
),

cells as (
    select months.*, categories.service_category_1, categories.service_category_2, categories.spend_kind
    from months
    inner join categories on months.data_source = categories.data_source
),

-- Nothing was spent where the month is known and no line fell into it; lines that nobody has decided yet cost something
-- that is unknown.
costs as (
    select
        cells.*,
        case
            when spend.line_count is not null then spend.line_count
            when cells.incurred_month >= known.first_allowed_month then 0
        end as line_count,
        case
            when spend.line_count is not null then spend.allowed_amount
            when cells.incurred_month >= known.first_allowed_month then 0
        end as allowed_amount,
        case
            when spend.line_count is not null then spend.paid_amount
            when cells.incurred_month >= known.first_paid_month then 0
        end as paid_amount
    from cells
    left join spend
        on cells.data_source = spend.data_source
        and cells.incurred_month = spend.incurred_month
        and cells.payer_id = spend.payer_id
        and cells.line_of_business = spend.line_of_business
        and cells.service_category_1 = spend.service_category_1
        and cells.service_category_2 = spend.service_category_2
        and cells.spend_kind = spend.spend_kind
    left join known on cells.data_source = known.data_source and cells.spend_kind = known.spend_kind
)

select
    {{ surrogate_key(['costs.data_source', 'costs.incurred_month', 'costs.payer_id', 'costs.line_of_business', 'costs.service_category_1', 'costs.service_category_2']) }}
        as pmpm_key,
    costs.data_source,
    costs.incurred_month,
    {{ surrogate_key(['costs.data_source', 'costs.payer_id']) }} as payer_key,
    costs.payer_id,
    costs.line_of_business,
    costs.service_category_1,
    costs.service_category_2,
    costs.spend_kind,
    cast(coalesce(members.member_month_count, 0) as bigint) as member_month_count,
    cast(coalesce(members.member_month_fraction, 0) as decimal(18, 6)) as member_month_fraction,
    cast(costs.line_count as bigint) as line_count,
    {{ usd('costs.allowed_amount') }} as allowed_amount,
    {{ usd('costs.paid_amount') }} as paid_amount,
    {{ usd(usd_each('costs.allowed_amount', 'members.member_month_count')) }} as allowed_pmpm_amount,
    {{ usd(usd_each('costs.paid_amount', 'members.member_month_count')) }} as paid_pmpm_amount,
    {{ usd(usd_each('costs.allowed_amount', 'members.member_month_fraction', decimals=6)) }} as allowed_pmpm_by_day_amount,
    {{ usd(usd_each('costs.paid_amount', 'members.member_month_fraction', decimals=6)) }} as paid_pmpm_by_day_amount,
    completion.completion_rate,
    {{ usd(usd_each('costs.allowed_amount', 'completion.completion_rate', decimals=9)) }} as completed_allowed_amount
from costs
left join members
    on costs.data_source = members.data_source
    and costs.incurred_month = members.incurred_month
    and costs.payer_id = members.payer_id
    and costs.line_of_business = members.line_of_business
left join {{ ref('int_cost__completion') }} as completion
    on costs.data_source = completion.data_source
    and costs.incurred_month = completion.incurred_month
    and costs.spend_kind = completion.spend_kind
