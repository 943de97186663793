"""Why a large question is impossible: the way of many pairs, held against enumeration on small questions and against proofs on larger ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_questions import cheapest_joint, every_list, least_change, question, smallest_conflicts
from test_conflicts import DISCRETE, random_question

from optimization.pricing import conflict, large_conflict, patterns
from optimization.pricing.check import check
from optimization.pricing.conflict import StillPossible, why_impossible
from optimization.pricing.decompose import relax
from optimization.pricing.elastic import Elastic
from optimization.pricing.generate import generate
from optimization.pricing.instance import Instance
from optimization.pricing.known_lists import KnownLists
from optimization.pricing.narrow import narrow
from optimization.pricing.repairs import NOT_ALONE, worth_of_a_unit
from optimization.pricing.solve import solve


@pytest.fixture
def as_if_large(monkeypatch) -> None:
    monkeypatch.setattr(conflict, "SMALL", 0)


@pytest.mark.usefixtures("as_if_large")
@pytest.mark.parametrize("made", [*DISCRETE, *(lambda seed=seed: random_question(seed) for seed in (1, 3))])
def test_the_way_of_large_questions_agrees_with_enumeration(made):
    asked = made()
    lists = list(every_list(asked))
    if any(not one.missed for one in lists):
        with pytest.raises(StillPossible):
            why_impossible(asked, seconds=10)
        return
    found = why_impossible(asked, seconds=10)

    def is_conflict(rules: set[str]) -> bool:
        return all(rules & set(one.missed) for one in lists)

    assert is_conflict(set(found.rules)) and found.unproven == 0
    assert not any(is_conflict(set(found.rules) - {rule}) for rule in found.rules)
    smallest = smallest_conflicts(lists)
    assert found.at_least <= len(smallest[0])
    if found.is_smallest:
        assert frozenset(found.rules) in smallest
    for repair in found.single:
        least = least_change(lists, repair.rule)
        if least is None:
            assert repair.amount is None and repair.note == NOT_ALONE
        else:
            assert repair.amount is not None and repair.amount >= least - 1e-5
            if not repair.note:
                assert repair.amount == pytest.approx(least, rel=2e-6)
    assert found.joint_cost is not None
    cheapest = cheapest_joint(lists, worth_of_a_unit(asked))
    assert found.joint_cost >= cheapest * (1 - 1e-6)
    if "joint repair" not in found.note:
        assert found.joint_cost == pytest.approx(cheapest, rel=1e-4)


def target_against_floors() -> Instance:
    """Five providers, none of which may take its lower price, and a target that the three largest of their floors leave too little for."""
    pairs = [
        (f"P{number}", "MRI", volume, 1000, (800, 1000)) for number, volume in enumerate((50, 40, 30, 20, 10), start=1)
    ]
    floors = {pair[0]: pair[2] * 990.0 for pair in pairs}
    return question(pairs, floors=floors, savings_target={"min_savings_fraction": 0.05})


@pytest.mark.usefixtures("as_if_large")
@pytest.mark.parametrize("few", [0, large_conflict.FEW])
def test_no_conflict_has_fewer_rules_than_is_said_also_of_many_rules(few: int, monkeypatch: pytest.MonkeyPatch):
    """The lists found on the way bound the size from below. Of 30,000 dollars that prices can give, 7,500 are asked for."""
    monkeypatch.setattr(large_conflict, "FEW", few)
    asked = target_against_floors()
    fewest = len(smallest_conflicts(list(every_list(asked)))[0])
    found = why_impossible(asked, seconds=10)
    assert 1 < found.at_least <= fewest <= len(found.rules)
    assert found.is_smallest is (found.at_least == len(found.rules))
    said = f"No conflict has fewer than {found.at_least} rules; this one has {len(found.rules)}."
    assert (said in found.note) is not found.is_smallest
    if few:
        assert found.is_smallest and len(found.rules) == fewest


@pytest.mark.usefixtures("as_if_large")
def test_lists_found_for_repairs_bound_the_size_too(monkeypatch: pytest.MonkeyPatch):
    """As where the search had no time for a bound of its own: it says one, and what was found after it says more."""
    real = large_conflict.find
    monkeypatch.setattr(large_conflict, "find", lambda *given: replace(real(*given), at_least=1))
    asked = target_against_floors()
    found = why_impossible(asked, seconds=10)
    assert 1 < found.at_least <= len(smallest_conflicts(list(every_list(asked)))[0])


def test_how_few_rules_meet_every_correction_is_never_said_too_high():
    corrections = [frozenset("ab"), frozenset("bc"), frozenset("ca"), frozenset("abc"), frozenset("d")]
    assert set(large_conflict.smallest_of(corrections)) == {
        frozenset("ab"),
        frozenset("bc"),
        frozenset("ca"),
        frozenset("d"),
    }
    assert (
        large_conflict.fewest_hitting(corrections, "abcd", 5.0)
        == 3
        == len(large_conflict.least_hitting(corrections, "abcd"))
    )
    assert large_conflict.fewest_hitting([], "abcd", 5.0) == 0


def of_many_pairs(seed: int = 5) -> Instance:
    asked = generate(60, 40, seed=seed)
    assert len(asked.pairs) > conflict.SMALL
    return asked


def test_of_a_target_that_is_too_high_every_rule_of_the_conflict_is_proven_needed(monkeypatch):
    """The target against floors: enough of the highest, and no floor that the rest can do without."""
    monkeypatch.setattr("optimization.pricing.large_conflict.IN_VAIN", 0)  # a smaller one is not looked for
    bare = of_many_pairs()
    least = solve(bare)
    assert least.spend is not None
    asked = bare.with_rules(patterns.savings_target(bare, float(1 - least.spend / bare.baseline_spend) + 0.06))
    found = why_impossible(asked, seconds=20)
    assert "target" in found.rules and found.unproven <= 1  # where the rest is only just possible HiGHS may need longer
    assert relax(asked.only(found.rules), tiers=False, time_limit=None).infeasible
    needed = 0
    for rule in found.rules:
        rest = asked.only([other for other in found.rules if other != rule])
        answer = solve(rest, gap=0.5, time_limit=2.0)
        needed += len(answer.prices) > 0 and check(rest, answer.prices) == []
    assert needed >= len(found.rules) - found.unproven - 1
    repairs = {one.rule: one for one in found.single}
    assert set(repairs) == set(found.rules)
    assert all(one.amount is not None or one.note == NOT_ALONE for one in found.single)
    assert repairs["target"].amount == pytest.approx(float(least.spend) - asked.of("savings_target").high[0], rel=1e-3)
    eased = solve(asked.eased({one.rule: one.amount or 0.0 for one in found.joint}), gap=0.5)
    assert len(eased.prices)


def only_discrete_tiers() -> tuple[Instance, set[str], float]:
    """Two pairs of a market: the law holds one to its lowest tier and the other above its own, and the cap lies a little below the
    distance of the two tiers. A price between tiers would do. Returns the question, its conflict, and what the cap lacks."""
    asked = of_many_pairs()
    pairs, market = asked.pairs, asked.pair_market
    both = ~np.isnan(pairs.band_low[:, 0]) & ~np.isnan(pairs.band_low[:, 1])
    first = int(next(at for at in np.flatnonzero(both) if (both & (market == market[at])).sum() > 1))
    second = int(next(at for at in np.flatnonzero(both & (market == market[first])) if at != first))
    law, spread = asked.of("legal_band"), asked.of("regional_spread")
    low, high, cap = law.low.copy(), law.high.copy(), spread.high.copy()
    high[first] = round(pairs.band_low[first, 1] - 0.01, 2)
    low[second] = round(pairs.band_high[second, 0] + 0.01, 2)
    distance = pairs.band_low[second, 1] - pairs.band_high[first, 0]
    at = int(np.flatnonzero(spread.subject @ np.array([len(asked.regions), 1]) == market[first])[0])
    cap[at] = round(0.9 * distance, 2)
    made = asked.with_rules(replace(law, low=low, high=high), replace(spread, high=cap))
    names = {str(law.ids[first]), str(law.ids[second]), str(spread.ids[at])}
    return made, names, distance - cap[at]


def test_a_conflict_of_discrete_tiers_alone_is_found_among_many_pairs_and_proven_smallest():
    asked, names, lacking = only_discrete_tiers()
    assert Elastic(asked).solve(relaxed=True).is_feasible
    found = why_impossible(asked, seconds=40)
    assert found.only_because_tiers_are_discrete and found.is_smallest and found.at_least == len(found.rules)
    assert not KnownLists(asked).keeps(names, np.inf)  # the set made is a conflict, so the smallest has no more rules
    assert len(found.rules) <= len(names) and any(rule.startswith("spread:") for rule in found.rules)
    for repair in found.single:
        if repair.amount is not None and repair.rule.startswith("spread:"):
            assert repair.amount >= lacking - 1e-6
        if repair.amount is not None:
            assert len(solve(asked.eased({repair.rule: repair.amount}), gap=0.5).prices)


def test_a_question_of_few_rules_is_as_possible_on_their_pairs_as_on_all():
    """Pairs that no rule is about stand in nobody's way, and what they spend at least is taken off a target."""
    asked = of_many_pairs()
    floors = asked.of("revenue_floor")
    some = [str(floors.ids[0]), str(asked.of("regional_spread").ids[0]), str(asked.of("family_tiers").ids[0])]
    least = float(asked.pairs.volume @ np.nanmin(asked.pairs.band_low, axis=1))
    for extra, is_possible in ((0.999, False), (1.5, True)):
        spend = asked.with_rules(patterns.savings_target(asked, 1 - least * extra / float(asked.baseline_spend)))
        piece = narrow(spend, [*some, "target"])
        assert len(piece.pairs) < len(asked.pairs) / 4
        for same in (piece.asked, spend.only([*some, "target"])):
            assert bool(len(solve(same, gap=0.5).prices)) == is_possible
    answer = solve(piece.asked, gap=0.5)
    assert check(spend.only([*some, "target"]), piece.laid_back(answer.prices)) == []


def test_where_time_is_up_what_is_not_proven_is_counted():
    asked = of_many_pairs()
    asked = asked.with_rules(patterns.savings_target(asked, 0.3))
    found = why_impossible(asked, seconds=0.0)
    assert not found.is_smallest and found.note
    assert found.unproven == len(found.rules) or not found.rules
