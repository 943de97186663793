"""Prices that a contract can print: whole cents or whole dollars, no rule broken, checked in decimals without any tolerance.

Belongs here: choosing the grid price of each pair near where it was solved. Does not: solving, judging a list (check.py).

Rounding each price by itself breaks rules: two prices at the ends of a spread part by a cent, a target is missed by a few
dollars. So the list is rounded as a whole. Down and to the nearest are tried first. Where both break a rule, a large list is rounded
market by market and provider by provider (multiples.py); a provider whose tiers leave no multiple gets tiers anew, all else staying as
it is. For a small one, HiGHS chooses the multiples, near the solved prices, with every rule as a row; tiers stay unless there is no
other way. A price that has no multiple in its tier's band (a single price of 101.10 dollars when whole dollars are asked for) keeps
its cents, and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from optimization.pricing import check
from optimization.pricing.elastic import Elastic, run
from optimization.pricing.instance import Instance
from optimization.pricing.multiples import Multiples, multiples
from optimization.pricing.parts import JOINT, part
from optimization.pricing.patterns import about

Grid = Literal["cent", "dollar"]
STEP = {"cent": Decimal("0.01"), "dollar": Decimal(1)}
STEP_OF = {0.01: STEP["cent"], 1.0: STEP["dollar"], 0.0: Decimal(0)}
NEAR = 1e-6  # the gap at which choosing multiples stops: what it may cost is said with the list
SMALL = 400  # pairs; above, multiples are chosen market by market first
ALL_AT_ONCE = (
    5_000  # pairs; above, no program over all prices is tried: with 3,677 it took 25 seconds for a dearer list
)
FREE_AT_ONCE = 1_500  # pairs whose tiers are chosen anew at most
FINER_ROUNDS = 3  # of cents for what is still tight
MATES = 5  # steps by which others of the market may move where a provider gets tiers anew
WINDOWS = (1, 5, 50, None)  # steps by which a price may move away from where it was solved; None: tiers are chosen anew
TIGHTER = (
    0.0,
    1e-9,
    1e-7,
)  # shares by which limits are tightened where HiGHS's tolerance let a list pass that decimals refuse


class CannotRound(ValueError):
    """No list of these multiples, tiers kept and prices near the solved ones, keeps every rule."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """A list on the grid. `prices` as the solved list, its price a Decimal; `cost` is what rounding adds to the objective."""

    prices: pd.DataFrame
    grid: Grid
    spend: Decimal
    cost: Decimal
    moved_pairs: int
    largest_move: Decimal
    finer_pairs: int
    how: str


def rounded(asked: Instance, prices: pd.DataFrame, grid: Grid = "cent", *, time_limit: float = 20.0) -> Rounded:
    """The list (provider, procedure, tier, price) on the grid. Raises CannotRound."""
    laid, findings = check.lay(asked, prices)
    if laid is None:
        raise CannotRound(f"this is no list of the instance: {findings[0]}")
    steps = [STEP_OF[one] for one in _step_of_pairs(asked, laid, grid).tolist()]
    kept = []
    for how, told in ((ROUND_DOWN, "each price down"), (ROUND_HALF_EVEN, "each price to the nearest")):
        each = np.array([_to(price, one, how) for price, one in zip(laid.price, steps, strict=True)], object)
        frame = _frame(asked, each, laid.tier)
        if not check.check(asked, frame, tolerance=0):
            kept.append((check.objective(asked, frame), told, frame))
    if kept:
        _, told, frame = min(kept, key=lambda one: one[0])
        return _made(asked, prices, frame, grid, told)
    ways = [_by_markets, _all_together] if len(asked.pairs) > SMALL else [_all_together, _by_markets]
    broken: list[str] = []
    for way in ways:
        done = way(asked, laid, grid, broken, time_limit)
        if done is not None:
            frame, told = done
            return _made(asked, prices, frame, grid, told)
    named = f" {_few(broken)} can be kept by none with these tiers." if broken else ""
    raise CannotRound(
        f"no list in whole {grid}s that keeps every rule was found within {time_limit:g} seconds.{named} Round to a finer unit, or "
        f"ease {'that' if len(broken) == 1 else 'one of those' if broken else 'the rule that is tight'}"
    )


def _few(rules: list[str]) -> str:
    shown = ", ".join(rules[:5])
    return shown if len(rules) <= 5 else f"{shown} and {len(rules) - 5} others"


def _by_markets(
    asked: Instance, laid: check.PriceList, grid: Grid, broken: list[str], time_limit: float
) -> tuple[pd.DataFrame, str] | None:
    """Market by market and provider by provider; `broken` takes the rules that leave no multiple in these tiers."""
    if asked.elasticity is not None or (laid.tier < 0).any():
        return None
    of_pair = _step_of_pairs(asked, laid, grid)
    found = multiples(asked, laid.tier, laid.price.astype(float), of_pair)
    frame = _frame(asked, _amounts(found.count, of_pair, laid.price), laid.tier)
    told = "market by market, each provider raised to what it must earn"
    if not check.check(asked, frame, tolerance=0):
        return frame, told
    broken += [rule for rule in found.broken if rule not in broken]
    free = found.poor[asked.pairs.provider] | np.isin(asked.pair_market, found.stuck)
    wider = np.isin(asked.pairs.provider, asked.pairs.provider[free])
    for some, room in ((free, 0), (free, MATES), (wider, MATES)) if free.any() else ():
        if some.sum() > FREE_AT_ONCE:
            break
        chosen = _tiers_anew(asked, laid, grid, found, some, room, time_limit / 2)
        if chosen is not None:
            frame = _frame(asked, *chosen)
            if not check.check(asked, frame, tolerance=0):
                moved = int((chosen[1] != laid.tier).sum())
                return frame, f"{told}, {moved} {'tier' if moved == 1 else 'tiers'} chosen anew"
    if grid == "dollar":
        return _cents_where_needed(asked, laid, of_pair, found, broken, told)
    return None


def _cents_where_needed(
    asked: Instance, laid: check.PriceList, step: np.ndarray, found: Multiples, broken: list[str], told: str
) -> tuple[pd.DataFrame, str] | None:
    """Whole dollars, and cents for the providers and markets that rules leave no whole dollars; which rules, is said."""
    step = step.copy()
    for _ in range(FINER_ROUNDS):
        tight = found.poor[asked.pairs.provider] | np.isin(asked.pair_market, found.stuck)
        if not (tight & (step == 1)).any():
            return None
        step[tight & (step == 1)] = 0.01
        found = multiples(asked, laid.tier, laid.price.astype(float), step)
        frame = _frame(asked, _amounts(found.count, step, laid.price), laid.tier)
        if not check.check(asked, frame, tolerance=0):
            return frame, f"{told}; in cents where {_few(broken)} can be kept by no whole dollars with these tiers"
        broken += [rule for rule in found.broken if rule not in broken]
    return None


def _all_together(
    asked: Instance, laid: check.PriceList, grid: Grid, _broken: list[str], time_limit: float
) -> tuple[pd.DataFrame, str] | None:
    """All multiples in one program, near where they were, then nearly anywhere, at last with tiers chosen anew."""
    if len(laid.price) > ALL_AT_ONCE:
        return None
    rows = Elastic(asked)
    for window in WINDOWS:
        for tighter in TIGHTER:
            found = _together(rows, laid, grid, window, tighter, time_limit)
            if found is None:
                break
            frame = _frame(asked, *found)
            if not check.check(asked, frame, tolerance=0):
                where = f"each within {window} steps of where it was" if window else "tiers chosen anew"
                return frame, f"all together, {where}"
    return None


def _amounts(count: np.ndarray, step: np.ndarray, price: np.ndarray) -> np.ndarray:
    sizes = [STEP_OF[one] for one in step.tolist()]
    made = [
        Decimal(round(number)) * one if one else stays
        for number, one, stays in zip(count.tolist(), sizes, price, strict=True)
    ]
    return np.array(made, object)


def _frame(asked: Instance, price: np.ndarray, tier: np.ndarray) -> pd.DataFrame:
    names = np.array(asked.tiers, object)[tier]
    return asked.pair_frame()[["provider", "procedure"]].assign(tier=names, price=price)


def _to(price: Decimal, step: Decimal, how: str) -> Decimal:
    if not step:
        return price
    return (price / step).quantize(Decimal(1), rounding=how) * step


def _together(
    rows: Elastic, laid: check.PriceList, grid: Grid, window: int | None, tighter: float, time_limit: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Multiples chosen by HiGHS, and tiers: as they are within a window of steps, or chosen anew (no window). None: there are none."""
    asked, cells = rows.asked, len(rows.cell_pair)
    step = _steps_of_cells(rows, grid)
    has_grid, size = step > 0, np.where(step > 0, step, 1.0)
    mine = _chosen_cells(rows, laid)
    lower, upper = _no_cell(rows)
    if window is None:
        upper[:cells] = np.floor(asked.pairs.band_high[rows.cell_pair, rows.cell_tier] / size + 1e-9)
        upper[cells : 2 * cells] = 1
    else:
        at = laid.price.astype(float)[rows.cell_pair] / size
        lower[:cells] = np.where(mine, np.where(has_grid, np.maximum(np.floor(at + 1e-9) - window, 0), at), 0)
        upper[:cells] = np.where(mine, np.where(has_grid, np.ceil(at - 1e-9) + window, at), 0)
        lower[cells : 2 * cells] = upper[cells : 2 * cells] = mine
    integers = np.flatnonzero(has_grid & (mine | (window is None)))
    integers = np.concatenate([integers, rows.binary if window is None else []]).astype(int)
    return _program(rows, laid, step, lower, upper, integers, tighter, time_limit)


