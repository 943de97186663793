"""The verb `drg report`: a page in words about a hospital or a DRG, from the published marts.

Belongs here: options, where the page goes, drawing its pictures. Does not: the page (drg/).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE, Problem, console
from dagster_project.settings import load_settings

if TYPE_CHECKING:
    from dagster_project.drg.numbers import Row

USE = "claimhouse drg report --provider 100007, or: claimhouse drg report --drg 871"


def group() -> typer.Typer:
    """The verbs below `claimhouse drg`."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

    @app.callback()
    def about() -> None:
        """Medicare's inpatient payment by DRG: where it lies below and above what is expected."""

    app.command("report")(report)
    return app


def report(
    provider: Annotated[
        str | None, typer.Option(metavar="CCN", help="The hospital's CMS certification number.")
    ] = None,
    drg: Annotated[str | None, typer.Option(metavar="DRG", help="An MS-DRG instead, three digits.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; without it the latest of the fullest source.")] = None,
    source: Annotated[str | None, typer.Option(help="Sender of the payments, where several have it.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page with its pictures as HTML instead.")
    ] = None,
) -> int:
    """Say in words where Medicare's payment to a hospital, or for a DRG, lies below and above what is expected."""
    from dagster_project.drg import PageProblem
    from dagster_project.drg.blocks import as_html, as_markdown
    from dagster_project.drg.drg_page import drg_page
    from dagster_project.drg.hospital_page import hospital_page
    from dagster_project.drg.numbers import drg_numbers, hospital_numbers

    if (provider is None) == (drg is None):
        raise Problem("a hospital or a DRG", USE)
    settings = load_settings()
    try:
        if provider is not None:
            of_hospital = hospital_numbers(settings, provider.zfill(6), year, source)
            blocks, below, above = hospital_page(of_hospital), of_hospital.below, of_hospital.above
            shares, name, share_name = (
                [*of_hospital.families_below, *of_hospital.families_above],
                "drg_title",
                "family_title",
            )
        else:
            of_drg = drg_numbers(settings, (drg or "").zfill(3), year, source)
            blocks, below, above = drg_page(of_drg), of_drg.below, of_drg.above
            shares, name, share_name = (
                [*of_drg.families_below, *of_drg.families_above],
                "hospital_name",
                "hospital_name",
            )
    except PageProblem as problem:
        todo = "Publish first: claimhouse run" if problem.is_not_yet else f"As: {USE}"
        raise Problem(str(problem), todo, SET_ASIDE if problem.is_not_yet else WRONG_USE) from problem
    if html is None:
        print(as_markdown(blocks), end="")
        return DONE
    page = as_html(blocks, _pictures([*below, *above], name, shares, share_name))
    try:
        html.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {html}: {error.strerror}", "Name a file in a folder that is there.") from error
    console().print(f"written: {html}", markup=False, soft_wrap=True)
    return DONE


def _pictures(cells: list[Row], name: str, shares: list[Row], share_name: str) -> dict[str, bytes]:
    """Both tails in one picture each; nothing where there is nothing to draw."""
    import pandas as pd

    from ml.opportunity.plots import share_plot, top_opportunities

    made = {}
    if cells:
        key = "drg_code" if name == "drg_title" else "provider_id"
        rows = pd.DataFrame(
            {
                "label": [f"{row[key]} {row[name]}" for row in cells],
                "gap": [float(row["standardized_gap_amount"]) for row in cells],
                "low": [float(row["standardized_gap_low_amount"]) for row in cells],
                "high": [float(row["standardized_gap_high_amount"]) for row in cells],
                "plain": [float(row["plain_gap_amount"]) for row in cells],
            }
        )
        made["cells"] = top_opportunities(rows, "Standardized gap: below expectation to the right, above to the left")
    if shares:
        rows = pd.DataFrame(
            {
                "label": [f"{row[share_name]} ({row['severity_measure'].split('_')[0]})" for row in shares],
                "share": [row["shrunk_share_rate"] for row in shares],
                "low": [row["share_low_rate"] for row in shares],
                "high": [row["share_high_rate"] for row in shares],
                "p20": [row["reference_p20_rate"] for row in shares],
                "median": [row["reference_median_rate"] for row in shares],
                "p80": [row["reference_p80_rate"] for row in shares],
            }
        )
        made["families"] = share_plot(rows, "Share of stays in the severe member, against peers")
    return made
