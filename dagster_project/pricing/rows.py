"""A scenario's answer as rows of the lake's tables, from which dbt makes the marts.

Belongs here: one function per table (sources/derived/pricing.py says their columns), writing them. Does not: finding anything out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dagster_project.pricing.work import Work, price_list, question
from dagster_project.settings import Settings
from dagster_project.sources.derived import SOURCES, derived_folder, derived_schema
from dagster_project.sources.derived.pricing import MONEY
from dagster_project.sources.lake import write_atomically
from optimization.pricing import check, explain
from optimization.pricing.instance import Instance
from optimization.pricing.scenario import Scenario

BETWEEN = "; "
TABLES = tuple(SOURCES["pricing"].tables)


def pair_source(asked: Scenario) -> str:
    """marts, ipps, pairs or instance."""
    return next(name for name in ("marts", "ipps", "pairs", "instance") if getattr(asked.source, name) is not None)


def table_path(settings: Settings, table: str, scenario_id: str) -> Path:
    return derived_folder(settings, "pricing", table) / f"{scenario_id}.parquet"


def are_written(work: Work) -> bool:
    return all(table_path(work.settings, table, work.scenario_id).exists() for table in TABLES)


def forget_others(settings: Settings, scenario_ids: list[str]) -> list[str]:
    """Takes the rows of scenarios away whose file is gone; names them. What was reported of them stays in the home's folder."""
    gone: set[str] = set()
    for table in TABLES:
        for path in derived_folder(settings, "pricing", table).glob("[!_.]*.parquet"):
            if path.stem not in scenario_ids:
                path.unlink()
                gone.add(path.stem)
    return sorted(gone)


def write(work: Work, known: Mapping[str, Any]) -> None:
    """All four tables of one scenario; its totals last, so that a list without its totals is seen as not written."""
    prices = _recommendation(work)
    if len(prices):
        # Where volumes answer to price a row's spend has no end of decimals: the total is that of the rows as they are written.
        known = {**known, "spend": sum((_stepped(value, MONEY) for value in prices["spend_amount"]), Decimal(0))}
    made = {
        "recommendation": prices,
        "rule_cost": _listed(work, "rule_cost.parquet"),
        "frontier": _listed(work, "frontier.parquet"),
        "scenario": pd.DataFrame([_scenario(work, known)]),
    }
    for table, frame in made.items():
        schema = derived_schema("pricing", table)
        columns = {field.name: _column(frame, field, work.scenario_id) for field in schema}
        write_atomically(pa.table(columns, schema=schema), table_path(work.settings, table, work.scenario_id))


def _column(frame: pd.DataFrame, field: pa.Field, scenario_id: str) -> pa.Array:
    """A column as the table has it: decimals from their text, blanks where nothing is known."""
    if field.name == "scenario_id":
        return pa.array([scenario_id] * len(frame), field.type)
    if field.name not in frame:
        return pa.nulls(len(frame), field.type)
    values = [None if _is_blank(value) else value for value in frame[field.name].tolist()]
    if pa.types.is_decimal(field.type):
        return pa.array([None if v is None else _stepped(v, field.type) for v in values], field.type)
    if pa.types.is_integer(field.type):
        values = [None if v is None else int(v) for v in values]
    elif pa.types.is_floating(field.type):
        values = [None if v is None else float(v) for v in values]
    return pa.array(values, field.type)


def _stepped(value: object, kind: pa.Decimal128Type) -> Decimal:
    """With as many decimals as the column has."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))


def _is_blank(value: object) -> bool:
    """None, NaN, NA or NaT; an infinite number says nothing in a table either."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and not np.isfinite(value)


def _listed(work: Work, name: str) -> pd.DataFrame:
    path = work.path(name)
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _scenario(work: Work, known: Mapping[str, Any]) -> dict[str, Any]:
    spend, baseline = known.get("spend"), known.get("baseline_spend")
    solved_at = known.get("solved_at")
    return {
        **known,
        "origin": work.file.origin,
        "objective_value": known.get("objective"),
        "rounding_amount": known.get("rounding"),
        "baseline_spend_amount": baseline,
        "spend_amount": spend,
        "savings_amount": None if spend is None or baseline is None else Decimal(str(baseline)) - Decimal(str(spend)),
        "deviation_amount": known.get("deviation"),
        "minimal_conflict": BETWEEN.join(known["conflict"]) if known.get("conflict") else None,
        "solver": " ".join(filter(None, [known.get("solver"), known.get("solver_version")])) or None,
        "solve_seconds": known.get("seconds"),
        "solved_at": dt.datetime.fromisoformat(solved_at) if solved_at else None,
    }


def _recommendation(work: Work) -> pd.DataFrame:
    """One row per pair, in decimals: sums of these rows are the scenario's totals to the last digit."""
    if not work.path("prices.parquet").exists():
        return pd.DataFrame()
    made, prices = question(work), price_list(work)
    laid, _ = check.lay(made, prices)
    assert laid is not None, "a list that passed the check can be laid against its question"
    pairs = made.pairs
    frame = made.pair_frame().rename(columns={"provider": "provider_id", "procedure": "procedure_id"})
    volume, baseline = check.decimals(pairs.volume), check.decimals(pairs.baseline_price)
    frame = frame.assign(
        procedure_family=_named(made.families, made.pair_family),
        specialty=_named(made.specialties, made.provider_specialty[pairs.provider]),
        star_rating=[star or None for star in made.provider_stars[pairs.provider].tolist()],
        tier=np.array(made.tiers, object)[laid.tier],
        tier_number=laid.tier + 1,
        volume_quantity=volume,
        baseline_price_amount=baseline,
        benchmark_amount=check.decimals(pairs.medicare_rate),
        price_amount=laid.price,
        baseline_spend_amount=volume * baseline,
        spend_amount=check.revenues(made, laid),
        binding_rules=_binding(made, prices),
    )
    if not work.path("pairs.parquet").exists():
        return frame
    of_source = ["provider", "procedure", "provider_name", "benchmark_basis", "benchmark_source", "benchmark_date"]
    given = pd.read_parquet(work.path("pairs.parquet"), columns=of_source)
    given = given.assign(
        benchmark_date=[None if pd.isna(day) else pd.Timestamp(day).date() for day in given["benchmark_date"]]
    )
    return frame.merge(given, "left", left_on=["provider_id", "procedure_id"], right_on=["provider", "procedure"])


def _named(names: tuple[str, ...], at: np.ndarray) -> list[str | None]:
    return [None if place < 0 else names[place] for place in at.tolist()]


def _binding(made: Instance, prices: pd.DataFrame) -> list[str | None]:
    """For each pair the rules that hold it; a target or a budget holds none in particular."""
    told = explain.holding(made, prices).groupby("pair")["rule"].agg(BETWEEN.join)
    return [told.get(pair) for pair in range(len(made.pairs))]
