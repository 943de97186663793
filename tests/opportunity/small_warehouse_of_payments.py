"""A warehouse that holds what the models and their pictures read, and nothing else.

Belongs here: making it without dbt. Does not: assertions. What dbt makes of real and invented files is tested in tests/dbt.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
from worlds import families, hospitals, payments

from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.lake import prepare_lake

YEARS = (2015, 2016)


def small_house(home: Path, years: tuple[int, ...] = YEARS) -> Settings:
    """Sixty hospitals of one source, the same in each year, with payments and families drawn anew."""
    settings = Settings(home=home, quiet_seconds=0)
    prepare_lake(settings, load_contracts())
    of = hospitals()
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema intermediate; create schema marts; create schema seeds")
        for name, made in (
            ("int_opportunity__hospital_features", lambda _: of),
            ("int_opportunity__payment_cells", lambda year: payments(of, seed=year)),
            ("int_opportunity__severity_cells", lambda year: families(of, seed=year)),
        ):
            rows = pd.concat(
                [made(year).assign(data_source="made", period_type="fy", fiscal_year=year) for year in years]
            )
            con.register("rows", rows)
            con.execute(f"create table intermediate.{name} as from rows")
        con.execute("""
            create table seeds.drg_parameters as select 'false_discovery_rate' as parameter, 0.05 as parameter_value;
            create table marts.dim_hospital_year as
                select data_source, fiscal_year, provider_id from intermediate.int_opportunity__hospital_features;
            create table marts.mart_drg_opportunity as
                select data_source, fiscal_year, discharge_count as discharges_count, payment * discharge_count as expected_payment_amount,
                    payment as standardized_gap_amount, 0.01 as q_value from intermediate.int_opportunity__payment_cells;
            create table marts.mart_opportunity_ranking as
                select data_source, fiscal_year, 'hospital' as area_level, provider_id as area_code, provider_id as area_label, 'all' as line_level,
                    sum(payment) as standardized_gap_amount, sum(payment) as standardized_gap_low_amount, sum(payment) as standardized_gap_high_amount,
                    sum(payment) as plain_gap_amount, sum(payment) as standardized_shortfall_amount, sum(payment) as total_medicare_payment_amount
                from intermediate.int_opportunity__payment_cells group by all;
            insert into marts.mart_opportunity_ranking
                select * replace ('state' as area_level, 'TX' as area_code) from marts.mart_opportunity_ranking limit 1""")
    return settings


def change(settings: Settings, sql: str) -> None:
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(sql)
