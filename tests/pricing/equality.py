"""Arrays laid against the Pyomo model, row by row.

The two differ in four known ways, which are undone here and nowhere else: arrays count prices in units of the benchmark and
rows in units of their scale; they say "at least this tier" where Pyomo says "this tier"; they have cut the bands by the
rules about single pairs instead of keeping those rows; and they write a provider's revenue as its index times its benchmark
revenue. Everything else must be the same, number by number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from optimization.pricing.assembly import Arrays
from optimization.pricing.hull import build
from optimization.pricing.instance import Instance
from optimization.pricing.model import model

Row = tuple[dict[Any, float], float, float]
FOLDED = {"legal_band", "minimum_price", "largest_change"}


def differences(asked: Instance) -> list[str]:
    """Rows, bounds and costs that are not the same; empty if the arrays are the Pyomo model."""
    arrays, said = build(asked), model(asked)
    ours, theirs = rows_of_arrays(asked, arrays), rows_of_pyomo(asked, said, arrays)
    found = [f"only in the arrays: {name}" for name in sorted(ours.keys() - theirs.keys(), key=str)]
    found += [f"only in Pyomo: {name}" for name in sorted(theirs.keys() - ours.keys(), key=str)]
    for name in ours.keys() & theirs.keys():
        left, right = normal(ours[name]), normal(theirs[name])
        if left[0].keys() != right[0].keys() or not close(left, right):
            found.append(f"{name}: {left} against {right}")
    return found


def rows_of_arrays(asked: Instance, arrays: Arrays) -> dict[Any, Row]:
    """Rows by (name, key) in Pyomo's columns: dollars, and tiers instead of steps."""
    column = columns(asked, arrays)
    made: dict[Any, Row] = {}
    matrix = arrays.matrix
    for name, block in arrays.rows.items():
        if name == "tier_order":
            continue  # says that tier ≥ 0
        for at, key in zip(block.all, block.keys.tolist(), strict=True):
            terms: dict[Any, float] = {}
            for n in range(matrix.indptr[at], matrix.indptr[at + 1]):
                for variable, factor in column[matrix.indices[n]]:
                    terms[variable] = terms.get(variable, 0.0) + factor * matrix.data[n]
            made[name, *key] = as_at_least(asked, arrays, (terms, arrays.row_low[at], arrays.row_high[at]))
    index = {key[1]: made[key][0] for key in made if key[0] == "price_index"}
    for key in [key for key in made if key[0] in ("revenue_floor", "largest_loss", "savings_target")]:
        terms, low, high = made[key]
        spread: dict[Any, float] = {}
        for variable, value in terms.items():
            within = index[variable[1]] if variable[0] == "provider_index" else {variable: 1.0}
            for inner, factor in within.items():
                if inner != variable or variable[0] != "provider_index":
                    spread[inner] = spread.get(inner, 0.0) + value * factor
        made[key] = (spread, low, high)
    cost: dict[Any, float] = {}
    for at, value in enumerate(arrays.cost):
        for variable, factor in column[at]:
            cost[variable] = cost.get(variable, 0.0) + factor * value
    made["objective",] = as_at_least(asked, arrays, (cost, -arrays.offset, -arrays.offset))
    return made


def columns(asked: Instance, arrays: Arrays) -> dict[int, list[tuple[Any, float]]]:
    """Each array column in Pyomo's variables: what it is per dollar, or per tier."""
    rate, pairs = asked.pairs.medicare_rate, asked.pairs
    result: dict[int, list[tuple[Any, float]]] = {}
    for name, block in arrays.columns.items():
        for n, (at, key) in enumerate(zip(block.all, block.keys.tolist(), strict=True)):
            if name == "price":
                result[at] = [(("price", key[0]), 1 / rate[key[0]])]
            elif name == "at_least":
                result[at] = [(("at_least", key[0], key[1]), 1.0)]
            elif name == "lowest_price":
                q, r = asked.of("regional_spread").subject[key[0]]
                members = (pairs.procedure == q) & (asked.pair_region == r)
                result[at] = [(("lowest_price", key[0]), 1 / rate[members].mean())]
            elif name == "piece":
                result[at] = [(("piece", n), 1 / rate[key[0]])]
            else:
                result[at] = [((name, *key), 1.0)]
    return result


