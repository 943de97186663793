"""Each constraint of the Pyomo model: a small golden LP, and what the check says of prices found without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyomo.environ as pyo
import pytest
from pricing_worlds import held_by

from optimization.pricing.check import check
from optimization.pricing.instance import KINDS, Instance
from optimization.pricing.model import CONSTRAINTS, model

GOLDEN = Path(__file__).with_name("golden")
NAMES = [constraint.__name__ for constraint in CONSTRAINTS]


def lp_of(constraint: str, folder: Path) -> str:
    """The LP file of the constraint's own small instance, with all others left out."""
    written = folder / f"{constraint}.lp"
    alone = model(held_by(constraint), drop=[name for name in NAMES if name != constraint])
    alone.write(str(written), io_options={"symbolic_solver_labels": True})
    return written.read_text()


@pytest.mark.parametrize("constraint", NAMES)
def test_a_constraint_is_written_as_its_golden_lp_says(constraint: str, tmp_path: Path):
    golden = GOLDEN / f"{constraint}.lp"
    assert golden.exists(), (
        f"no golden LP: {Path(__file__).name} {constraint} writes one; read it before it is committed"
    )
    text = lp_of(constraint, tmp_path)
    assert f"_{constraint}" in text, "the constraint is not in its own LP"
    assert text == golden.read_text()


def test_every_rule_kind_is_a_constraint_and_no_golden_lp_is_left_over():
    assert set(KINDS) <= set(NAMES)
    assert {path.stem for path in GOLDEN.glob("*.lp")} == set(NAMES)


@pytest.mark.parametrize("constraint", NAMES)
def test_the_check_notices_prices_found_without_a_constraint(constraint: str):
    asked = held_by(constraint)
    assert check(asked, solved(asked)) == []
    found = check(asked, solved(asked, constraint))
    expected = "specialty_spread" if constraint == "price_index" else constraint
    assert expected in {finding.kind for finding in found}, found


def solved(asked: Instance, without: str | None = None) -> pd.DataFrame:
    """Prices of the Pyomo model by Pyomo's own interface to HiGHS."""
    m = model(asked, drop=[] if without is None else [without])
    pyo.SolverFactory("highs").solve(m)
    chosen = {}
    for (pair, tier), variable in m.tier.items():
        if variable.value is not None and variable.value > 0.5:
            chosen[pair] = asked.tiers[tier]
    rows = [(*pair.split(":"), chosen.get(pair), float(variable.value or 0.0)) for pair, variable in m.price.items()]
    return pd.DataFrame(rows, columns=["provider", "procedure", "tier", "price"])


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name in sys.argv[1:] or NAMES:
        lp_of(name, GOLDEN)
