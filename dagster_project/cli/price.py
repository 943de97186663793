"""The verbs `price …`: what to pay each provider for each procedure, why a question is impossible, what rules and savings cost.

Belongs here: options, progress and printing. Does not: anything about prices (optimization/pricing), pairs of the marts (the
warehouse hands them in).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagster_project.cli.data import AsJson
from dagster_project.cli.price_tables import (
    bounds,
    show_frame,
    show_frontier,
    show_study,
    side_by_side,
    totals_row,
    two,
)
from dagster_project.cli.terminal import DONE, SET_ASIDE, Problem, complain, console, show_json, table
from dagster_project.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from optimization.pricing.instance import Instance
    from optimization.pricing.scenario import Scenario
    from optimization.pricing.study import Study

Question = Annotated[
    Path,
    typer.Argument(metavar="SCENARIO.yml|INSTANCE.json", help="A scenario (its file or name), or an instance in JSON."),
]
Seconds = Annotated[float | None, typer.Option("--time-limit", min=0.1, help="Seconds for the solver.")]
Gap = Annotated[float | None, typer.Option(min=1e-12, help="Relative gap to stop at, as 0.0001.")]
Solver = Annotated[str | None, typer.Option(help="highs, or cbc where it is installed.")]


def group() -> typer.Typer:
    """`claimhouse price` with its verbs."""
    made = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    verbs: dict[str, Callable[..., int]] = {
        "solve": solve,
        "compare": compare,
        "frontier": frontier,
        "explain": explain,
        "check": check,
    }
    for name, verb in verbs.items():
        made.command(name)(_told(verb))
    return made


def solve(
    question: Question,
    time_limit: Seconds = None,
    gap: Gap = None,
    solver: Solver = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the report: HTML, Markdown, plots, CSV, CMS's JSON.")
    ] = None,
    hospital: Annotated[
        str | None, typer.Option(help="With --report: this provider's standard charges file as well.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Find the prices of a scenario; where there are none, say which rules collide and what would resolve it."""
    from optimization.pricing import report as pages
    from optimization.pricing.study import as_json as study_json

    scenario, asked, months = _question(question, time_limit, gap, solver)
    done = _study(scenario, asked, months, whole=report is not None)
    written = pages.write(done, report, today=dt.date.today(), hospital=hospital) if report else []
    if as_json:
        show_json({**study_json(done), "report": written})
    else:
        show_study(done)
        if report:
            console().print(f"Report: {report / 'report.html'}", markup=False)
    return DONE if done.has_prices else SET_ASIDE


def compare(a: Question, b: Question, time_limit: Seconds = None, gap: Gap = None, as_json: AsJson = False) -> int:
    """Solve two questions and set their rules, totals and prices side by side."""
    from optimization.pricing import explain as tables
    from optimization.pricing.study import plain

    studies = [_study(*_question(path, time_limit, gap, None), whole=False) for path in (a, b)]
    rules = tables.rules_that_differ(studies[0].asked, studies[1].asked)
    both = all(done.has_prices for done in studies)
    prices = tables.compare(studies[0].asked, studies[0].prices, studies[1].asked, studies[1].prices) if both else None
    totals = [totals_row(done) for done in studies]
    if as_json:
        made: dict[str, Any] = {"totals": totals, "rules_that_differ": plain(rules)}
        show_json(made | {"prices": plain(prices) if prices is not None else None})
        return DONE if both else SET_ASIDE
    names = list(totals[0])
    table("", ["", "A", "B"], [[name.replace("_", " "), totals[0][name], totals[1][name]] for name in names])
    first = rules.head(20)
    table(
        f"Rules that differ ({len(rules):,})",
        ["rule", "unit", "A", "B"],
        side_by_side(
            first["id"],
            first["unit"],
            map(bounds, first["low_a"], first["high_a"]),
            map(bounds, first["low_b"], first["high_b"]),
        ),
        left=2,
    )
    if prices is not None:
        moved = prices[prices["difference"].abs() > 5e-7]
        first = moved.head(20)
        table(
            f"Prices that differ ({len(moved):,} of {len(prices):,} that both have)",
            ["provider", "procedure", "tier A", "price A", "tier B", "price B", "difference", "USD a year"],
            side_by_side(
                first["provider"],
                first["procedure"],
                first["tier_a"],
                map(two, first["price_a"]),
                first["tier_b"],
                map(two, first["price_b"]),
                map(two, first["difference"]),
                map(two, first["revenue_difference"]),
            ),
            left=2,
        )
    return DONE if both else SET_ASIDE