def _tiers_anew(
    asked: Instance,
    laid: check.PriceList,
    grid: Grid,
    found: Multiples,
    free: np.ndarray,
    room: int,
    time_limit: float,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Tiers and multiples of some pairs chosen anew, the others at their multiples; those of the same markets may move `room` steps.

    Only the regions of these pairs are asked; what they may spend is what the others leave, and what each provider must earn for
    its specialty is a floor."""
    regions = np.unique(asked.pair_region[free])
    members = np.flatnonzero(np.isin(asked.pair_region, regions))
    every = np.arange(len(free))
    whole_step = _step_of_pairs(asked, laid, grid)
    value = np.where(whole_step > 0, found.count * whole_step, laid.price.astype(float)) * asked.pairs.volume
    elsewhere = np.where(np.isin(every, members), 0.0, value)
    left = {}
    for kind in JOINT:
        table = asked.of(kind)
        cells = [table.cell_pair[table.cells_of(at)] if kind == "budget" else every for at in range(len(table))]
        left[kind] = table.high - np.array([elsewhere[of].sum() for of in cells])
    piece = part(asked, members, left).asked
    earning = np.flatnonzero(np.isfinite(found.needed) & np.isin(np.arange(len(found.needed)), piece.pairs.provider))
    piece = piece.with_rules(about(piece, "revenue_floor", earning, low=found.needed[earning]))
    here, rows = check.PriceList(laid.price[members], laid.tier[members]), Elastic(piece)
    step, cells_count = _steps_of_cells(rows, grid), len(rows.cell_pair)
    size, mine, is_free = np.where(step > 0, step, 1.0), _chosen_cells(rows, here), free[members][rows.cell_pair]
    market = asked.pair_market
    mate = np.isin(market[members], market[free])[rows.cell_pair] & mine & ~is_free & (step > 0)
    lower, upper = _no_cell(rows)
    count = found.count[members][rows.cell_pair]
    lower[:cells_count] = np.where(mine & ~is_free, np.maximum(count - room * mate, 0), 0)
    upper[:cells_count] = np.where(mine & ~is_free, count + room * mate, 0)
    top = np.floor(piece.pairs.band_high[rows.cell_pair, rows.cell_tier] / size + 1e-9)
    upper[:cells_count] = np.where(is_free, top, upper[:cells_count])
    lower[cells_count : 2 * cells_count] = mine & ~is_free
    upper[cells_count : 2 * cells_count] = mine | is_free
    integers = np.concatenate([np.flatnonzero((step > 0) & (is_free | (mate & (room > 0)))), rows.binary[is_free]])
    chosen = _program(rows, here, step, lower, upper, integers.astype(int), 0.0, time_limit)
    if chosen is None:
        return None
    amounts, tier = _amounts(found.count, whole_step, laid.price), laid.tier.copy()
    amounts[members], tier[members] = chosen
    return amounts, tier


def _step_of_pairs(asked: Instance, laid: check.PriceList, grid: Grid) -> np.ndarray:
    """The step in the tier that each pair is in."""
    every = np.arange(len(laid.price))
    return _steps(asked.pairs.band_low[every, laid.tier], asked.pairs.band_high[every, laid.tier], grid)


def _chosen_cells(rows: Elastic, laid: check.PriceList) -> np.ndarray:
    mine = np.zeros(len(rows.cell_pair), bool)
    mine[rows.cell_of[np.arange(len(laid.price)), laid.tier]] = True
    return mine


def _no_cell(rows: Elastic) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of columns with no cell open, no rule giving way, ends of groups free."""
    lower, upper = np.zeros(rows.columns), np.zeros(rows.columns)
    lower[rows.slack + len(rows.rule_ids) :], upper[rows.slack + len(rows.rule_ids) :] = -np.inf, np.inf
    return lower, upper


def _program(
    rows: Elastic,
    laid: check.PriceList,
    step: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    integers: np.ndarray,
    tighter: float,
    time_limit: float,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Prices and tiers of the least objective, every rule a row, prices counted in steps."""
    asked, cells = rows.asked, len(rows.cell_pair)
    has_grid, size = step > 0, np.where(step > 0, step, 1.0)
    solved, baseline = laid.price.astype(float)[rows.cell_pair], asked.pairs.baseline_price[rows.cell_pair]
    scale = np.ones(rows.columns)
    scale[:cells] = size / rows.rate  # share of the benchmark in one step
    matrix = rows.matrix.copy()
    matrix.data = _significant(matrix.data * scale[matrix.indices])
    _whole_bands(rows, matrix, size, has_grid)
    moved = asked.objective.deviation_weight * np.sign(solved - baseline)
    dear = {"min_deviation": moved, "min_spend_plus_deviation": 1.0 + moved}.get(asked.objective.type, 1.0)
    cost = np.zeros(rows.columns)
    cost[:cells] = dear * asked.pairs.volume[rows.cell_pair] * size
    ends = [np.where(np.isfinite(end), end, 0) for end in (rows.row_low, rows.row_high)]
    inward = np.where(np.isfinite(rows.row_low) & np.isfinite(rows.row_high), 0.0, tighter)
    row_low, row_high = rows.row_low + inward * np.abs(ends[0]), rows.row_high - inward * np.abs(ends[1])
    status, solver = run(matrix, row_low, row_high, cost, lower, upper, integers, time_limit, NEAR)
    if status not in ("optimal", "feasible"):
        return None
    value = np.array(solver.getSolution().col_value)
    chosen = value[cells : 2 * cells] > 0.5
    tier = np.zeros(len(laid.price), np.int64)
    tier[rows.cell_pair[chosen]] = rows.cell_tier[chosen]
    return _amounts(value[:cells][chosen], step[chosen], laid.price), tier


def _whole_bands(rows: Elastic, matrix: sparse.csr_matrix, size: np.ndarray, has_grid: np.ndarray) -> None:
    """Writes the bands as whole steps: n ≥ 105·a in place of n ÷ 113.5 ≥ 0.92·a. HiGHS 1.15.1 finds such rows of fractions
    impossible, or a dearer list optimal, that are possible and cheaper (2026-11-26: 237 pairs, presolve on and off disagreed)."""
    cells, pairs = len(rows.cell_pair), rows.asked.pairs
    cell = np.flatnonzero(has_grid)
    low = np.ceil(pairs.band_low[rows.cell_pair, rows.cell_tier] / size - 1e-9)[cell]
    high = np.floor(pairs.band_high[rows.cell_pair, rows.cell_tier] / size + 1e-9)[cell]
    for first, limit in ((len(pairs), low), (len(pairs) + cells, high)):
        for column, value in ((rows.share[cell], np.ones(len(cell))), (rows.binary[cell], -limit)):
            matrix.data[_places(matrix, first + cell, column)] = value


def _places(matrix: sparse.csr_matrix, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Where the entries (row, column) stand in the matrix's data; rows hold two entries each."""
    start = matrix.indptr[row]
    return np.where(matrix.indices[start] == column, start, start + 1)


def _significant(values: np.ndarray) -> np.ndarray:
    """To twelve digits, so that rate × (step ÷ rate) is the step and not its neighbour."""
    size = 10.0 ** (11 - np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0)))
    return np.round(values * size) / size


