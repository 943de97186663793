"""The checks between systems that stand before publication: the ledger, claims without a match, conservation, files due.

Belongs here: what each gate asks, and its answer as Dagster and the lake take it.
Does not: the reconciliation itself (reconciliation/, dbt), what the gates block (defs/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import dagster as dg
import duckdb

from dagster_project.reconciliation import JudgedCell, blocking_cells, unmatched_claims
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from expectations.calendar import MISSING, due_files, owes
from expectations.results import FAIL, NO_DATA, PASS, CheckResult, write_quality

AUDIT = """
    select count(*), count(*) filter (not is_conserved)
    from marts.mart_load_audit
    where load_state in ('active', 'not_conserved')
"""


@dataclass(frozen=True)
class GateAnswer:
    """A gate's verdict in counts; `cells` names months, payers and accounts, or senders, never people."""

    failed_count: int
    checked_count: int
    note: str
    cells: Sequence[dict[str, str]] = ()

    @property
    def verdict(self) -> str:
        return FAIL if self.failed_count else PASS if self.checked_count else NO_DATA


def ledger_is_explained(settings: Settings) -> GateAnswer:
    """Every cell of the reconciliation is tied, explained, within tolerance, or accepted by a named person."""
    cells = sorted(
        blocking_cells(settings), key=lambda cell: -(cell.fault_gross_amount + cell.unexplained_gross_amount)
    )
    checked = _count(settings, "select count(*) from marts.fct_ledger_reconciliation where status <> 'no_data'")[0]
    worst = f"; the largest: {cells[0].cell}, {cells[0].why()}" if cells else ""
    return GateAnswer(
        len(cells),
        checked,
        f"{len(cells)} of {checked} cells of the ledger block{worst}",
        [_named(cell) for cell in cells],
    )


def claims_match(settings: Settings) -> GateAnswer:
    """Of each sender's claims, fewer than one in a thousand match neither a member nor an encounter."""
    senders = unmatched_claims(settings)
    cells = [
        {"data_source": one.data_source, "claims": f"{one.judged_count:,}", "unmatched": f"{one.unmatched_count:,}",
         "unmatched_usd": f"{one.unmatched_amount:,.2f}", "verdict": one.verdict}
        for one in senders
    ]  # fmt: skip
    failed = sum(one.unmatched_count for one in senders if one.verdict == FAIL)
    judged = sum(one.judged_count for one in senders)
    unmatched = sum(one.unmatched_count for one in senders)
    return GateAnswer(failed, judged, f"{unmatched} of {judged} claims match neither member nor encounter", cells)


def load_audit_conserved(settings: Settings) -> GateAnswer:
    """Rows and dollars of every load add up at every step of mart_load_audit, from the landed bytes to staging."""
    checked, failed = _count(settings, AUDIT)
    return GateAnswer(failed, checked, f"{failed} of {checked} steps of loads do not add up")


def due_files_are_there(settings: Settings) -> GateAnswer:
    """Every file that the calendar says was due by today has come. One that came and is held waits by itself."""
    due = due_files(settings)
    missing = [one for one in due if one.state == MISSING]
    cells = [
        {"data_source": one.data_source, "feed": one.feed, "month": f"{one.month:%Y-%m}", "due_date": str(one.due_date)}
        for one in missing
    ]
    first = f"; the first: {' '.join(cells[0].values())} (a sender has ended? docs/quality.md)" if cells else ""
    return GateAnswer(
        len(missing), len(due), f"{len(missing)} of {len(due)} files that were due never came{first}", cells
    )


GATES: dict[str, tuple[str, Callable[[Settings], GateAnswer]]] = {
    "ledger_is_explained": ("fct_ledger_reconciliation", ledger_is_explained),
    "claims_match": ("mart_claim_encounter_match", claims_match),
    "load_audit_conserved": ("mart_load_audit", load_audit_conserved),
    "due_files_are_there": ("mart_load_outcome", due_files_are_there),
}


# What one sender must owe for a gate without data to block.
NEEDS: dict[str, tuple[str, ...]] = {
    "ledger_is_explained": ("ledger_posting",),
    "claims_match": ("medical_claim", "eligibility", "encounter"),
    "load_audit_conserved": (),
    "due_files_are_there": (),
}


def blocks(settings: Settings, name: str, answer: GateAnswer) -> bool:
    """A gate blocks when it fails; without data, where the calendar says that what it looks at was due."""
    return answer.verdict != NO_DATA or owes(settings, NEEDS[name])


def as_check(answer: GateAnswer, is_blocking: bool = True) -> dg.AssetCheckResult:
    """The UI shows which cells, and by how much."""
    schema = dg.TableSchema([dg.TableColumn(name) for name in (answer.cells[0] if answer.cells else ())])
    records = [dg.TableRecord(cell) for cell in answer.cells]
    return shown(
        answer.verdict,
        is_blocking,
        description=f"no data: {answer.note}" if answer.verdict == NO_DATA else answer.note,
        metadata={
            "failed": answer.failed_count,
            "checked": answer.checked_count,
            **({"cells": dg.MetadataValue.table(records, schema)} if records else {}),
        },
    )


def record(settings: Settings, run_id: str) -> int:
    """Every gate's answer into lake/quality; returns how many fail. The gates are asked again where they block."""
    answers = {name: (mart, gate(settings)) for name, (mart, gate) in GATES.items()}
    rows = [
        CheckResult(
            "dagster",
            f"marts/{mart}",
            name,
            answer.verdict,
            blocks(settings, name, answer),
            answer.failed_count,
            answer.checked_count,
            note=answer.note,
        )
        for name, (mart, answer) in answers.items()
    ]
    write_quality(settings, rows, run_id, "gates")
    return sum(row.verdict == FAIL for row in rows)


def _named(cell: JudgedCell) -> dict[str, str]:
    """Which month, payer and account, by how much and why: first what a narrow window still shows."""
    where = asdict(cell.cell)
    return {
        "posting_month": f"{cell.cell.posting_month:%Y-%m}",
        "payer_id": cell.cell.payer_id,
        "account_code": cell.cell.account_code,
        "difference_usd": _usd(cell.difference_amount),
        "why": cell.why(),
        "warehouse_usd": _usd(cell.warehouse_amount),
        "ledger_usd": _usd(cell.ledger_amount),
        **{name: str(where[name]) for name in ("entity_code", "line_of_business", "data_source")},
    }


def _usd(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:,.2f}"


def _count(settings: Settings, sql: str) -> tuple[int, ...]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        row = con.execute(sql).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)
