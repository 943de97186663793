"""Small invented hospitals and cells for tests of ml/opportunity, seeded.

Belongs here: frames as the warehouse would give them. Does not: assertions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.opportunity.features import HOSPITALS


def hospitals(count: int = 60, seed: int = 1) -> pd.DataFrame:
    """Hospitals of three states whose case mix is drawn; stars unknown for a third, wages in no file."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"provider_id": [f"{100001 + number}" for number in range(count)]})
    for name in HOSPITALS.numbers:
        frame[name] = rng.normal(size=count)
    frame["star_rating"] = np.where(np.arange(count) % 3 == 0, np.nan, rng.integers(1, 6, count))
    frame["wage_index"] = np.nan
    for name in HOSPITALS.categories:
        frame[name] = [f"{name} {number % 3}" for number in range(count)]
    return frame


def payments(of: pd.DataFrame, drgs: int = 12, seed: int = 2, noise: float = 0.05) -> pd.DataFrame:
    """Every hospital has every DRG; payment = cost of the DRG × what follows from case mix and state × noise."""
    rng = np.random.default_rng(seed)
    cells = of[["provider_id", "case_mix_index", "state"]].merge(
        pd.DataFrame({"drg_code": [f"{100 + drg}" for drg in range(drgs)], "cost": 4000 * 1.25 ** np.arange(drgs)}),
        how="cross",
    )
    cells["discharge_count"] = rng.integers(11, 200, len(cells))
    place = cells["state"].str[-1].astype(int)
    cells["payment"] = cells["cost"] * np.exp(
        0.15 * cells["case_mix_index"] + 0.1 * place + noise * rng.normal(size=len(cells))
    )
    cells["standardized_payment"] = cells["payment"] * np.exp(0.02 * rng.normal(size=len(cells)))
    return cells.drop(columns=["cost", "case_mix_index", "state"])


def families(of: pd.DataFrame, count: int = 8, seed: int = 3) -> pd.DataFrame:
    """Every hospital has every family; the severe share follows the average risk score. A fifth of the cells lack a member."""
    rng = np.random.default_rng(seed)
    cells = of[["provider_id", "average_risk_score"]].merge(
        pd.DataFrame(
            {"family_code": [f"{200 + 3 * one}" for one in range(count)], "odds": np.linspace(-1.5, 1.0, count)}
        ),
        how="cross",
    )
    cells["discharge_count"] = rng.integers(40, 300, len(cells))
    share = 1 / (1 + np.exp(-(cells["odds"] + 0.5 * cells["average_risk_score"])))
    cells["severe_discharge_count"] = rng.binomial(cells["discharge_count"], share)
    cells["is_whole"] = rng.uniform(size=len(cells)) > 0.2
    return cells.drop(columns=["odds", "average_risk_score"])
