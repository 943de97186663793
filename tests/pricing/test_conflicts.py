"""Why a question is impossible: against the known instance, and against enumeration where tiers alone are in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pricing_worlds import held_by
from small_questions import cheapest_joint, every_list, least_change, question, smallest_conflicts

from optimization.pricing import forms
from optimization.pricing.conflict import StillPossible, why_impossible
from optimization.pricing.elastic import Elastic
from optimization.pricing.instance import KINDS, Elasticity, Instance, Objective
from optimization.pricing.repairs import worth_of_a_unit
from optimization.pricing.solve import solve


def a_gap_between_tiers() -> Instance:
    """One provider can be paid 900 or 1,000; its floor asks for 940 and the target for 960: any mixture of tiers would do."""
    return question(
        [("P1", "MRI", 100, 1000, (900, 1000))],
        floors={"P1": 94_000},
        savings_target={"min_savings_fraction": 0.04},
    )


def steps_that_pass_each_other() -> Instance:
    """Two ladders of prices, each rung 100 from the other's nearest; alike within 50 is never met, though every mixture meets it."""
    return question(
        [("P1", "MRI", 60, 1000, (800, 1000)), ("P2", "MRI", 40, 1000, (900, 1100)), ("P2", "CT", 10, 500, (450, 550))],
        fairness=[{"procedure": "MRI", "region": "North", "max_spread": 50}],
    )


def sums_that_leave_out_a_window() -> Instance:
    """Five procedures of one provider, each at one of two prices: no sum lies between the floor and the budget of the target."""
    return question(
        [("P1", f"C{number}", 1, 100, (100, 100 + 20 * step)) for number, step in enumerate((3, 6, 12, 24, 48))],
        floors={"P1": 500 + 20 * 4 + 10},
        savings_target={"min_savings_fraction": -(20 * 5) / 500},
    )


def one_too_few_in_the_lowest_tier() -> Instance:
    """Three providers within 100 of each other must all be in one tier; two may not be in the lowest, and the highest is too dear."""
    return question(
        [(f"P{number}", "MRI", 100, 1000, (850, 1000)) for number in (1, 2, 3)],
        fairness=[{"procedure": "MRI", "region": "North", "max_spread": 100}],
        lowest_tier_caps=[{"procedure": "MRI", "region": "North", "max_count": 1}],
        savings_target={"min_savings_fraction": 0.04},
    )


def families_that_move_as_one() -> Instance:
    """A family of two in one tier, the lowest forbidden for one of them: the middle is too dear, half lowest and half highest is not."""
    return question(
        [
            ("P1", "MRI", 10, 1000, (900, 1000, 1100)),
            ("P1", "CT", 400, 500, (400, 520, 560)),
            ("P2", "CT", 100, 500, (440, 500)),
        ],
        tiers=("T1", "T2", "T3"),
        tier_rules=[
            {"id": "quality:P1", "provider": "P1", "procedures": ["MRI"], "forbid": ["T1"], "why": "five stars"}
        ],
        family_rule={"max_tier_difference": 0},
        savings_target={"min_savings_fraction": 0.02},
    )


DISCRETE = [
    a_gap_between_tiers,
    steps_that_pass_each_other,
    sums_that_leave_out_a_window,
    one_too_few_in_the_lowest_tier,
    families_that_move_as_one,
]


@pytest.mark.parametrize("made", DISCRETE, ids=lambda made: made.__name__)
def test_a_conflict_that_only_discrete_tiers_make_is_found_and_enumeration_agrees(made):
    asked = made()
    lists = list(every_list(asked))
    assert all(one.missed for one in lists), "a list keeps every rule: this is no impossible question"
    assert Elastic(asked).solve(relaxed=True).is_feasible, (
        "the relaxation is impossible too: not only the tiers are in the way"
    )

    found = why_impossible(asked)

    assert frozenset(found.rules) in smallest_conflicts(lists)
    assert found.is_smallest and found.only_because_tiers_are_discrete
    for repair in found.single:
        assert repair.amount == pytest.approx(least_change(lists, repair.rule), abs=1e-5)
    assert found.joint_cost == pytest.approx(cheapest_joint(lists, worth_of_a_unit(asked)), rel=1e-6)


@pytest.mark.parametrize("made", DISCRETE, ids=lambda made: made.__name__)
def test_a_rule_eased_by_its_repair_leaves_a_list_and_by_less_leaves_none(made):
    asked = made()
    for repair in why_impossible(asked).single:
        if repair.amount is None:
            continue
        assert Elastic(asked.eased({repair.rule: repair.amount})).solve().is_feasible
        assert not Elastic(asked.eased({repair.rule: repair.amount * 0.99 - 1e-3})).solve().is_feasible


def test_the_known_impossible_instance_has_its_unique_conflict_and_repairs(shared_path: Callable[[str], Path]):
    path = shared_path("i1_infeasible_local")
    expected = json.loads(path.read_text())["expected"]
    found = why_impossible(forms.read(path))
    assert set(found.rules) == set(expected["minimal_conflict"])
    assert found.is_smallest and not found.only_because_tiers_are_discrete
    repairs = found.repair_of()
    assert repairs.keys() == expected["single_rule_repair"].keys()
    for rule, repair in expected["single_rule_repair"].items():
        assert repairs[rule]["amount"] == pytest.approx(repair["amount"], abs=1e-6)
        assert repairs[rule]["unit"] == repair["unit"]


