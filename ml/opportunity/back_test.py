"""Whether an earlier year's opportunity foretells the later change, beyond what chance alone would make of it.

Belongs here: pairs of years, slopes with intervals, what regression to the mean predicts. Does not: models (payment,
severity), verdicts in words for people.

A cell that was low by chance is higher the next time, whoever does what: the slope of the change on the gap is positive
wherever averages are noisy. So the slope is never shown alone. Beside it stand the slope that noise of the earlier year
alone would give (its share of the gaps' variance), and the slope with the years exchanged: a gap of the later year
"foretelling" the change back to the earlier one. Only what exceeds the first, and does not show in the second, would be
an opportunity that somebody took.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.opportunity.folds import draws, interval

MORE, LESS, NO_MORE, NO_DATA = "more_than_chance", "less_than_chance", "no_more_than_chance", "no_data"
FEWEST_HOSPITALS = 20


@dataclass(frozen=True)
class Pair:
    """Cells that two years share, one entry each: hospital (any number), weight (earlier discharges), gap (expected less
    actual of the earlier year) and change (later less earlier), on the same scale; `later_gap` the gap of the later year.

    `noise` is the variance of the earlier outcome by chance alone, up to a factor: 1 where it is known, or else the slope of
    squared residuals of the earlier year on it (`squares`; NaN where a cell tells nothing of it).
    """

    hospital: np.ndarray
    weight: np.ndarray
    gap: np.ndarray
    change: np.ndarray
    later_gap: np.ndarray
    noise: np.ndarray
    squares: np.ndarray | None = None


@dataclass(frozen=True)
class BackTest:
    """Slopes of the change on the gap, each with its 95 % interval over resampled hospitals where it is compared.

    `excess` is the slope less that of chance; `errors` are the mean absolute errors of three forecasts of the later
    outcome: that it stays, that the gap closes, that it moves by the share of chance.
    """

    verdict: str
    cell_count: int
    hospital_count: int
    discharge_count: int
    slope: float = np.nan
    slope_low: float = np.nan
    slope_high: float = np.nan
    chance_slope: float = np.nan
    excess: float = np.nan
    excess_low: float = np.nan
    excess_high: float = np.nan
    reversed_slope: float = np.nan
    forward_less_reversed: float = np.nan
    forward_less_reversed_low: float = np.nan
    forward_less_reversed_high: float = np.nan
    error_if_it_stays: float = np.nan
    error_if_it_closes: float = np.nan
    error_if_shrunk: float = np.nan


def back_test(pair: Pair) -> BackTest:
    """Fewer than 20 hospitals with cells in both years say nothing: the verdict is no_data."""
    known = ~np.isnan(np.vstack([pair.gap, pair.change, pair.later_gap, pair.noise])).any(axis=0)
    place, hospitals = pd.factorize(pair.hospital[known])
    counts = (int(known.sum()), len(hospitals), int(pair.weight[known].sum()))
    if len(hospitals) < FEWEST_HOSPITALS:
        return BackTest(NO_DATA, *counts)
    weight, gap, change, later = (one[known] for one in (pair.weight, pair.gap, pair.change, pair.later_gap))
    noise = pair.noise[known]
    columns = [weight, weight * gap, weight * gap**2, weight * change, weight * gap * change]
    columns += [weight * later, weight * later**2, weight * later * change, weight * noise]
    if pair.squares is not None:
        is_told = (~np.isnan(pair.squares[known])).astype("float64")
        squares = np.nan_to_num(pair.squares[known])
        columns += [is_told, is_told * noise, is_told * noise**2, squares, noise * squares]
    sums = np.vstack([np.bincount(place, column, minlength=len(hospitals)) for column in columns])
    slope, chance, backward = _slopes(sums.sum(axis=1, keepdims=True))
    slopes, chances, backwards = _slopes(sums @ draws(len(hospitals)).T)
    slope_low, slope_high = interval(slopes)
    excess_low, excess_high = interval(slopes - chances)
    difference_low, difference_high = interval(slopes - backwards)
    s, c, b = float(slope[0]), float(chance[0]), float(backward[0])
    return BackTest(
        _verdict((excess_low, excess_high), (difference_low, difference_high)),
        *counts,
        s, slope_low, slope_high, c, s - c, excess_low, excess_high, b, s - b, difference_low, difference_high,
        *(_mean(np.abs(change - part * gap), weight) for part in (0.0, 1.0, c)),
    )  # fmt: skip


def _verdict(excess: tuple[float, float], difference: tuple[float, float]) -> str:
    """More than chance is what the noise of the earlier year does not give, and what time running backwards does not
    either: noise that does not fall with discharges, or habits that drift, show in the second alone."""
    if excess[0] > 0 and difference[0] > 0:
        return MORE
    return LESS if excess[1] < 0 and difference[1] < 0 else NO_MORE


def _slopes(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forward slope, the slope of chance and the reversed slope, for each column of sums."""
    weight, gap, gap_square, change, gap_change, later, later_square, later_change, noise = sums[:9]
    gap_variance = gap_square - gap**2 / weight
    slope = (gap_change - gap * change / weight) / gap_variance
    # With the years exchanged the change is the other way round.
    backward = -(later_change - later * change / weight) / (later_square - later**2 / weight)
    factor = np.ones_like(weight)
    if len(sums) > 9:
        count, unit, unit_square, square, unit_by_square = sums[9:]
        factor = (unit_by_square - unit * square / count) / (unit_square - unit**2 / count)
    return slope, np.clip(factor * noise / gap_variance, 0, 1), backward


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    return float((values * weight).sum() / weight.sum())
