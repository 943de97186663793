"""Which hospitals a model has not seen when it judges them, and how sure a figure over hospitals is.

Belongs here: folds by hospital, resampling of hospitals. Does not: models, what is counted.

A hospital is in one fold with all its cells: cells of one hospital share wages, teaching and habits, so a model that had
seen one of them would know the others.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

FOLDS = 5
SEED = 20260601
RESAMPLES = 1000
INTERVAL = (0.025, 0.975)
_HASH_KEY = "drg-opportunity1"  # sixteen characters, as pandas asks; another key makes other folds


def fold_of(ccns: pd.Series, folds: int = FOLDS) -> np.ndarray:
    """The fold of each hospital, 0 to folds - 1: from its number alone, so the same in every year and file."""
    hashed = pd.util.hash_array(ccns.to_numpy(dtype=object), hash_key=_HASH_KEY, categorize=False)
    return (hashed % np.uint64(folds)).astype("int64")


@lru_cache(maxsize=2)
def draws(hospitals: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each hospital is drawn in each resample (rows: resamples), seeded. Not to be changed: whoever asks
    for as many hospitals gets the same array."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(hospitals, np.full(hospitals, 1 / hospitals), size=resamples).astype("float64")


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of the resamples that are known; unknown where none is."""
    if np.isnan(values).all():
        return np.nan, np.nan
    low, high = np.nanquantile(values, INTERVAL)
    return float(low), float(high)