def random_question(seed: int) -> Instance:
    """Five pairs at three single prices each, under rules of most kinds and tight limits."""
    rng = np.random.default_rng(seed)
    pairs = []
    for provider in ("P1", "P2", "P3"):
        for procedure, rate in (("MRI", 1000), ("CT", 400))[: 1 if provider == "P3" else 2]:
            prices = np.sort(rng.choice(np.arange(70, 150, 5), 3, replace=False)) * rate / 100
            pairs.append((provider, procedure, int(rng.integers(10, 90)), rate, tuple(prices.tolist())))
    revenue = {name: sum(volume * rate for p, _, volume, rate, _ in pairs if p == name) for name in ("P1", "P2", "P3")}
    return question(
        pairs,
        tiers=("T1", "T2", "T3"),
        specialties={"P1": "clinic", "P2": "clinic"},
        floors={name: round(float(rng.uniform(0.9, 1.1)) * value, 2) for name, value in revenue.items()},
        fairness=[
            {"procedure": name, "region": "North", "max_spread": int(rng.integers(10, 200))} for name in ("MRI", "CT")
        ],
        specialty_fairness=[{"specialty": "clinic", "max_index_spread": round(float(rng.uniform(0.01, 0.2)), 3)}],
        tier_rules=[{"id": "quality:P2", "provider": "P2", "procedures": "all", "forbid": ["T1"], "why": "stars"}],
        lowest_tier_caps=[{"procedure": "CT", "region": "North", "max_count": 1}],
        family_rule={"max_tier_difference": 1},
        savings_target={"min_savings_fraction": round(float(rng.uniform(-0.05, 0.1)), 3)},
    )


def test_on_random_questions_the_conflict_is_a_smallest_one_and_repairs_are_least():
    impossible = 0
    for seed in range(4):
        asked = random_question(seed)
        lists = list(every_list(asked))
        if any(not one.missed for one in lists):
            with pytest.raises(StillPossible):
                why_impossible(asked)
            continue
        impossible += 1
        found = why_impossible(asked)
        assert frozenset(found.rules) in smallest_conflicts(lists), seed
        for repair in found.single:
            least = least_change(lists, repair.rule)
            assert repair.amount is None if least is None else repair.amount == pytest.approx(least, abs=1e-5), (
                seed,
                repair,
            )
        assert found.joint_cost == pytest.approx(cheapest_joint(lists, worth_of_a_unit(asked)), rel=1e-5), seed
    assert impossible >= 2


def test_weights_move_the_joint_repair_and_a_rule_that_must_not_give_does_not():
    asked = one_too_few_in_the_lowest_tier()
    cap, spread = "lowcap:MRI:North", "spread:MRI:North"

    def given_way(**options) -> set[str]:
        return {one.rule for one in why_impossible(asked, **options).joint}

    assert given_way() == {"target"}
    assert given_way(weights={cap: 1.0}) == {cap}
    assert given_way(never=["target"]) == {spread}
    assert given_way(never=["savings_target", "regional_spread"]) == {cap}


@pytest.mark.parametrize("lists_bound_it", [True, False])
def test_where_steps_run_out_no_rule_of_the_conflict_can_be_left_out(lists_bound_it: bool, monkeypatch):
    """A target against the floors of many providers has too many corrections to try; the filter must still end at a conflict. It may be
    proven smallest by what the lists break that were found on the way; without them that stays open, and is said."""
    if not lists_bound_it:
        for module in ("conflict", "large_conflict"):
            monkeypatch.setattr(f"optimization.pricing.{module}.fewest_hitting", lambda *_: 1)
    monkeypatch.setattr("optimization.pricing.conflict.MOST_STEPS", 1)
    monkeypatch.setattr("optimization.pricing.large_conflict.IN_VAIN", 0)
    asked = one_too_few_in_the_lowest_tier()
    lists = list(every_list(asked))
    found = why_impossible(asked)
    assert found.is_smallest is lists_bound_it
    assert ("can be left out" in found.note) is not lists_bound_it
    assert not found.is_smallest or frozenset(found.rules) in smallest_conflicts(lists)

    def is_conflict(rules: set[str]) -> bool:
        return all(rules & set(one.missed) for one in lists)

    assert is_conflict(set(found.rules))
    assert not any(is_conflict(set(found.rules) - {rule}) for rule in found.rules)


def test_bands_that_leave_nothing_are_named_as_such_and_no_rule_is_blamed():
    asked = question([("P1", "MRI", 10, 1000, (900, 1000))])
    with pytest.raises(StillPossible):
        why_impossible(asked)


@pytest.mark.parametrize("answers_to_price", [False, True], ids=["fixed volumes", "volumes that answer"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_rule_means_the_same_with_slacks_as_where_it_is_solved(kind, answers_to_price):
    """The rows with slacks are written a second time; that they are the same rules is held for each, where it binds."""
    asked = replace(held_by(kind), objective=Objective("min_spend"))
    if answers_to_price:
        asked = replace(asked, elasticity=Elasticity(np.full(len(asked.pairs), -0.3)))
    rows, answer = Elastic(asked).solve(spend=1.0), solve(asked, gap=1e-9)
    assert answer.objective is not None and rows.objective == pytest.approx(answer.objective, rel=1e-6)


def test_the_form_with_slacks_has_the_known_optima(shared: Callable[[str], Instance]):
    """Conflicts are found with rows of their own; that these mean the same question is held by optima that others proved."""
    for name, optimum in (("three_hospitals", 1_568_000.0), ("v1_spend", 6_510_577.027027)):
        assert Elastic(shared(name)).solve(spend=1.0).objective == pytest.approx(optimum, abs=1e-5)
