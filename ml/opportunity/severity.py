"""What share of a DRG family's stays would be in its severe members, for a hospital like this one.

Belongs here: the model and the plain shares it is held against. Does not: how good they are (judging), what a record
would support: no file at hand tells.

Logistic: the family's share over the hospitals seen, moved by attributes of the hospital and by those attributes times
how severe the family is. It is fitted and judged on cells whose members CMS all published, since a member that is
missing is 0 to 10 stays, not none; it speaks of every cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.opportunity.design import Design, fit_design, matrix, rows_of
from ml.opportunity.features import HOSPITALS_OF_FAMILIES
from ml.opportunity.payment import MODEL, unseen
from ml.opportunity.ridge import Cells, Coefficients, fit_logistic, from_log_odds, log_odds, predict

PENALTY = 30.0  # as payment's: between 10 and 300 the errors of FY2011 and FY2016 differ by less than 2 %
PLAIN = ("national_share", "state_share")


@dataclass(frozen=True)
class SeverityWorld:
    """One period: hospitals, families, and per cell the rows of both, stays, stays in severe members, and whether every
    member was published."""

    hospitals: pd.DataFrame
    families: pd.Index
    hospital: np.ndarray
    family: np.ndarray
    stays: np.ndarray
    severe: np.ndarray
    is_whole: np.ndarray
    every: np.ndarray
    some: np.ndarray
    design: Design


@dataclass(frozen=True)
class SeverityModel:
    """`shares` by family over the cells fitted on."""

    coefficients: Coefficients
    shares: pd.Series


def make_severity_world(hospitals: pd.DataFrame, cells: pd.DataFrame, design: Design | None = None) -> SeverityWorld:
    """From hospitals (provider_id and features) and cells (provider_id, family_code, discharge_count,
    severe_discharge_count, is_whole), whose order the arrays keep. `design` as in payment.make_world.

    Raises KeyError for a cell without its hospital.
    """
    known = hospitals[hospitals["provider_id"].isin(cells["provider_id"].unique())].sort_values(
        "provider_id", ignore_index=True
    )
    place = rows_of(known, cells["provider_id"])
    family, families = pd.factorize(cells["family_code"], sort=True)
    design = design or fit_design(known, HOSPITALS_OF_FAMILIES)
    every, some = matrix(design, known)
    return SeverityWorld(
        known, pd.Index(families), place, family,
        cells["discharge_count"].to_numpy(dtype="float64"), cells["severe_discharge_count"].to_numpy(dtype="float64"),
        cells["is_whole"].to_numpy(dtype=bool), every, some, design,
    )  # fmt: skip


def fit_severity(world: SeverityWorld, seen: np.ndarray, penalty: float = PENALTY) -> SeverityModel:
    """Fits on the whole cells among those that `seen` (one boolean a cell) marks."""
    used = seen & world.is_whole
    shares = _shares(world.family[used], len(world.families), world.stays[used], world.severe[used])
    if not used.any():
        nothing = Coefficients(np.zeros(world.every.shape[1]), np.zeros(world.some.shape[1]))
        return SeverityModel(nothing, pd.Series(shares, world.families))
    offset = log_odds(shares[world.family[used]])
    entries = Cells(world.hospital, np.nan_to_num(log_odds(shares[world.family])), world.stays).of(used)
    coefficients = fit_logistic(
        world.every, world.some, entries, world.severe[used] / world.stays[used], offset, penalty
    )
    return SeverityModel(coefficients, pd.Series(shares, world.families))


def expected_share(model: SeverityModel, world: SeverityWorld, shares: np.ndarray | None = None) -> np.ndarray:
    """For every cell; NaN where no whole cell of the family was seen. `shares` (one for each of the world's families) are
    those of another year, where the model is to speak of one it has not seen."""
    at_home = model.shares.reindex(world.families).to_numpy()
    own = (at_home if shares is None else shares)[world.family]
    known = ~np.isnan(own) & ~np.isnan(at_home[world.family])
    entries = Cells(world.hospital, log_odds(at_home[world.family]), world.stays).of(known)
    result = np.full(len(own), np.nan)
    moved = predict(model.coefficients, world.every, world.some, entries)
    result[known] = from_log_odds(log_odds(own[known]) + moved)
    return result


def national_shares(world: SeverityWorld, seen: np.ndarray) -> np.ndarray:
    """By family, over the whole cells seen; NaN where there are none."""
    used = seen & world.is_whole
    return _shares(world.family[used], len(world.families), world.stays[used], world.severe[used])


def plain_shares(world: SeverityWorld, seen: np.ndarray) -> dict[str, np.ndarray]:
    """For every cell, the share of the family over the hospitals seen: of the nation, and of the state where it has any."""
    nation = national_shares(world, seen)[world.family]
    state, states = pd.factorize(world.hospitals["state"])
    cell = np.where(state < 0, len(states), state)[world.hospital] * len(world.families) + world.family
    used = seen & world.is_whole & (state[world.hospital] >= 0)
    own = _shares(cell[used], (len(states) + 1) * len(world.families), world.stays[used], world.severe[used])[cell]
    return {"national_share": nation, "state_share": np.where(np.isnan(own), nation, own)}


def unseen_shares(world: SeverityWorld) -> dict[str, np.ndarray]:
    """For every cell, what the model and each plain share expect, its hospital not having been seen (five folds)."""
    return unseen(
        world.hospitals["provider_id"],
        world.hospital,
        lambda seen: {**plain_shares(world, seen), MODEL: expected_share(fit_severity(world, seen), world)},
    )


def _shares(place: np.ndarray, size: int, stays: np.ndarray, severe: np.ndarray) -> np.ndarray:
    total = np.bincount(place, stays, minlength=size)
    return np.divide(np.bincount(place, severe, minlength=size), total, out=np.full(size, np.nan), where=total > 0)