def frontier(
    question: Question,
    against: Annotated[str, typer.Option(help="fairness, disruption or both.")] = "both",
    points: Annotated[int, typer.Option(min=20, help="At least so many.")] = 20,
    time_limit: Annotated[float, typer.Option("--time-limit", min=1, help="Seconds for each frontier.")] = 300,
    gap: Gap = None,
    plots: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the plots and a CSV there.")] = None,
    as_json: AsJson = False,
) -> int:
    """Savings against fairness and against disruption, with the knee."""
    from optimization.pricing import frontier as frontiers
    from optimization.pricing.plots import frontier_line
    from optimization.pricing.study import plain

    known = {"fairness": ["fairness"], "disruption": ["disruption"], "both": ["fairness", "disruption"]}
    if against not in known:
        raise Problem(
            f"there is no frontier against {against!r}",
            "claimhouse price frontier … --against fairness|disruption|both",
        )
    scenario, asked, _ = _question(question, None, gap, None)
    made, missing = {}, {}
    for one in known[against]:
        with _progress(f"Savings against {one}") as tell:
            try:
                made[one] = frontiers.frontier(
                    asked,
                    one,  # type: ignore[arg-type]
                    points=points,
                    gap=scenario.solver.gap,
                    seconds=time_limit,
                    solver=scenario.solver.name,
                    tell=_point_told(tell),
                )
            except frontiers.NoFrontier as error:
                missing[one] = str(error)
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
        for name, found in made.items():
            (plots / f"frontier_{name}.png").write_bytes(frontier_line(found))
            found.points.to_csv(plots / f"frontier_{name}.csv", index=False)
    if as_json:
        show_json({name: plain(found.points) for name, found in made.items()} | {"missing": missing})
        return DONE if made else SET_ASIDE
    for found in made.values():
        show_frontier(found)
        if found.unproven:
            complain(f"{found.unproven} More time may move them: --time-limit.")
    for name, told in missing.items():
        complain(f"no frontier against {name}: {told}")
    return DONE if made else SET_ASIDE


