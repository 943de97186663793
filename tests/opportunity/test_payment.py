"""What hospitals are expected to be paid: unseen, from their attributes, by the rules that the module states."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from worlds import hospitals, payments

from ml.opportunity.folds import fold_of
from ml.opportunity.payment import MODEL, expected_payment, fit_payment, make_world, unseen_payment


def off(expected: np.ndarray, world) -> float:
    return float(np.average(np.abs(expected - world.payment), weights=world.discharges))


def test_a_hospital_is_judged_without_its_own_payments_when_it_is_in_the_fold_held_out() -> None:
    of = hospitals()
    cells = payments(of)
    one = cells["provider_id"] == "100007"
    more = cells.assign(payment=cells["payment"].where(~one, 10 * cells["payment"]))
    before, after = (unseen_payment(make_world(of, frame)) for frame in (cells, more))
    for way in before:
        assert np.array_equal(before[way][one], after[way][one]), way
        assert not np.array_equal(before[way], after[way]), way


def test_attributes_tell_more_than_the_nation_when_payment_follows_them() -> None:
    world = make_world(hospitals(150), payments(hospitals(150)))
    expected = unseen_payment(world)
    assert off(expected[MODEL], world) < 0.6 * off(expected["national_mean"], world)
    assert off(expected["state_mean"], world) < off(expected["national_mean"], world)


def test_attributes_tell_nothing_when_payment_does_not_follow_them() -> None:
    of = hospitals(150)
    other = of.assign(case_mix_index=0.0, state="state 0")
    world = make_world(of, payments(other, noise=0.2))
    expected = unseen_payment(world)
    assert 0.97 < off(expected[MODEL], world) / off(expected["national_mean"], world) < 1.1


def test_dollars_add_up_to_those_fitted_on_when_a_model_is_fitted() -> None:
    world = make_world(hospitals(), payments(hospitals()))
    seen = fold_of(world.hospitals["provider_id"])[world.hospital] != 0
    expected = expected_payment(fit_payment(world, seen), world)
    paid = (world.discharges * world.payment)[seen].sum()
    assert (world.discharges * expected)[seen].sum() == pytest.approx(paid, rel=1e-9)


def test_a_drg_has_no_expectation_when_no_other_hospital_has_it() -> None:
    of = hospitals()
    cells = payments(of)
    alone = cells.iloc[[0]].assign(drg_code="999")
    world = make_world(of, pd.concat([cells, alone], ignore_index=True))
    expected = unseen_payment(world)
    assert all(np.isnan(values[-1]) and not np.isnan(values[:-1]).any() for values in expected.values())


def test_answers_are_the_same_when_rows_come_in_another_order() -> None:
    of = hospitals()
    cells = payments(of)
    shuffled = cells.sample(frac=1, random_state=9)
    straight = unseen_payment(make_world(of, cells))[MODEL]
    other = unseen_payment(make_world(of.sample(frac=1, random_state=8), shuffled))[MODEL]
    assert np.allclose(straight[shuffled.index], other, rtol=1e-9)


def test_an_attribute_that_no_file_holds_is_named_when_a_world_is_made() -> None:
    world = make_world(hospitals(), payments(hospitals()))
    assert world.design.absent == ("wage_index",)
    assert not any("wage" in name for name in world.design.names)
    assert world.every.shape[1] == len(world.design.names)


def test_a_cell_without_its_hospital_is_refused_when_a_world_is_made() -> None:
    of = hospitals()
    with pytest.raises(KeyError, match="1 hospitals"):
        make_world(of.iloc[1:], payments(of))


def test_folds_are_by_number_when_a_file_of_another_year_has_other_hospitals() -> None:
    of = hospitals(200)
    assert np.array_equal(fold_of(of["provider_id"])[50:], fold_of(of["provider_id"].iloc[50:]))
    assert np.bincount(fold_of(of["provider_id"])).min() > 20
