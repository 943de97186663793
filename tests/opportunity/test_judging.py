"""Errors, calibration and intervals, by hand and by what they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.opportunity.folds import fold_of
from ml.opportunity.judging import bounds, calibration, score


def test_errors_are_weighted_by_discharges_when_ways_are_scored() -> None:
    actual, weight = np.array([100.0, 200.0, 300.0]), np.array([1.0, 1.0, 8.0])
    plain = np.array([110.0, 210.0, 280.0])
    better = np.array([100.0, 200.0, 290.0])
    first, second = score({"plain": plain, "better": better}, actual, weight, np.array([0, 1, 2]))
    assert (first.error, second.error) == (pytest.approx(18.0), pytest.approx(8.0))
    assert second.skill == pytest.approx(1 - 8 / 18)
    assert first.mean_outcome == pytest.approx(270.0) and first.error_rate == pytest.approx(18 / 270)
    assert first.bias == pytest.approx((10 + 10 - 160) / 10)
    assert first.root_mean_square == pytest.approx(np.sqrt((100 + 100 + 8 * 400) / 10))
    assert (first.skill, first.skill_low, first.skill_high) == (0, 0, 0)


def test_all_ways_are_scored_on_the_same_cells_when_one_has_no_answer() -> None:
    actual, weight = np.array([100.0, 200.0]), np.array([1.0, 1.0])
    scores = score(
        {"plain": np.array([90.0, 900.0]), "other": np.array([95.0, np.nan])}, actual, weight, np.array([0, 1])
    )
    assert [(one.cell_count, one.error) for one in scores] == [(1, 10.0), (1, 5.0)]
    assert score({"plain": np.array([np.nan, np.nan])}, actual, weight, np.array([0, 1])) == []


def test_tenths_hold_every_discharge_once_when_calibrated() -> None:
    rng = np.random.default_rng(3)
    expected, weight = rng.lognormal(9, 0.5, 3000), rng.integers(11, 400, 3000)
    bins = calibration(expected, 1.02 * expected, weight)
    assert bins["bin_number"].tolist() == list(range(1, 11))
    assert bins["discharge_count"].sum() == weight.sum() and bins["cell_count"].sum() == 3000
    assert bins["discharge_count"].max() / bins["discharge_count"].min() < 1.05
    assert np.allclose(bins["actual"] / bins["expected"], 1.02)
    assert (bins["expected"] * bins["discharge_count"]).sum() == pytest.approx((expected * weight).sum())


def test_intervals_hold_nineteen_in_twenty_when_small_cells_are_noisier() -> None:
    rng = np.random.default_rng(7)
    providers = pd.Series([f"{number:06d}" for number in range(300)])
    hospital = np.repeat(np.arange(300), 20)
    weight = rng.choice([11, 20, 30, 70, 300], 6000).astype("float64")
    residual = rng.normal(size=6000) / np.sqrt(weight)
    low, high = bounds(residual, weight, providers, hospital)
    inside = (residual >= low) & (residual <= high)
    assert 0.94 < inside.mean() < 0.96
    assert all(0.92 < inside[weight == one].mean() < 0.98 for one in np.unique(weight))
    assert (high - low)[weight == 11].mean() > 2 * (high - low)[weight == 70].mean()


def test_an_interval_has_not_seen_its_own_hospital_when_it_is_taken() -> None:
    rng = np.random.default_rng(8)
    providers = pd.Series([f"{number:06d}" for number in range(100)])
    hospital, weight = np.repeat(np.arange(100), 5), np.full(500, 40.0)
    residual = rng.normal(size=500)
    own = fold_of(providers)[hospital] == fold_of(providers)[0]
    before = bounds(residual, weight, providers, hospital)
    after = bounds(np.where(own, residual + 50, residual), weight, providers, hospital)
    assert np.array_equal(before[0][own], after[0][own]) and np.array_equal(before[1][own], after[1][own])
    assert not np.array_equal(before[1][~own], after[1][~own])


def test_there_is_no_interval_when_too_few_cells_tell() -> None:
    low, high = bounds(np.zeros(30), np.full(30, 20.0), pd.Series([f"{one:06d}" for one in range(30)]), np.arange(30))
    assert np.isnan(low).all() and np.isnan(high).all()
