"""Two years of one source side by side: a year that the model has not seen, and the pairs for the back test.

Belongs here: carrying what an earlier year knows to the cells of a later one. Does not: slopes (back_test), fitting.

What a year knows of payment is ratios to the nation: the national mean of the later year is taken as given, since prices
rise for all and no opportunity lies in that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.opportunity.back_test import Pair
from ml.opportunity.payment import MODEL, World, expected_payment, fit_payment, national_means
from ml.opportunity.severity import SeverityWorld, expected_share, fit_severity, national_shares

OWN = "own_earlier"  # the hospital's own ratio to the nation in the earlier year, held


def national_payment(world: World) -> np.ndarray:
    """For every cell, the national mean of its DRG, its own hospital among those averaged."""
    return national_means(world, np.ones(len(world.drg), dtype=bool))[world.drg]


def national_share(world: SeverityWorld) -> np.ndarray:
    """For every cell, the national share of its family over whole cells."""
    return national_shares(world, np.ones(len(world.family), dtype=bool))[world.family]


def later_payment(earlier: World, later: World) -> dict[str, np.ndarray]:
    """For every cell of the later year, what each way of the earlier year expects; NaN where the earlier year does not know
    the DRG, or (own_earlier) had no such cell."""
    everything = np.ones(len(earlier.drg), dtype=bool)
    at_home = national_means(earlier, everything)
    levels = national_means(later, np.ones(len(later.drg), dtype=bool))
    level = np.where(np.isnan(_carried(earlier.drgs, at_home, later.drgs)), np.nan, levels)[later.drg]
    past = _cells(earlier).assign(ratio=earlier.payment / national_payment(earlier))
    now = _cells(later)
    return {
        "national_mean": level,
        "state_mean": level * _ratio(past, now, ["state", "drg_code"]).fillna(1.0).to_numpy(),
        MODEL: expected_payment(fit_payment(earlier, everything), later, levels),
        OWN: level * _ratio(past, now, ["provider_id", "drg_code"]).to_numpy(),
    }


def payment_pair(
    earlier: World, later: World, earlier_expected: np.ndarray, later_expected: np.ndarray, modelled: np.ndarray
) -> Pair:
    """Cells of both years on the scale of logarithms: gap = log(expected ÷ actual), change = that of actual ÷ national.

    How chance falls with discharges is read off how far a hospital's DRGs lie from one another in the earlier year, each
    against what the model expects (`modelled`): hospitals as wholes differ for reasons that are no chance, the small ones
    more than the large.
    """
    past, now = _cells(earlier), _cells(later)
    past["square"] = _squares_within(earlier, np.log(modelled / earlier.payment))
    for frame, world, expected in ((past, earlier, earlier_expected), (now, later, later_expected)):
        frame["ratio"] = np.log(world.payment / national_payment(world))
        frame["gap"] = np.log(expected / world.payment)
    both = past.merge(now, on=["provider_id", "drg_code"], suffixes=("", "_later"))
    stays = both["discharges"].to_numpy()
    return Pair(
        both["provider_id"].to_numpy(), stays, both["gap"].to_numpy(),
        (both["ratio_later"] - both["ratio"]).to_numpy(), both["gap_later"].to_numpy(),
        1 / stays, both["square"].to_numpy(),
    )  # fmt: skip


def later_share(earlier: SeverityWorld, later: SeverityWorld) -> dict[str, np.ndarray]:
    """For every cell of the later year, what each way of the earlier year expects of the severe share."""
    everything = np.ones(len(earlier.family), dtype=bool)
    at_home = national_shares(earlier, everything)
    shares = national_shares(later, np.ones(len(later.family), dtype=bool))
    nation = np.where(np.isnan(_carried(earlier.families, at_home, later.families)), np.nan, shares)[later.family]
    past = _families(earlier).assign(off=earlier.severe / earlier.stays - national_share(earlier))
    past.loc[~earlier.is_whole, "off"] = np.nan
    own = _families(later).merge(past[["provider_id", "family_code", "off"]], how="left")["off"].to_numpy()
    return {
        "national_share": nation,
        MODEL: expected_share(fit_severity(earlier, everything), later, shares),
        OWN: np.clip(nation + own, 0, 1),
    }


def severity_pair(
    earlier: SeverityWorld, later: SeverityWorld, earlier_expected: np.ndarray, later_expected: np.ndarray
) -> Pair:
    """Whole cells of both years: gap = expected less actual share, change = that of actual less national. Chance is that of
    drawing so many stays: share × (1 - share) ÷ stays, which is the least it can be."""
    past, now = _families(earlier), _families(later)
    for frame, world, expected in ((past, earlier, earlier_expected), (now, later, later_expected)):
        frame["off"] = world.severe / world.stays - national_share(world)
        frame["expected"] = expected
        frame["gap"] = expected - world.severe / world.stays
    both = past[earlier.is_whole].merge(now[later.is_whole], on=["provider_id", "family_code"], suffixes=("", "_later"))
    return Pair(
        both["provider_id"].to_numpy(), both["stays"].to_numpy(), both["gap"].to_numpy(),
        (both["off_later"] - both["off"]).to_numpy(), both["gap_later"].to_numpy(),
        (both["expected"] * (1 - both["expected"]) / both["stays"]).to_numpy(),
    )  # fmt: skip


def _squares_within(world: World, residual: np.ndarray) -> np.ndarray:
    """Squared distance of each cell from the weighted mean of its hospital, made larger by what the cell's own part in that
    mean takes from it; NaN where the hospital has no other cell."""
    known = ~np.isnan(residual)
    size = len(world.hospitals)
    weight = np.bincount(world.hospital[known], world.discharges[known], minlength=size)
    summed = np.bincount(world.hospital[known], (world.discharges * residual)[known], minlength=size)
    mean = np.divide(summed, weight, out=np.full(size, np.nan), where=weight > 0)[world.hospital]
    others = 1 - world.discharges / np.where(weight > 0, weight, np.nan)[world.hospital]
    return np.where(others > 0, (residual - mean) ** 2 / np.where(others > 0, others, 1), np.nan)


def _cells(world: World) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "provider_id": world.hospitals["provider_id"].to_numpy()[world.hospital],
            "state": world.hospitals["state"].to_numpy()[world.hospital],
            "drg_code": world.drgs.to_numpy()[world.drg],
            "discharges": world.discharges,
        }
    )


def _families(world: SeverityWorld) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "provider_id": world.hospitals["provider_id"].to_numpy()[world.hospital],
            "family_code": world.families.to_numpy()[world.family],
            "stays": world.stays,
        }
    )


def _carried(known: pd.Index, values: np.ndarray, wanted: pd.Index) -> np.ndarray:
    return pd.Series(values, known).reindex(wanted).to_numpy()


def _ratio(past: pd.DataFrame, now: pd.DataFrame, by: list[str]) -> pd.Series:
    """For each cell of now, the discharge-weighted mean ratio of the past by the given columns; NaN where it has none."""
    weighted = past.assign(ratio=past["ratio"] * past["discharges"]).groupby(by)[["ratio", "discharges"]].sum()
    means = (weighted["ratio"] / weighted["discharges"]).rename("mean_ratio").reset_index()
    return now.merge(means, on=by, how="left")["mean_ratio"]
