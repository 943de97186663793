"""A study as files: a report in HTML and Markdown with its plots, the price list as CSV, and the prices as CMS's JSON.

Belongs here: what a report says and in which order, and writing the folder. Does not: the figures in it (explain.py,
rule_cost.py, frontier.py, robust.py, conflict.py), how a page is written (page.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from optimization.pricing import check, explain, plots, transparency
from optimization.pricing.conflict import Conflict
from optimization.pricing.frontier import Frontier
from optimization.pricing.instance import Instance
from optimization.pricing.page import Block, Grid, Heading, Picture, Words, as_html, as_markdown
from optimization.pricing.study import Study

SHOWN_PROVIDERS, SHOWN_CAPS, SHOWN_RULES, SHOWN_COSTS, SHOWN_PRICES = 10, 20, 40, 30, 40
STATUS = {
    "optimal": "solved to the gap asked for",
    "feasible": "the time limit came before the gap asked for; the list keeps every rule",
    "infeasible": "impossible: no price list keeps all rules",
    "no_answer": "no price list was found in the time given",
}


def write(done: Study, folder: Path, *, today: dt.date | None = None, hospital: str | None = None) -> list[Path]:
    """Writes the report's files into the folder and returns them. `hospital`: also that provider's standard charges file. Raises
    transparency.TransparencyError where the scenario asks for CMS's files and a provider has no stated NPI."""
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    blocks = list(page(done))
    title = (
        f"{done.scenario.scenario}: proposed prices" if done.has_prices else f"{done.scenario.scenario}: no price list"
    )
    written = [_text(folder / "report.html", as_html(title, blocks)), _text(folder / "report.md", as_markdown(blocks))]
    for block in blocks:
        if isinstance(block, Picture):
            path = folder / "plots" / f"{block.name}.png"
            path.write_bytes(block.png)
            written.append(path)
    if done.has_prices:
        written.append(_text(folder / "prices.csv", price_csv(done.asked, done.prices, done.answer.prices)))
        if done.scenario.transparency is not None:
            written += _transparency(done, folder, today or dt.date.today(), hospital)
    return written


def price_csv(asked: Instance, prices: pd.DataFrame, solved: pd.DataFrame | None = None) -> str:
    """One line per pair; prices with the decimals they have. `claimhouse price check` reads it again."""
    frame = explain.changes(asked, prices, solved)
    frame["price"] = [f"{price:f}" for price in frame["price"]]
    columns = [
        "provider", "procedure", "region", "tier_before", "tier", "baseline_price", "price", "change", "volume",
        "revenue_change", "medicare_rate", "binding_rules",
    ]  # fmt: skip
    return frame[columns].round({"change": 6, "revenue_change": 2}).to_csv(index=False, lineterminator="\n")


def page(done: Study) -> Iterator[Block]:
    """The report, block by block."""
    scenario, answer = done.scenario, done.answer
    yield Heading(scenario.scenario, 1)
    yield Words(scenario.about)
    yield Words(_verdict(done))
    yield from _facts(done)
    if done.conflict is not None:
        yield from conflict_blocks(done.asked, done.conflict)
    if done.has_prices:
        yield from _of_prices(done)
    for found in done.frontiers.values():
        yield from _of_frontier(found)
    yield from _rules(done.asked)
    if len(answer.history) > 2:
        yield Heading("How the solver closed in")
        yield Picture("solver", "Best list and bound over the seconds of the search", plots.bound_and_incumbent(answer))


def _verdict(done: Study) -> str:
    if not done.has_prices:
        return f"{STATUS[done.answer.status].capitalize()}. {' '.join(done.notes)}".strip()
    whole = explain.totals(done.asked, done.prices)
    verb = "falls" if whole.savings >= 0 else "rises"
    return (
        f"Spend {verb} from {whole.baseline_spend:,.2f} to {whole.spend:,.2f} {done.asked.currency} a year: savings of "
        f"{whole.savings:,.2f} ({whole.savings_share:.2%}). Of {whole.pairs:,} prices of {whole.providers:,} providers "
        f"{whole.cheaper:,} fall, {whole.dearer:,} rise and {whole.unchanged:,} stay. Every rule was checked again in decimals, "
        f"by code that does not use the model: none is broken."
    )