def explain(
    question: Question,
    provider: Annotated[str | None, typer.Option(help="Only this provider's prices.")] = None,
    rule: Annotated[str | None, typer.Option(help="What this rule says, holds and costs.")] = None,
    costs: Annotated[bool, typer.Option("--costs/--no-costs", help="What each rule costs, by solving again.")] = True,
    time_limit: Seconds = None,
    gap: Gap = None,
    as_json: AsJson = False,
) -> int:
    """Say which rules bind, which prices they hold and what they cost; of an impossible question, why it is."""
    from optimization.pricing import explain as tables
    from optimization.pricing import report as pages
    from optimization.pricing.rule_cost import rule_costs
    from optimization.pricing.strict import nearest
    from optimization.pricing.study import as_json as study_json
    from optimization.pricing.study import plain

    scenario, asked, months = _question(question, time_limit, gap, None)
    known = asked.rule_frame()["id"]
    if rule is not None and rule not in set(known):
        raise Problem(
            f"no rule has the id {rule!r}{nearest(rule, known)}", "All of them: claimhouse price explain … --json"
        )
    if provider is not None and provider not in asked.providers:
        raise Problem(f"there is no provider {provider!r}{nearest(provider, asked.providers)}")
    done = _study(scenario, asked, months, whole=False)
    if not done.has_prices:
        if as_json:
            show_json(study_json(done))
        else:
            show_study(done)
        return SET_ASIDE
    changes = tables.changes(asked, done.prices, done.answer.prices)
    if provider is not None:
        changes = changes[changes["provider"] == provider]
    if rule is not None:
        changes = changes[[rule in str(held).split("; ") for held in changes["binding_rules"]]]
    priced = None
    if costs or rule is not None:
        with _progress("Solving again without each rule") as tell:
            seconds = scenario.solver.time_limit
            priced = rule_costs(asked, done.answer, singles=[rule] if rule else None, seconds=seconds, tell=tell)
    binding = tables.binding(asked, done.answer.prices)
    if as_json:
        made: dict[str, Any] = {"totals": totals_row(done), "binding": plain(binding), "prices": plain(changes)}
        show_json(
            made | {"rules": plain(asked.rule_frame()), "rule_costs": plain(priced) if priced is not None else None}
        )
        return DONE
    if rule is not None:
        show_frame("", pages.said(asked, [rule]))
    else:
        shown = pages.said(asked, binding["id"].head(40).tolist())[["rule", "says", "reason"]]
        show_frame(f"Rules at their limit ({len(binding):,})", shown)
    if priced is not None:
        costly = priced[["rule", "saved_by_easing", "saved_by_dropping", "step", "unit", "note"]].head(30)
        show_frame("What rules cost, by solving again", costly)
    columns = ["provider", "procedure", "tier_before", "tier", "baseline_price", "price", "binding_rules"]
    show_frame(f"Prices ({len(changes):,})", changes[columns].head(40))
    return DONE


def check(
    prices: Annotated[Path, typer.Argument(metavar="PRICES.csv", help="provider, procedure, price; tier if known.")],
    question: Question,
    as_json: AsJson = False,
) -> int:
    """Does a price list that someone else made keep the rules, and what does it cost?"""
    from optimization.pricing import check as checking
    from optimization.pricing import explain as tables
    from optimization.pricing import report as pages
    from optimization.pricing.study import plain

    _, asked, _ = _question(question, None, None, None)
    given = _price_list(prices)
    findings = checking.check(asked, given, tolerance=0)
    laid, _ = checking.lay(asked, given)
    totals = tables.totals(asked, given) if laid is not None else None
    found = pages.findings_frame(findings)
    if as_json:
        show_json({"is_kept": not findings, "broken": plain(found), "totals": totals})
        return DONE if not findings else SET_ASIDE
    if totals is not None:
        console().print(
            f"Spend {totals.spend:,.2f} {asked.currency} a year against {totals.baseline_spend:,.2f} today: savings of "
            f"{totals.savings:,.2f} ({totals.savings_share:.2%}).",
            markup=False,
        )
    if not findings:
        console().print(f"Every one of {len(asked.rule_frame()):,} rules is kept, to the last decimal.", markup=False)
        return DONE
    show_frame(f"Broken ({len(found):,})", found.head(40))
    return SET_ASIDE


def _told(verb: Callable[..., int]) -> Callable[..., int]:
    """The verb, with the library's errors told as problems: each says what happened and where."""
    import functools

    @functools.wraps(verb)
    def told(*arguments: Any, **options: Any) -> int:
        from optimization.pricing.instance import NotAnInstance
        from optimization.pricing.scenario import ScenarioError
        from optimization.pricing.transparency import TransparencyError

        try:
            return verb(*arguments, **options)
        except (ScenarioError, TransparencyError) as error:
            raise Problem(str(error), "What a scenario may say: docs/pricing.md", SET_ASIDE) from error
        except NotAnInstance as error:
            raise Problem(str(error), "The form of an instance: docs/pricing.md", SET_ASIDE) from error

    return told


