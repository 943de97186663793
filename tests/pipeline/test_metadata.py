"""The numbers that the UI plots: rows, dollars, bytes and seconds, where they exist."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from dagster_project.components.warehouse import model_counts, staged_counts, view_counts
from dagster_project.resources.feeds import feed_metadata
from dagster_project.resources.tallies import count_table, dollars, is_money, lake_counts
from dagster_project.settings import Settings
from dagster_project.sources.contracts import CONTRACTS, load_contract, load_contracts
from dagster_project.sources.lake import prepare_lake, schema, write_rows
from tests.conftest import settings_of


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with duckdb.connect(str(tmp_path_factory.mktemp("warehouse") / "w.duckdb")) as con:
        con.execute("""
            create table facts as
            select 1.25::decimal(18, 2) as paid_amount, 3::decimal(38, 10) as posted_in_another_month_amount,
                2.5::decimal(18, 2) as average_paid_amount, 9::decimal(18, 2) as cumulative_amount,
                7::decimal(18, 2) as paid_pmpm_amount, 0.5::double as denial_amount_rate, 4::bigint as amount_count,
                null::decimal(18, 2) as recouped_amount
            from range(4);
            create schema intermediate;
        """)
        yield con


@pytest.fixture
def lake(tmp_path) -> Settings:
    """One load of a feed with money and one of a feed without, as the reader records them: amounts are never blank."""
    settings = settings_of(tmp_path)
    prepare_lake(settings, load_contracts())
    for feed, amount in (("remittance", Decimal("12.50")), ("member", Decimal(0))):
        load = {"load_id": f"{feed}-1", "feed": feed, "file_name": f"{feed}.csv", "load_number": 1, "status": "read",
                "rows_read": 2, "rows_accepted": 2, "rows_set_aside": 0, "rows_excluded": 0, "byte_count": 10,
                "amount_accepted": amount, "amount_set_aside": Decimal(0), "is_conserved": True, "seconds": 0.1}  # fmt: skip
        write_rows([load], schema("loads"), settings.lake / "loads" / f"{feed}-1.parquet")
    return settings


def test_every_amount_of_a_table_is_summed_by_its_name_but_averages_and_what_is_blank(con):
    assert count_table(con, "facts") == {
        "dagster/row_count": 4,
        "paid_dollars": 5.0,
        "posted_in_another_month_dollars": 12.0,
    }


@pytest.mark.parametrize("column", ["amount", "amount_accepted", "ledger_amount"])
def test_a_column_is_money_by_its_name_and_exact_type(column):
    assert is_money(column, "DECIMAL(18,2)")
    assert not is_money(column, "DOUBLE")
    assert not is_money(column.replace("amount", "amounts"), "DECIMAL(18,2)")


def test_a_table_has_its_size_and_a_rule_table_no_dollars(con):
    node = {"resource_type": "model", "relation_name": "facts"}
    assert set(model_counts(con, node)) == {
        "dagster/row_count",
        "bytes",
        "paid_dollars",
        "posted_in_another_month_dollars",
    }
    assert set(model_counts(con, {**node, "resource_type": "seed"})) == {"dagster/row_count", "bytes"}


def test_a_staging_view_takes_its_numbers_from_what_was_counted_beside_it(con, lake):
    assert staged_counts(con) == {}  # asked before the first build
    con.execute("""
        create table intermediate.int_lake__staged_counts as
        from (values ('remittance', 10, 5.25::decimal(38, 10)), ('remittance', 5, 1), ('member', 7, null))
            as counted(feed, rows_staged, amount_staged)
    """)
    staged = staged_counts(con)
    assert view_counts(lake, {"name": "stg_remittance__remittances"}, staged) == {
        "dagster/row_count": 15,
        "dollars_staged": 6.25,
    }
    assert view_counts(lake, {"name": "stg_member__members"}, staged) == {"dagster/row_count": 7}
    assert view_counts(lake, {"name": "stg_lake__loads"}, staged) == {"dagster/row_count": 2}
    assert view_counts(lake, {"name": "stg_payer__payers"}, staged) == {}


def test_a_feed_without_money_has_no_dollars_rather_than_none_of_them(lake):
    told = {
        feed: feed_metadata(lake, load_contract(CONTRACTS / f"{feed}.yml"), [], 0.5)
        for feed in ("remittance", "member")
    }
    assert told["remittance"]["dollars_accepted"] == 12.5
    assert [name for name in told["member"] if "dollars" in name] == []
    assert told["member"]["dagster/row_count"] == 2
    assert dollars(paid=None, charged=Decimal(0)) == {"dollars_charged": 0.0}


def test_a_table_of_the_lake_has_rows_dollars_bytes_and_seconds(lake):
    counted = lake_counts(lake, "loads")
    assert (counted["dagster/row_count"], counted["dollars_accepted"]) == (2, 12.5)
    assert counted["bytes"] > 0 and counted["seconds"] > 0
    assert lake_counts(lake, "no_such_table")["dagster/row_count"] == 0
