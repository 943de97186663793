"""One warehouse with a source for each planted cause, built once: every test here only reads it."""

from __future__ import annotations

import duckdb
import pytest
from ledger_books import MODELS, PLANTED, Reconciled, build, make_documents, post_whole_remittances, write_source

from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.lake import prepare_lake
from dagster_project.synthetic.ledger import build_ledger


@pytest.fixture(scope="session")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Reconciled:
    home = tmp_path_factory.mktemp("books")
    contracts = load_contracts()
    world = Reconciled(Settings(home=home))
    prepare_lake(world.settings, contracts)
    with duckdb.connect() as con:
        make_documents(con, contracts)
        for source, causes in PLANTED.items():
            withheld = build_ledger(con, 7, causes)
            rows = con.execute("select * from answer_ledger").fetchall()
            world.answers[source] = {row[:-1]: row[-1] for row in rows}
            write_source(con, world.settings, contracts, source, withheld)
        build_ledger(con, 7, set())
        write_source(con, world.settings, contracts, "without_books", without=("ledger_posting",))
        write_source(con, world.settings, contracts, "without_fills", without=("pharmacy_fill",))
        post_whole_remittances(con)
        write_source(con, world.settings, contracts, "by_remittance")
    build(world.settings, *MODELS)
    return world
