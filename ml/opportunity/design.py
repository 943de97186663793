"""Attributes of hospitals as a matrix of numbers.

Belongs here: ranks, levels of categories, what is missing. Does not: outcomes, fitting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ml.opportunity.features import FeatureSet

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Design:
    """How a frame of hospitals becomes a matrix: `numbers` and `levels` are those that the fitted frame had."""

    numbers: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    absent: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Of the matrix's columns."""
        with_gaps = [f"{name} unknown" for name in self.numbers]
        squares = [f"{name} squared" for name in self.numbers]
        return [
            "1",
            *self.numbers,
            *squares,
            *with_gaps,
            *(f"{name}={level}" for name, of in self.levels.items() for level in of),
        ]


def fit_design(hospitals: pd.DataFrame, features: FeatureSet) -> Design:
    """The design of one row per hospital. A column that is NULL in every row is named in `absent` and left out."""
    absent = tuple(name for name in features.columns[1:] if hospitals[name].isna().all())
    levels = {
        name: tuple(sorted(_as_text(hospitals[name]).unique())) for name in features.categories if name not in absent
    }
    return Design(tuple(name for name in features.numbers if name not in absent), levels, absent)


def matrix(design: Design, hospitals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Two matrices with a row per hospital: all columns, and those that may act otherwise in costly DRGs (1 and numbers).

    Numbers are normal scores of their ranks among the rows given, 0 where unknown with a column that says so;
    their squares let the smallest and the largest differ from the middle alike. A level that the
    fitted frame did not have is no level: such a hospital is judged by the rest.
    """
    numbers = hospitals[list(design.numbers)].astype("float64")
    gaps = numbers.isna().to_numpy(dtype="float64")
    scaled = ndtri(((numbers.rank() - 0.5) / numbers.notna().sum()).to_numpy())
    scaled[gaps == 1] = 0.0
    ones = np.ones((len(hospitals), 1))
    levels = [
        np.eye(len(known) + 1)[:, :-1][pd.Index(known).get_indexer(_as_text(hospitals[name]))]
        for name, known in design.levels.items()
    ]
    return np.hstack([ones, scaled, scaled**2 - (1 - gaps), gaps, *levels]), np.hstack([ones, scaled])


def rows_of(hospitals: pd.DataFrame, providers: pd.Series) -> np.ndarray:
    """The row of each provider's hospital. Raises KeyError for one that the hospitals do not hold."""
    code, distinct = pd.factorize(providers)
    place = pd.Index(hospitals["provider_id"]).get_indexer(distinct)
    if (place < 0).any():
        raise KeyError(f"{(place < 0).sum()} hospitals with cells are not among those with features")
    return place[code]


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype("object").where(column.notna(), UNKNOWN).astype(str)
