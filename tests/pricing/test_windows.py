"""Markets let out of their windows: those whose forced tiers clash, and no other; their spreads are rows again."""

from __future__ import annotations

import numpy as np
import pytest
from small_questions import question

from optimization.pricing import decompose
from optimization.pricing.decompose import by_region
from optimization.pricing.freed import freed
from optimization.pricing.hull import build
from optimization.pricing.instance import Instance
from optimization.pricing.reach import Window

FAIR = [{"procedure": name, "region": "North", "max_spread": 60} for name in ("MRI", "CT", "XR")]
PRICES = (100, 150, 200)


def six_pairs(**rules: object) -> Instance:
    """Two providers with the same three procedures, and so three markets of two pairs."""
    names = [(provider, procedure) for provider in ("P1", "P2") for procedure in ("MRI", "CT", "XR")]
    return question(
        [(*name, 10, 100, PRICES) for name in names], tiers=("T1", "T2", "T3"), fairness=FAIR, **rules  # type: ignore[arg-type]
    )  # fmt: skip


def held(asked: Instance, ranges: dict[str, tuple[float, float]], index: tuple[float, float] = (0, np.inf)) -> Window:
    """Windows by procedure."""
    ends = np.array([ranges[asked.procedures[at]] for at in asked.pairs.procedure], float)
    count = len(asked.providers)
    return Window(ends[:, 0], ends[:, 1], np.full(count, float(index[0])), np.full(count, float(index[1])))


def let_out(asked: Instance, window: Window | None) -> set[tuple[str, str]]:
    if window is None:
        return set()
    assert window.price_low is not None and window.price_high is not None
    out = np.isinf(window.price_low)
    assert (np.isinf(window.price_high) == out).all()
    frame = asked.pair_frame()[out]
    return set(zip(frame["procedure"], frame["region"], strict=True))


def test_windows_that_force_a_family_apart_let_its_market_out_and_no_other():
    asked = six_pairs(family_rule={"max_tier_difference": 1})
    low, high = (100, 110), (190, 200)
    apart = freed(asked, held(asked, {"MRI": low, "CT": low, "XR": high}))
    assert let_out(asked, apart) == {("XR", "North")}  # T1, T1 and T3: two of three can stay
    assert freed(asked, held(asked, {"MRI": low, "CT": low, "XR": (140, 200)})) is None


def test_a_market_with_more_pairs_forced_into_the_lowest_tier_than_it_may_have_is_let_out():
    asked = six_pairs(lowest_tier_caps=[{"procedure": "CT", "region": "North", "max_count": 1}])
    window = held(asked, {"MRI": (100, 110), "CT": (100, 110), "XR": (100, 110)})
    assert let_out(asked, freed(asked, window)) == {("CT", "North")}


@pytest.mark.parametrize(
    ("floors", "index", "expected"),
    [({"P1": 4_400}, (0, np.inf), True), ({"P1": 4_000}, (0, np.inf), False), ({}, (1.5, np.inf), True), ({}, (0, 1.2), True)],
)  # fmt: skip
def test_a_provider_that_cannot_earn_what_it_must_within_the_windows_is_let_out(floors, index, expected):
    """Within these windows the highest prices earn 10 × (150 + 150 + 100) = 4,000, an index of 4/3; the lowest the same."""
    asked = six_pairs(floors=floors)
    window = held(asked, {"MRI": (140, 160), "CT": (140, 160), "XR": (100, 110)}, index)
    assert (freed(asked, window) is not None) is expected


def test_a_market_that_is_let_out_has_its_spread_as_rows_and_the_others_none():
    asked = six_pairs(family_rule={"max_tier_difference": 1})
    window = freed(asked, held(asked, {"MRI": (100, 110), "CT": (100, 110), "XR": (190, 200)}))
    rows = build(asked, window=window).rows["regional_spread_low"]
    assert {asked.procedures[asked.pairs.procedure[pair]] for _, pair in rows.keys} == {"XR"}


def test_a_region_whose_windows_clash_is_solved_with_the_rest_of_them_held(monkeypatch: pytest.MonkeyPatch):
    asked = six_pairs(family_rule={"max_tier_difference": 1})
    window = held(asked, {"MRI": (100, 110), "CT": (100, 110), "XR": (190, 200)})
    tried, real = [], decompose._one_region

    def seen(piece, inner, *rest):
        tried.append(inner)
        return real(piece, inner, *rest)

    monkeypatch.setattr(decompose, "_one_region", seen)
    found = by_region(asked, window, np.full(6, 100.0), gap=0.0, time_limit=None)
    assert found is not None and len(tried) == 2
    assert np.isinf(tried[1].price_low).sum() == 2  # the pairs of XR
    assert (found[1] == 100).all()
