"""Pairs of provider and procedure that a scenario asks for, from the warehouse, and their past months.

Belongs here: the query for a source of marts or ipps, what it leaves out and why. Does not: how pairs are made (dbt,
models/intermediate/price), the grammar of a source (optimization/pricing/scenario.py).

Here decimals become floats: a solver takes floats. Prices are whole cents and volumes have at most three decimals, and the whole
number behind each is divided by a power of ten, which IEEE rounds to the nearest: so each float prints as the decimal that it
came from, and the exact check rests on that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pandas as pd

from dagster_project.database import open_warehouse
from dagster_project.settings import Settings
from optimization.pricing.scenario import Ipps, Marts, ScenarioError, Source

PAIRS = "intermediate.int_price__pairs"
MONTHS = "intermediate.int_price__months"
REGIONS = {"state": "state", "zip3": "state || ' ' || zip3", "referral_region": "referral_region"}

# One row per provider and procedure: several payers' volumes are added up, and their mean price is the mean of all.
FOUND = """
    select
        provider_id as provider,
        procedure_id as procedure,
        coalesce({region}, 'unknown') as region,
        coalesce(max(specialty), 'unknown') as specialty,
        max(procedure_family) as family,
        max(star_rating) as quality_stars,
        cast(sum(volume_quantity) as double) as volume,
        cast(case when count(*) = 1 then max(baseline_amount)
            else cast(round(sum(volume_quantity * baseline_amount) / sum(volume_quantity), 2) as decimal(18, 2)) end as double) as baseline_price,
        cast(max(benchmark_amount) as double) as medicare_rate,
        max(provider_name) as provider_name,
        max(ccn) as ccn,
        max(state) as state,
        max(procedure_code_type) as code_type,
        max(benchmark_basis) as benchmark_basis,
        max(benchmark_source) as benchmark_source,
        max(benchmark_date) as benchmark_date,
        max(period_name) as period_name,
        sum(allowed_amount) as allowed_amount
    from asked
    where is_large_enough and benchmark_amount > 0 and baseline_amount > 0
    group by all
    having sum(volume_quantity) >= {least_volume}
"""
OF_THE_LARGEST = """
    select * from found
    where {column} in (select {column} from found group by {column} order by sum(volume * baseline_price) desc, {column} limit {most})
"""

# Past volumes of the pairs found.
PAST_MONTHS = f"""
    select asked.provider_id as provider, asked.procedure_id as procedure, months.incurred_month as month,
        cast(sum(months.volume_quantity) as double) as volume
    from asked
    inner join found on asked.provider_id = found.provider and asked.procedure_id = found.procedure
    inner join {MONTHS} as months
        on asked.data_source = months.data_source and asked.payer_key = months.payer_key
        and asked.provider_key = months.provider_key and asked.procedure_id = months.procedure_id
    where asked.is_large_enough
    group by all
"""


@dataclass(frozen=True, eq=False)
class Found:
    """The pairs of a scenario, their past months where there are any, and how much of what was asked for they are."""

    frame: pd.DataFrame
    months: pd.DataFrame | None
    senders: tuple[str, ...]
    asked_pair_count: int
    asked_amount: Decimal
    amount: Decimal
    fingerprint: str  # the same for the same rows: a scenario whose pairs did not change is not solved again


def find(settings: Settings, source: Source, scenario: str) -> Found:
    """The pairs that a source of marts or ipps asks the warehouse for. Raises ScenarioError where it must say more, NotReadable
    where the warehouse cannot be read now."""
    if not settings.warehouse.exists():
        raise ScenarioError(f"{scenario}: there is no warehouse at {settings.warehouse}; build it: claimhouse run")
    with open_warehouse(settings) as con:
        return found_in(con, source, scenario)


def found_in(con: duckdb.DuckDBPyConnection, source: Source, scenario: str, pairs: str = PAIRS) -> Found:
    """The same of an open connection in which `pairs` names a relation with the columns of int_price__pairs."""
    wanted = source.marts or source.ipps
    if wanted is None:
        raise ValueError("a source of marts or ipps is looked for in the warehouse, and no other")
    conditions, values = _conditions(wanted)
    con.execute(f"create or replace temp view every_pair as select * from {pairs}")
    con.execute(f"create or replace temp table asked as select * from every_pair where {conditions}", values)
    senders = _one_sender(con, scenario)
    if isinstance(wanted, Ipps) and wanted.period is None:
        con.execute("delete from asked where period_end_date < (select max(period_end_date) from asked)")
    region = REGIONS[wanted.region_by]
    con.execute(
        "create or replace temp table found as " + FOUND.format(region=region, least_volume=float(wanted.least_volume))
    )
    for column, most in (("provider", wanted.most_providers), ("procedure", wanted.most_procedures)):
        if most is not None:
            con.execute(f"create or replace temp table found as {OF_THE_LARGEST.format(column=column, most=int(most))}")
    asked = con.execute("select count(*), coalesce(sum(allowed_amount), 0) from asked").fetchone() or (0, Decimal(0))
    if isinstance(wanted, Marts):
        con.execute(f"create or replace temp table past_months as {PAST_MONTHS}")
    else:
        con.execute("create or replace temp table past_months (provider varchar)")
    frame = con.execute("select * from found order by provider, procedure").df()
    amount = con.execute("select coalesce(sum(allowed_amount), 0) from found").fetchone() or (Decimal(0),)
    months = con.execute("select * from past_months order by all").df() if isinstance(wanted, Marts) else None
    return Found(frame, months, senders, int(asked[0]), asked[1], amount[0], _fingerprint(con))


def _fingerprint(con: duckdb.DuckDBPyConnection) -> str:
    """Over all rows of both tables, whatever their order. Another DuckDB may hash otherwise; then scenarios are solved once more."""
    told = [
        con.execute(
            f"select count(*), sum(cast(hash(row_of) as hugeint)), bit_xor(hash(row_of)) from {table} as row_of"
        ).fetchone()
        for table in ("found", "past_months")
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _conditions(wanted: Marts | Ipps) -> tuple[str, list[object]]:
    """A WHERE with its values; what is not asked for narrows nothing."""
    is_ipps = isinstance(wanted, Ipps)
    parts, values = ["pair_source = ?"], ["ipps" if is_ipps else "claims"]
    lists: dict[str, object] = {"state": wanted.states, "data_source": wanted.data_source}
    if isinstance(wanted, Ipps):
        lists |= {"period_name": wanted.period, "procedure_code": wanted.drgs}
    else:
        lists |= {
            "payer_id": wanted.payers,
            "specialty": wanted.specialties,
            "procedure_id": wanted.procedures,
            "procedure_code_type": wanted.code_types,
        }
    chosen: list[object] = list(values)
    for column, given in lists.items():
        if given is not None:
            parts.append(f"{column} in (select unnest(?))")
            chosen.append(given if isinstance(given, list) else [given])
    return " and ".join(parts), chosen


def _one_sender(con: duckdb.DuckDBPyConnection, scenario: str) -> tuple[str, ...]:
    """Senders are never mixed in a rate, and a mean price is one."""
    senders = tuple(row[0] for row in con.execute("select distinct data_source from asked order by 1").fetchall())
    if len(senders) > 1:
        raise ScenarioError(
            f"{scenario}: source: its pairs come from {len(senders)} senders ({', '.join(senders)}), whose prices are not "
            "mixed; name one: data_source"
        )
    return senders
