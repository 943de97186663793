"""What a hospital like this one is paid by Medicare for a DRG, on average over its stays.

Belongs here: the model, the plain means it is held against, predictions for hospitals that were not seen. Does not: how
good they are (judging), severity.

The model is of the ratio of a hospital's average payment to the national mean of the DRG, on the scale of logarithms:
attributes of the hospital, and the same again times how costly the DRG is, since outlier payments and the deductible
weigh differently at the two ends. Ridge, weighted by discharges; boosted trees were no better (docs/drg.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.opportunity.design import Design, fit_design, matrix, rows_of
from ml.opportunity.features import HOSPITALS
from ml.opportunity.folds import FOLDS, fold_of
from ml.opportunity.ridge import Cells, Coefficients, fit_ridge, predict

PENALTY = 30.0  # in average cells; between 10 and 100 the errors of FY2011 and FY2016 differ by less than 4 %: nothing to tune
PLAIN = ("national_mean", "state_mean", "referral_region_mean")
MODEL = "attributes"


@dataclass(frozen=True)
class World:
    """One period: hospitals (one row each, by number), cells, and the two matrices of hospitals' attributes.

    The arrays have one entry per cell: row of its hospital, row of its DRG in `drgs`, discharges, and average payment.
    """

    hospitals: pd.DataFrame
    drgs: pd.Index
    hospital: np.ndarray
    drg: np.ndarray
    discharges: np.ndarray
    payment: np.ndarray
    every: np.ndarray
    some: np.ndarray
    design: Design


@dataclass(frozen=True)
class PaymentModel:
    """`levels` are national means by DRG in dollars, `centre` and `scale` those of their logarithms; `factor` makes the
    expected sum of dollars that of the cells fitted on."""

    coefficients: Coefficients
    levels: pd.Series
    centre: float
    scale: float
    factor: float


def make_world(hospitals: pd.DataFrame, cells: pd.DataFrame, design: Design | None = None) -> World:
    """From hospitals (provider_id and features) and cells (provider_id, drg_code, discharge_count, payment), whose order
    the arrays keep. `design` is that of the world whose model is to speak of this one; without it, its own.

    Raises KeyError for a cell without its hospital.
    """
    known = hospitals[hospitals["provider_id"].isin(cells["provider_id"].unique())].sort_values(
        "provider_id", ignore_index=True
    )
    place = rows_of(known, cells["provider_id"])
    drg, drgs = pd.factorize(cells["drg_code"], sort=True)
    design = design or fit_design(known, HOSPITALS)
    every, some = matrix(design, known)
    return World(
        known, pd.Index(drgs), place, drg,
        cells["discharge_count"].to_numpy(dtype="float64"), cells["payment"].to_numpy(dtype="float64"),
        every, some, design,
    )  # fmt: skip


def national_means(world: World, seen: np.ndarray) -> np.ndarray:
    """Discharge-weighted mean payment of each DRG over the cells seen; NaN where there are none."""
    return _means(world.drg[seen], len(world.drgs), world.discharges[seen], world.payment[seen])


def fit_payment(world: World, seen: np.ndarray, penalty: float = PENALTY) -> PaymentModel:
    """Fits on the cells that `seen` (one boolean a cell) marks."""
    levels = national_means(world, seen)
    logs = np.log(levels)
    centre, scale = float(np.nanmean(logs)), float(np.nanstd(logs)) or 1.0
    entries = Cells(world.hospital, (logs[world.drg] - centre) / scale, world.discharges).of(seen)
    level, paid = levels[world.drg[seen]], world.payment[seen]
    coefficients = fit_ridge(world.every, world.some, entries, np.log(paid / level), penalty)
    fitted = np.exp(predict(coefficients, world.every, world.some, entries)) * level
    factor = float((paid * entries.weight).sum() / (fitted * entries.weight).sum())
    return PaymentModel(coefficients, pd.Series(levels, world.drgs), centre, scale, factor)


def expected_payment(model: PaymentModel, world: World, levels: np.ndarray | None = None) -> np.ndarray:
    """Dollars for every cell of the world; NaN for a DRG without a level. `levels` (one for each of the world's DRGs) are
    those of another year, where the model is to speak of one it has not seen: what it knows is the ratio to the nation."""
    at_home = model.levels.reindex(world.drgs).to_numpy()
    level = (at_home if levels is None else levels)[world.drg]
    cost = (np.log(at_home[world.drg]) - model.centre) / model.scale
    known = ~np.isnan(cost) & ~np.isnan(level)
    entries = Cells(world.hospital, cost, world.discharges).of(known)
    result = np.full(len(world.drg), np.nan)
    result[known] = np.exp(predict(model.coefficients, world.every, world.some, entries)) * level[known] * model.factor
    return result


def plain_means(world: World, seen: np.ndarray) -> dict[str, np.ndarray]:
    """For every cell, the mean of the DRG over the hospitals seen: of the nation, of the state, of the referral region.
    Where the narrower area has no hospital with the DRG, the wider one's stands."""
    wider = national_means(world, seen)[world.drg]
    result = {"national_mean": wider}
    for name, column in (("state_mean", "state"), ("referral_region_mean", "referral_region")):
        area, areas = pd.factorize(world.hospitals[column])  # -1 where unknown
        cell = np.where(area[world.hospital] < 0, len(areas), area[world.hospital]) * len(world.drgs) + world.drg
        size = (len(areas) + 1) * len(world.drgs)
        own = _means(cell[seen], size, world.discharges[seen], world.payment[seen])
        own[len(areas) * len(world.drgs) :] = np.nan  # those of unknown area are no area
        wider = np.where(np.isnan(own[cell]), wider, own[cell])
        result[name] = wider
    return result


def unseen_payment(world: World) -> dict[str, np.ndarray]:
    """For every cell, what the model and each plain mean expect, its hospital not having been seen (five folds)."""
    return unseen(world.hospitals["provider_id"], world.hospital, lambda seen: _all_ways(world, seen))


def unseen(
    ccns: pd.Series, hospital: np.ndarray, ways: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Asks `ways` for answers to all cells with each fold of hospitals held out, and keeps those to the fold's own. A fold
    that is empty, or all there is, has no answers (NaN)."""
    fold = fold_of(ccns)[hospital]
    result: dict[str, np.ndarray] = {}
    for number in range(FOLDS):
        held = fold == number
        if held.any() and not held.all():
            for name, values in ways(~held).items():
                result.setdefault(name, np.full(len(hospital), np.nan))[held] = values[held]
    return result


def _all_ways(world: World, seen: np.ndarray) -> dict[str, np.ndarray]:
    return {**plain_means(world, seen), MODEL: expected_payment(fit_payment(world, seen), world)}


def _means(place: np.ndarray, size: int, discharges: np.ndarray, payment: np.ndarray) -> np.ndarray:
    dollars = np.bincount(place, discharges * payment, minlength=size)
    weight = np.bincount(place, discharges, minlength=size)
    return np.divide(dollars, weight, out=np.full(size, np.nan), where=weight > 0)
