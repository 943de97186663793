"""What rules cost and what savings cost: against enumeration, and along a frontier of twenty points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_questions import Judged, every_list, question

from dagster_project.cli.price_tables import show_frontier
from optimization.pricing import check, rule_cost
from optimization.pricing import frontier as frontiers
from optimization.pricing.answer import Answer
from optimization.pricing.frontier import Known, NoFrontier, frontier
from optimization.pricing.instance import Instance, rules
from optimization.pricing.rule_cost import rule_costs
from optimization.pricing.solve import solve


def four_pairs() -> Instance:
    """Floors, spreads and a quality rule that each cost something, and a target that costs nothing."""
    return question(
        [
            ("P1", "MRI", 100, 1000, (800, 900, 1000)),
            ("P2", "MRI", 50, 1000, (820, 930, 1010)),
            ("P1", "CT", 80, 500, (400, 450, 500)),
            ("P3", "CT", 40, 500, (410, 460, 520)),
        ],
        tiers=("T1", "T2", "T3"),
        floors={"P1": 116_000, "P3": 17_000},
        fairness=[
            {"procedure": "MRI", "region": "North", "max_spread": 70},
            {"procedure": "CT", "region": "North", "max_spread": 20},
        ],
        tier_rules=[{"id": "quality:P2", "provider": "P2", "procedures": "all", "forbid": ["T1"], "why": "stars"}],
        savings_target={"min_savings_fraction": 0.01},
    )


def least_spend(lists: list[Judged], eased: Iterable[str] = (), by: float = inf) -> float:
    """The least spend of the lists that keep every rule, those `eased` missed by no more than `by`."""
    gone = set(eased)

    def is_kept(one: Judged) -> bool:
        return all(rule in gone and miss <= by for rule, miss in one.missed.items())

    return min(float(one.spend) for one in lists if is_kept(one))


def test_costs_are_those_of_enumeration_for_every_rule_and_kind():
    asked = four_pairs()
    answer = solve(asked, gap=1e-9)
    lists = list(every_list(asked))
    best = least_spend(lists)
    assert answer.objective == pytest.approx(best)
    costs = rule_costs(asked, answer).set_index("rule")
    for kind, table in asked.rules.items():
        dropped, eased = (least_spend(lists, table.ids, by) for by in (inf, 1.0))
        assert costs.loc[f"every {kind}", "saved_by_dropping"] == pytest.approx(best - dropped), kind
        assert costs.loc[f"every {kind}", "saved_by_easing"] == pytest.approx(best - eased), kind
    asked_singles = [rule for rule in costs.index if not rule.startswith("every ")]
    assert {"floor:P1", "spread:MRI:North", "quality:P2"} <= set(asked_singles)
    for rule in asked_singles:
        assert costs.loc[rule, "saved_by_dropping"] == pytest.approx(best - least_spend(lists, [rule])), rule
        assert costs.loc[rule, "saved_by_easing"] == pytest.approx(best - least_spend(lists, [rule], 1.0)), rule
    assert costs["is_exact"].all()
    assert (
        "every savings_target" in costs.index and "target" not in costs.index
    )  # the kind costs nothing, so none of it is asked


def test_an_index_is_eased_by_a_hundredth_and_a_floor_or_specialty_dropped_whole():
    """P1 must earn all that it can; P2 follows it by the cap on indices, a little at a hundredth more, all the way without it."""
    pairs = [("P1", "MRI", 100, 1000, (800, 1000)), ("P2", "MRI", 50, 1000, (800, 995, 1000))]
    made = question(pairs, tiers=("T1", "T2", "T3"), floors={"P1": 100_000})
    asked = made.with_rules(rules("specialty_spread", ["specialty:hospital"], [(0,)], high=0.0))
    lists = list(every_list(asked))
    best = least_spend(lists)
    costs = rule_costs(asked, solve(asked, gap=1e-9)).set_index("rule")
    assert costs.loc["specialty:hospital", "step"] == 0.01 and costs.loc["floor:P1", "step"] == 1.0
    assert (
        costs.loc["specialty:hospital", "saved_by_easing"]
        == pytest.approx(250)
        == best - least_spend(lists, ["specialty:hospital"], 0.01)
    )
    assert costs.loc["specialty:hospital", "saved_by_dropping"] == pytest.approx(10_000)
    for rule in ("specialty:hospital", "floor:P1"):
        assert costs.loc[rule, "saved_by_dropping"] == pytest.approx(best - least_spend(lists, [rule])), rule


def test_rules_at_their_limit_are_asked_of_first():
    floors = rules("revenue_floor", ["floor:P1", "floor:P3"], [(0,), (2,)], low=np.array([116_000.0, 18_400.0]))
    asked, told = four_pairs().with_rules(floors), list[str]()
    answer = solve(asked, gap=1e-9)
    slack = check.measure(asked, answer.prices).set_index("id")["slack"].astype(float).abs()
    rule_costs(asked, answer, tell=told.append)
    has_room = {rule: slack[rule] > 1e-4 for rule in told if not rule.startswith("every ")}
    assert has_room["floor:P1"] and not has_room["floor:P3"] and list(has_room.values()) == sorted(has_room.values())


def test_a_saving_is_told_down_to_a_billionth_and_of_the_spend_apart():
    first = replace(solve(four_pairs()), objective=1e6, spend=Decimal(900_000))
    for less, saved, of_spend in ((0.01, 0.01, 5.0), (1e-4, 0.0, 0.0), (-1.0, 0.0, 0.0)):
        again = replace(first, objective=1e6 - less, spend=Decimal(899_995))
        assert rule_cost._saved(first, again) == pytest.approx(saved, rel=1e-6)
        assert rule_cost._spend_saved(first, again) == of_spend


def test_a_re_solve_that_time_ended_says_how_much_more_it_might_save():
    first = replace(solve(four_pairs()), objective=1e6)
    easier = replace(first, status="feasible", objective=999_000.0, best_bound=998_000.5)
    about = pd.Series({"unit": "USD", "reason": "the board"})
    told = dict(zip(rule_cost.COLUMNS, rule_cost._row("r", "budget", about, 1.0, first, first, easier), strict=True))
    assert told["note"] == "time was up; at most 1,999.50 by dropping" and told["is_exact"] is False
    assert told["saved_by_dropping"] == 1000.0


def test_an_impossible_question_has_conflicts_not_costs():
    asked = question([("P1", "MRI", 10, 1000, (900, 1000))], floors={"P1": 11_000})
    with pytest.raises(ValueError, match="ask why it is impossible"):
        rule_costs(asked, solve(asked))


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ("oo", ""),
        ("of", "Of 2 points 1 is the best found in its time, not proven."),
        ("ffo", "Of 3 points 2 are the best found in their time, not proven."),
        ("no", "Of 2 points 1 has no list that was found in its time."),
        (
            "nnf",
            "Of 3 points 1 is the best found in its time, not proven and 2 have no list that was found in their time.",
        ),
    ],
)
def test_what_time_left_open_of_a_frontier_is_said_of_one_point_and_of_several(states: str, told: str):
    names = {"o": "optimal", "f": "feasible", "n": "no_answer"}
    points = pd.DataFrame({"status": [names[one] for one in states]})
    assert frontiers.Frontier("disruption", points, ()).unproven == told
    least = "The least factor is the least at which a list was found in its time; that none is smaller is not proven."
    assert frontiers.Frontier("fairness", points, (), is_least_proven=False).unproven == f"{told} {least}".strip()


def test_the_easiest_setting_that_failed_says_whether_a_smaller_one_is_ruled_out():
    answer = replace(solve(ladder()), spend=None)
    for strict, easier, is_ruled_out in (("infeasible", "no_answer", False), ("no_answer", "infeasible", True)):
        known = Known(stricter_is_less=True)
        known.add(0.2, replace(answer, status=strict))
        known.add(0.3, replace(answer, status=easier))
        assert known.is_ruled_out_below(0.4) is is_ruled_out


def test_the_dearest_come_first_and_a_single_rule_can_be_asked_of():
    asked = four_pairs()
    answer = solve(asked, gap=1e-9)
    costs = rule_costs(asked, answer)
    is_kind = costs["rule"].str.startswith("every ")
    assert is_kind[: is_kind.sum()].all()
    for part in (costs[is_kind], costs[~is_kind]):
        assert part["saved_by_dropping"].is_monotonic_decreasing
    assert rule_costs(asked, answer, singles=["target"])["rule"].tolist() == ["target"]


def test_time_that_is_up_leaves_costs_unknown_not_zero():
    asked = four_pairs()
    costs = rule_costs(asked, solve(asked), seconds=0.0)
    assert costs["saved_by_dropping"].isna().all() and not costs["is_exact"].any()
    assert set(costs["note"]) == {"time was up"}


def ladder() -> Instance:
    """Spreads that cost savings: each wider cap lets one more price fall."""
    pairs = [("P1", "MRI", 100, 1000, tuple(1000 - 25 * step for step in range(7, -1, -1)))]
    pairs += [(f"P{number}", "MRI", 10 * number, 1000, (1000,)) for number in (2, 3)]
    return question(
        pairs,
        tiers=tuple(f"T{number}" for number in range(1, 9)),
        fairness=[{"procedure": "MRI", "region": "North", "max_spread": 100}],
        floors={"P1": 83_000},
    )


def test_a_frontier_against_fairness_never_saves_less_with_wider_caps():
    asked = ladder()
    found = frontier(asked, "fairness", gap=1e-9)
    points = found.points
    assert len(points) >= 20 and (points["status"] == "optimal").all()
    assert points["setting"].is_monotonic_increasing and points["savings_share"].is_monotonic_increasing
    assert 1.0 in set(points["setting"])
    as_it_is = points[points["setting"] == 1.0].iloc[0]
    lists = list(every_list(asked.without(["spread:MRI:North"])))
    assert as_it_is["spend"] == pytest.approx(least_spend(list(every_list(asked))))
    # T8 is 1,000 for P1, and its price alone makes the spread.
    within = [[one for one in lists if 25 * (7 - one.tiers[0]) <= 100 * factor + 1e-6] for factor in points["setting"]]
    assert points["spend"].tolist() == pytest.approx([float(least_spend(some)) for some in within])
    assert (
        points["largest_spread"] * 1000 <= 100 * points["setting"] + 1e-6
    ).all()  # the prices' own spread, never the cap


def test_a_frontier_against_disruption_meets_its_targets_and_has_its_knee_where_the_line_bends():
    """Half of the spend can fall by a tenth at no more than its own change; the rest only by overshooting: the knee is between."""
    asked = question(
        [("P1", f"C{number}", 10, 100, (90, 100)) for number in range(10)] + [("P2", f"C{number}", 10, 100, (60, 100, 160)) for number in range(5)],
        tiers=("T1", "T2", "T3"),
        floors={"P2": 5_300},
    )  # fmt: skip
    found = frontier(asked, "disruption", gap=1e-9)
    points = found.points
    assert len(points) >= 20
    assert (points["savings_share"] >= points["setting"] - 1e-9).all()
    assert points["deviation_share"].is_monotonic_increasing
    assert found.knee is not None
    slope = (
        points["savings_share"]
        - points["deviation_share"] * points["savings_share"].max() / points["deviation_share"].max()
    )
    assert found.knee["point"] == points.loc[slope.idxmax(), "point"]


def test_a_point_without_a_list_in_its_time_says_so_and_the_others_begin_at_lists_that_keep_their_target(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked, real, begun = ladder(), frontiers.solve, []

    def hurried(question: Instance, **options: Any) -> Answer:
        target = question.of("savings_target")
        if not len(target):
            return real(question, **options)
        begun.append((float(target.high[0]), float(options["warm_start"][0].spend)))
        answer = real(question, **options)
        if len(begun) in (3, 4):
            return replace(answer, status="no_answer", spend=None, relative_gap=None)
        return replace(answer, status="feasible", relative_gap=0.02) if len(begun) == 6 else answer

    monkeypatch.setattr(frontiers, "solve", hurried)
    found = frontier(asked, "disruption", gap=1e-9)
    assert all(spend <= limit for limit, spend in begun)
    assert found.points["setting"].is_monotonic_increasing
    assert list(found.points["status"])[-6:] == ["feasible", "optimal", "no_answer", "no_answer", "optimal", "optimal"]
    assert found.unproven == (
        "Of 20 points 1 is the best found in its time, not proven and 2 have no list that was found in their time."
    )
    show_frontier(found)
    told = capsys.readouterr().out
    assert told.count("none found") == 2 and told.count("not proven") == 1 and "2.00%" in told and "nan" not in told


@pytest.mark.parametrize(("status", "is_proven"), [("infeasible", True), ("no_answer", False)])
def test_that_no_factor_is_smaller_is_said_to_be_unproven_where_time_was_up(
    status: str, is_proven: bool, monkeypatch: pytest.MonkeyPatch
):
    asked, real = ladder(), frontiers.solve

    def hurried(question: Instance, **options: Any) -> Answer:
        caps = question.of("regional_spread").high
        if len(caps) and caps[0] < 40:
            return replace(real(asked), status=status, spend=None, objective=None, relative_gap=None)
        return real(question, **options)

    monkeypatch.setattr(frontiers, "solve", hurried)
    found = frontier(asked, "fairness", gap=1e-9)
    assert found.points["setting"].min() == pytest.approx(0.4, abs=0.011)
    assert found.is_least_proven is is_proven
    assert ("none is smaller is not proven" in found.unproven) is not is_proven


def test_the_nearest_stricter_list_comes_first_and_the_nearest_easier_one_after_it():
    answer = solve(ladder())
    lists = {setting: replace(answer, note=str(setting)) for setting in (0.2, 0.6, 1.0)}
    for stricter_is_less, near in ((True, ["0.2", "0.6"]), (False, ["0.6", "0.2"])):
        known = Known(stricter_is_less=stricter_is_less)
        for setting, one in lists.items():
            known.add(setting, one)
        known.add(0.4, replace(answer, spend=None))
        assert [one.note for one in known.near(0.5)] == near
    assert [one.note for one in known.near(0.6)] == ["0.6", "0.2"]


def test_what_cannot_be_traded_is_said():
    asked = question([("P1", "MRI", 10, 1000, (900, 1000))])
    with pytest.raises(NoFrontier, match="no regional_spread"):
        frontier(asked, "fairness")
    impossible = question([("P1", "MRI", 10, 1000, (900, 1000))], floors={"P1": 11_000})
    with pytest.raises(NoFrontier, match="even without a savings target"):
        frontier(impossible, "disruption")
