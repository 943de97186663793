"""Reads the reconciled books for a person: statements, the way to a document and its line, acceptance of a difference.

Belongs here: reading the finance marts, writing acceptances. Does not: matching warehouse and ledger (dbt), Dagster.
"""

from dagster_project.reconciliation.acceptances import Acceptance, accept
from dagster_project.reconciliation.books import ReconciliationError, open_books
from dagster_project.reconciliation.cells import (
    UNMATCHED_RATE_LIMIT,
    Cell,
    JudgedCell,
    MatchCoverage,
    as_plain,
    blocking_cells,
    find_cell,
    unmatched_claims,
)
from dagster_project.reconciliation.drill import Document, Place, drill, trace
from dagster_project.reconciliation.render import render, render_documents
from dagster_project.reconciliation.statement import Statement, statement

__all__ = [
    "UNMATCHED_RATE_LIMIT",
    "Acceptance",
    "Cell",
    "Document",
    "JudgedCell",
    "MatchCoverage",
    "Place",
    "ReconciliationError",
    "Statement",
    "accept",
    "as_plain",
    "blocking_cells",
    "drill",
    "find_cell",
    "open_books",
    "render",
    "render_documents",
    "statement",
    "trace",
    "unmatched_claims",
]
