"""How good expectations are: errors weighted by discharges, calibration, and intervals that keep their word or do not.

Belongs here: measures over cells, with intervals over hospitals. Does not: making expectations.

Every way is judged on the same cells: those for which all of them have an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.opportunity.folds import INTERVAL, draws, fold_of, interval

BINS = 10
# Bands of discharges within which errors are alike enough to share an interval; the smallest published cell has 11.
BANDS = np.array([0, 15, 25, 50, 100])
NO_ERROR = 1e-9
FEWEST_IN_BAND = 40  # the outermost fortieth of fewer is not a fortieth of anything


@dataclass(frozen=True)
class Score:
    """One way's errors, in the unit of the outcome. `error` is the mean absolute error weighted by discharges,
    `error_rate` its share of the mean outcome; `skill` is one minus the error over that of the first way, with the 95 %
    interval over resampled hospitals; `covered` the share of cells within their interval, where there is one."""

    way: str
    cell_count: int
    hospital_count: int
    discharge_count: int
    mean_outcome: float
    error: float
    error_rate: float
    root_mean_square: float
    bias: float
    skill: float
    skill_low: float
    skill_high: float
    covered: float | None


def score(
    expected: dict[str, np.ndarray],
    actual: np.ndarray,
    weight: np.ndarray,
    hospital: np.ndarray,
    covered: dict[str, np.ndarray] | None = None,
) -> list[Score]:
    """One Score for each way, the first being the one others are held against. `covered` marks by way which cells lie in
    their interval. Nothing where no cell has all answers."""
    known = ~np.isnan(np.vstack([*expected.values(), actual])).any(axis=0)
    if not known.any():
        return []
    place, hospitals = pd.factorize(hospital[known])
    drawn = draws(len(hospitals))
    paid, stays = actual[known], weight[known]
    total = stays.sum()
    mean = float((paid * stays).sum() / total)

    def resampled(values: np.ndarray) -> np.ndarray:
        return drawn @ np.bincount(place, values, minlength=len(hospitals))

    of_first = None
    made = []
    for way, values in expected.items():
        off = values[known] - paid
        error = float((np.abs(off) * stays).sum() / total)
        errors = resampled(np.abs(off) * stays)
        if of_first is None:
            of_first = (error, errors)
        # A first way that is right to the last digits (a mean over the cell alone) has no error to be better than.
        is_off = of_first[1] > NO_ERROR * mean * stays.min()
        low, high = interval(1 - np.divide(errors, of_first[1], out=np.full_like(errors, np.nan), where=is_off))
        inside = covered.get(way) if covered else None
        made.append(
            Score(
                way, int(known.sum()), len(hospitals), int(total), mean, error, _share(error, mean),
                float(np.sqrt((off**2 * stays).sum() / total)), float((off * stays).sum() / total),
                1 - _share(error, of_first[0]) if is_off.any() else np.nan, low, high,
                None if inside is None else float((inside[known] * stays).sum() / total),
            )
        )  # fmt: skip
    return made


def _share(part: float, whole: float) -> float:
    """Unknown of nothing."""
    return part / whole if whole else np.nan


def calibration(expected: np.ndarray, actual: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """Ten bins of cells by what was expected, as near to equal discharges as ties allow: bin_number, cell_count,
    discharge_count, and the discharge-weighted means of expected and actual."""
    known = ~(np.isnan(expected) | np.isnan(actual))
    frame = pd.DataFrame({"expected": expected[known], "actual": actual[known], "weight": weight[known]})
    frame = frame.sort_values("expected", ignore_index=True)
    below = (frame["weight"].cumsum() - frame["weight"] / 2) / frame["weight"].sum()
    frame["bin_number"] = np.minimum((below * BINS).astype("int64"), BINS - 1) + 1
    for name in ("expected", "actual"):
        frame[name] *= frame["weight"]
    grouped = frame.groupby("bin_number").agg(
        cell_count=("weight", "size"),
        discharge_count=("weight", "sum"),
        expected=("expected", "sum"),
        actual=("actual", "sum"),
    )
    for name in ("expected", "actual"):
        grouped[name] /= grouped["discharge_count"]
    return grouped.reset_index().astype({"discharge_count": "int64"})


def bounds(
    residual: np.ndarray, weight: np.ndarray, ccns: pd.Series, hospital: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each cell's residual: quantiles of the residuals in its band of discharges, over the hospitals
    of the other folds, so that an interval has not seen the cell whose word it takes. NaN where there are too few."""
    fold = fold_of(ccns)[hospital]
    band = np.searchsorted(BANDS, weight, side="right")
    low, high = np.full(len(residual), np.nan), np.full(len(residual), np.nan)
    known = ~np.isnan(residual)
    for number in np.unique(fold):
        others = known & (fold != number)
        for one in np.unique(band):
            of_band = residual[others & (band == one)]
            of_band = of_band if len(of_band) >= FEWEST_IN_BAND else residual[others]
            if len(of_band) >= FEWEST_IN_BAND:
                chosen = (fold == number) & (band == one)
                low[chosen], high[chosen] = np.quantile(of_band, INTERVAL)
    return low, high
