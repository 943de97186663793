"""Answers: what they say, what a time limit does to them, where a list comes from, and that none breaks a rule."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pricing_worlds import forbidding, held_by, plain

from optimization.pricing import check as checking
from optimization.pricing import solve as solving
from optimization.pricing.check import check, measure
from optimization.pricing.decompose import GENEROUS, _turn, relax, safe_bound, windows, without_tiers
from optimization.pricing.generate import generate, tiny
from optimization.pricing.highs import run
from optimization.pricing.hull import build
from optimization.pricing.instance import Elasticity, Instance, Objective, rules
from optimization.pricing.patterns import about
from optimization.pricing.reach import reach
from optimization.pricing.solve import solve

ROOM = Path(checking.__file__).parent


def test_the_check_imports_nothing_of_the_model():
    """Through its own imports too: only the question's type."""
    seen, todo = set(), ["check"]
    while todo:
        name = todo.pop()
        seen.add(name)
        for node in ast.walk(ast.parse((ROOM / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("optimization.pricing."):
                todo += [part for part in [node.module.split(".")[2]] if part not in seen]
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert not {name.split(".")[0] for name in names} & {"pyomo", "highspy", "scipy"}
    assert seen == {"check", "instance"}


def test_the_question_and_its_check_load_without_a_solver():
    code = "import sys, optimization.pricing.check, optimization.pricing.forms; print([m for m in ('pyomo', 'highspy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_an_answer_carries_all_that_it_rests_on():
    asked = generate(24, 12, seed=2)
    answer = solve(asked)
    assert answer.status == "optimal"
    assert (answer.solver, answer.fingerprint, answer.gap_asked) == ("highs", asked.fingerprint(), 1e-4)
    assert answer.solver_version.count(".") == 2 and answer.seconds > 0
    assert answer.best_bound is not None and answer.objective is not None and answer.relative_gap is not None
    assert answer.best_bound <= answer.objective
    assert answer.relative_gap == pytest.approx((answer.objective - answer.best_bound) / answer.objective)
    assert answer.spend == sum(
        (
            Decimal(repr(v)) * Decimal(repr(p))
            for v, p in zip(asked.pairs.volume.tolist(), answer.prices["price"], strict=True)
        ),
        Decimal(0),
    )
    assert [moment.bound for moment in answer.history] == sorted(moment.bound for moment in answer.history)
    written = json.loads(json.dumps(answer.as_json()))
    assert written["prices"][0].keys() == {"provider", "procedure", "tier", "price"} and len(written["prices"]) == len(
        asked.pairs
    )


def test_no_list_when_the_time_is_over_before_any():
    answer = solve(generate(100, 50, seed=3), time_limit=0.0)
    assert (answer.status, answer.objective, len(answer.prices)) == ("no_answer", None, 0)
    assert "time limit" in answer.note


def test_the_best_list_found_when_the_time_is_over_before_the_gap(monkeypatch: pytest.MonkeyPatch):
    """The first list is there, the search for a better one gets no time: the answer says so by its status and gap."""
    asked = hard()
    first = solve(asked, gap=1e-6)
    worse = replace(first, prices=risen(asked), memory=None)
    assert worse.prices is not None and check(asked, worse.prices) == []
    monkeypatch.setattr(solving, "at_tiers", lambda *_, **__: None)
    answer = solve(asked, gap=1e-6, time_limit=0.0, warm_start=worse)
    assert answer.status == "feasible" and check(asked, answer.prices) == []
    assert answer.objective is not None and first.objective is not None and answer.objective > first.objective


def test_a_list_that_breaks_a_rule_is_not_handed_out(monkeypatch: pytest.MonkeyPatch):
    """A solver gone wrong by a cent is caught by the check, and the answer is that there is none."""
    right = solving.tiers_of
    monkeypatch.setattr(solving, "tiers_of", lambda arrays, values: np.minimum(right(arrays, values) + 1, 2))
    answer = solve(held_by("savings_target"))
    assert (answer.status, len(answer.prices)) == ("no_answer", 0)
    assert "the check found" in answer.note


def test_a_pair_without_a_tier_makes_the_instance_impossible():
    answer = solve(plain().with_rules(forbidding("none:left", [(0, 0), (0, 1), (0, 2)])))
    assert answer.status == "infeasible" and "no tier left" in answer.note


def test_conflicts_that_only_tiers_make_are_found():
    """Revenue between the tiers: the LP has a price for it, no tier has."""
    base = plain()
    narrow = about(
        base, "legal_band", np.arange(6), low=base.pairs.medicare_rate * 1.02, high=base.pairs.medicare_rate * 1.08
    )
    asked = base.with_rules(replace(narrow))
    assert solve(asked).status == "infeasible"
    dear = about(base, "minimum_price", np.array([0, 2, 4]), low=100.0)
    floor = about(base, "revenue_floor", np.arange(3), low=1520.0)
    target = rules("savings_target", ["target"], np.zeros((1, 0)), high=4590.0)
    between = base.with_rules(dear, floor, target, forbidding("mri:low", [(p, t) for p in (0, 2, 4) for t in (1, 2)]))
    assert not run(build(without_tiers(between)), relaxed=True).infeasible
    assert solve(between).status == "infeasible"


def test_a_lexicographic_answer_spends_the_least_and_then_moves_the_least():
    asked = tiny(11, every_kind=False)
    spend = solve(asked, gap=1e-5)
    both = solve(replace(asked, objective=Objective("lexicographic", spend_tolerance=1e-6)), gap=1e-5)
    assert both.status == "optimal" and spend.spend is not None and both.spend is not None
    assert both.spend <= spend.spend * Decimal("1.00002")
    assert (
        both.deviation is not None
        and spend.deviation is not None
        and both.deviation <= spend.deviation * Decimal("1.00002")
    )


def test_volumes_that_answer_to_price_change_the_spend_as_stated():
    asked = replace(plain(), elasticity=Elasticity(np.full(6, -0.5)))
    answer = solve(asked, gap=1e-9)
    price, base, volume = 80.0, 120.0, 10.0
    assert answer.prices["price"].tolist() == [80.0, 40.0] * 3
    one = price * volume * (1 - 0.5 * (price - base) / base)
    assert float(answer.spend or 0) == pytest.approx(3 * one * 1.5)


@pytest.mark.parametrize("goal", [Objective(), Objective("min_spend_plus_deviation", deviation_weight=0.2)])
def test_a_bound_from_any_duals_is_a_bound(goal: Objective):
    asked = generate(24, 12, seed=4, objective=goal)
    best = solve(asked, gap=1e-7)
    arrays = build(without_tiers(asked))
    duals = relax(asked, tiers=False, time_limit=None).duals
    assert duals is not None and best.objective is not None
    rng = np.random.default_rng(1)
    bounds = [safe_bound(arrays, duals * rng.uniform(0.5, 1.5, len(duals))) for _ in range(20)]
    assert max(bounds) <= best.objective * (1 + 1e-9)
    assert safe_bound(arrays, duals) == pytest.approx(best.objective, rel=1e-3)


def test_no_spread_rule_can_be_broken_inside_the_windows():
    asked = generate(40, 12, seed=5)
    price = relax(asked, tiers=False, time_limit=None).price
    assert price is not None
    window = windows(asked, price)
    frame = asked.pair_frame()
    for ends in (window.price_low, window.price_high):
        assert ends is not None and np.isfinite(ends).any()
    rng = np.random.default_rng(2)
    for _ in range(5):
        low, high = reach(asked, window=window).low, reach(asked, window=window).high
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(low, axis=1), np.fmax.reduce(high, axis=1)
        frame["price"] = low + rng.random(len(low)) * (high - low)
        measured = measure(asked, frame)
        spreads = measured[measured["kind"] == "regional_spread"]
        assert len(spreads) and (spreads["slack"] >= -1e-9).all()


@pytest.mark.parametrize("change", ["none", "wider", "narrower", "target"])
def test_a_warm_start_gives_what_a_cold_one_gives(change: str):
    asked = generate(60, 24, seed=6)
    first, spread = solve(asked, gap=1e-5), asked.of("regional_spread")
    changed = {
        "none": asked,
        "wider": asked.with_rules(replace(spread, high=spread.high * 1.1)),
        "narrower": asked.eased({str(spread.ids[0]): -0.15 * float(spread.high[0])}),
        "target": asked.with_rules(
            rules("savings_target", ["target"], np.zeros((1, 0)), high=float(first.spend or 0) * 1.001)
        ),
    }[change]
    warm, cold = solve(changed, gap=1e-5, warm_start=first), solve(changed, gap=1e-5)
    assert warm.status == cold.status == "optimal"
    assert warm.method.startswith("earlier") and check(changed, warm.prices) == []
    assert warm.objective == pytest.approx(cold.objective, rel=2e-5)


def test_an_earlier_answer_about_other_pairs_is_not_used():
    warm = solve(generate(24, 12, seed=8), warm_start=solve(generate(24, 12, seed=9)))
    assert warm.status == "optimal" and not warm.method.startswith("earlier")


def test_a_solver_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("optimization.pricing.cbc.cbc_version", lambda: None)
    with pytest.raises(ValueError, match="install coinor-cbc"):
        solve(plain(), solver="cbc")


def hard() -> Instance:
    """An instance with room between its best and its worst list."""
    return generate(24, 12, seed=10)


def risen(asked: Instance) -> pd.DataFrame:
    """A list that keeps the rules and spends more than the best: the second tier at one share for all, as generate.py says."""
    pairs = asked.pairs
    frame = asked.pair_frame()
    frame["tier"], frame["price"] = "T2", np.minimum(np.round(1.335 * pairs.medicare_rate, 2), pairs.band_high[:, 1])
    return frame


def test_a_region_may_take_its_share_of_the_time_that_is_left_so_that_the_last_has_its_turn():
    now = time.perf_counter()
    assert _turn(None, 0.1) is None
    assert _turn(now + 8, 0.1) == pytest.approx(now + 8 * 0.1 * GENEROUS, abs=0.5)
    assert _turn(now + 8, 1.0) == pytest.approx(now + 8, abs=0.5)
