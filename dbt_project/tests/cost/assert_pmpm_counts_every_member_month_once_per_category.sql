-- Each category of a source carries every member month of the source, no more and no less.
{{ config(meta={'dagster': {'ref': {'name': 'mart_pmpm'}}}) }}
with months as (
    select data_source, count(*) as member_month_count from {{ ref('fct_member_month') }} group by data_source
)

select pmpm.data_source, pmpm.service_category_1, pmpm.service_category_2, pmpm.spend_kind, sum(pmpm.member_month_count) as counted
from {{ ref('mart_pmpm') }} as pmpm
left join months on pmpm.data_source = months.data_source
group by pmpm.data_source, pmpm.service_category_1, pmpm.service_category_2, pmpm.spend_kind
having sum(pmpm.member_month_count) <> coalesce(max(months.member_month_count), 0)
