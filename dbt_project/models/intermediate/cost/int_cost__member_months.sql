-- What a member's month cost, medical lines and fills together; a line that names no member is kept under NULL. An
-- amount without any decided line is NULL: how many lines there are tells whether it is unknown or nothing.
select
    data_source, member_token, incurred_month, sum(allowed_amount) as allowed_amount,
    sum(paid_amount) as paid_amount,
    sum(medical_allowed_amount) as medical_allowed_amount, sum(pharmacy_allowed_amount) as pharmacy_allowed_amount,
    count(medical_line) as medical_line_count, count(pharmacy_line) as pharmacy_line_count,
    sum(inpatient_paid_amount) as inpatient_paid_amount, bool_or(has_inpatient_claim) as has_inpatient_claim
from (
    select
        data_source, member_token, incurred_month, allowed_amount, paid_amount,
        allowed_amount as medical_allowed_amount, cast(null as decimal(18, 2)) as pharmacy_allowed_amount,
        1 as medical_line, cast(null as integer) as pharmacy_line,
        case
            when claim_type = 'institutional' and service_category_1 = 'inpatient' then paid_amount
        end as inpatient_paid_amount,
        claim_type = 'institutional' and service_category_1 = 'inpatient' as has_inpatient_claim
    from {{ ref('fct_claim_line') }}
    union all
    select
        data_source, member_token, incurred_month, allowed_amount, paid_amount, cast(null as decimal(18, 2)), allowed_amount,
        cast(null as integer), 1, cast(null as decimal(18, 2)), false
    from {{ ref('fct_pharmacy_fill') }}
) as spend
group by data_source, member_token, incurred_month