def as_at_least(asked: Instance, arrays: Arrays, row: Row) -> Row:
    """A row in one form: tiers written as steps above the lowest open tier, constants moved to the limits."""
    terms, low, high = row
    made: dict[Any, float] = {}
    shift = 0.0
    for variable, value in terms.items():
        if variable[0] == "tier":
            _, p, t = variable
            for tier, sign in ((t, 1.0), (t + 1, -1.0)):
                column = arrays.at_least[p, tier] if tier < len(asked.tiers) else -2
                if column == -1:
                    shift += sign * value
                elif column >= 0:
                    key = (
                        "at_least",
                        p,
                        int(arrays.columns["at_least"].keys[column - arrays.columns["at_least"].first][1]),
                    )
                    made[key] = made.get(key, 0.0) + sign * value
        else:
            made[variable] = made.get(variable, 0.0) + value
    return {key: value for key, value in made.items() if abs(value) > 1e-9}, low - shift, high - shift


def rows_of_pyomo(asked: Instance, said: pyo.ConcreteModel, arrays: Arrays) -> dict[Any, Row]:
    """Rows by (name, key) in positions, with the rules about single pairs folded into the bands as the arrays do it."""
    place = {name: at for at, name in enumerate(said.price)}
    known: dict[int, tuple[Any, ...]] = {}
    for variable in said.component_objects(pyo.Var):
        for index, data in variable.items():
            key = index if isinstance(index, tuple) else (index,)
            known[id(data)] = (
                variable.name,
                *(place.get(part, part) if variable.name in ("price", "tier") else part for part in key),
            )
    made: dict[Any, Row] = {}
    ids = {table.ids[n]: n for table in asked.rules.values() for n in range(len(table))}
    for constraint in said.component_objects(pyo.Constraint):
        for number, (index, data) in enumerate(constraint.items()):
            low = -np.inf if data.lower is None else pyo.value(data.lower)
            high = np.inf if data.upper is None else pyo.value(data.upper)
            terms = terms_of(data.body, known)
            key = index if isinstance(index, tuple) else (index,)
            if constraint.name in ("tier_choice", "tier_band", "tier_band_low", "tier_band_high"):
                key = (place[index],)
            elif constraint.name == "tier_piece":
                piece = arrays.columns["piece"].keys[number]
                key = tuple(piece.tolist())
            elif index in ids:
                key = (ids[index],)
            if constraint.name in FOLDED:
                assert len(terms) == 1
                continue
            if constraint.name in ("tier_band_low", "tier_band_high"):
                terms = cut(asked, constraint.name, key[0], terms)
            row = as_at_least(asked, arrays, (terms, low, high))
            if constraint.name == "tier_choice":
                assert not row[0] and abs(row[1]) < 1e-12, "exactly one tier is what at_least says by itself"
                continue
            if constraint.name == "tier_rule" and high < 1:
                assert not row[0], "a forbidden tier is closed in the arrays"
                continue
            if holds_by_itself(constraint.name, row):
                continue
            made[constraint.name, *key] = row
    repn = generate_standard_repn(said.objective.expr)
    terms = {known[id(v)]: c for c, v in zip(repn.linear_coefs, repn.linear_vars, strict=True)}
    made["objective",] = as_at_least(asked, arrays, (terms, -repn.constant, -repn.constant))
    return made


def cut(asked: Instance, name: str, p: int, terms: dict[Any, float]) -> dict[Any, float]:
    """A band's row after legal bands, minimum prices and largest changes, read from the rules' tables one by one."""
    lows, highs = [], []
    for kind in FOLDED:
        table = asked.of(kind)
        mine = table.subject[:, 0] == p
        lows += table.low[mine].tolist()
        highs += table.high[mine].tolist()
    made = {}
    for key, value in terms.items():
        if key[0] == "tier":
            value = -max([-value, *lows]) if name.endswith("low") else -min([-value, *highs])
        made[key] = value
    return made


def holds_by_itself(name: str, row: Row) -> bool:
    """A cap on more pairs than are in the lowest tier's reach: the arrays leave such rows out."""
    terms, low, high = row
    most = sum(max(value, 0.0) for value in terms.values())
    return name == "lowest_tier_cap" and most <= high + 1e-9


def terms_of(body: Any, known: dict[int, tuple[Any, ...]]) -> dict[Any, float]:
    repn = generate_standard_repn(body)
    return {known[id(v)]: float(c) for c, v in zip(repn.linear_coefs, repn.linear_vars, strict=True)}


def normal(row: Row) -> Row:
    """A row divided by its largest coefficient, with a sign by its first column."""
    terms, low, high = row
    if not terms:
        return row
    lead = terms[min(terms, key=str)]
    scale = max(abs(value) for value in terms.values()) * np.sign(lead)
    ends = sorted((low / scale, high / scale))
    return {key: value / scale for key, value in terms.items()}, ends[0], ends[1]


def close(left: Row, right: Row) -> bool:
    values = [(left[0][key], right[0][key]) for key in left[0]] + [(left[1], right[1]), (left[2], right[2])]
    return all(a == b or abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b)) for a, b in values)
