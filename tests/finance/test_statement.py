"""The statement, the way to a document and its line, and acceptance: what a controller does with a month."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from ledger_books import Reconciled, build
from rich.console import Console

from dagster_project.reconciliation import (
    ReconciliationError,
    accept,
    blocking_cells,
    drill,
    find_cell,
    open_books,
    render,
    render_documents,
    statement,
    trace,
)
from dagster_project.settings import Settings
from dagster_project.synthetic.ledger import REMITTANCE_FEEDS

# The generator withholds May of these nine months, and plants the faults of single documents in June.
MISSING, FAULTY = "2025-05", "2025-06"


def printed(settings: Settings, month: str, source: str) -> str:
    out = io.StringIO()
    for one in statement(settings, month, source):
        render(one, Console(file=out, width=140))
    return out.getvalue()


@pytest.mark.parametrize("source", ["demonstration", "with_errors"])
def test_every_bridge_closes_to_the_cent_when_read_account_by_account(reconciled: Reconciled, source: str):
    for month in (MISSING, FAULTY):
        (one,) = statement(reconciled.settings, month, source)
        assert len(one.accounts) >= 9
        for account in one.accounts:
            assert account.warehouse_amount - sum(account.causes.values()) == account.ledger_amount
            assert account.difference_amount == account.warehouse_amount - account.ledger_amount


def test_the_statement_sums_to_the_mart_when_all_payers_are_added(reconciled: Reconciled):
    (one,) = statement(reconciled.settings, FAULTY, "with_errors")
    rows = reconciled.query(
        """
        select entity_code, account_code, sum(warehouse_amount), sum(ledger_amount) from marts.fct_ledger_reconciliation
        where data_source = 'with_errors' and posting_month = ? group by all""",
        dt.date(2025, 6, 1),
    )
    assert {(a.entity_code, a.account_code, a.warehouse_amount, a.ledger_amount) for a in one.accounts} == set(rows)


def test_a_month_is_ready_to_sign_when_ordinary_causes_explain_it(reconciled: Reconciled):
    (one,) = statement(reconciled.settings, FAULTY, "demonstration")
    paper = printed(reconciled.settings, FAULTY, "demonstration")
    assert one.is_ready_to_sign
    assert "Approved by" in paper
    assert "posted in another month" in paper


def test_a_month_cannot_be_signed_when_a_fault_stands(reconciled: Reconciled):
    (one,) = statement(reconciled.settings, FAULTY, "with_errors")
    paper = printed(reconciled.settings, FAULTY, "with_errors")
    assert not one.is_ready_to_sign
    assert "NOT READY TO SIGN" in paper
    assert "Approved by" not in paper
    assert {"duplicate_posting", "wrong_account", "unexplained"} <= {
        cause for cell in one.blocking for cause, amount in cell.causes.items() if amount
    }


def test_the_statement_names_the_files_when_a_load_is_missing(reconciled: Reconciled):
    (one,) = statement(reconciled.settings, MISSING, "missing_load")
    files = {file.batch_id: file.difference_amount for file in one.missing_files}
    assert set(files) == {f"{feed}_{MISSING}" for feed in REMITTANCE_FEEDS}
    assert sum(files.values()) == sum(account.causes["missing_load"] for account in one.accounts)
    assert f"remittance_{MISSING}" in printed(reconciled.settings, MISSING, "missing_load")


def test_the_loads_behind_a_statement_sum_to_its_figures_when_both_sides_are_added(reconciled: Reconciled):
    (one,) = statement(reconciled.settings, FAULTY, "demonstration")
    for entity in ("provider_group", "health_plan"):
        accounts = [account for account in one.accounts if account.entity_code == entity]
        sums = {
            "warehouse": sum(account.warehouse_amount for account in accounts),
            "ledger": sum(account.ledger_amount for account in accounts),
        }
        for side, amount in sums.items():
            loads = [load for load in one.loads if (load.entity_code, load.side) == (entity, side)]
            assert sum(load.amount for load in loads) == amount
            assert all(load.file_name.endswith(".csv") for load in loads)


def test_a_month_without_books_is_refused_with_the_months_there_are(reconciled: Reconciled):
    with pytest.raises(ReconciliationError, match="the books go from 2025-01"):
        statement(reconciled.settings, "2031-01")
    with pytest.raises(ReconciliationError, match="write it as 2025-06"):
        statement(reconciled.settings, "June")


def test_the_documents_of_a_cell_sum_to_its_difference_when_drilled_from_it(reconciled: Reconciled):
    cell = find_cell(
        reconciled.settings,
        FAULTY,
        entity="provider_group",
        account="payer_payments",
        payer="HLH",
        data_source="with_errors",
    )
    figure = {"entity": "provider_group", "account": "payer_payments", "payer": "HLH", "data_source": "with_errors"}
    documents, total = drill(reconciled.settings, FAULTY, **figure, limit=10_000)
    assert total == len(documents) > 0
    assert sum(document.difference_amount for document in documents) == cell.difference_amount
    for cause, amount in cell.causes.items():
        assert sum((d.difference_amount for d in documents if d.cause == cause), Decimal(0)) == amount
    agreeing, count = drill(reconciled.settings, FAULTY, **figure, cause="tied", limit=10_000)
    assert sum(d.warehouse_amount for d in [*documents, *agreeing]) == cell.warehouse_amount
    assert count == len(agreeing) > 0


def test_both_sides_of_a_document_lead_to_their_load_file_and_line(reconciled: Reconciled):
    """Ledger-side rows once showed no file at all: the controller could not find the posting that was wrong."""
    documents, _ = drill(reconciled.settings, FAULTY, data_source="with_errors", limit=10_000)
    tied, _ = drill(reconciled.settings, FAULTY, data_source="with_errors", cause="tied", limit=200)
    booked = [one for one in [*documents, *tied] if one.posting_id]
    assert len([one for one in booked if one.load_id is None]) > 0
    for one in booked:
        assert one.ledger_load_id and one.ledger_file_name and "ledger" in one.ledger_file_name
    for one in [*documents, *tied]:
        assert (one.load_id is None) == (one.file_name is None)
    with_line = {one.ledger_source_line_number is not None for one in booked}
    columns = {name for name, *_ in reconciled.query("describe marts.fct_ledger_document")}
    assert with_line == {"ledger_source_line_number" in columns}


def test_the_documents_on_paper_name_entity_market_and_the_place_of_each_side(reconciled: Reconciled):
    documents, total = drill(reconciled.settings, FAULTY, data_source="with_errors", limit=500)
    out = io.StringIO()
    render_documents(documents, total, FAULTY, Console(file=out, width=80))
    paper = out.getvalue()
    both = next(one for one in documents if one.load_id and one.ledger_load_id)
    assert f"of {total:,} documents of {FAULTY}" in paper
    assert "entity" in paper and "market" in paper and both.entity_code.replace("_", " ") in paper
    assert f"{both.load_id} {both.file_name}:{both.source_line_number}" in paper
    assert f"{both.ledger_load_id} {both.ledger_file_name}" in paper


def test_books_without_the_ledgers_line_are_read_with_a_blank(reconciled: Reconciled, copied: Settings):
    with duckdb.connect(str(copied.warehouse)) as con:
        con.execute("alter table marts.fct_ledger_document drop column if exists ledger_source_line_number")
    documents, total = drill(copied, FAULTY, data_source="with_errors")
    assert total > 0
    assert {one.ledger_source_line_number for one in documents} == {None}
    assert any(one.ledger_file_name for one in documents)


def test_a_claim_leads_to_its_lines_when_traced_from_a_drilled_document(reconciled: Reconciled):
    (document, *_), _ = drill(
        reconciled.settings, FAULTY, account="payer_payments", data_source="with_errors", cause="duplicate_posting"
    )
    assert document.claim_token
    places = [
        place for place in trace(reconciled.settings, document.claim_token) if place.load_id.startswith("with_errors.")
    ]
    told = {place.feed for place in places}
    assert told >= {"medical_claim", "remittance", "remittance_adjustment", "ledger_posting"}
    for place in places:
        path = reconciled.settings.lake / "raw" / place.feed / f"{place.load_id}.parquet"
        with duckdb.connect() as con:
            line = place.source_line_number
            there = con.execute(f"select claim_token from '{path}' where source_line_number = {line}")
            assert there.fetchall() == [(document.claim_token,)]
    with pytest.raises(ReconciliationError, match="no landed file"):
        trace(reconciled.settings, "1_nothing")


def test_the_gate_names_month_payer_account_and_amount_when_it_blocks(reconciled: Reconciled):
    every = blocking_cells(reconciled.settings)
    cells = [cell for cell in every if cell.cell.data_source == "duplicate_posting"]
    assert cells
    planted = reconciled.answers["duplicate_posting"]
    assert {str(cell.cell.account_code) for cell in cells} >= {key[4] for key in planted}
    assert any(cell.why().startswith("duplicate_posting -") for cell in cells)
    assert not [cell for cell in every if cell.cell.data_source in ("demonstration", "untouched")]


@pytest.fixture
def copied(reconciled: Reconciled, tmp_path: Path) -> Settings:
    """A copy that a test may accept differences in. Its warehouse keeps its age, as a copy of a home would."""
    home = tmp_path / "home"
    shutil.copytree(reconciled.settings.home, home)
    return Settings(home=home)


def test_an_accepted_difference_no_longer_blocks_when_the_warehouse_is_built_again(copied: Settings):
    chosen = find_cell(copied, FAULTY, account="patient_payments", data_source="unexplained")
    before = blocking_cells(copied)
    accept(copied, chosen.cell, by="Ada  Controller", reason="manual journal for lockbox fees, to be reversed in July")
    assert blocking_cells(copied) == before  # until the next run nothing changes
    build(copied, "stg_lake__ledger_acceptances", "fct_ledger_reconciliation", command="run")
    after = blocking_cells(copied)
    assert {cell.cell for cell in before} - {cell.cell for cell in after} == {chosen.cell}
    assert len(before) == len(after) + 1
    paper = printed(copied, FAULTY, "unexplained")
    assert "by Ada Controller" in paper
    assert "lockbox fees" in paper
    with pytest.raises(ReconciliationError, match="does not block"):
        accept(copied, chosen.cell, by="Ada Controller", reason="once more for good measure")


@pytest.mark.parametrize(
    ("by", "reason", "complaint"),
    [
        ("  ", "a good and long reason", "needs a name"),
        ("Ada Controller", "ok", "needs a reason"),
    ],
)
def test_an_acceptance_is_refused_when_name_or_reason_say_nothing(
    reconciled: Reconciled, by: str, reason: str, complaint: str
):
    chosen = find_cell(reconciled.settings, FAULTY, account="patient_payments", data_source="unexplained")
    with pytest.raises(ReconciliationError, match=complaint):
        accept(reconciled.settings, chosen.cell, by=by, reason=reason)
    assert not list((reconciled.settings.lake / "ledger_acceptances").glob("2*.parquet"))


def test_a_cell_is_asked_for_again_when_the_words_fit_several(reconciled: Reconciled):
    with pytest.raises(ReconciliationError, match="cells fit; say which"):
        find_cell(reconciled.settings, FAULTY, data_source="with_errors")
    with pytest.raises(ReconciliationError, match="no cell that blocks fits"):
        find_cell(reconciled.settings, FAULTY, data_source="demonstration")


def test_the_published_books_are_read_when_the_warehouse_is_older(copied: Settings):
    publication = copied.home / "publications" / "20250101"
    publication.mkdir(parents=True)
    with duckdb.connect(str(publication / "marts.duckdb")) as con:
        con.execute(f"attach '{copied.warehouse}' as warehouse (read_only)")
        for table in ("fct_ledger_reconciliation", "fct_ledger_document", "mart_ledger_load"):
            con.execute(f"create table {table} as from warehouse.marts.{table} where data_source = 'demonstration'")
    copied.published.symlink_to(publication)
    with open_books(copied) as books:
        assert books.origin == "published as 20250101"
    assert {one.data_source for one in statement(copied, FAULTY)} == {"demonstration"}
    os.utime(copied.warehouse)  # a run wrote the warehouse, and publication was refused
    with open_books(copied) as books:
        assert books.origin == "warehouse, not published yet"
    assert "with_errors" in {one.data_source for one in statement(copied, FAULTY)}


def test_the_published_books_are_read_with_a_word_of_warning_when_the_warehouse_is_being_written(copied: Settings):
    publication = copied.home / "publications" / "20250101"
    publication.mkdir(parents=True)
    shutil.copyfile(copied.warehouse, copied.home / "other.duckdb")
    with duckdb.connect(str(publication / "marts.duckdb")) as con:
        con.execute(f"attach '{copied.home / 'other.duckdb'}' as warehouse (read_only)")
        con.execute("create table fct_ledger_reconciliation as from warehouse.marts.fct_ledger_reconciliation")
    copied.published.symlink_to(publication)
    os.utime(copied.warehouse)
    writes = f"import duckdb; con = duckdb.connect({str(copied.warehouse)!r}); print('open', flush=True); input()"
    command = [sys.executable, "-c", writes]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin and writer.stdout
        assert writer.stdout.readline() == "open\n"
        with open_books(copied) as books:
            assert "a later state may exist" in books.origin
        with pytest.raises(ReconciliationError, match="being written; try again"), open_books(copied, warehouse=True):
            pass
        writer.communicate("\n")
