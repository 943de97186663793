"""What more savings cost in fairness and in disruption: the same question at many targets or caps, each begun at its neighbour.

Belongs here: the points of a frontier and its knee. Does not: plots (report.py), one solve (solve.py).

Savings against fairness: every cap on regional spread is multiplied by a factor, from the least that leaves a price list to
where wider caps save no more; each point is the least spend. Savings against disruption: the target goes from no savings to the
most that the rules allow; each point is the least Σ volume × |price − baseline| at that target. Points are solved from the
strictest to the easiest, and each begins at the list of the nearest stricter one, which keeps its rules as well: once a list is
known, every easier point has one.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np
import pandas as pd

from optimization.pricing import patterns
from optimization.pricing.answer import Answer
from optimization.pricing.instance import Instance, Objective
from optimization.pricing.solve import solve

Against = Literal["fairness", "disruption"]
FEWEST = 20
WIDEST = 3.0  # times the caps as they are, where no factor brings all that could be saved
ANY_LIST = 0.5  # a gap that the first list meets: whether there is one is all that is asked
COLUMNS = [
    "against", "point", "setting", "status", "savings_share", "savings_amount", "spend", "mean_spread", "largest_spread",
    "deviation_share", "deviation_amount", "relative_gap", "seconds", "is_knee",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points in the order of their setting, one row each (COLUMNS), and where the knee is.

    `setting` is the factor on spread caps, or the savings target; spreads are those of prices, as shares of the mean benchmark of
    procedure and region; deviation is Σ volume × |price − baseline|, as a share of baseline spend."""

    against: Against
    points: pd.DataFrame
    answers: tuple[Answer, ...]
    is_least_proven: bool = True  # that no factor a hundredth smaller leaves a list

    @property
    def unproven(self) -> str:
        """What the time left open, in words; empty where every point is within the gap."""
        status = self.points["status"]
        best, none = int((status == "feasible").sum()), int((status == "no_answer").sum())
        said = []
        if best:
            said.append(f"{best} {'is' if best == 1 else 'are'} the best found in {_their(best)} time, not proven")
        if none:
            said.append(f"{none} {'has' if none == 1 else 'have'} no list that was found in {_their(none)} time")
        made = [f"Of {len(self.points)} points {' and '.join(said)}."] if said else []
        if not self.is_least_proven:
            made.append(
                "The least factor is the least at which a list was found in its time; that none is smaller is not proven."
            )
        return " ".join(made)

    @property
    def knee(self) -> pd.Series | None:
        found = self.points[self.points["is_knee"]]
        return found.iloc[0] if len(found) else None


def _their(count: int) -> str:
    return "its" if count == 1 else "their"


class NoFrontier(ValueError):
    """The question leaves nothing to trade; the message says why."""


def frontier(
    asked: Instance,
    against: Against,
    *,
    points: int = FEWEST,
    gap: float = 1e-4,
    seconds: float = 300.0,
    solver: Literal["highs", "cbc"] = "highs",
    tell: Callable[[int], None] = lambda _: None,
) -> Frontier:
    """At least `points` points. Raises NoFrontier where the question is impossible, or has no spread caps to widen."""
    deadline = time.monotonic() + seconds
    known = Known(stricter_is_less=against == "fairness")
    settings, question = (_by_caps if against == "fairness" else _by_target)(
        asked, max(points, FEWEST), gap, deadline, known
    )
    rows, answers = [], []
    order = sorted(settings, key=known.rank)
    for number, setting in enumerate(order):
        left = max(1.0, (deadline - time.monotonic()) / (len(order) - number))
        began = time.monotonic()
        answer = solve(question(setting), time_limit=left, gap=gap, solver=solver, warm_start=known.near(setting))
        seconds_taken = time.monotonic() - began
        rows.append([setting, *_point(asked, answer), answer.relative_gap, seconds_taken])
        answers.append(answer)
        known.add(setting, answer)
        tell(number)
    place = np.argsort(order)
    made = pd.DataFrame([[against, number, *rows[at], False] for number, at in enumerate(place)], columns=COLUMNS)
    ordered = tuple(answers[at] for at in place)
    is_least = against != "fairness" or known.is_ruled_out_below(min(settings))
    return Frontier(against, _with_knee(made, against), ordered, is_least)


class Known:
    """Lists found so far by their setting: that of a stricter setting keeps the rules of an easier one."""

    def __init__(self, *, stricter_is_less: bool) -> None:
        self._sign = 1 if stricter_is_less else -1
        self._found: list[tuple[float, Answer]] = []
        self._failed: dict[float, bool] = {}  # by rank, whether it is proven that there is no list

    def rank(self, setting: float) -> float:
        """Greater the easier a setting is."""
        return self._sign * setting

    def add(self, setting: float, answer: Answer) -> None:
        if answer.spend is not None:
            at = bisect_right(self._found, self.rank(setting), key=lambda one: one[0])
            self._found.insert(at, (self.rank(setting), answer))
        else:
            self._failed[self.rank(setting)] = answer.status == "infeasible"

    def is_ruled_out_below(self, setting: float) -> bool:
        """Whether the easiest setting tried that is stricter than this one is proven to have no list; true where none failed."""
        stricter = [rank for rank in self._failed if rank < self.rank(setting)]
        return self._failed[max(stricter)] if stricter else True

    def near(self, setting: float) -> list[Answer]:
        """The lists of the nearest setting that is as strict or stricter, which keeps its rules, and of the nearest easier one, which
        is cheaper and may be mended."""
        at = bisect_right(self._found, self.rank(setting) + 1e-9, key=lambda one: one[0])
        return [answer for _, answer in self._found[max(at - 1, 0) : at + 1]]