def _question(
    path: Path, time_limit: float | None, gap: float | None, solver: str | None
) -> tuple[Scenario, Instance, pd.DataFrame | None]:
    """The scenario, its instance and past months. An instance in JSON is a scenario that asks for nothing more."""
    from dagster_project.pricing.pairs import find
    from optimization.pricing import forms
    from optimization.pricing import question as asking
    from optimization.pricing.scenario import Scenario, Source, load_scenario
    from optimization.pricing.scenario import Solver as SolverSettings

    path = _found(path)
    if path.suffix in (".yml", ".yaml"):
        scenario = load_scenario(path)
        if scenario.source.marts or scenario.source.ipps:
            found = find(load_settings(), scenario.source, scenario.scenario)
            asked, months = asking.ask(scenario, found.frame), found.months
        else:
            asked, months = asking.ask(scenario), asking.past_months(scenario)
    else:
        asked, months = forms.read(path), None
        scenario = Scenario(
            scenario="instance", about=asked.description or f"{path.name}, as it stands", source=Source(instance=path.name),
            round_to="exact", path=path,
        )  # fmt: skip
    settings = scenario.solver.model_dump()
    given = {"name": solver, "gap": gap, "time_limit": time_limit}
    settings |= {name: value for name, value in given.items() if value is not None}
    if settings["name"] not in ("highs", "cbc"):
        raise Problem(f"there is no solver {settings['name']!r}", "highs, or cbc where it is installed")
    return scenario.model_copy(update={"solver": SolverSettings(**settings)}), asked, months


def _found(path: Path) -> Path:
    """The file itself, or that of the scenario of this name: the house's own, or a demonstration."""
    from dagster_project.pricing.scenarios import scenario_files
    from optimization.pricing.strict import nearest

    if path.is_file():
        return path
    known = {file.scenario_id: file.path for file in scenario_files(load_settings())}
    if str(path) in known:
        return known[str(path)]
    guess = nearest(str(path), known) if path.parent == Path() and not path.suffix else ""
    raise Problem(
        f"there is no file {path}, and no scenario of that name{guess}", f"Scenarios here: {', '.join(known)}"
    )


def _study(scenario: Scenario, asked: Instance, months: pd.DataFrame | None, *, whole: bool) -> Study:
    from optimization.pricing.study import study

    with _progress(scenario.scenario) as tell:
        return study(scenario, asked, months, with_costs=whole, with_frontiers=whole, tell=tell)


class _progress:
    """One line on the terminal that says what is at hand; nothing where errors go to a file."""

    def __init__(self, task: str) -> None:
        self.task = task

    def __enter__(self) -> Callable[[str], None]:
        from rich.console import Console

        out = Console(stderr=True)
        self.status = out.status(self.task) if out.is_terminal else None
        if self.status is None:
            return lambda _: None
        self.status.start()
        return lambda what: self.status.update(f"{self.task}: {what}")  # type: ignore[union-attr]

    def __exit__(self, *_: object) -> None:
        if self.status is not None:
            self.status.stop()


def _point_told(tell: Callable[[str], None]) -> Callable[[int], None]:
    return lambda place: tell(f"point {place + 1}")


def _price_list(path: Path) -> pd.DataFrame:
    """Prices as they are written, decimal by decimal: as floats they would not be what was printed."""
    from decimal import Decimal, InvalidOperation

    import pandas as pd

    if not path.is_file():
        raise Problem(f"there is no file {path}", "claimhouse price check PRICES.csv SCENARIO.yml")
    frame = pd.read_csv(path, dtype=str)
    for name in ("provider", "procedure", "price"):
        if name not in frame.columns:
            raise Problem(
                f"{path.name}: there is no column {name!r}",
                "A price list has provider, procedure, price and, if it knows, tier.",
                SET_ASIDE,
            )
    try:
        amounts = [Decimal(text) for text in frame["price"]]
    except (InvalidOperation, TypeError):
        bad = pd.to_numeric(frame["price"], errors="coerce").isna()
        raise Problem(
            f"{path.name}: {int(bad.sum()) or 'some'} prices are no numbers, the first on line {int(bad.argmax()) + 2}",
            "Write them as 1234.56.",
            SET_ASIDE,
        ) from None
    columns = [name for name in ("provider", "procedure", "tier") if name in frame.columns]
    return frame[columns].assign(price=amounts)
