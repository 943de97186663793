"""Ridge regression of cells on attributes of their hospitals, from sums by hospital.

Belongs here: solving, and the logistic form by repeated solving. Does not: which columns or outcomes there are.

A cell's row is (all columns of its hospital, level of the DRG × some of them), so the sums over 181,215 cells that the
normal equations need are sums over 3,064 hospitals: a fit takes tens of milliseconds, where rows one by one took seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_ROUNDS = 25
CLOSE_ENOUGH = 1e-8
MOST_CERTAIN = 1e-6  # shares are held this far from 0 and 1


@dataclass(frozen=True)
class Cells:
    """One entry per cell. `hospital` is the row of its hospital in the matrices, `level` how costly (or severe) its DRG
    is, `weight` discharges."""

    hospital: np.ndarray
    level: np.ndarray
    weight: np.ndarray

    def of(self, chosen: np.ndarray) -> Cells:
        return Cells(self.hospital[chosen], self.level[chosen], self.weight[chosen])


@dataclass(frozen=True)
class Coefficients:
    """Of all columns, and of those that are multiplied by the level of the DRG."""

    plain: np.ndarray
    by_level: np.ndarray


def fit_ridge(every: np.ndarray, some: np.ndarray, cells: Cells, outcome: np.ndarray, penalty: float) -> Coefficients:
    """Least squares weighted by discharges, with `penalty` average cells' worth of pull towards zero on all columns but
    the intercept."""
    return _solve(every, some, cells, cells.weight / cells.weight.mean(), outcome, penalty)


def fit_logistic(
    every: np.ndarray, some: np.ndarray, cells: Cells, share: np.ndarray, offset: np.ndarray, penalty: float
) -> Coefficients:
    """The same for shares in [0, 1] on the scale of log odds: `offset` is known, the rest is fitted.

    Fitted by iteratively reweighted least squares; `weight` is the number of stays of the cell.
    """
    coefficients = Coefficients(np.zeros(every.shape[1]), np.zeros(some.shape[1]))
    mean_weight = cells.weight.mean()
    for _ in range(MAX_ROUNDS):
        linear = predict(coefficients, every, some, cells)
        rate = np.clip(from_log_odds(offset + linear), MOST_CERTAIN, 1 - MOST_CERTAIN)
        slope = rate * (1 - rate)
        working = linear + (share - rate) / slope
        fitted = _solve(every, some, cells, cells.weight * slope / mean_weight, working, penalty)
        moved = max(
            np.abs(fitted.plain - coefficients.plain).max(), np.abs(fitted.by_level - coefficients.by_level).max()
        )
        coefficients = fitted
        if moved < CLOSE_ENOUGH:
            return coefficients
    return coefficients


def predict(coefficients: Coefficients, every: np.ndarray, some: np.ndarray, cells: Cells) -> np.ndarray:
    """The linear prediction of each cell."""
    plain, sloped = every @ coefficients.plain, some @ coefficients.by_level
    return plain[cells.hospital] + cells.level * sloped[cells.hospital]


def log_odds(share: np.ndarray) -> np.ndarray:
    clipped = np.clip(share, MOST_CERTAIN, 1 - MOST_CERTAIN)
    return np.log(clipped / (1 - clipped))


def from_log_odds(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def _solve(
    every: np.ndarray, some: np.ndarray, cells: Cells, weight: np.ndarray, outcome: np.ndarray, penalty: float
) -> Coefficients:
    """The normal equations, from sums by hospital."""

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(cells.hospital, values, minlength=len(every))

    at, at_level, at_square = summed(weight), summed(weight * cells.level), summed(weight * cells.level**2)
    corner = every.T @ (some * at_level[:, None])
    left = np.block([[every.T @ (every * at[:, None]), corner], [corner.T, some.T @ (some * at_square[:, None])]])
    right = np.concatenate([every.T @ summed(weight * outcome), some.T @ summed(weight * cells.level * outcome)])
    pull = np.full(len(left), float(penalty))
    pull[0] = 1e-6  # the intercept is free; never singular all the same
    solved = np.linalg.solve(left + np.diag(pull), right)
    return Coefficients(solved[: every.shape[1]], solved[every.shape[1] :])