def _by_caps(
    asked: Instance, points: int, gap: float, deadline: float, known: Known
) -> tuple[list[float], Callable[[float], Instance]]:
    caps = asked.of("regional_spread")
    if not len(caps):
        raise NoFrontier(
            "the question has no regional_spread to widen; name one, or ask for savings against disruption"
        )

    def question(factor: float) -> Instance:
        widened = replace(caps, high=np.round(caps.high * factor, 6), share=np.full(len(caps), np.nan))
        return replace(asked.with_rules(widened), objective=Objective("min_spend"))

    def spend_at(factor: float, gap: float) -> float | None:
        left = max(1.0, (deadline - time.monotonic()) / 20)
        answer = solve(question(factor), time_limit=left, gap=gap, warm_start=known.near(factor))
        known.add(factor, answer)
        return None if answer.spend is None else float(answer.spend)

    tightest = _least(lambda factor: spend_at(factor, ANY_LIST) is not None, deadline)
    free = solve(
        replace(asked.without(kinds=["regional_spread"]), objective=Objective("min_spend")),
        time_limit=max(1.0, (deadline - time.monotonic()) / 5),
        gap=gap,
    )
    if tightest is None or free.spend is None:
        raise NoFrontier(
            "no factor on the spread caps leaves a price list: other rules conflict; ask why it is impossible"
        )
    enough = float(free.spend) * (1 + 2 * gap)
    widest = _least(lambda factor: (spend_at(factor, gap) or np.inf) <= enough, deadline, from_=tightest) or WIDEST
    # Where caps cease to matter the line is flat; the caps as they are is a point in any case.
    spread = np.linspace(tightest, max(widest * 1.1, tightest + 0.1), points - 1)
    return sorted({round(float(one), 6) for one in [*spread, max(1.0, tightest)]}), question


def _least(is_enough: Callable[[float], bool], deadline: float, from_: float = 0.0) -> float | None:
    """The smallest factor that is enough, to a hundredth, upwards; None where 64 is not."""
    low, high = from_, max(1.0, 2 * from_)
    if is_enough(low):
        return low
    while not is_enough(high):
        low, high = high, high * 2
        if high > 64:
            return None
    while high - low > 0.01 and time.monotonic() < deadline:
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return round(high + 5e-7, 6)


def _by_target(
    asked: Instance, points: int, gap: float, deadline: float, known: Known
) -> tuple[list[float], Callable[[float], Instance]]:
    free = replace(asked.without(kinds=["savings_target"]), objective=Objective("min_spend"))
    most = solve(free, time_limit=max(1.0, (deadline - time.monotonic()) / 4), gap=gap)
    if most.spend is None:
        raise NoFrontier("no price list keeps the rules even without a savings target; ask why it is impossible")
    best = float(1 - most.spend / asked.baseline_spend)
    # The last point keeps a hair of room, since the least spend is known to the gap alone.
    last = best - 1e-9 - gap * (1 - best)

    # Weight and steps of the question's own penalty stay: disruption is what the scenario says it is.
    goal = replace(asked.objective, type="min_deviation")

    def question(target: float) -> Instance:
        return replace(free.with_rules(patterns.savings_target(free, target)), objective=goal)

    known.add(last, most)
    first = min(0.0, last - 0.01)
    return [round(float(one), 9) for one in np.linspace(first, last, points)], question


def _point(asked: Instance, answer: Answer) -> list[object]:
    if answer.spend is None:
        return [answer.status, *[float("nan")] * 7]
    price = answer.prices["price"].to_numpy(float)
    mean, largest = _spreads(asked, price)
    moved = float(asked.pairs.volume @ np.abs(price - asked.pairs.baseline_price))
    base = float(asked.baseline_spend)
    saved: Decimal = asked.baseline_spend - answer.spend
    return [answer.status, float(saved) / base, float(saved), float(answer.spend), mean, largest, moved / base, moved]


def _spreads(asked: Instance, price: np.ndarray) -> tuple[float, float]:
    """Mean and largest spread of prices over procedures and regions with two providers or more, as shares of their mean benchmark."""
    frame = asked.pair_frame().assign(price=price)
    group = frame.groupby(["procedure", "region"])
    made = group.agg(
        low=("price", "min"), high=("price", "max"), rate=("medicare_rate", "mean"), count=("price", "size")
    )
    made = made[made["count"] > 1]
    if made.empty:
        return 0.0, 0.0
    spread = (made["high"] - made["low"]) / made["rate"]
    return float(spread.mean()), float(spread.max())


def _with_knee(made: pd.DataFrame, against: Against) -> pd.DataFrame:
    """The knee is the point furthest from the chord between the ends, both axes brought to 0…1, on the side where little is given up
    for much; none where the frontier is straight or has under three points."""
    known = made[made["savings_share"].notna()]
    price = "setting" if against == "fairness" else "deviation_share"
    x, y = (known[name].to_numpy(float) for name in (price, "savings_share"))
    if len(known) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return made
    x, y = (x - x.min()) / np.ptp(x), (y - y.min()) / np.ptp(y)
    above = y - x
    if above.max() <= 0.01:
        return made
    knee = known.index[int(above.argmax())]
    return made.assign(is_knee=made.index == knee)
