"""What share of a family's stays is expected to be severe."""

from __future__ import annotations

import numpy as np
from worlds import families, hospitals

from ml.opportunity.features import HOSPITALS_OF_FAMILIES
from ml.opportunity.payment import MODEL
from ml.opportunity.severity import make_severity_world, unseen_shares


def test_attributes_tell_more_than_the_nation_when_shares_follow_them() -> None:
    of = hospitals(120)
    world = make_severity_world(of, families(of))
    expected = unseen_shares(world)
    actual = world.severe / world.stays
    off = {way: np.abs(values - actual)[world.is_whole].mean() for way, values in expected.items()}
    assert off[MODEL] < 0.6 * off["national_share"]


def test_cells_with_a_suppressed_member_teach_nothing_when_a_model_is_fitted() -> None:
    of = hospitals()
    cells = families(of)
    other = cells.assign(severe_discharge_count=cells["severe_discharge_count"].where(cells["is_whole"], 0))
    before, after = (unseen_shares(make_severity_world(of, frame)) for frame in (cells, other))
    for way in before:
        assert np.array_equal(before[way], after[way], equal_nan=True), way
    assert not np.isnan(before[MODEL][~cells["is_whole"]]).any()


def test_case_mix_is_not_read_when_shares_are_expected_since_it_follows_from_them() -> None:
    assert "case_mix_index" not in HOSPITALS_OF_FAMILIES.columns


def test_shares_stay_shares_when_families_are_all_or_nothing() -> None:
    of = hospitals()
    cells = families(of)
    all_of_it = cells["family_code"] == cells["family_code"].min()
    cells["severe_discharge_count"] = cells["severe_discharge_count"].where(~all_of_it, cells["discharge_count"])
    expected = unseen_shares(make_severity_world(of, cells))[MODEL]
    assert ((expected >= 0) & (expected <= 1)).all()
    assert (expected[all_of_it] > 0.99).all()
