"""The verb `reconcile`: a month's statement that finance can sign, the way to its claims, acceptance of a difference.

Belongs here: options and printing. Does not: the reconciliation (dbt and reconciliation/).
"""

from typing import Annotated, Any

import typer

from dagster_project.cli.data import AsJson
from dagster_project.cli.terminal import DONE, SET_ASIDE, WRONG_USE, Problem, console, show_json, table
from dagster_project.settings import Settings, load_settings

ACCEPT = "claimhouse reconcile --month YYYY-MM --account ACCOUNT --payer PAYER --accept --by NAME --reason WHY"


def reconcile(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="The posting month.")] = None,
    source: Annotated[str | None, typer.Option(help="Sender, where several send a ledger.")] = None,
    entity: Annotated[str | None, typer.Option(help="Whose books, as provider_group.")] = None,
    account: Annotated[str | None, typer.Option(help="Account, as payer_payments.")] = None,
    payer: Annotated[str | None, typer.Option(help="Payer's id.")] = None,
    line_of_business: Annotated[str | None, typer.Option(help="Market, as commercial.")] = None,
    drill: Annotated[bool, typer.Option("--drill", help="Show the documents behind the figures instead.")] = False,
    cause: Annotated[str | None, typer.Option(help="With --drill: of one cause alone, or 'tied'.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="With --drill: so many documents.")] = 50,
    claim: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Show the files and lines that tell of a claim.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Accept a difference that blocks, by name and reason.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="With --accept: who.")] = None,
    reason: Annotated[str | None, typer.Option(help="With --accept: why.")] = None,
    as_json: AsJson = False,
) -> int:
    """Print a month's bridge from warehouse to ledger, cause by cause, and the loads behind it."""
    from dagster_project.reconciliation import ReconciliationError
    from dagster_project.reconciliation.cells import month_start

    settings = load_settings()
    words = {
        "entity": entity,
        "account": account,
        "payer": payer,
        "line_of_business": line_of_business,
        "data_source": source,
    }
    try:
        if claim:
            _ask_for_books(settings)
            return _trace(settings, claim, as_json)
        if not month:
            raise Problem("which month?", "claimhouse reconcile --month 2025-06, or a claim: --claim TOKEN")
        month_start(month)
        if accept and not (by and reason):
            raise Problem("a difference is accepted by a named person for a stated reason", ACCEPT)
        _ask_for_books(settings)
        if accept:
            return _accept(settings, month, words, by or "", reason or "", as_json)
        if drill:
            return _drill(settings, month, words, cause, limit, as_json)
        return _statement(settings, month, source, as_json)
    except ReconciliationError as error:
        raise Problem(str(error), "See: claimhouse reconcile --help", WRONG_USE) from error


def _ask_for_books(settings: Settings) -> None:
    """No wrong use: as for every verb that reads what is published, there is nothing yet."""
    if not settings.published.exists() and not settings.warehouse.exists():
        raise Problem(f"nothing is published at {settings.published}", "Publish first: claimhouse run", SET_ASIDE)


def _statement(settings: Settings, month: str, source: str | None, as_json: bool) -> int:
    from dagster_project.reconciliation import render, statement

    statements = statement(settings, month, source)
    if as_json:
        show_json([{"is_ready_to_sign": one.is_ready_to_sign, **vars(one)} for one in statements])
    else:
        for one in statements:
            render(one, console())
    return DONE if all(one.is_ready_to_sign for one in statements) else SET_ASIDE


def _drill(settings: Settings, month: str, words: dict[str, Any], cause: str | None, limit: int, as_json: bool) -> int:
    from dagster_project.reconciliation import drill, render_documents

    documents, total = drill(settings, month, **words, cause=cause, limit=limit)
    if as_json:
        show_json({"total": total, "documents": documents})
        return DONE
    render_documents(documents, total, month, console())
    console().print("\nFrom a claim to its files and lines:  claimhouse reconcile --claim TOKEN", markup=False)
    return DONE


def _trace(settings: Settings, token: str, as_json: bool) -> int:
    from dagster_project.reconciliation import trace

    places = trace(settings, token)
    if as_json:
        show_json(places)
        return DONE
    rows = [
        [
            one.feed,
            one.file_name,
            one.source_line_number,
            one.source_part_number,
            one.amount,
            one.load_id,
            one.load_status,
        ]
        for one in places
    ]
    table(
        f"Lines of landed files that tell of {token}",
        ["feed", "file", "line", "part", "USD", "load", "status"],
        rows,
        left=2,
    )
    return DONE


def _accept(settings: Settings, month: str, words: dict[str, Any], by: str, reason: str, as_json: bool) -> int:
    from dagster_project.reconciliation import accept, find_cell

    accepted = accept(settings, find_cell(settings, month, **words).cell, by, reason)
    if as_json:
        show_json(accepted)
    else:
        print(
            f"{accepted.cell}: {accepted.difference_amount:,.2f} USD accepted by {accepted.accepted_by}.",
            "Next: claimhouse run",
        )
    return DONE
