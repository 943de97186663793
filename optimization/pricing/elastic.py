"""The question with a way out of every rule, at a price: what conflicts, repairs and prices on a grid are found with.

Belongs here: each rule as rows of a matrix, tagged with the rule, with a slack column in the rule's own unit; solving them with
HiGHS. Does not: the best price list (solve.py, whose form has no slacks and is faster; a test holds that the two agree).

Columns: the price of a pair as a share of its benchmark, split by tier; a binary for each tier that a pair may be in; one slack
per rule. Prices are split by tier so that spend with elasticity, a straight line within each band, needs no column of its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from optimization.pricing.instance import Instance, Rules

FEASIBILITY = 1e-7
IMPOSSIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
LARGE = 5_000  # columns
SAME = 1e-6  # in a rule's own unit: a smaller slack is none


@dataclass(frozen=True)
class Outcome:
    """What HiGHS said. `status` is optimal, feasible (time was up), infeasible or no_answer."""

    status: str
    objective: float
    bound: float
    slack: dict[str, float]
    tier: np.ndarray
    price: np.ndarray

    @property
    def is_feasible(self) -> bool:
        return self.status in ("optimal", "feasible")


class _Triplets:
    """Rows gathered as columns of numbers, so that no loop runs over pairs."""

    def __init__(self) -> None:
        self.rows, self.columns, self.values = [], [], []  # type: ignore[var-annotated]
        self.low, self.high = [], []  # type: ignore[var-annotated]
        self.count = 0

    def add(
        self,
        count: int,
        low: np.ndarray | float,
        high: np.ndarray | float,
        *parts: tuple[np.ndarray, np.ndarray, object],
    ) -> None:
        """`count` rows; each part gives (row within these, column, value)."""
        for row, column, value in parts:
            self.rows.append(np.asarray(row, np.int64) + self.count)
            self.columns.append(np.asarray(column, np.int64))
            self.values.append(np.broadcast_to(np.asarray(value, float), np.shape(row)))
        self.low.append(np.broadcast_to(np.asarray(low, float), (count,)))
        self.high.append(np.broadcast_to(np.asarray(high, float), (count,)))
        self.count += count

    def matrix(self, columns: int) -> sparse.csr_matrix:
        joined = (np.concatenate(self.rows), np.concatenate(self.columns))
        return sparse.csr_matrix((np.concatenate(self.values), joined), shape=(self.count, columns))


class Elastic:
    """Rows and columns of an instance; `solve` may be asked again and again with other slacks and objectives."""

    def __init__(self, asked: Instance) -> None:
        self.asked = asked
        pairs = asked.pairs
        count = len(pairs)
        self.cell_pair, self.cell_tier = np.nonzero(pairs.allowed)
        cells = len(self.cell_pair)
        self.cell_of = np.full(pairs.allowed.shape, -1)
        self.cell_of[self.cell_pair, self.cell_tier] = np.arange(cells)
        self.rule_ids = [str(name) for table in asked.rules.values() for name in table.ids]
        self.first_rule = dict(zip(asked.rules, np.cumsum([0, *(len(t) for t in asked.rules.values())]), strict=False))
        self.units = {str(name): table.unit for table in asked.rules.values() for name in table.ids}
        # Columns: share of the benchmark per cell, binary per cell, slack per rule, then bounds of groups as they come.
        self.share, self.binary, self.slack = np.arange(cells), np.arange(cells) + cells, 2 * cells
        self.columns = 2 * cells + len(self.rule_ids)
        self.rate = pairs.medicare_rate[self.cell_pair]
        low, high = (band[self.cell_pair, self.cell_tier] / self.rate for band in (pairs.band_low, pairs.band_high))
        self.money_of_share, self.money_of_binary = self._money(low, high)
        rows = self._rows = _Triplets()
        each = np.arange(cells)
        rows.add(count, 1, 1, (self.cell_pair, self.binary, 1))
        rows.add(cells, 0, np.inf, (each, self.share, 1), (each, self.binary, -low))
        rows.add(cells, -np.inf, 0, (each, self.share, 1), (each, self.binary, -high))
        for kind, table in asked.rules.items():
            getattr(self, f"_{kind}")(table, self.slack + self.first_rule[kind] + np.arange(len(table)))
        self.matrix = rows.matrix(self.columns)
        self.row_low, self.row_high = np.concatenate(rows.low), np.concatenate(rows.high)

    def solve(
        self,
        weights: Mapping[str, float] | None = None,
        *,
        spend: float = 0.0,
        relaxed: bool = False,
        time_limit: float | None = None,
        gap: float = 1e-9,
    ) -> Outcome:
        """Least Σ weight × slack (+ `spend` × spend). Rules that `weights` does not name have no slack. `relaxed`: tiers may be
        taken in part, which answers quickly whether a conflict exists because tiers are discrete."""
        cells = len(self.cell_pair)
        cost, upper, lower = np.zeros(self.columns), np.full(self.columns, np.inf), np.zeros(self.columns)
        lower[self.slack + len(self.rule_ids) :] = -np.inf
        upper[self.binary] = 1
        upper[self.slack : self.slack + len(self.rule_ids)] = 0
        position = {name: place for place, name in enumerate(self.rule_ids)}
        for name, weight in (weights or {}).items():
            upper[self.slack + position[name]] = np.inf
            cost[self.slack + position[name]] = weight
        cost[self.share] += spend * self.money_of_share
        cost[self.binary] += spend * self.money_of_binary
        status, solver = run(
            self.matrix,
            self.row_low,
            self.row_high,
            cost,
            lower,
            upper,
            None if relaxed else self.binary,
            time_limit,
            gap,
        )
        if status in ("infeasible", "no_answer"):
            return Outcome(status, np.inf, np.inf, {}, np.zeros(0), np.zeros(0))
        value = np.array(solver.getSolution().col_value)
        tier = np.zeros(len(self.asked.pairs), np.int64)
        chosen = value[cells : 2 * cells] > 0.5
        tier[self.cell_pair[chosen]] = self.cell_tier[chosen]
        price = np.bincount(self.cell_pair, value[:cells] * self.rate, len(self.asked.pairs))
        slack = value[self.slack : self.slack + len(self.rule_ids)]
        info = solver.getInfo()
        return Outcome(
            status,
            info.objective_function_value,
            info.objective_function_value if relaxed else info.mip_dual_bound,
            {self.rule_ids[place]: float(slack[place]) for place in np.flatnonzero(slack > SAME)},
            tier,
            price,
        )

    def _money(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Spend of a cell = first × share + second × binary: volume × price, or with elasticity the line between band ends."""
        pairs, elasticity = self.asked.pairs, self.asked.elasticity
        volume = pairs.volume[self.cell_pair]
        if elasticity is None:
            return volume * self.rate, np.zeros(len(volume))
        baseline = pairs.baseline_price[self.cell_pair]
        answer = elasticity.per_pair[self.cell_pair]
        ends = [
            volume * (1 + answer * (end * self.rate - baseline) / np.where(baseline > 0, baseline, 1)) * end * self.rate
            for end in (low, high)
        ]
        width = high - low
        slope = np.where(
            width > 0, (ends[1] - ends[0]) / np.where(width > 0, width, 1), ends[0] / np.where(low > 0, low, 1)
        )
        return slope, ends[0] - slope * low

    # One function per rule kind, named as in instance.KINDS.

    def _price_bound(self, table: Rules, slack: np.ndarray) -> None:
        """Price of a pair within low and high; a slack moves both."""
        row_of = np.full(len(self.asked.pairs), -1)
        row_of[table.subject[:, 0]] = np.arange(len(table))
        doubled = len(np.unique(table.subject[:, 0])) < len(table)
        if doubled:
            raise ValueError(f"two rules of kind {table.kind} bound the same pair")
        mine = np.flatnonzero(row_of[self.cell_pair] >= 0)
        row = row_of[self.cell_pair[mine]]
        each = np.arange(len(table))
        for sign, low, high in ((1, table.low, np.inf), (-1, -np.inf, table.high)):
            if np.isfinite(low if sign == 1 else high).any():
                self._rows.add(len(table), low, high, (row, self.share[mine], self.rate[mine]), (each, slack, sign))

    _legal_band = _minimum_price = _largest_change = _price_bound

    def _group_spread(
        self, table: Rules, slack: np.ndarray, member_rule: np.ndarray, member: np.ndarray, parts: list
    ) -> None:
        """Largest minus smallest of the members' values ≤ high: two free columns per rule stand for the ends. `parts` give
        (member number, column, coefficient) of a member's value."""
        count = len(table)
        bottom = self.columns + np.arange(count)
        top = bottom + count
        self.columns += 2 * count
        each, members = np.arange(count), np.arange(len(member))
        self._rows.add(len(member), 0, np.inf, *parts, (members, bottom[member_rule], -1))
        self._rows.add(len(member), -np.inf, 0, *parts, (members, top[member_rule], -1))
        self._rows.add(count, -np.inf, table.high, (each, top, 1), (each, bottom, -1), (each, slack, -1))

    def _by_key(self, table: Rules, key_of_pair: np.ndarray, key_of_rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs that a rule is about, with the number of the rule; rules of one kind are about different pairs."""
        order = np.argsort(key_of_rule, kind="stable")
        place = np.searchsorted(key_of_rule[order], key_of_pair)
        place = np.minimum(place, len(order) - 1)
        hit = key_of_rule[order][place] == key_of_pair
        return np.flatnonzero(hit), order[place[hit]]

    def _cells_of_pairs(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells of these pairs, and the number of each cell's pair among them."""
        number = np.full(len(self.asked.pairs), -1)
        number[chosen] = np.arange(len(chosen))
        cells = np.flatnonzero(number[self.cell_pair] >= 0)
        return cells, number[self.cell_pair[cells]]

    def _procedure_region(self, table: Rules) -> tuple[np.ndarray, np.ndarray]:
        asked, width = self.asked, len(self.asked.regions)
        return self._by_key(
            table, asked.pairs.procedure * width + asked.pair_region, table.subject[:, 0] * width + table.subject[:, 1]
        )

    def _regional_spread(self, table: Rules, slack: np.ndarray) -> None:
        chosen, rule = self._procedure_region(table)
        cells, number = self._cells_of_pairs(chosen)
        self._group_spread(table, slack, rule, chosen, [(number, self.share[cells], self.rate[cells])])

    def _specialty_spread(self, table: Rules, slack: np.ndarray) -> None:
        """Members are providers that have pairs; the index weighs prices by volume as stated, elasticity or not."""
        asked = self.asked
        worth = np.bincount(
            asked.pairs.provider, asked.pairs.volume * asked.pairs.medicare_rate, minlength=len(asked.providers)
        )
        rule_of = np.full(len(asked.specialties) + 1, -1)
        rule_of[table.subject[:, 0]] = np.arange(len(table))
        providers = np.flatnonzero((worth > 0) & (rule_of[asked.provider_specialty] >= 0))
        number = np.full(len(asked.providers), -1)
        number[providers] = np.arange(len(providers))
        provider = asked.pairs.provider[self.cell_pair]
        cells = np.flatnonzero(number[provider] >= 0)
        weight = asked.pairs.volume[self.cell_pair[cells]] * self.rate[cells] / worth[provider[cells]]
        parts = [(number[provider[cells]], self.share[cells], weight)]
        self._group_spread(table, slack, rule_of[asked.provider_specialty[providers]], providers, parts)

    def _family_tiers(self, table: Rules, slack: np.ndarray) -> None:
        asked, width = self.asked, len(self.asked.families) + 1
        chosen, rule = self._by_key(
            table,
            asked.pairs.provider * width + asked.pair_family,
            table.subject[:, 0] * width + table.subject[:, 1],
        )
        cells, number = self._cells_of_pairs(chosen)
        self._group_spread(table, slack, rule, chosen, [(number, self.binary[cells], self.cell_tier[cells])])

    def _money_rows(self, table: Rules, slack: np.ndarray, cells: np.ndarray, rule: np.ndarray) -> None:
        parts = [
            (rule, self.share[cells], self.money_of_share[cells]),
            (rule, self.binary[cells], self.money_of_binary[cells]),
        ]
        each = np.arange(len(table))
        for sign, low, high in ((1, table.low, np.inf), (-1, -np.inf, table.high)):
            if np.isfinite(low if sign == 1 else high).any():
                self._rows.add(len(table), low, high, *parts, (each, slack, sign))

    def _revenue_floor(self, table: Rules, slack: np.ndarray) -> None:
        rule_of = np.full(len(self.asked.providers), -1)
        rule_of[table.subject[:, 0]] = np.arange(len(table))
        rule = rule_of[self.asked.pairs.provider[self.cell_pair]]
        cells = np.flatnonzero(rule >= 0)
        self._money_rows(table, slack, cells, rule[cells])

    _largest_loss = _revenue_floor

    def _savings_target(self, table: Rules, slack: np.ndarray) -> None:
        every = np.arange(len(self.cell_pair))
        rule = np.repeat(np.arange(len(table)), len(every))
        self._money_rows(table, slack, np.tile(every, len(table)), rule)

    def _budget(self, table: Rules, slack: np.ndarray) -> None:
        of_pair = self.cell_of[table.cell_pair]
        place, tier = np.nonzero(of_pair >= 0)
        self._money_rows(table, slack, of_pair[place, tier], table.rule_of_cell()[place])

    def _tier_rule(self, table: Rules, slack: np.ndarray) -> None:
        cells = self.cell_of[table.cell_pair, table.cell_tier]
        there = cells >= 0  # a tier that the pair may not be in anyway
        each = np.arange(len(table))
        self._rows.add(
            len(table),
            -np.inf,
            table.high,
            (table.rule_of_cell()[there], self.binary[cells[there]], 1),
            (each, slack, -1),
        )

    def _lowest_tier_cap(self, table: Rules, slack: np.ndarray) -> None:
        chosen, rule = self._procedure_region(table)
        lowest = self.cell_of[chosen, 0]
        there = lowest >= 0
        each = np.arange(len(table))
        self._rows.add(len(table), -np.inf, table.high, (rule[there], self.binary[lowest[there]], 1), (each, slack, -1))


def run(
    matrix: sparse.csr_matrix,
    row_low: np.ndarray,
    row_high: np.ndarray,
    cost: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    integers: np.ndarray | None,
    time_limit: float | None,
    gap: float,
    presolve: str = "choose",
) -> tuple[str, highspy.Highs]:
    """Hands rows and columns to HiGHS; returns its verdict and itself, for the values."""
    started = time.monotonic()
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = matrix.shape[1], matrix.shape[0]
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, _finite(lower), _finite(upper)
    model.row_lower_, model.row_upper_ = _finite(row_low), _finite(row_high)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if integers is not None:
        kinds = np.zeros(matrix.shape[1], np.int64)
        kinds[integers] = 1
        model.integrality_ = [highspy.HighsVarType(int(kind)) for kind in kinds]
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", presolve)
    if integers is None and cost.any() and matrix.shape[1] > LARGE:
        solver.setOptionValue("solver", "ipm")  # 12 seconds where the simplex had nothing after 60 (11,688 columns)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_abs_gap", 1e-7)
    solver.setOptionValue("primal_feasibility_tolerance", FEASIBILITY)
    solver.setOptionValue("mip_feasibility_tolerance", FEASIBILITY)
    if time_limit is not None:
        solver.setOptionValue("time_limit", max(0.1, time_limit - (time.monotonic() - started)))
    solver.passModel(model)
    solver.run()
    status = solver.getModelStatus()
    if integers is not None and status in IMPOSSIBLE:
        # HiGHS 1.15.1's presolve calls some possible problems impossible (docs/pricing.md): its word is not taken for it.
        solver.setOptionValue("presolve", "off")
        solver.run()
        status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        return "optimal", solver
    if status in IMPOSSIBLE:
        return "infeasible", solver
    has_list = solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return ("feasible" if has_list else "no_answer"), solver


def _finite(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -highspy.kHighsInf, highspy.kHighsInf)
