"""Questions as they are written and read: both JSON forms, what is refused and how it is said, rules said for many at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pricing_worlds import SHARED, forbidding, held_by, plain

from optimization.pricing.forms import from_json, read, to_json
from optimization.pricing.generate import generate, tiny
from optimization.pricing.hull import build
from optimization.pricing.instance import Instance, NotAnInstance, Objective, Step
from optimization.pricing.patterns import family_everywhere, joined, largest_change, legal_shares, threshold
from optimization.pricing.reach import impossible, reach
from optimization.pricing.solve import solve


@pytest.mark.parametrize("name", [name for name in SHARED if name != "three_hospitals"])
def test_an_instance_written_and_read_again_is_the_same_question(shared: Callable[[str], Instance], name: str):
    asked = shared(name)
    assert from_json(json.loads(json.dumps(to_json(asked)))).fingerprint() == asked.fingerprint()


def test_what_the_form_has_no_words_for_is_not_written():
    with pytest.raises(NotAnInstance, match="no words for budget"):
        to_json(held_by("budget"))
    with pytest.raises(NotAnInstance, match="objective lexicographic"):
        to_json(replace(generate(4, 4, seed=1), objective=Objective("lexicographic")))


@pytest.mark.parametrize(
    ("path", "key", "nearest"),
    [
        ((), "procedure", "procedures"),
        (("pairs", 0), "volumes", "volume"),
        (("providers", 0), "min_revenu", "min_revenue"),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_offered(path: tuple[str | int, ...], key: str, nearest: str):
    given = to_json(generate(4, 4, seed=1))
    at = given
    for step in path:
        at = at[step]  # type: ignore[index]
    at[key] = 1
    with pytest.raises(NotAnInstance, match=f"unknown key '{key}'. Nearest: '{nearest}'"):
        from_json(given)


def test_an_unknown_name_is_refused_and_the_nearest_offered():
    given = to_json(generate(4, 4, seed=1))
    given["pairs"][0]["provider"] = "P0009"
    with pytest.raises(NotAnInstance, match="there is no provider 'P0009'. Nearest: 'P000"):
        from_json(given)


def test_a_file_that_is_no_json_is_named(tmp_path: Path):
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(NotAnInstance, match="broken.json"):
        read(tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("volume", -1.0, "volume of zero or more"),
        ("medicare_rate", 0.0, "benchmark rate above zero"),
        ("baseline_price", np.nan, "baseline price of zero or more"),
    ],
)
def test_a_pair_that_means_nothing_is_named(column: str, value: float, words: str):
    asked = plain()
    wrong = getattr(asked.pairs, column).copy()
    wrong[3] = value
    with pytest.raises(NotAnInstance, match=f"pair B, CT: .*{words}"):
        replace(asked, pairs=replace(asked.pairs, **{column: wrong}))


def test_a_pair_given_twice_is_named():
    asked = plain()
    with pytest.raises(NotAnInstance, match="pair A, MRI: occurs twice"):
        replace(asked, pairs=replace(asked.pairs, procedure=np.array([0, 0, 0, 1, 0, 1])))


def test_an_objective_that_is_not_convex_is_refused():
    with pytest.raises(NotAnInstance, match="must be convex"):
        Objective("min_deviation", steps=(Step(0.1, 2.0), Step(np.inf, 1.0)))
    with pytest.raises(NotAnInstance, match="must be open"):
        Objective("min_deviation", steps=(Step(0.1, 2.0),))


def test_dropping_and_easing_a_rule_touch_that_rule_alone():
    asked = tiny(2)
    name = str(asked.of("regional_spread").ids[0]) if len(asked.of("regional_spread")) else "target"
    before, eased = asked.rule_frame().set_index("id"), asked.eased({name: 5.0}).rule_frame().set_index("id")
    assert eased.loc[name, "high"] == before.loc[name, "high"] + 5.0
    assert eased.drop(name)[["low", "high"]].equals(before.drop(name)[["low", "high"]])
    assert set(asked.without([name]).rule_frame()["id"]) == set(before.index) - {name}
    assert set(asked.only([name]).rule_frame()["id"]) == {name}
    with pytest.raises(NotAnInstance, match="no rule has the id 'nothing'"):
        asked.without(["nothing"])


def test_the_cells_of_a_rule_stay_its_own_when_another_is_dropped():
    asked = plain().with_rules(
        joined(forbidding("one", [(0, 0), (1, 0)]), forbidding("two", [(4, 2)]), forbidding("three", [(5, 1)]))
    )
    left = asked.without(["one"]).of("tier_rule")
    assert left.ids.tolist() == ["two", "three"]
    assert [left.cell_pair[left.cells_of(n)].tolist() for n in range(2)] == [[4], [5]]


def test_legal_shares_are_exact_products():
    table = legal_shares(plain(), 0.85, 1.15, reason="state law", source="statute, 2024")
    assert (table.low[0], table.high[0], table.ids[0]) == (85.0, 115.0, "legal:A:MRI")


def test_a_largest_change_is_about_the_baseline():
    table = largest_change(plain(), 0.15, reason="contract", source="clause 4")
    assert (table.low[0], table.high[0], table.ids[1]) == (102.0, 138.0, "change:A:CT")


def test_families_of_one_pair_have_no_rule():
    asked = replace(plain(), procedure_family=np.array([0, -1]))
    assert len(family_everywhere(asked, 1)) == 0
    assert family_everywhere(plain(), 1).ids.tolist() == ["family:A:imaging", "family:B:imaging", "family:C:imaging"]


def test_thresholds_by_stars_volume_share_and_sole_provider():
    volume = np.array([10.0, 60.0, 10.0, 30.0, 80.0, 10.0])
    asked = replace(plain(), pairs=replace(plain().pairs, volume=volume))
    stars = threshold(asked, "quality", "stars", at_least=5, forbid=["T1"])
    assert (stars.ids.tolist(), stars.cell_pair.tolist(), stars.cell_tier.tolist()) == (["quality:A"], [0, 1], [0, 0])
    large = threshold(asked, "volume", "volume", at_least=60, require=["T2"])
    assert large.ids.tolist() == ["volume:A:CT", "volume:C:MRI"]
    assert large.cell_tier.tolist() == [0, 2, 0, 2]
    share = threshold(asked, "share", "market_share", at_least=0.5, forbid=["T1"])
    assert share.ids.tolist() == ["share:A:CT", "share:C:MRI"]
    assert len(threshold(asked, "sole", "sole_provider", forbid=["T1"])) == 0
    alone = replace(asked, regions=("North", "South"), provider_region=np.array([0, 0, 1]))
    assert threshold(alone, "sole", "sole_provider", forbid=["T1"]).ids.tolist() == ["sole:C:MRI", "sole:C:CT"]
    with pytest.raises(NotAnInstance, match="no tier T9"):
        threshold(asked, "x", "stars", at_least=1, forbid=["T9"])


@pytest.mark.parametrize("seed", range(8))
def test_bands_are_cut_as_the_rules_say_pair_by_pair(seed: int):
    """The arrays fold rules about single pairs into the bands; here each is laid over them by itself."""
    asked = tiny(seed)
    seen = reach(asked)
    for p in range(len(asked.pairs)):
        for t in range(len(asked.tiers)):
            low, high = asked.pairs.band_low[p, t], asked.pairs.band_high[p, t]
            for kind in ("legal_band", "minimum_price", "largest_change"):
                table = asked.of(kind)
                for row in np.flatnonzero(table.subject[:, 0] == p):
                    low, high = max(low, table.low[row]), min(high, table.high[row])
            forbids = asked.of("tier_rule")
            closed = any(
                forbids.high[row] < 1
                and (p, t)
                in zip(forbids.cell_pair[forbids.cells_of(row)], forbids.cell_tier[forbids.cells_of(row)], strict=True)
                for row in range(len(forbids))
            )
            is_open = not closed and not np.isnan(asked.pairs.band_low[p, t]) and low <= high
            assert seen.open[p, t] == is_open
            assert not is_open or (seen.low[p, t], seen.high[p, t]) == (low, high)


def test_a_rule_that_nothing_can_keep_is_named_at_once():
    asked = held_by("lowest_tier_cap").eased({"lowcap:MRI:North": -2.0})
    assert impossible(asked) == ["lowcap:MRI:North"]
    answer = solve(asked)
    assert answer.status == "infeasible" and "lowcap:MRI:North" in answer.note


@pytest.mark.parametrize("tiers", [1, 2, 5])
def test_any_number_of_tiers_is_taken(tiers: int):
    base = plain()
    low = np.round(base.pairs.medicare_rate[:, None] * (0.8 + 0.3 * np.arange(tiers)), 2)
    asked = replace(
        base,
        tiers=tuple(f"T{n}" for n in range(tiers)),
        pairs=replace(base.pairs, band_low=low, band_high=low + 5.0),
    )
    asked = asked.with_rules(family_everywhere(asked, 1))
    answer = solve(asked, gap=0.0)
    assert answer.status == "optimal" and answer.objective == pytest.approx(float(base.pairs.volume @ low[:, 0]))
    assert build(asked).whole.sum() == 6 * (tiers - 1)


def test_a_fingerprint_is_of_the_question_not_of_its_name():
    asked = generate(4, 4, seed=1)
    spread = asked.of("regional_spread")
    assert replace(asked, name="other", description="other").fingerprint() == asked.fingerprint()
    assert asked.with_rules(replace(spread, reason=spread.reason + "x")).fingerprint() == asked.fingerprint()
    assert asked.eased({str(spread.ids[0]): 0.01}).fingerprint() != asked.fingerprint()
    assert generate(4, 4, seed=2).fingerprint() != asked.fingerprint() == generate(4, 4, seed=1).fingerprint()
