"""What each rule costs: the objective saved if a rule, or all rules of a kind, gave one unit or did not exist. By re-solving.

Belongs here: the question without a rule, or with it eased by one unit, solved again and ranked. Does not: duals of the
relaxation alone, which price a rule at the margin of a problem without tiers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from optimization.pricing import check
from optimization.pricing.answer import Answer
from optimization.pricing.instance import Instance
from optimization.pricing.solve import solve

STEP_OF_UNIT = {"index": 0.01}  # a point of an index is the whole of it; a hundredth is what people speak of
COLUMNS = [
    "rule",
    "kind",
    "unit",
    "step",
    "reason",
    "saved_by_easing",
    "saved_by_dropping",
    "spend_saved_by_dropping",
    "is_exact",
    "note",
]


def rule_costs(
    asked: Instance,
    answer: Answer,
    *,
    singles: Iterable[str] | None = None,
    gap: float | None = None,
    seconds: float = 300.0,
    tell: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """One row per rule kind (rule = "every …") and per rule, dearest first. Columns:

    step                     how much one unit is: 1 in the rule's unit, 0.01 of an index
    saved_by_easing          fall of the objective when the rule (each rule of the kind) gives one step
    saved_by_dropping        the same when it does not exist
    spend_saved_by_dropping  fall of the spend, in USD, whatever the objective is
    is_exact                 false where a re-solve ended at its time limit: the true saving may then be larger, note says by how much

    `singles`: ids of single rules to ask of, and of no kinds; none given, every kind, and the rules of those kinds that cost anything, those at their limit
    first, until the time is up. Raises ValueError for an
    answer without prices: a rule of an impossible question has no cost, its conflict has a repair (conflict.py)."""
    if answer.objective is None or answer.spend is None:
        raise ValueError("the question has no price list, so its rules have no cost; ask why it is impossible instead")
    deadline = time.monotonic() + seconds
    gap = answer.gap_asked if gap is None else gap
    noise = max(abs(answer.objective) * gap, 1e-6)
    frame = asked.rule_frame().set_index("id")
    rows = []
    for place, kind in enumerate(asked.rules if singles is None else ()):
        share = (deadline - time.monotonic()) / (len(asked.rules) - place)  # none may take what the others need
        ids = frame.index[frame["kind"] == kind]
        step = STEP_OF_UNIT.get(frame.loc[ids[0], "unit"], 1.0)
        dropped = _again(asked.without(kinds=[kind]), answer, gap, deadline, share)
        eased = _again(asked.eased(dict.fromkeys(ids, step)), answer, gap, deadline, share)
        rows.append(_row(f"every {kind}", kind, frame.loc[ids[0]], step, answer, eased, dropped))
        tell(f"every {kind}")
    chosen = frame.index if singles is None else pd.Index(list(singles))
    wanted = list(chosen)
    if singles is None:
        wanted = [rule for rule in chosen if _may_cost(rows, frame.loc[rule, "kind"], noise)]
        wanted = _binding_first(asked, answer, wanted)
    for place, rule in enumerate(wanted):
        # Less than a first solve took leaves a re-solve half done; few costs that are exact say more than many that are not.
        share = max(1.0, 2 * answer.seconds, 3 * (deadline - time.monotonic()) / (len(wanted) - place))
        if time.monotonic() > deadline:
            break
        about = frame.loc[rule]
        step = STEP_OF_UNIT.get(about["unit"], 1.0)
        dropped = _again(_without(asked, rule, about["kind"]), answer, gap, deadline, share)
        # A rule that may go for nothing need not be asked what a unit of it costs.
        free = dropped is not None and dropped.objective is not None and answer.objective - dropped.objective <= 1e-9
        eased = dropped if free else _again(asked.eased({rule: step}), answer, gap, deadline, share)
        rows.append(_row(rule, about["kind"], about, step, answer, eased, dropped))
        tell(rule)
    made = pd.DataFrame(rows, columns=COLUMNS)
    kinds_first = ~made["rule"].str.startswith("every ")
    return (
        made.assign(_order=kinds_first)
        .sort_values(
            ["_order", "saved_by_dropping", "saved_by_easing", "rule"],
            ascending=[True, False, False, True],
            kind="stable",
        )
        .drop(columns="_order")
        .reset_index(drop=True)
    )


def _without(asked: Instance, rule: str, kind: str) -> Instance:
    """The question without a rule: eased so far that it holds whatever the prices, where that can be, so that rows stay where they
    were and what is known of them (the duals of the first answer) is a bound at once. Most rules that cost nothing are told by that."""
    highest = float(np.nanmax(asked.pairs.band_high))
    table = asked.of(kind)
    if kind in ("revenue_floor", "largest_loss") and asked.elasticity is None:
        return asked.eased({rule: float(table.low[table.ids == rule][0])})  # no revenue is below zero
    if kind == "regional_spread":
        return asked.eased({rule: highest})
    if kind == "specialty_spread":
        return asked.eased({rule: float(np.nanmax(asked.pairs.band_high / asked.pairs.medicare_rate[:, None]))})
    return asked.without([rule])


def _again(asked: Instance, first: Answer, gap: float, deadline: float, share: float) -> Answer | None:
    """The same question changed, begun at the list known; None where no time is left."""
    left = min(deadline - time.monotonic(), share)
    if left <= 0:
        return None
    return solve(asked, time_limit=left, gap=gap, warm_start=first)


def _row(
    rule: str, kind: str, about: pd.Series, step: float, first: Answer, eased: Answer | None, dropped: Answer | None
) -> list[object]:
    assert first.objective is not None and first.spend is not None
    known = [one for one in (eased, dropped) if one is not None]
    exact = len(known) == 2 and all(one.status == "optimal" for one in known)
    note = "" if exact else "time was up"
    if not exact and dropped is not None and dropped.best_bound is not None:
        note = f"time was up; at most {first.objective - dropped.best_bound:,.2f} by dropping"
    return [
        rule,
        kind,
        about["unit"],
        step,
        about["reason"],
        _saved(first, eased),
        _saved(first, dropped),
        _spend_saved(first, dropped),
        exact,
        note,
    ]


def _saved(first: Answer, again: Answer | None) -> float:
    """Never negative: the list known keeps the eased question's rules too, and a re-solve within its gap may miss it by that."""
    if again is None or again.objective is None or first.objective is None:
        return float("nan")
    saved = first.objective - again.objective
    # Re-solves stop at the gap, so that what is below it may be noise; what is below a billionth is.
    return saved if saved > 1e-9 * abs(first.objective) else 0.0


def _spend_saved(first: Answer, again: Answer | None) -> float:
    if again is None or again.spend is None or first.spend is None:
        return float("nan")
    if _saved(first, again) == 0.0:
        return 0.0  # a list as good as the one known; where it differs, it differs within the gap
    return float(first.spend - again.spend)


def _may_cost(rows: list[list[object]], kind: str, noise: float) -> bool:
    """A kind that costs nothing as a whole has no rule that costs anything."""
    saved = next(row[COLUMNS.index("saved_by_dropping")] for row in rows if row[1] == kind)
    return not saved <= noise * 1e-3  # type: ignore[operator]  # NaN: unknown, so it may


def _binding_first(asked: Instance, answer: Answer, wanted: list[str]) -> list[str]:
    """Where time ends before the rules do, those at their limit were asked."""
    slack = check.measure(asked, answer.prices).set_index("id")["slack"].astype(float).abs()
    return sorted(wanted, key=lambda rule: bool(slack[rule] > 1e-4))