def _facts(done: Study) -> Iterator[Block]:
    answer, asked = done.answer, done.asked
    rows: list[tuple[str, str]] = [
        ("status", f"{answer.status}: {STATUS[answer.status]}"),
        ("objective", f"{asked.objective.type}" + ("" if answer.objective is None else f", {answer.objective:,.6f}")),
        ("best bound", "–" if answer.best_bound is None else f"{answer.best_bound:,.6f}"),
        (
            "relative gap",
            "–" if answer.relative_gap is None else f"{answer.relative_gap:.6%} (asked: {answer.gap_asked:.4%})",
        ),
        ("solver", f"{answer.solver} {answer.solver_version}, {answer.seconds:.2f} s"),
        (
            "question",
            f"{len(asked.pairs):,} pairs, {sum(map(len, asked.rules.values())):,} rules, fingerprint {answer.fingerprint}",
        ),
    ]
    if done.rounded is not None:
        made = done.rounded
        finer = f"; {made.finer_pairs:,} keep a finer price, their band has no whole one" if made.finer_pairs else ""
        rows.append(
            (
                "rounded",
                f"to whole {made.grid}s, {made.how}: {made.cost:+,.4f} on the objective, no price moved by more than {made.largest_move:.6f}{finer}",
            )
        )
    if asked.elasticity is not None:
        rows.append(
            (
                "volumes",
                f"answer to price (elasticity: {asked.elasticity.source}); spend counts the straight line within each band",
            )
        )
    else:
        rows.append(("volumes", "as stated; they do not answer to price"))
    yield Grid(pd.DataFrame(rows, columns=["", " "]))
    if done.notes and done.has_prices:
        yield Words(" ".join(done.notes))


def _of_prices(done: Study) -> Iterator[Block]:
    asked, prices = done.asked, done.prices
    changes = explain.changes(asked, prices, done.answer.prices)
    of_provider = explain.providers(asked, prices)
    yield Heading("Where prices stand")
    yield Picture(
        "benchmark",
        "Spend by price as a multiple of the benchmark rate, today and proposed",
        plots.prices_against_benchmark(changes),
    )
    moves = explain.tier_moves(asked, prices)
    yield Picture(
        "tiers",
        "Pairs in each tier as proposed, by where today's price lies",
        plots.tiers_before_and_after(asked, moves),
    )
    yield Grid(moves)
    yield Heading("Who loses and who wins")
    yield Picture(
        "providers",
        "Change of revenue by provider, the largest losers and winners",
        plots.providers_by_change(of_provider),
    )
    columns = [
        "provider",
        "region",
        "specialty",
        "quality_stars",
        "revenue_before",
        "revenue_after",
        "change",
        "change_share",
        "index_before",
        "index_after",
    ]
    ends = (
        of_provider
        if len(of_provider) <= 2 * SHOWN_PROVIDERS
        else pd.concat([of_provider.head(SHOWN_PROVIDERS), of_provider.tail(SHOWN_PROVIDERS)])
    )
    ends = ends[columns].assign(quality_stars=[int(stars) or None for stars in ends["quality_stars"]])
    yield Grid(ends, decimals=(("index_before", 3), ("index_after", 3)), shares=("change_share",))
    caps = explain.caps(asked, prices)
    if len(caps):
        yield Heading("Spreads against their caps")
        yield Words("Spreads of the prices themselves: largest minus smallest.")
        yield Picture(
            "spreads",
            "Spread today and proposed as a share of its cap, the fullest first",
            plots.spreads_against_caps(caps),
        )
        yield Grid(caps.head(SHOWN_CAPS), shares=("used",))
    yield from _binding(asked, done.answer.prices)
    if done.costs is not None and len(done.costs):
        yield from _costs(done.costs)
    if done.robustness is not None:
        yield from _robust(done)
    yield Heading("Prices")
    largest = changes.assign(spend=changes["volume"] * changes["baseline_price"]).sort_values(
        "spend", ascending=False, kind="stable"
    )
    yield Words(
        f"The {min(SHOWN_PRICES, len(largest))} pairs of the largest spend; all {len(largest):,} are in prices.csv."
    )
    shown = [
        "provider",
        "procedure",
        "tier_before",
        "tier",
        "baseline_price",
        "price",
        "change_share",
        "revenue_change",
        "binding_rules",
    ]
    yield Grid(largest.head(SHOWN_PRICES)[shown], shares=("change_share",))


