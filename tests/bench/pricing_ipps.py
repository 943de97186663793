"""All hospitals and DRGs of the public IPPS file as one pricing instance, under an invented scenario.

Belongs here: that instance, for the bench. Does not: feeds, marts, real contracts. The scenario: savings of 4 % with the least
change of prices; no price moves by more than a quarter, no hospital loses more than a tenth, a state's spread per DRG narrows by
a twentieth, tiers within a hundred of DRG numbers differ by two at most.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from optimization.pricing.instance import Instance, Objective, Pairs
from optimization.pricing.patterns import about, largest_change, largest_loss, savings_target

# Tiers as shares of the DRG's mean Medicare payment.
LOW, HIGH = np.array([0.0, 0.92, 1.23, 1.75]), np.array([0.88, 1.17, 1.65, 12.0])


def country(path: Path) -> Instance:
    """One pair per hospital and DRG: discharges, average total payment; the benchmark is the DRG's mean Medicare payment."""
    frame = duckdb.sql(f"""
        with rows as (
            select trim("DRG Definition")[:3] as drg, lpad("Provider Id", 6, '0') as hospital, "Provider State" as state,
                replace(replace("Total Discharges", ',', ''), '$', '')::int as volume,
                replace(replace("Average Total Payments", ',', ''), '$', '')::decimal(12, 2) as paid,
                replace(replace("Average Medicare Payments", ',', ''), '$', '')::decimal(12, 2) as medicare
            from read_csv('{path}', all_varchar = true, header = true)
        )
        select *, round(sum(medicare * volume) over (partition by drg) / sum(volume) over (partition by drg), 2) as benchmark
        from rows order by hospital, drg
    """).df()
    hospital, hospitals = frame["hospital"].factorize(sort=True)
    drg, drgs = frame["drg"].factorize(sort=True)
    state_of_pair, states = frame["state"].factorize(sort=True)
    region = np.zeros(len(hospitals), np.int64)
    region[hospital] = state_of_pair
    families = sorted({name[0] for name in drgs})
    benchmark, paid = frame["benchmark"].to_numpy(float), frame["paid"].to_numpy(float)
    bare = Instance(
        name="ipps_2016",
        currency="USD",
        regions=tuple(states),
        tiers=("T1", "T2", "T3", "T4"),
        families=tuple(families),
        specialties=(),
        procedures=tuple(drgs),
        procedure_family=np.array([families.index(name[0]) for name in drgs]),
        providers=tuple(hospitals),
        provider_region=region,
        provider_specialty=np.full(len(hospitals), -1),
        provider_stars=np.zeros(len(hospitals), np.int64),
        pairs=Pairs(
            hospital,
            drg,
            frame["volume"].to_numpy(float),
            paid,
            benchmark,
            np.round(benchmark[:, None] * LOW[None, :], 2),
            np.round(benchmark[:, None] * HIGH[None, :], 2),
        ),
        rules={},
        objective=Objective("min_deviation"),
    )
    market = drg * len(states) + state_of_pair
    found, at = np.unique(market, return_inverse=True)
    low, high = np.full(len(found), np.inf), np.zeros(len(found))
    np.minimum.at(low, at, paid)
    np.maximum.at(high, at, paid)
    spread = np.round((high - low) * 0.95, 2)
    several = spread > 0
    both = np.stack([found // len(states), found % len(states)], axis=1)
    reason = "invented scenario of the bench"
    return bare.with_rules(
        about(bare, "regional_spread", both[several], high=spread[several], reason=reason),
        largest_change(bare, 0.25, reason=reason, source="bench"),
        largest_loss(bare, 0.1, reason=reason, source="bench"),
        savings_target(bare, 0.04, reason=reason, source="bench"),
    )
