"""The back test says "more than chance" where gaps were closed, and there alone."""

from __future__ import annotations

import numpy as np
import pytest

from ml.opportunity.back_test import MORE, NO_DATA, NO_MORE, Pair, back_test
from ml.opportunity.folds import draws

HOSPITALS, DRGS = 300, 12


def pair(closed: float, noise_by_stays: bool = True, drift: float = 0.0, seed: int = 5) -> Pair:
    """Cells that lie apart for good (0.1), of which a share is `closed` by the later year, with noise in both years."""
    rng = np.random.default_rng(seed)
    size = HOSPITALS * DRGS
    hospital = np.repeat(np.arange(HOSPITALS), DRGS)
    stays = rng.integers(11, 150, size).astype("float64")
    lasting = -0.1 * rng.normal(size=size)  # below the mean where negative: a gap
    spread = 0.6 / np.sqrt(stays) if noise_by_stays else np.full(size, 0.08)
    earlier_noise, later_noise = (spread * rng.normal(size=size) for _ in range(2))
    earlier = lasting + earlier_noise
    moved = drift * rng.normal(size=size)
    later = lasting * np.where(lasting < 0, 1 - closed, 1) * np.sqrt(1 - (drift / 0.1) ** 2) + moved + later_noise
    # Residuals within hospitals, as years.payment_pair takes them.
    return Pair(hospital, stays, -earlier, later - earlier, -later, 1 / stays, earlier**2)


def test_regression_to_the_mean_is_no_opportunity_when_nobody_acts() -> None:
    """Everything that was low is higher the next time: a slope far above zero, and nothing in it."""
    tested = back_test(pair(closed=0.0))
    assert tested.verdict == NO_MORE
    assert tested.slope_low > 0.2
    assert tested.chance_slope == pytest.approx(tested.slope, abs=0.08)
    assert tested.excess_low < 0 < tested.excess_high
    assert tested.forward_less_reversed_low < 0 < tested.forward_less_reversed_high
    assert tested.error_if_shrunk < tested.error_if_it_stays < tested.error_if_it_closes


def test_closed_gaps_are_told_from_chance_when_somebody_acts() -> None:
    tested = back_test(pair(closed=0.7))
    assert tested.verdict == MORE
    assert tested.excess_low > 0 and tested.forward_less_reversed_low > 0


def test_noise_that_does_not_fall_with_stays_is_no_opportunity_either() -> None:
    """The demonstration's payments are so made: what stays explain of the noise is nothing, and the slope is all excess.
    With the years exchanged it is the same, which gives it away."""
    tested = back_test(pair(closed=0.0, noise_by_stays=False))
    assert tested.excess_low > 0
    assert tested.verdict == NO_MORE


def test_habits_that_drift_are_no_opportunity_when_spread_stays_as_it_was() -> None:
    tested = back_test(pair(closed=0.0, drift=0.07))
    assert tested.excess_low > 0
    assert tested.verdict == NO_MORE


def test_nothing_is_said_when_fewer_than_twenty_hospitals_are_in_both_years() -> None:
    whole = pair(closed=0.7)
    few = whole.hospital < 19
    tested = back_test(Pair(*(getattr(whole, name)[few] for name in vars(whole))))
    assert (tested.verdict, tested.hospital_count, tested.cell_count) == (NO_DATA, 19, 19 * DRGS)
    assert np.isnan(tested.slope)


def test_the_answer_is_the_same_when_asked_twice() -> None:
    first = back_test(pair(closed=0.3))
    draws.cache_clear()
    assert back_test(pair(closed=0.3)) == first


def test_a_cell_that_tells_nothing_of_noise_still_counts_when_slopes_are_taken() -> None:
    whole = pair(closed=0.0)
    some = np.where(np.arange(len(whole.gap)) % 5 == 0, np.nan, whole.squares)
    tested = back_test(Pair(whole.hospital, whole.weight, whole.gap, whole.change, whole.later_gap, whole.noise, some))
    assert tested.slope == back_test(whole).slope
    assert tested.chance_slope == pytest.approx(back_test(whole).chance_slope, abs=0.08)
