"""The statement on paper: a bridge per entity, what does not tie, the files behind it, and where to sign; and the documents
behind a figure.

Belongs here: how these look on a terminal. Does not: what they say (statement.py, drill.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dagster_project.reconciliation.cells import CAUSES, FAULTS, JudgedCell
from dagster_project.reconciliation.drill import Document
from dagster_project.reconciliation.statement import AccountLine, Statement

_STATUS_STYLE = {
    "tied": "green",
    "explained": "green",
    "within_tolerance": "yellow",
    "accepted": "yellow",
    "out_of_tolerance": "bold red",
}
_VERDICTS = {"within_tolerance": "tolerated", "accepted": "accepted", "out_of_tolerance": "blocks"}


def render(statement: Statement, console: Console) -> None:
    """Prints a statement. Amounts between the two sides lead from source systems to ledger: added, not taken off."""
    console.print(Rule(style="none", characters="═"))
    console.print(Text(f"LEDGER RECONCILIATION   {statement.posting_month:%B %Y}", style="bold"))
    console.print(f"source {statement.data_source} · read from: {statement.origin} · US dollars")
    for entity, accounts in groupby(statement.accounts, key=lambda account: account.entity_code):
        console.print()
        console.print(_bridge(entity, list(accounts)))
    console.print("¢ cash account, no tolerance · a cell is one payer and line of business", style="dim")
    if statement.exceptions:
        console.print()
        console.print(_exceptions(statement.exceptions))
        _print_acceptances(statement, console)
    if statement.missing_files:
        console.print()
        console.print(_missing(statement))
    console.print()
    console.print(_loads(statement))
    console.print()
    console.print(_verdict(statement))
    if statement.is_ready_to_sign:
        console.print(
            "\nPrepared by  ______________________________   Date ____________"
            "      Approved by  ______________________________   Date ____________"
        )
    console.print(Rule(style="none", characters="═"))


def render_documents(documents: Sequence[Document], total: int, month: str, console: Console) -> None:
    """Prints the documents behind a figure: in which cell, why, how much on either side, and the file and line of each."""
    table = _table(f"{len(documents)} of {total:,} documents of {month}, the largest differences first")
    for name in ("entity", "account", "payer", "market", "cause", "document"):
        table.add_column(name, no_wrap=True)
    for name in ("warehouse USD", "ledger USD", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("load, file and line", no_wrap=True)
    for one in documents:
        table.add_row(
            _words(one.entity_code),
            _words(one.account_code),
            one.payer_id,
            _words(one.line_of_business),
            _words(one.cause),
            one.claim_token or one.remittance_id or one.transaction_token or one.batch_id,
            *(_money(amount) for amount in (one.warehouse_amount, one.ledger_amount, one.difference_amount)),
            "\n".join(
                filter(
                    None,
                    (
                        _place_of(one.load_id, one.file_name, one.source_line_number),
                        _place_of(one.ledger_load_id, one.ledger_file_name, one.ledger_source_line_number),
                    ),
                )
            ),
        )
    # As wide as it must be: a token or a file's name cut in two cannot be looked up.
    whole = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    Console(file=console.file, width=max(console.width, whole), highlight=False).print(table)


def _place_of(load_id: str | None, file_name: str | None, line: int | None) -> str:
    return f"{load_id} {':'.join(str(part) for part in (file_name, line) if part)}".rstrip() if load_id else ""


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="bold")


def _bridge(entity: str, accounts: list[AccountLine]) -> Table:
    table = _table(_words(entity).upper())
    table.add_column("", no_wrap=True)
    for account in accounts:
        name = _words(account.account_code) + (" ¢" if account.is_cash else "")
        table.add_column(name, justify="right", min_width=12)
    table.add_row("Per source systems", *(_money(account.warehouse_amount) for account in accounts), style="bold")
    for cause in CAUSES:
        if any(account.causes[cause] for account in accounts):
            style = "red" if cause in (*FAULTS, "unexplained") else ""
            amounts = [_money(-account.causes[cause], blank=True) for account in accounts]
            table.add_row("  " + _words(cause), *amounts, style=style)
    table.add_row("Per ledger", *(_money(account.ledger_amount) for account in accounts), style="bold")
    table.add_row("Status", *(Text(_words(one.status), style=_STATUS_STYLE[one.status]) for one in accounts))
    table.add_row("Cells tied / explained / other", *(_counts(account) for account in accounts), style="dim")
    return table


def _counts(account: AccountLine) -> str:
    tied, explained = account.cells.get("tied", 0), account.cells.get("explained", 0)
    return f"{tied} / {explained} / {sum(account.cells.values()) - tied - explained}"


def _exceptions(cells: list[JudgedCell]) -> Table:
    table = _table("NOT EXPLAINED BY ORDINARY CAUSES")
    for name in ("entity", "account", "payer", "market"):
        table.add_column(name, no_wrap=True)
    for name in ("ledger", "over (under)", "tolerance"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of which", no_wrap=True)
    table.add_column("", no_wrap=True)
    for cell in cells:
        at = cell.cell
        table.add_row(
            _words(at.entity_code),
            _words(at.account_code),
            at.payer_id,
            _words(at.line_of_business),
            _money(cell.ledger_amount),
            _money(-cell.difference_amount),
            _money(cell.tolerance_amount),
            _of_which(cell),
            Text(_VERDICTS[cell.status], style=_STATUS_STYLE[cell.status]),
        )
    return table


def _of_which(cell: JudgedCell) -> str:
    """Faults and what is unexplained, a line each; where they cancel, their size before they do."""
    shown = [cause for cause in (*FAULTS, "unexplained") if cell.causes[cause]]
    lines = [f"{_words(cause)} {_money(-cell.causes[cause])}" for cause in shown]
    gross = cell.fault_gross_amount + cell.unexplained_gross_amount
    return "\n".join(lines) or f"faults of {_money(gross)} that cancel"


def _missing(statement: Statement) -> Table:
    table = _table("FILES THAT ONE SIDE NAMES AND THE WAREHOUSE DOES NOT HAVE")
    table.add_column("file or month of the books")
    table.add_column("documents", justify="right")
    table.add_column("ledger over (under)", justify="right")
    for file in statement.missing_files:
        table.add_row(file.batch_id, f"{file.document_count:,}", _money(-file.difference_amount))
    return table


def _print_acceptances(statement: Statement, console: Console) -> None:
    for cell in statement.exceptions:
        if cell.status == "accepted":
            what = f"{cell.cell.payer_id} {_words(cell.cell.account_code)} {_money(-cell.difference_amount)}"
            when = f"{cell.accepted_at:%Y-%m-%d %H:%M} UTC"
            console.print(f"  accepted {when} by {cell.accepted_by}: {what}: {cell.accept_reason}", markup=False)


def _loads(statement: Statement) -> Table:
    table = _table("RESTS ON")
    table.add_column("entity")
    table.add_column("load")
    table.add_column("file", overflow="fold")
    table.add_column("documents", justify="right")
    table.add_column("amount", justify="right")
    for load in statement.loads:
        count = f"{load.document_count:,}"
        table.add_row(_words(load.entity_code), load.load_id, load.file_name, count, _money(load.amount))
    return table


def _verdict(statement: Statement) -> Text:
    if statement.is_ready_to_sign:
        accepted = sum(cell.status == "accepted" for cell in statement.exceptions)
        return Text(
            "Every difference is explained by document, or within tolerance"
            + (f", or accepted ({accepted})" if accepted else "")
            + ". Ready to sign.",
            style="bold green",
        )
    amount = sum((cell.fault_gross_amount + cell.unexplained_gross_amount for cell in statement.blocking), Decimal(0))
    count = len(statement.blocking)
    blocks = "1 cell blocks" if count == 1 else f"{count} cells block"
    return Text(
        f"NOT READY TO SIGN: {blocks}, faults and unexplained amounts of {_money(amount)}. "
        "Look with --drill; a difference that must stand is accepted by name with --accept.",
        style="bold red",
    )


def _words(code: str) -> str:
    return code.replace("write_off", "write-off").replace("_", " ")


def _money(amount: Decimal, *, blank: bool = False) -> str:
    if blank and not amount:
        return ""
    return f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}"
