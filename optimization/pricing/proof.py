"""What the relaxation proves of an impossible question: which rules it needs, and how much each of them gives to the proof.

Belongs here: the question without tiers as rows with slacks, the ray of an impossible LP (Farkas), what is left of it without a rule.
Does not: what only discrete tiers make impossible (large_conflict.py), the rows themselves (elastic.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from scipy import sparse

from optimization.pricing.elastic import Elastic, run
from optimization.pricing.instance import Instance, Pairs

ABOUT_TIERS = ("tier_rule", "lowest_tier_cap", "family_tiers")
NOTHING = 1e-9  # of the largest: a rule with a smaller part in the ray has none


def without_tiers(asked: Instance) -> Instance:
    """The question with one band per pair, from its lowest price in any tier to its highest, and without the rules about tiers.

    What is impossible so is impossible with tiers, and a quarter of the size. Unlike decompose.without_tiers the bands are not cut
    by any rule, since a rule that is at fault must be named. Volumes that answer to price need their tiers; then it stays as it is.
    """
    if asked.elasticity is not None:
        return asked
    pairs = asked.pairs
    low, high = np.nanmin(pairs.band_low, axis=1), np.nanmax(pairs.band_high, axis=1)
    columns = (pairs.provider, pairs.procedure, pairs.volume, pairs.baseline_price, pairs.medicare_rate)
    kept = {kind: table for kind, table in asked.rules.items() if kind not in ABOUT_TIERS}
    return replace(asked, tiers=("any",), pairs=Pairs(*columns, low[:, None], high[:, None]), rules=kept)


def parts_of_proof(asked: Instance, rules: Collection[str] | None = None) -> dict[str, float]:
    """Rules whose relaxation is impossible, each with what the proof loses without it, as a share of the proof; empty where the
    relaxation is possible. A share of one or more: the proof is none without the rule. `rules`: just these are asked of."""
    rows = Elastic(asked if rules is None else asked.only(rules))
    ray = _ray(rows)
    if ray is None:
        return {}
    count = len(rows.rule_ids)
    of_rule = abs(rows.matrix[:, rows.slack : rows.slack + count].T).sign()  # (rules, rows)
    used = of_rule @ np.abs(ray)
    needed = np.flatnonzero(used > NOTHING * used.max(initial=0))
    lost = _lost(rows, ray, of_rule)
    return {rows.rule_ids[place]: float(lost[place]) for place in needed}


def _ray(rows: Elastic) -> np.ndarray | None:
    lower, upper = np.zeros(rows.columns), np.full(rows.columns, np.inf)
    lower[rows.slack + len(rows.rule_ids) :] = -np.inf
    upper[rows.binary] = 1
    upper[rows.slack : rows.slack + len(rows.rule_ids)] = 0
    cost = np.zeros(rows.columns)
    status, solver = run(rows.matrix, rows.row_low, rows.row_high, cost, lower, upper, None, None, 0.0, presolve="off")
    if status != "infeasible":
        return None
    _, has_ray, ray = solver.getDualRay()  # type: ignore[attr-defined]  # absent from its stubs
    return np.asarray(ray) if has_ray else None


def _lost(rows: Elastic, ray: np.ndarray, of_rule: sparse.csr_matrix) -> np.ndarray:
    """Per rule the share of the proof's value that goes with it. The value: what the rows ask for, less what columns can give.

    Rows of choice and band stand first; what they hold is said by the ends of each column instead, which answer anew to a changed ray.
    """
    cells, pairs = len(rows.cell_pair), rows.asked.pairs
    own = ray.copy()
    own[: len(pairs) + 2 * cells] = 0
    ends = [band[rows.cell_pair, rows.cell_tier] / rows.rate for band in (pairs.band_low, pairs.band_high)]
    most = float(np.max(pairs.band_high[pairs.allowed], initial=1.0))
    low, high = np.zeros(rows.columns), np.full(rows.columns, most)
    low[:cells], high[:cells] = ends
    low[rows.binary], high[rows.binary] = (1, 1) if len(rows.asked.tiers) == 1 else (0, 1)
    high[rows.slack : rows.slack + len(rows.rule_ids)] = 0

    def asked_for(weight: np.ndarray) -> np.ndarray:
        limit = np.where(weight > 0, rows.row_low, rows.row_high)
        return np.where(np.isfinite(limit) & (weight != 0), limit, 0.0) * weight

    best = None
    for sign in (1.0, -1.0):  # HiGHS does not say which way round its ray is
        weight = sign * own
        held = np.where(weight > 0, np.isfinite(rows.row_low), np.isfinite(rows.row_high))
        weight = np.where(held, weight, 0.0)
        given = rows.matrix.T @ weight
        value = asked_for(weight).sum() - np.maximum(given * low, given * high).sum()
        if best is None or value > best[0]:
            best = value, weight, given
    assert best is not None
    value, weight, given = best
    mine = of_rule @ sparse.diags(weight) @ rows.matrix  # (rules, columns)
    mine = mine.tocoo()
    left = given[mine.col] - mine.data
    freed = np.maximum(left * low[mine.col], left * high[mine.col])
    freed -= np.maximum(given[mine.col] * low[mine.col], given[mine.col] * high[mine.col])
    lost = of_rule @ asked_for(weight) + np.bincount(mine.row, freed, minlength=of_rule.shape[0])
    return np.asarray(lost / value) if value > 0 else np.abs(of_rule @ np.abs(ray))
