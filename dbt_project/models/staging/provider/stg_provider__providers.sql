with active_rows as (
    {{ active_rows('provider') }}
)

select
    {{ surrogate_key(['data_source', 'provider_id']) }} as provider_key,
    provider_id,
    npi,
    ccn,
    provider_type,
    provider_name,
    specialty,
    organization_id,
    address_line,
    city,
    state,
    zip_code,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
