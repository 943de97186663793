"""What the models answer comes into the lake by year, whole, rounded once, and is asked again only where something changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from small_warehouse_of_payments import change, small_house

from dagster_project.database import NotReadable
from dagster_project.resources import opportunity
from dagster_project.resources.opportunity import (
    OF_A_YEAR,
    OF_PAIRS,
    PAIRS,
    YEARS,
    answer_pairs,
    answer_years,
    answered_file,
    as_declared,
)
from dagster_project.settings import Settings
from dagster_project.sources.derived import derived_schema

CELLS = "intermediate.int_opportunity__payment_cells"


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    return small_house(tmp_path)


def test_every_cell_has_its_row_when_years_are_answered(house: Settings) -> None:
    written = answer_years(house, YEARS)
    assert written.rows["drg_expected_payment"] == {"2015": 720, "2016": 720}
    assert written.rows["drg_expected_severity"] == {"2015": 480, "2016": 480}
    assert written.rows["drg_model_score"] == {"2015": 7, "2016": 7}
    assert written.rows["drg_model_calibration"] == {"2015": 20, "2016": 20}
    assert written.kept == ()
    for table in OF_A_YEAR:
        assert pq.read_schema(answered_file(house, table, "2016")).equals(derived_schema("opportunity", table))


def test_pairs_of_years_are_answered_when_a_source_has_two(house: Settings) -> None:
    answer_years(house, YEARS)
    written = answer_pairs(house)
    assert written.rows == {"drg_later_score": {PAIRS: 7}, "drg_back_test": {PAIRS: 5}}
    rows = duckdb.sql(
        f"select distinct earlier_year, later_year, hospital_count, slope is null from '{answered_file(house, 'drg_back_test', PAIRS)}'"
    ).fetchall()
    assert rows == [(2015, 2016, 60, False)]
    ways = duckdb.sql(
        f"select distinct way from '{answered_file(house, 'drg_later_score', PAIRS)}' order by 1"
    ).fetchall()
    assert [way for (way,) in ways] == ["attributes", "national_mean", "national_share", "own_earlier", "state_mean"]


def test_nothing_is_asked_again_when_neither_rows_nor_code_have_changed(house: Settings) -> None:
    answer_years(house, YEARS)
    answer_pairs(house)
    before = {table: answered_file(house, table, "2016").read_bytes() for table in OF_A_YEAR}
    assert answer_years(house, YEARS).kept == ("2015", "2016")
    assert answer_pairs(house).kept == (PAIRS,)
    assert before == {table: answered_file(house, table, "2016").read_bytes() for table in OF_A_YEAR}


def test_one_year_alone_is_asked_again_when_a_row_of_it_has_changed(house: Settings) -> None:
    answer_years(house, YEARS)
    answer_pairs(house)
    change(
        house,
        f"update {CELLS} set payment = payment + 1 where fiscal_year = 2016 and provider_id = '100007' and drg_code = '103'",
    )
    assert answer_years(house, YEARS).kept == ("2015",)
    assert answer_pairs(house).kept == ()


def test_all_is_asked_again_when_the_code_has_changed(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_years(house, YEARS)
    monkeypatch.setattr(opportunity, "_code", lambda: "another")
    assert answer_years(house, YEARS).kept == ()


def test_other_years_stay_when_one_year_alone_is_asked_for(house: Settings) -> None:
    answer_years(house, YEARS)
    change(house, f"update {CELLS} set payment = payment * 2")
    earlier = answered_file(house, "drg_expected_payment", "2015").read_bytes()
    assert answer_years(house, ["2016"]).rows["drg_expected_payment"] == {"2016": 720}
    assert answered_file(house, "drg_expected_payment", "2015").read_bytes() == earlier


def test_a_year_has_no_file_when_its_payments_are_gone(house: Settings) -> None:
    answer_years(house, YEARS)
    change(house, f"delete from {CELLS} where fiscal_year = 2015")
    assert list(answer_years(house, YEARS).rows["drg_expected_payment"]) == ["2016"]
    assert not any(answered_file(house, table, "2015").exists() for table in OF_A_YEAR)


def test_tables_are_empty_and_there_when_no_payment_is_at_hand(tmp_path: Path) -> None:
    house = small_house(tmp_path)
    change(house, f"delete from {CELLS}; delete from intermediate.int_opportunity__severity_cells")
    assert answer_years(house, YEARS).row_count("drg_expected_payment") == 0
    assert answer_pairs(house).rows == {table: {PAIRS: 0} for table in OF_PAIRS}
    for table in OF_PAIRS:
        assert pq.read_table(answered_file(house, table, PAIRS)).schema.equals(derived_schema("opportunity", table))


def test_one_hospital_has_rows_without_expectation_when_there_is_no_other(tmp_path: Path) -> None:
    """A source of one hospital is a source: a run must not fall over for it."""
    house = small_house(tmp_path)
    for relation in ("payment_cells", "severity_cells", "hospital_features"):
        change(house, f"delete from intermediate.int_opportunity__{relation} where provider_id <> '100007'")
    written = answer_years(house, YEARS)
    assert written.rows["drg_expected_payment"] == {"2015": 12, "2016": 12}
    known = duckdb.sql(
        f"select count(expected_average_payment_amount), count(*) from '{answered_file(house, 'drg_expected_payment', '2016')}'"
    ).fetchone()
    assert known == (0, 12)
    rows = duckdb.sql(f"select distinct verdict, slope from '{_pairs(house)}'").fetchall()
    assert rows == [("no_data", None)]


def _pairs(house: Settings) -> Path:
    answer_pairs(house)
    return answered_file(house, "drg_back_test", PAIRS)


def test_cells_have_rows_without_expectation_when_no_family_is_published_whole(house: Settings) -> None:
    change(house, "update intermediate.int_opportunity__severity_cells set is_whole = false")
    assert answer_years(house, YEARS).rows["drg_expected_severity"] == {"2015": 480, "2016": 480}
    known = duckdb.sql(
        f"select count(expected_severe_rate), count(*) from '{answered_file(house, 'drg_expected_severity', '2016')}'"
    ).fetchone()
    assert known == (0, 480)
    assert answer_pairs(house).rows["drg_back_test"] == {PAIRS: 5}


def test_estimates_become_decimals_once_when_they_are_written() -> None:
    frame = pd.DataFrame(
        {
            "data_source": ["made"], "period_type": ["fy"], "fiscal_year": [2016], "provider_id": ["100007"], "drg_code": ["871"],
            "expected_average_payment_amount": [1234.567], "expected_average_payment_low_amount": [float("nan")],
            "expected_average_payment_high_amount": [2000.0],
        }
    )  # fmt: skip
    (row,) = as_declared("drg_expected_payment", frame).to_pylist()
    assert row["expected_average_payment_amount"] == Decimal("1234.57")
    assert row["expected_average_payment_low_amount"] is None


def test_a_warehouse_that_is_not_there_is_said_when_the_models_are_asked(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        answer_years(Settings(home=tmp_path, quiet_seconds=0), YEARS)
