with active_rows as (
    {{ active_rows('member') }}
)

select
    {{ surrogate_key(['data_source', 'member_token']) }} as member_key,
    member_token,
    birth_year,
    is_birth_year_pooled,
    death_year,
    sex,
    lower(race) as race,
    lower(ethnicity) as ethnicity,
    state,
    zip3,
    data_source,
    load_id,
    source_line_number,
    source_part_number
from active_rows
where not is_repeated
