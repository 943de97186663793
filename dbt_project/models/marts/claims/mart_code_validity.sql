select
    {{ surrogate_key(['data_source', month_of('service_date'), 'code_use', 'code_list']) }} as code_validity_key,
    data_source,
    {{ month_of('service_date') }} as service_month,
    code_use,
    coalesce(code_list, 'unknown') as code_list,
    count(*) as code_count,
    count(*) filter (where is_valid) as valid_code_count,
    count(*) filter (where not is_valid) as invalid_code_count,
    count(*) filter (where is_valid is null) as unknown_code_count,
    {{ rate('count(*) filter (where not is_valid)', 'count(is_valid)') }} as invalid_code_rate
from {{ ref('int_claim__codes') }}
group by data_source, {{ month_of('service_date') }}, code_use, code_list
