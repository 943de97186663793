-- By the month of the first decision. A denial is read from the reasons (see fct_claim); a rejection at the door is
-- none. Where a sender gives no reasons, a paid claim is known not to be denied and an unpaid one is not: no rate can
-- be taken. What became of a refused claim is asked twice: of the claim itself, and of it with the claims that were sent
-- in its place (and in theirs), less takebacks.
with sources as (
    select distinct data_source from {{ ref('stg_remittance_adjustment__adjustments') }}
),

replaced as (
    {{ paid_in_their_place() }}
),

decisions as (
    select
        claims.data_source,
        {{ month_of('claims.first_adjudicated_date') }} as adjudicated_month,
        coalesce(claims.first_decision_payer_id, claims.payer_id, 'unknown') as payer_id,
        claims.claim_key,
        claims.charge_amount,
        sources.data_source is not null as has_reasons,
        claims.is_denied_at_first,
        claims.is_partially_denied_at_first,
        claims.is_denied_at_first or claims.is_partially_denied_at_first as has_denial,
        claims.first_denial_category,
        claims.first_denied_amount,
        claims.paid_amount,
        coalesce(claims.paid_amount, 0) - coalesce(claims.recouped_amount, 0) + coalesce(replaced.paid_amount, 0) as recovered_amount,
        claims.can_appeal_first_denial
    from {{ ref('fct_claim') }} as claims
    left join replaced on claims.claim_key = replaced.claim_key
    left join sources on claims.data_source = sources.data_source
    where claims.first_adjudicated_date is not null
),

months as (
    select
        data_source,
        adjudicated_month,
        payer_id,
        count(*) as adjudicated_claim_count,
        count(*) filter (where is_denied_at_first is not null and has_reasons) as known_claim_count,
        sum(charge_amount) as adjudicated_charge_amount
    from decisions
    group by data_source, adjudicated_month, payer_id
),

denied as (
    select
        data_source,
        adjudicated_month,
        payer_id,
        first_denial_category as denial_category,
        count(*) filter (where is_denied_at_first) as denied_claim_count,
        count(*) filter (where is_partially_denied_at_first) as partially_denied_claim_count,
        sum(charge_amount) filter (where is_denied_at_first) as denied_charge_amount,
        sum(first_denied_amount) as denied_amount,
        count(*) filter (where paid_amount > 0 and is_denied_at_first) as later_paid_claim_count,
        sum(paid_amount) filter (where paid_amount > 0 and is_denied_at_first) as later_paid_amount,
        count(*) filter (where recovered_amount > 0 and is_denied_at_first) as recovered_claim_count,
        sum(recovered_amount) filter (where recovered_amount > 0 and is_denied_at_first) as recovered_amount,
        count(*) filter (where can_appeal_first_denial) as appealable_claim_count
    from decisions
    where has_denial
    group by data_source, adjudicated_month, payer_id, first_denial_category
)

select
    {{ surrogate_key(['months.data_source', 'months.adjudicated_month', 'months.payer_id', 'categories.denial_category']) }} as denial_key,
    months.data_source,
    months.adjudicated_month,
    {{ surrogate_key(['months.data_source', 'months.payer_id']) }} as payer_key,
    months.payer_id,
    categories.denial_category,
    cast(categories.category_number as bigint) as category_number,
    cast(months.adjudicated_claim_count as bigint) as adjudicated_claim_count,
    cast(months.known_claim_count as bigint) as known_claim_count,
    {{ usd('months.adjudicated_charge_amount') }} as adjudicated_charge_amount,
    cast(case when months.known_claim_count > 0 then coalesce(denied.denied_claim_count, 0) end as bigint) as denied_claim_count,
    cast(case when months.known_claim_count > 0 then coalesce(denied.partially_denied_claim_count, 0) end as bigint) as partially_denied_claim_count,
    {{ usd('case when months.known_claim_count > 0 then case when coalesce(denied.denied_claim_count, 0) = 0 then 0 else denied.denied_charge_amount end end') }} as denied_charge_amount,
    {{ usd('case when months.known_claim_count > 0 then case when denied.data_source is null then 0 else denied.denied_amount end end') }} as denied_amount,
    cast(case when months.known_claim_count > 0 then coalesce(denied.later_paid_claim_count, 0) end as bigint) as later_paid_claim_count,
    {{ usd('case when months.known_claim_count > 0 then coalesce(denied.later_paid_amount, 0) end') }} as later_paid_amount,
    cast(case when months.known_claim_count > 0 then coalesce(denied.recovered_claim_count, 0) end as bigint) as recovered_claim_count,
    {{ usd('case when months.known_claim_count > 0 then coalesce(denied.recovered_amount, 0) end') }} as recovered_amount,
    cast(case when months.known_claim_count > 0 then coalesce(denied.appealable_claim_count, 0) end as bigint) as appealable_claim_count,
    case when months.known_claim_count > 0 then {{ rate('coalesce(denied.denied_claim_count, 0)', 'months.known_claim_count') }} end as denial_rate
from months
cross join {{ ref('denial_category_names') }} as categories
left join denied
    on months.data_source = denied.data_source
    and months.adjudicated_month = denied.adjudicated_month
    and months.payer_id = denied.payer_id
    and categories.denial_category = denied.denial_category