def _binding(asked: Instance, prices: pd.DataFrame) -> Iterator[Block]:
    found = explain.binding(asked, prices)
    yield Heading("Rules that bind")
    if found.empty:
        yield Words("None: the list lies inside every rule; bands of the tiers alone hold it.")
        return
    count = found.groupby("kind").size().rename("at their limit").to_frame()
    count.insert(0, "rules", [len(asked.of(kind)) for kind in count.index])
    yield Grid(count.reset_index())
    yield Words(
        f"{'All' if len(found) <= SHOWN_RULES else f'The first {SHOWN_RULES}'} of {len(found):,}; which pairs each holds is in prices.csv."
    )
    shown = found.head(SHOWN_RULES)
    words = [explain.in_words(asked, rule) for rule in shown["id"]]
    yield Grid(pd.DataFrame({"rule": shown["id"], "says": words, "reason": shown["reason"], "source": shown["source"]}))


def _costs(costs: pd.DataFrame) -> Iterator[Block]:
    yield Heading("What each rule costs")
    yield Words(
        "By solving again with the rule eased by one step of its unit, and without it; the list may then choose other tiers. Savings do "
        "not add up: two rules may guard the same dollars. Each solve stops at the gap asked for, and differences below it are noise."
    )
    if (costs["saved_by_dropping"] > 0).any():
        yield Picture(
            "rule_costs", "Savings if a kind of rules or a single rule were dropped", plots.rules_by_cost(costs)
        )
    kinds = costs["rule"].str.startswith("every ")
    shown = pd.concat([costs[kinds], costs[~kinds].head(SHOWN_COSTS)])
    columns = ["rule", "step", "unit", "saved_by_easing", "saved_by_dropping", "spend_saved_by_dropping", "note"]
    yield Grid(shown[columns])


def _robust(done: Study) -> Iterator[Block]:
    found = done.robustness
    assert found is not None
    yield Heading("If volumes come otherwise")
    missed = (
        ""
        if found.miss_share is None
        else f" The target of {found.target:.2%} is missed in {found.miss_share:.1%} of them."
    )
    yield Words(
        f"{found.draws:,} years drawn ({found.how}; seed {found.seed}): savings of {found.mean:.2%} on average, between {found.low:.2%} and "
        f"{found.high:.2%} in {found.level:.0%} of them ({found.low_amount:,.0f} to {found.high_amount:,.0f} {done.asked.currency}).{missed}"
    )
    yield Picture(
        "robustness", "Savings over drawn volumes, with the interval and the target", plots.savings_drawn(found)
    )


def _of_frontier(found: Frontier) -> Iterator[Block]:
    yield Heading(f"Savings against {found.against}")
    knee = found.knee
    if knee is None:
        yield Words("No knee: the line is straight, or what is given up buys nothing.")
    elif found.against == "fairness":
        yield Words(
            f"The knee is at {knee['setting']:.3g} times today's caps: savings of {knee['savings_share']:.2%}. Wider caps bring less for each step."
        )
    else:
        yield Words(
            f"The knee is at savings of {knee['savings_share']:.2%}, for which prices worth {knee['deviation_share']:.2%} of spend move; "
            "beyond it each dollar saved moves more."
        )
    if found.unproven:
        yield Words(found.unproven)
    yield Picture(
        f"frontier_{found.against}",
        f"Savings against {found.against}, {len(found.points)} points",
        plots.frontier_line(found),
    )
    columns = [
        "setting",
        "status",
        "savings_share",
        "spend",
        "mean_spread",
        "largest_spread",
        "deviation_share",
        "relative_gap",
    ]
    yield Grid(
        found.points[columns],
        decimals=(("setting", 4), ("mean_spread", 1), ("largest_spread", 1), ("relative_gap", 4)),
        shares=("savings_share", "mean_spread", "largest_spread", "deviation_share", "relative_gap"),
    )


