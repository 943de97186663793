"""The models' answers as tables: what is expected of each cell, how good that is, and what pairs of years say.

Belongs here: putting one period's, or two periods', answers together. Does not: reading, writing, rounding.

Columns are those of dagster_project/sources/derived/opportunity.py without the period, in floating point.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ml.opportunity.back_test import back_test
from ml.opportunity.judging import Score, bounds, calibration, score
from ml.opportunity.payment import MODEL, make_world, unseen_payment
from ml.opportunity.severity import make_severity_world, unseen_shares
from ml.opportunity.years import (
    later_payment,
    later_share,
    national_payment,
    national_share,
    payment_pair,
    severity_pair,
)

PAYMENT, SEVERE = "payment", "severe_share"
STANDARDIZED = "standardized_payment"
UNSEEN_HOSPITALS, UNSEEN_YEAR = "unseen_hospitals", "unseen_year"


# The matrices are small: two threads wait for one another longer than they work (three times the CPU), and one gives the
# same last digits everywhere.
one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


@dataclass(frozen=True)
class Period:
    """One source and year as read: hospitals (features), payment cells, severity cells. For pairs of years the cells have
    a column more, `expected`: what the model expected of them unseen. Payment cells have `standardized_payment` beside the
    payment: what their weight and the hospital's own level let expect."""

    year: int
    hospitals: pd.DataFrame
    payments: pd.DataFrame
    families: pd.DataFrame


@dataclass(frozen=True)
class Answers:
    """One period's tables by name; a table without rows is an empty frame."""

    expected_payment: pd.DataFrame
    expected_severity: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame


@one_thread
def answers_of(period: Period) -> Answers:
    """Every cell's expectation, its hospital not having been seen, and how near they come."""
    paid, paid_scores, paid_bins = _payment(period)
    severe, severe_scores, severe_bins = _severity(period)
    return Answers(paid, severe, _stacked([paid_scores, severe_scores]), _stacked([paid_bins, severe_bins]))


@one_thread
def scores_of_later(earlier: Period, later: Period) -> pd.DataFrame:
    """How near the earlier year's knowledge comes to the later year."""
    made = []
    if len(earlier.payments) and len(later.payments):
        past = make_world(earlier.hospitals, earlier.payments)
        now = make_world(later.hospitals, later.payments, past.design)
        scores = score(later_payment(past, now), now.payment, now.discharges, now.hospital)
        made.append(_scores(scores, PAYMENT, UNSEEN_YEAR, earlier.year, past.design.absent))
    if len(earlier.families) and len(later.families):
        old = make_severity_world(earlier.hospitals, earlier.families)
        new = make_severity_world(later.hospitals, later.families, old.design)
        if old.is_whole.any() and new.is_whole.any():
            actual = np.where(new.is_whole, new.severe / new.stays, np.nan)
            scores = score(later_share(old, new), actual, new.stays, new.hospital)
            made.append(_scores(scores, SEVERE, UNSEEN_YEAR, earlier.year, old.design.absent))
    return _stacked(made)


@one_thread
def back_tests_of(earlier: Period, later: Period) -> pd.DataFrame:
    """One row per measure and yardstick; `expected` of the cells is the model's, hospitals unseen."""
    rows = []
    if len(earlier.payments) and len(later.payments):
        past, now = (make_world(one.hospitals, one.payments) for one in (earlier, later))
        model = (earlier.payments["expected"].to_numpy("float64"), later.payments["expected"].to_numpy("float64"))
        nation = (national_payment(past), national_payment(now))
        own = (earlier.payments[STANDARDIZED].to_numpy("float64"), later.payments[STANDARDIZED].to_numpy("float64"))
        for yardstick, (before, after) in {"national_mean": nation, "standardized": own, MODEL: model}.items():
            tested = back_test(payment_pair(past, now, before, after, modelled=model[0]))
            rows.append({"measure": PAYMENT, "yardstick": yardstick, **asdict(tested)})
    if len(earlier.families) and len(later.families):
        old, new = (make_severity_world(one.hospitals, one.families) for one in (earlier, later))
        model = (earlier.families["expected"].to_numpy("float64"), later.families["expected"].to_numpy("float64"))
        nation = (national_share(old), national_share(new))
        for yardstick, (before, after) in {"national_share": nation, MODEL: model}.items():
            tested = back_test(severity_pair(old, new, before, after))
            rows.append({"measure": SEVERE, "yardstick": yardstick, **asdict(tested)})
    return pd.DataFrame(rows)


def _payment(period: Period) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    cells = period.payments
    if cells.empty:
        return pd.DataFrame(), pd.DataFrame(), pd.DataFrame()
    world = make_world(period.hospitals, cells)
    # Where all hospitals are in one fold none can be held out, and there are cells without expectation.
    expected = unseen_payment(world) or {MODEL: np.full(len(cells), np.nan)}
    own = expected[MODEL]
    low, high = bounds(np.log(world.payment / own), world.discharges, world.hospitals["provider_id"], world.hospital)
    lower, upper = own * np.exp(low), own * np.exp(high)
    table = cells[["provider_id", "drg_code"]].assign(
        expected_average_payment_amount=own,
        expected_average_payment_low_amount=lower,
        expected_average_payment_high_amount=upper,
    )
    inside = (world.payment >= lower) & (world.payment <= upper)
    scores = score(expected, world.payment, world.discharges, world.hospital, _covered(inside, low))
    bins = calibration(own, world.payment, world.discharges).assign(measure=PAYMENT)
    return table, _scores(scores, PAYMENT, UNSEEN_HOSPITALS, period.year, world.design.absent), bins


def _severity(period: Period) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    cells = period.families
    if cells.empty:
        return pd.DataFrame(), pd.DataFrame(), pd.DataFrame()
    world = make_severity_world(period.hospitals, cells)
    expected = unseen_shares(world) or {MODEL: np.full(len(cells), np.nan)}
    own = expected[MODEL]
    actual = np.where(world.is_whole, world.severe / world.stays, np.nan)
    low, high = bounds(actual - own, world.stays, world.hospitals["provider_id"], world.hospital)
    lower, upper = np.clip(own + low, 0, 1), np.clip(own + high, 0, 1)
    table = cells[["provider_id", "family_code", "discharge_count", "severe_discharge_count", "is_whole"]].assign(
        expected_severe_rate=own, expected_severe_low_rate=lower, expected_severe_high_rate=upper
    )
    inside = (actual >= lower) & (actual <= upper)
    scores = score(expected, actual, world.stays, world.hospital, _covered(inside, low))
    bins = calibration(own, actual, world.stays).assign(measure=SEVERE)
    return table, _scores(scores, SEVERE, UNSEEN_HOSPITALS, period.year, world.design.absent), bins


def _covered(inside: np.ndarray, low: np.ndarray) -> dict[str, np.ndarray]:
    """Nothing where there are too few cells for an interval."""
    return {} if np.isnan(low).all() else {MODEL: inside}


def _scores(scores: list[Score], measure: str, trial: str, fitted_year: int, absent: tuple[str, ...]) -> pd.DataFrame:
    renamed = {
        "root_mean_square": "root_mean_square_error",
        "skill": "skill_rate",
        "skill_low": "skill_low_rate",
        "skill_high": "skill_high_rate",
        "covered": "covered_rate",
    }
    frame = pd.DataFrame([asdict(one) for one in scores]).rename(columns=renamed)
    return frame.assign(measure=measure, trial=trial, fitted_year=fitted_year, absent_features=", ".join(absent))


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
