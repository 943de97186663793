"""How the verbs `price …` print: studies, frames, bounds and prices as text.

Belongs here: what a person sees of an answer on the terminal. Does not: options and verbs (price.py), anything about prices.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dagster_project.cli.terminal import console, table

if TYPE_CHECKING:
    import pandas as pd

    from optimization.pricing.frontier import Frontier
    from optimization.pricing.study import Study

FRONTIER_COLUMNS = {
    "savings_share": "{:.2%}", "spend": "{:,.2f}", "mean_spread": "{:.1%}", "largest_spread": "{:.1%}",
    "deviation_share": "{:.2%}", "relative_gap": "{:.2%}",
}  # fmt: skip
UNPROVEN = {"optimal": "", "feasible": "not proven", "no_answer": "none found", "infeasible": "impossible"}


def side_by_side(*columns: Iterable[object]) -> list[list[object]]:
    """Columns of one length as the rows of a table."""
    return [list(row) for row in zip(*columns, strict=True)]


def show_study(done: Study) -> None:
    """Totals and the first prices; where there are none, why."""
    from optimization.pricing import report as pages
    from optimization.pricing.page import Grid, Heading, Words

    out = console()
    answer = done.answer
    if done.has_prices:
        row = totals_row(done)
        table(done.scenario.scenario, ["", ""], [[name.replace("_", " "), value] for name, value in row.items()])
        shown = done.prices.head(40)
        table(
            "Prices" if len(shown) == len(done.prices) else f"The first {len(shown)} of {len(done.prices):,} prices",
            ["provider", "procedure", "tier", "price"],
            side_by_side(shown["provider"], shown["procedure"], shown["tier"], map(price_text, shown["price"])),
            left=3,
        )
        for note in done.notes:
            out.print(note, markup=False)
        return
    out.print(f"{done.scenario.scenario}: {pages.STATUS[answer.status]}. {' '.join(done.notes)}".strip(), markup=False)
    if done.conflict is not None:
        for block in pages.conflict_blocks(done.asked, done.conflict):
            if isinstance(block, Heading):
                out.print(f"\n[bold]{block.text}[/bold]")
            elif isinstance(block, Words):
                out.print(block.text, markup=False)
            elif isinstance(block, Grid):
                show_frame("", block.frame.drop(columns="source", errors="ignore"))


def totals_row(done: Study) -> dict[str, Any]:
    """What is told of a study in one look, by name."""
    from optimization.pricing.explain import totals

    answer = done.answer
    made: dict[str, Any] = {
        "status": answer.status,
        "objective": None if answer.objective is None else f"{answer.objective:,.6f}",
        "best_bound": None if answer.best_bound is None else f"{answer.best_bound:,.6f}",
        "relative_gap": None if answer.relative_gap is None else f"{answer.relative_gap:.6%}",
        "baseline_spend": done.asked.baseline_spend,
    }
    if done.has_prices:
        whole = totals(done.asked, done.prices)
        made |= {"spend": whole.spend, "savings": whole.savings, "savings_share": f"{whole.savings_share:.4%}"}
        made |= {
            "prices_that_fall": whole.cheaper,
            "prices_that_rise": whole.dearer,
            "prices_that_stay": whole.unchanged,
        }
    if done.robustness is not None and done.robustness.miss_share is not None and done.scenario.source.instance is None:
        made["draws_that_miss_the_target"] = f"{done.robustness.miss_share:.1%}"
    if done.rounded is not None:
        made["rounded"] = f"to whole {done.rounded.grid}s, {done.rounded.cost:+.4f} on the objective"
    return made | {"seconds": f"{answer.seconds:.2f}", "solver": f"{answer.solver} {answer.solver_version}"}


def show_frame(title: str, frame: pd.DataFrame) -> None:
    """Words to the left, numbers to the right."""
    words = {
        place
        for place, name in enumerate(frame.columns)
        if all(value is None or isinstance(value, str) for value in frame[name])
    }
    names = [str(name).replace("_", " ") for name in frame.columns]
    table(title, names, side_by_side(*(map(_shown, frame[name]) for name in frame.columns)), left=words)


def _shown(value: object) -> object:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, float | Decimal):
        return price_text(value)
    return value


def price_text(value: object) -> str:
    """At least two decimals, and no digits of noise."""
    whole, _, rest = f"{float(str(value)):,.6f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def show_frontier(found: Frontier) -> None:
    """Its points, one a line, with the knee and what is not proven."""
    curve = found.points
    table(
        f"Savings against {found.against}",
        [
            "caps ×" if found.against == "fairness" else "target",
            "savings",
            "spend",
            "mean spread",
            "largest",
            "moved",
            "gap",
            "",
        ],
        side_by_side(
            curve["setting"].map("{:.4f}".format),
            *(
                curve[column].map(form.format).where(curve[column].notna(), "–")
                for column, form in FRONTIER_COLUMNS.items()
            ),
            curve["is_knee"].map({True: "knee ", False: ""}) + curve["status"].map(UNPROVEN),
        ),
        left=0,
    )


def two(value: object) -> str:
    """Two decimals."""
    return f"{float(str(value)):,.2f}"


def bounds(low: float, high: float) -> str:
    """What a rule allows: `≥ 1.00, ≤ 2.00`; a dash where there is no such rule."""
    if low != low and high != high:
        return "–"
    sides = ([f"≥ {price_text(low)}"] if low > float("-inf") else []) + (
        [f"≤ {price_text(high)}"] if high < float("inf") else []
    )
    return ", ".join(sides)
