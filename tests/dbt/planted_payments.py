"""Hospitals whose payments follow the model exactly, but for some cells planted short: what is found can be held against it.

Belongs here: writing such files into landing, and which cells were planted. Does not: asking what the warehouse finds.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

SOURCE, YEAR = "planted", 2016
HOSPITALS, SHORT_RATE, PLANTED_RATE, SPREAD = 250, 0.75, 0.05, 0.35
# 60 DRGs without severity levels, so that only payment is looked at here.
DRGS = [f"{number:03d}" for number in range(280, 340)]


def write_planted(landing: Path, seed: int) -> dict[tuple[str, str], float]:
    """Writes payments and weights below `landing/<feed>/source=planted/`; returns each cell's true payment ÷ expected.

    A stay costs its expectation times 1 ± 0.35, so an average of n stays errs by 0.35/√n; one cell in twenty is paid 25 %
    less than all others of its hospital.
    """
    draw = np.random.default_rng(seed)
    levels = 6000 * np.exp(draw.normal(0, 0.2, HOSPITALS))
    weights = np.round(np.exp(draw.normal(0.3, 0.6, len(DRGS))), 4)
    stays = np.maximum(11, draw.lognormal(3.6, 0.8, (HOSPITALS, len(DRGS))).astype(int))
    truth = np.where(draw.random(stays.shape) < PLANTED_RATE, SHORT_RATE, 1.0)
    averages = levels[:, None] * weights[None, :] * truth * (1 + draw.normal(0, SPREAD, stays.shape) / np.sqrt(stays))
    hospitals = [f"01{number:04d}" for number in range(1, HOSPITALS + 1)]
    there = draw.random(stays.shape) < 0.8
    cells = [
        (hospital, drg, int(stays[h, d]), round(float(averages[h, d]), 2))
        for h, hospital in enumerate(hospitals)
        for d, drg in enumerate(DRGS)
        if there[h, d]
    ]
    with duckdb.connect() as con:
        con.execute("create table cell (ccn varchar, drg varchar, n integer, paid decimal(18, 2))")
        con.execute(
            "insert into cell select unnest(?), unnest(?), unnest(?), unnest(?)",
            list(map(list, zip(*cells, strict=True))),
        )
        con.execute("create table weight (drg varchar, weight decimal(10, 4))")
        con.execute("insert into weight select unnest(?), unnest(?)", [DRGS, weights.tolist()])
        _copy(
            con,
            f"""select {YEAR} as period_year, 'fy' as period_type, ccn, 'HOSPITAL ' || ccn as provider_name,
            'AL' as state, 'AL - Region' as referral_region, drg as drg_code, 'DIAGNOSIS ' || drg as drg_description,
            n as discharge_count, paid * 4 as average_covered_charge_amount, paid as average_total_payment_amount,
            paid as average_medicare_payment_amount from cell order by all""",
            landing / "ipps_provider_drg" / f"source={SOURCE}" / "payments.csv",
        )
        _copy(
            con,
            f"""select {YEAR} as fiscal_year, drg as drg_code, 'DIAGNOSIS ' || drg as drg_title,
            weight as relative_weight from weight order by all""",
            landing / "drg_weight" / f"source={SOURCE}" / "weights.csv",
        )
    return {
        (hospital, drg): float(truth[h, d])
        for h, hospital in enumerate(hospitals)
        for d, drg in enumerate(DRGS)
        if there[h, d]
    }


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"copy ({query}) to '{path}' (format csv, header)")