def conflict_blocks(asked: Instance, found: Conflict) -> Iterator[Block]:
    """Why a question is impossible, and the ways out."""
    yield Heading("Why it is impossible")
    if not found.rules:
        yield Words(found.note)
        return
    size = "No conflict has fewer rules." if found.is_smallest else found.note
    discrete = (
        " It exists only because tiers are discrete: prices between the tiers would keep all of them."
        if found.only_because_tiers_are_discrete
        else ""
    )
    yield Words(
        f"No price list keeps these {len(found.rules)} rules together, whatever the others say. {size}{discrete}"
    )
    yield Grid(said(asked, found.rules))
    yield Heading("The least change of one rule that resolves everything", 3)
    rows = [(one.rule, one.amount, one.unit, one.note) for one in found.single]
    yield Grid(pd.DataFrame(rows, columns=["rule", "by", "unit", "note"]), decimals=(("by", 4),))
    yield Heading("The cheapest change of several", 3)
    if found.joint_cost is None:
        yield Words(found.note or "None was found.")
        return
    yield Words(
        f"At what a unit of each rule is worth, the cheapest way out costs {found.joint_cost:,.2f}. Weights are dollars at stake unless the "
        "scenario sets them (repairs → weights)."
    )
    rows2 = [
        (one.rule, one.amount, one.unit, found.weights[one.rule], (one.amount or 0) * found.weights[one.rule])
        for one in found.joint
    ]
    yield Grid(pd.DataFrame(rows2, columns=["rule", "by", "unit", "weight", "cost"]), decimals=(("by", 4),))


def said(asked: Instance, ids: tuple[str, ...] | list[str]) -> pd.DataFrame:
    """What these rules say: rule, what it says, reason, source."""
    frame = asked.rule_frame().set_index("id")[["reason", "source"]].loc[list(ids)]
    frame.insert(0, "says", [explain.in_words(asked, one) for one in ids])
    return frame.reset_index().rename(columns={"id": "rule"})


def _rules(asked: Instance) -> Iterator[Block]:
    yield Heading("Rules that were asked")
    frame = asked.rule_frame()
    if frame.empty:
        yield Words("None beyond the bands of the tiers.")
        return
    made = frame.groupby("kind", sort=False).agg(rules=("id", "size"), reason=("reason", _few), source=("source", _few))
    yield Grid(made.reset_index())


def _few(texts: pd.Series) -> str:
    """The different texts, or how many there are."""
    found = [text for text in dict.fromkeys(texts) if text]
    return "; ".join(found) if len(found) <= 3 else f"{'; '.join(found[:2])}; and {len(found) - 2} others"


def _transparency(done: Study, folder: Path, today: dt.date, hospital: str | None) -> list[Path]:
    about = done.scenario.transparency
    assert about is not None  # asked for
    made = [
        _text(
            folder / file_name(about, today), transparency.written(transparency.in_network(done.prices, about, today))
        )
    ]
    if hospital is not None:
        document = transparency.standard_charges(done.prices, hospital, about, today)
        made.append(_text(folder / f"{_dashed(hospital)}_standardcharges.json", transparency.written(document)))
    return made


def file_name(about: transparency.Transparency, today: dt.date) -> str:
    """As the guide names them: day, issuer, plan, kind of file."""
    return f"{today}_{_dashed(about.issuer_name or about.entity_name)}_{_dashed(about.plan_name)}_in-network-rates.json"


def _dashed(text: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text).split()).lower()


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def findings_frame(findings: list[check.Finding]) -> pd.DataFrame:
    """Broken rules as a table: rule, kind, measured, limit, missed_by, unit."""
    rows = [(one.rule, one.kind, one.measured, one.limit, one.by, one.unit) for one in findings]
    return pd.DataFrame(rows, columns=["rule", "kind", "measured", "limit", "missed_by", "unit"])
