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
    select data_source, spend_kind, min(incurred_month) as first_known_month
    from spend
    where allowed_amount is not null
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
    select
        months.*, categories.service_category_1, categories.service_category_2, categories.spend_kind,
        case when months.incurred_month >= known.first_known_month then 0 end as none_known
    from months
    inner join categories on months.data_source = categories.data_source
    left join known on categories.data_source = known.data_source and categories.spend_kind = known.spend_kind
)

select
    {{ surrogate_key(['cells.data_source', 'cells.incurred_month', 'cells.payer_id', 'cells.line_of_business', 'cells.service_category_1', 'cells.service_category_2']) }}
        as pmpm_key,
    cells.data_source,
    cells.incurred_month,
    {{ surrogate_key(['cells.data_source', 'cells.payer_id']) }} as payer_key,
    cells.payer_id,
    cells.line_of_business,
    cells.service_category_1,
    cells.service_category_2,
    cells.spend_kind,
    cast(coalesce(members.member_month_count, 0) as bigint) as member_month_count,
    cast(coalesce(members.member_month_fraction, 0) as decimal(18, 6)) as member_month_fraction,
    cast(coalesce(spend.line_count, cells.none_known) as bigint) as line_count,
    {{ usd('coalesce(spend.allowed_amount, cells.none_known)') }} as allowed_amount,
    {{ usd('coalesce(spend.paid_amount, cells.none_known)') }} as paid_amount,
    {{ usd(rate('coalesce(spend.allowed_amount, cells.none_known)', 'members.member_month_count')) }} as allowed_pmpm_amount,
    {{ usd(rate('coalesce(spend.paid_amount, cells.none_known)', 'members.member_month_count')) }} as paid_pmpm_amount,
    {{ usd(rate('coalesce(spend.allowed_amount, cells.none_known)', 'members.member_month_fraction')) }} as allowed_pmpm_by_day_amount,
    {{ usd(rate('coalesce(spend.paid_amount, cells.none_known)', 'members.member_month_fraction')) }} as paid_pmpm_by_day_amount,
    completion.completion_rate,
    {{ usd('cast(coalesce(spend.allowed_amount, cells.none_known) as double) / nullif(completion.completion_rate, 0)') }} as completed_allowed_amount
from cells
left join members
    on cells.data_source = members.data_source
    and cells.incurred_month = members.incurred_month
    and cells.payer_id = members.payer_id
    and cells.line_of_business = members.line_of_business
left join spend
    on cells.data_source = spend.data_source
    and cells.incurred_month = spend.incurred_month
    and cells.payer_id = spend.payer_id
    and cells.line_of_business = spend.line_of_business
    and cells.service_category_1 = spend.service_category_1
    and cells.service_category_2 = spend.service_category_2
    and cells.spend_kind = spend.spend_kind
left join {{ ref('int_cost__completion') }} as completion
    on cells.data_source = completion.data_source
    and cells.incurred_month = completion.incurred_month
    and cells.spend_kind = completion.spend_kind
