"""`make soak`: one world, landed once as flat files and once as X12, gives the same marts, row for row and cent for cent.

Named so that `make test` does not collect it: tests/synthetic/test_written_x12.py holds the same of the rows in the lake.

Left out are what differs because files do: loads, lines of files, and counts of files. What X12 has no place for is taken
out of the world first; the list with its reasons is UNSAID of dagster_project/synthetic/x12.py.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from small_warehouse import Warehouse

from dagster_project.claims import ClaimProblem
from dagster_project.claims.written import claim_as_837
from dagster_project.privacy.marks import MARK
from dagster_project.synthetic import cms, files, ledger, world
from dagster_project.synthetic.x12 import CLAIM_FEEDS, FOLDER, leave_unsaid
from tests.sources.x12.lake import OF_FILES

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

MEMBERS, MONTHS, SEED = 60, 8, 7
# Where a row was read from.
LEFT_OUT = {*OF_FILES, "ledger_load_id", "ledger_source_line_number", "batch_id", "file_name"}
# One row per load, or about one; what of them is of the world is compared in sums.
OF_LOADS = {"mart_load_audit", "mart_load_outcome", "mart_ledger_load", "mart_data_quality"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Warehouse]:
    folder = tmp_path_factory.mktemp("both_ways")
    found = {name: Warehouse(folder / name) for name in ("flat", "x12")}
    key = "1:one key for both of them, 32 or more characters\n"
    with duckdb.connect() as con:
        start, end = world.build_world(con, MEMBERS, SEED, MONTHS)
        leave_unsaid(con)
        withheld = ledger.build_ledger(con, SEED)
        leave_unsaid(con, of_books=True)
        for name, warehouse in found.items():
            (warehouse.settings.landing / FOLDER).mkdir(parents=True)
            warehouse.settings.protected.mkdir(parents=True)
            (warehouse.settings.protected / "token.key").write_text(key)
            (warehouse.settings.protected / "token.key").chmod(0o600)
            files.write_files(
                con, warehouse.settings.landing, start, end, MONTHS, withheld, lambda *_: None, as_x12=name == "x12"
            )
    for warehouse in found.values():
        cms.write_cms(warehouse.settings.landing, SEED)
        warehouse.load()
        warehouse.dbt("build", "--exclude-resource-type", "test", "unit_test")
    return found


def columns_of(path: Path) -> dict[str, list[str]]:
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name = 'marts' group by all"
        ).fetchall()
    return dict(rows)


def test_both_ways_in_give_the_same_marts(built: dict[str, Warehouse]) -> None:
    flat, x12 = (built[name].settings.warehouse for name in ("flat", "x12"))
    marts = columns_of(flat)
    assert marts == columns_of(x12) and len(marts) > 20
    differing = {}
    with duckdb.connect() as con:
        con.execute(f"attach '{flat}' as flat (read_only); attach '{x12}' as x12 (read_only)")
        for mart in sorted(marts.keys() - OF_LOADS):
            said = ", ".join(column for column in marts[mart] if column not in LEFT_OUT)
            one, other = (f"select {said} from {name}.marts.{mart}" for name in ("flat", "x12"))
            counts = con.execute(
                f"select (select count(*) from ({one} except all {other})), (select count(*) from ({other} except all {one}))"
            ).fetchone()
            if counts != (0, 0):
                differing[mart] = counts
        claims = con.execute("select count(*), sum(paid_amount) > 0 from x12.marts.fct_claim").fetchone()
    assert differing == {}
    assert claims is not None and claims[0] > 100 and claims[1]


def test_underpayments_are_found_by_contract_where_no_x12_states_what_is_expected(built: dict[str, Warehouse]) -> None:
    rules = built["x12"].rows("select distinct expected_amount_rule from marts.mart_underpayment")
    assert rules == [("contracted_rate",)]


def test_rows_and_dollars_of_the_feeds_are_the_same_however_they_came(built: dict[str, Warehouse]) -> None:
    sums = [
        warehouse.rows(
            "select feed, layer, sum(rows_accepted), sum(amount_accepted), sum(rows_set_aside), bool_and(is_conserved) "
            "from marts.mart_load_audit where load_state = 'active' group by all order by all"
        )
        for warehouse in built.values()
    ]
    assert sums[0] == sums[1] and len(sums[0]) > 50


def test_the_books_agree_with_what_came_as_x12(built: dict[str, Warehouse]) -> None:
    states = built["x12"].rows("select distinct status from marts.fct_ledger_reconciliation")
    assert {str(state) for (state,) in states} <= {"tied", "explained", "within_tolerance"}


def test_a_claim_of_the_warehouse_is_written_as_837_by_its_token_and_by_the_providers_id(
    built: dict[str, Warehouse], tmp_path: Path
) -> None:
    settings = built["x12"].settings
    sent = next((settings.landing / FOLDER).glob("837_*.x12")).read_text()
    (claim_id,) = re.findall(r"~CLM\*(CLM[0-9]+)\*", sent)[:1]
    text = claim_as_837(settings, claim_id)
    (claim_token,) = re.findall(r"~CLM\*([^*]+)\*", text)
    assert claim_id not in text and f"*{MARK}*" in text
    body = [part for part in text.split("~") if not part.strip().startswith(("ISA", "GS", "BHT"))]
    again = claim_as_837(settings, claim_token).split("~")
    assert body == [part for part in again if not part.strip().startswith(("ISA", "GS", "BHT"))]
    home = Warehouse(tmp_path)
    shutil.copytree(settings.protected, home.settings.protected)
    (home.settings.landing / FOLDER).mkdir(parents=True)
    (home.settings.landing / FOLDER / "again.x12").write_text(text)
    home.load()
    for feed in CLAIM_FEEDS:
        rows = [
            duckdb.sql(
                f"select * exclude ({', '.join(OF_FILES)}) from read_parquet("
                f"'{settings_.lake}/raw/{feed}/*.parquet', union_by_name = true) where claim_token = '{claim_token}' order by all"
            ).fetchall()
            for settings_ in (settings, home.settings)
        ]
        assert rows[0] == rows[1] and rows[0]


def test_a_claim_that_nobody_sent_is_not_written(built: dict[str, Warehouse]) -> None:
    with pytest.raises(ClaimProblem, match="no sender"):
        claim_as_837(built["x12"].settings, "7_" + "0" * 32)