def _steps_of_cells(rows: Elastic, grid: Grid) -> np.ndarray:
    """The step in each cell (pair and tier)."""
    pairs = rows.asked.pairs
    return _steps(pairs.band_low[rows.cell_pair, rows.cell_tier], pairs.band_high[rows.cell_pair, rows.cell_tier], grid)


def _steps(low: np.ndarray, high: np.ndarray, grid: Grid) -> np.ndarray:
    """The step in each band: the grid's, a cent where the band holds no multiple of it, 0 where not even that."""
    tried = [STEP["dollar"], STEP["cent"]] if grid == "dollar" else [STEP["cent"]]
    return np.array(
        [
            float(next((one for one in tried if _to(top, one, ROUND_FLOOR) >= bottom), 0))
            for bottom, top in zip(check.decimals(low), check.decimals(high), strict=True)
        ]
    )


def _made(asked: Instance, before: pd.DataFrame, frame: pd.DataFrame, grid: Grid, how: str) -> Rounded:
    laid, _ = check.lay(asked, before)
    assert laid is not None  # it was laid before
    move = np.abs(frame["price"].to_numpy() - laid.price)
    return Rounded(
        prices=frame,
        grid=grid,
        spend=check.spend(asked, frame),
        cost=check.objective(asked, frame) - check.objective(asked, before),
        moved_pairs=int((move > 0).sum()),
        largest_move=max(move.tolist(), default=Decimal(0)),
        finer_pairs=sum(price % STEP[grid] != 0 for price in frame["price"]),
        how=how,
    )
