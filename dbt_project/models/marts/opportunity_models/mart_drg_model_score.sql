-- Two tables of the same columns: scores on hospitals not seen in their own year, and on a later year.
with scores as (
    select * from {{ source('opportunity', 'drg_model_score') }}
    union all
    select * from {{ source('opportunity', 'drg_later_score') }}
)

select
    {{ surrogate_key(['data_source', 'period_type', 'fiscal_year', 'measure', 'trial', 'way']) }} as drg_model_score_key,
    data_source,
    period_type,
    fiscal_year,
    measure,
    trial,
    fitted_year,
    way,
    cell_count,
    hospital_count,
    discharge_count,
    mean_outcome,
    error,
    cast(error_rate as double) as error_rate,
    root_mean_square_error,
    bias,
    cast(skill_rate as double) as skill_rate,
    cast(skill_low_rate as double) as skill_low_rate,
    cast(skill_high_rate as double) as skill_high_rate,
    cast(covered_rate as double) as covered_rate,
    absent_features,
    {{ drg_notice() }} as notice
from scores
