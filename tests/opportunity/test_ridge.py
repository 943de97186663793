"""Solving from sums by hospital gives what solving row by row gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from ml.opportunity.ridge import Cells, fit_logistic, fit_ridge, from_log_odds, predict


@pytest.fixture
def matrices() -> tuple[np.ndarray, np.ndarray, Cells]:
    rng = np.random.default_rng(4)
    every = np.hstack([np.ones((30, 1)), rng.normal(size=(30, 4))])
    cells = Cells(rng.integers(0, 30, 400), rng.normal(size=400), rng.integers(11, 90, 400).astype("float64"))
    return every, every[:, :3], cells


def rows(every: np.ndarray, some: np.ndarray, cells: Cells) -> np.ndarray:
    return np.hstack([every[cells.hospital], cells.level[:, None] * some[cells.hospital]])


def test_coefficients_are_those_of_a_ridge_by_rows_when_sums_are_taken_by_hospital(matrices) -> None:
    every, some, cells = matrices
    outcome = np.random.default_rng(5).normal(size=400)
    fitted = fit_ridge(every, some, cells, outcome, penalty=7.0)
    weight = cells.weight / cells.weight.mean()
    by_rows = Ridge(alpha=7.0).fit(rows(every, some, cells)[:, 1:], outcome, sample_weight=weight)
    assert np.allclose(np.concatenate([fitted.plain[1:], fitted.by_level]), by_rows.coef_, atol=1e-6)
    assert fitted.plain[0] == pytest.approx(by_rows.intercept_, abs=1e-6)


def test_shares_are_fitted_as_a_logistic_regression_by_stays_would_when_sums_are_taken(matrices) -> None:
    every, some, cells = matrices
    rng = np.random.default_rng(6)
    share = rng.binomial(cells.weight.astype(int), 0.4) / cells.weight
    fitted = fit_logistic(every, some, cells, share, np.zeros(400), penalty=5.0)
    doubled = np.vstack([rows(every, some, cells)[:, 1:]] * 2)
    weight = np.concatenate([cells.weight * share, cells.weight * (1 - share)]) / cells.weight.mean()
    by_rows = LogisticRegression(C=1 / 5.0, tol=1e-10, max_iter=1000).fit(
        doubled, np.repeat([1, 0], 400), sample_weight=weight
    )
    assert np.allclose(np.concatenate([fitted.plain[1:], fitted.by_level]), by_rows.coef_[0], atol=1e-5)
    expected = from_log_odds(predict(fitted, every, some, cells))
    assert np.allclose(expected, by_rows.predict_proba(doubled[:400])[:, 1], atol=1e-5)
