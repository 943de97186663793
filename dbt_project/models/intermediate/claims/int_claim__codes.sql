{{ config(
    materialized=growing(), incremental_strategy='append', on_schema_change='append_new_columns',
    meta={'unit': 'claim_key'}
) }}

-- Codes on claims in long form with their validity on the service date: true or false where a list is at hand, else
-- NULL.
with claims as (
    select * from {{ ref('stg_medical_claim__claims') }}{{ only_touched('claim_token') }}
),

codes as (
    {% for number in range(1, 11) %}
    select data_source, claim_key, 0 as claim_line_number, claim_start_date as service_date,
        'diagnosis' as code_use, {{ number }} as code_number, diagnosis_code_type as code_list, diagnosis_code_{{ number }} as code
    from claims where diagnosis_code_{{ number }} is not null
    union all
    {% endfor %}
    {% for number in range(1, 7) %}
    select data_source, claim_key, 0, claim_start_date, 'procedure', {{ number }}, procedure_code_type, procedure_code_{{ number }}
    from claims where procedure_code_{{ number }} is not null
    union all
    {% endfor %}
    select
        data_source, claim_key, 0, claim_start_date, 'bill_type', 1, 'bill_type', right(bill_type_code, 3)
    from claims where bill_type_code is not null
    union all
    select
        data_source, claim_key, 0, claim_start_date, 'drg', 1, 'ms_drg', drg_code
    from claims where drg_code is not null
    union all
    select
        data_source, claim_key, claim_line_number, claim_line_start_date, 'revenue_center', 1, 'revenue_center',
        revenue_center_code
    from {{ ref('int_claim__lines') }} where revenue_center_code is not null{{ only_touched('claim_token', 'and') }}
    union all
    select
        data_source, claim_key, claim_line_number, claim_line_start_date, 'place_of_service', 1,
        'place_of_service', place_of_service_code
    from {{ ref('int_claim__lines') }} where place_of_service_code is not null{{ only_touched('claim_token', 'and') }}
    union all
    select data_source, claim_key, claim_line_number, claim_line_start_date, 'service', 1,
        case
            when coalesce(procedure_code_type, 'hcpcs') <> 'hcpcs' then procedure_code_type
            when substring(hcpcs_code, 1, 1) between 'A' and 'V' then 'hcpcs_level_2'
            else 'cpt'
        end,
        hcpcs_code
    from {{ ref('int_claim__lines') }} where hcpcs_code is not null{{ only_touched('claim_token', 'and') }}
),

lists as (
    select * from {{ ref('stg_reference__code_lists') }}
),

at_hand as (
    select
        code_list,
        min(effective_from) as known_from,
        max(coalesce(effective_to, cast('9999-12-31' as date))) as known_to
    from lists
    group by code_list
),

distinct_codes as (
    select distinct code_list, code, service_date from codes
),

checked as (
    select
        distinct_codes.code_list,
        distinct_codes.code,
        distinct_codes.service_date,
        bool_or(
            distinct_codes.service_date >= lists.effective_from
            and distinct_codes.service_date <= coalesce(lists.effective_to, cast('9999-12-31' as date))
        ) as is_listed
    from distinct_codes
    inner join lists on distinct_codes.code_list = lists.code_list and distinct_codes.code = lists.code
    group by distinct_codes.code_list, distinct_codes.code, distinct_codes.service_date
)

select
    codes.data_source,
    codes.claim_key,
    codes.claim_line_number,
    codes.service_date,
    codes.code_use,
    codes.code_number,
    codes.code_list,
    codes.code,
    case
        when at_hand.code_list is null or codes.service_date is null then null
        when codes.service_date < at_hand.known_from or codes.service_date > at_hand.known_to then null
        else coalesce(checked.is_listed, false)
    end as is_valid
from codes
left join at_hand on codes.code_list = at_hand.code_list
left join checked
    on codes.code_list = checked.code_list and codes.code = checked.code and codes.service_date = checked.service_date
