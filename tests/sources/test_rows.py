"""What becomes of the rows of a file: typed, set aside with a reason, counted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from fill_house import FILL, HEADER, House, make_house, row, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_a_good_row_is_typed_and_loses_its_identities_when_it_is_read(house: House) -> None:
    audit = house.load_one(text([row()]))
    assert audit.is_conserved and (audit.rows_read, audit.rows_accepted) == (1, 1)
    (read,) = house.rows()
    assert read["fill_token"].startswith("7_") and len(read["fill_token"]) == 34
    assert read["member_token"] == read["subscriber_token"] != read["fill_token"]
    assert (read["birth_year"], read["death_year"], read["zip3"]) == (1980, None, "021")
    assert (read["drug_code"], read["status"], read["quantity"]) == ("007", "open", Decimal("30.000"))
    assert (read["fill_date"], read["filled_at"]) == (dt.date(2024, 3, 4), dt.datetime(2024, 3, 4, 10))
    assert (read["is_generic"], read["line_count"], read["paid_amount"]) == (True, 2, Decimal("12.50"))
    assert (read["data_source"], read["load_id"], read["source_line_number"], read["source_part_number"]) == (
        "demo",
        audit.load_id,
        2,
        1,
    )
    assert not {"fill_id", "member_id", "patient_name", "birth_date", "zip_code"} & read.keys()


def test_no_file_of_lines_can_call_an_id_a_token(house: House) -> None:
    """Only X12 that the house itself wrote and signed brings tokens; the sign by which its reader vouches for them is a byte."""
    claimed = "7_" + "0123456789abcdef" * 2
    audit = house.load_one(text([row(member_id=claimed), row(fill_id="F2", subscriber_id=f"\x1d{claimed}")]))
    (read,) = house.rows()
    assert claimed not in read.values()
    assert (audit.rows_accepted, audit.rows_set_aside) == (1, 1), "a separator of X12 stands in no id"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("member_id", "", "missing"),
        ("member_id", "   ", "missing"),
        ("paid_amount", "", "missing"),
        ("paid_amount", "twelve", "not_a_number"),
        ("paid_amount", "1e3", "not_a_number"),
        ("paid_amount", "1_000", "not_a_number"),
        ("paid_amount", "1.2.3", "not_a_number"),
        ("paid_amount", "12.345", "too_many_decimals"),
        ("paid_amount", "99999999999999999.00", "out_of_range"),
        ("quantity", "1.2345", "too_many_decimals"),
        ("quantity", "-1", "out_of_range"),
        ("line_count", "2.5", "not_a_number"),
        ("fill_date", "2024-02-30", "not_a_date"),
        ("fill_date", "03/04/2024", "not_a_date"),
        ("fill_date", "1989-12-31", "out_of_range"),
        ("fill_date", "2999-01-01", "out_of_range"),
        ("filled_at", "yesterday", "not_a_timestamp"),
        ("filled_at", "infinity", "not_a_timestamp"),
        ("status", "lost", "not_allowed"),
        ("is_generic", "perhaps", "not_allowed"),
        ("drug_code", "12-4", "pattern"),
        ("birth_date", "2999-01-01", "out_of_range"),
    ],
)
def test_a_row_is_set_aside_with_its_reason_when_one_value_breaks_the_contract(
    house: House, column: str, value: str, reason: str
) -> None:
    audit = house.load_one(text([row(), row(**{"fill_id": "F2", column: value})]))
    assert audit.is_conserved and (audit.rows_accepted, audit.rows_set_aside) == (1, 1)
    assert house.reasons() == [(3, column, reason)]
    assert {
        (item["outcome"], item["column_name"], item["reason_code"], item["row_count"])
        for item in house.table("load_outcomes")
    } == {("accepted", None, None, 1), ("set_aside", column, reason, 1)}


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("paid_amount", "$1,234.50 ", Decimal("1234.50")),
        ("paid_amount", "(12.50)", Decimal("-12.50")),
        ("paid_amount", "($1,000)", Decimal("-1000.00")),
        ("paid_amount", "-12.5", Decimal("-12.50")),
        ("paid_amount", "+3", Decimal("3.00")),
        ("paid_amount", ".5", Decimal("0.50")),
        ("paid_amount", "12.5000", Decimal("12.50")),
        ("line_count", "1,004", 1004),
        ("line_count", "12.0", 12),
        ("drug_code", "ab1", "AB1"),
        ("status", " CLOSED ", "closed"),
        ("filled_at", "2024-03-04T10:00:00+02:00", dt.datetime(2024, 3, 4, 8)),
        ("filled_at", "2024-03-04 10:00", dt.datetime(2024, 3, 4, 10)),
        ("is_generic", "false", False),
    ],
)
def test_a_value_is_understood_when_it_is_written_in_another_ordinary_way(
    house: House, column: str, value: str, expected: object
) -> None:
    audit = house.load_one(text([row(**{column: value})]))
    assert audit.is_conserved
    assert [read[column] for read in house.rows()] == [expected]


def test_a_row_counts_once_under_its_first_broken_column_when_several_are_broken(house: House) -> None:
    house.load_one(text([row(status="lost", fill_date="never", paid_amount="x")]))
    assert house.reasons() == [(2, "status", "not_allowed")]


def test_the_first_row_is_kept_when_two_have_one_key(house: House) -> None:
    audit = house.load_one(text([row(paid_amount="1"), row(fill_id="F2"), row(paid_amount="2"), row(paid_amount="3")]))
    assert house.reasons() == [(4, None, "duplicate_key"), (5, None, "duplicate_key")]
    assert (audit.amount_accepted, audit.amount_set_aside, audit.is_conserved) == (Decimal("13.50"), Decimal(5), True)
    assert [read["paid_amount"] for read in house.rows()] == [Decimal("1.00"), Decimal("12.50")]


def test_a_broken_row_does_not_shadow_a_good_one_when_both_have_one_key(house: House) -> None:
    house.load_one(text([row(status="lost"), row(), row(status="lost")]))
    assert house.reasons() == [(2, "status", "not_allowed"), (4, "status", "not_allowed")] and len(house.rows()) == 1


def test_a_pair_is_enough_when_two_rows_have_one_key(house: House) -> None:
    house.load_one(text([row(), row(), row(status="lost")]))
    assert house.reasons() == [(3, None, "duplicate_key"), (4, "status", "not_allowed")], "each keeps its own reason"


def test_a_line_breaks_alone_when_its_quoting_or_its_field_count_is_wrong(house: House) -> None:
    lines = text([row(fill_id=f"F{number}") for number in range(6)]).splitlines()
    lines[2] = lines[2].replace("Zebulon Quux", '"Zebulon')  # opens a quote that never closes
    lines[3] += ",surplus"
    lines[4] = "F9,M9"
    audit = house.load_one("\n".join(lines) + "\n")
    assert house.reasons() == [(3, None, "open_quote"), (4, None, "wrong_field_count"), (5, None, "wrong_field_count")]
    assert audit.is_conserved and audit.rows_accepted == 3
    assert audit.amount_set_aside == 0, "what a torn line was worth cannot be read"


def test_both_counts_agree_when_one_line_has_the_field_that_its_neighbour_lacks(house: House) -> None:
    lines = text([row(fill_id=f"F{number}") for number in range(4)]).splitlines()
    lines[2], lines[3] = lines[2] + ",surplus", lines[3].rpartition(",")[0]
    audit = house.load_one("\n".join(lines) + "\n")
    assert house.reasons() == [(3, None, "wrong_field_count"), (4, None, "wrong_field_count")]
    assert audit.is_conserved and audit.rows_accepted == 2


def test_quoted_fields_are_read_whole_when_they_hold_delimiters_quotes_and_blanks(house: House) -> None:
    audit = house.load_one(text([row(drug_code='"AB1"', patient_name='Quux, "Zeb"')]).replace('"""AB1"""', '  "AB1"  '))
    assert audit.is_conserved and [read["drug_code"] for read in house.rows()] == ["AB1"]


def test_blank_lines_are_no_rows_and_keep_line_numbers_true_when_a_file_has_them(house: House) -> None:
    header, first, second = text([row(), row(fill_id="F2", status="lost")]).splitlines()
    audit = house.load_one(f"{header}\n\n  \n{first}\n\t\n{second}\n\n")
    assert (audit.rows_read, audit.raw_row_count, audit.is_conserved) == (2, 2, True)
    assert [read["source_line_number"] for read in house.rows()] == [4] and house.reasons() == [
        (6, "status", "not_allowed")
    ]


def test_lines_before_the_header_are_no_data_when_a_file_has_a_title(house: House) -> None:
    audit = house.load_one("Fills of March\nprinted by someone\n" + text([row()]))
    assert (audit.rows_read, audit.is_conserved) == (1, True) and house.rows()[0]["source_line_number"] == 4


def test_columns_nobody_knows_are_not_read_when_a_file_has_them(house: House) -> None:
    header, line = text([row()]).splitlines()
    house.load_one(f"secret_note,{header}\nknows Zebulon,{line}\n")
    (item,) = house.query(f"from '{house.settings.lake}/inventory.parquet'")
    assert item["unread_columns"] == ["secret_note"]
    assert "secret_note" not in house.rows()[0] and house.rows()[0]["drug_code"] == "007"


def test_a_file_is_read_with_no_rows_when_it_has_a_header_alone(house: House) -> None:
    audit = house.load_one(text([]))
    assert (audit.status, audit.rows_read, audit.raw_row_count, audit.is_conserved) == ("read", 0, 0, True)


def test_old_age_is_pooled_and_small_areas_are_blank_when_people_could_be_recognised(house: House) -> None:
    this_year = dt.datetime.now(dt.UTC).year
    house.load_one(
        text(
            [
                row(birth_date="1901-01-01", zip_code="03601"),
                row(fill_id="F2", birth_date="", zip_code="2155"),
                row(fill_id="F3", birth_date="2001-02-03", zip_code="89301-1234"),
                row(fill_id="F4", zip_code="K1A 0B1"),
                row(fill_id="F5", zip_code="021", death_date="2020-05-05"),
            ]
        )
    )
    assert [read["birth_year"] for read in house.rows()] == [this_year - 90, None, 2001, 1980, 1980]
    assert [read["is_birth_year_pooled"] for read in house.rows()] == [True, None, False, False, False]
    assert [read["zip3"] for read in house.rows()] == [None, "021", None, None, "021"]
    assert house.rows()[4]["death_year"] == 2020


def test_the_months_of_a_load_are_those_of_its_accepted_rows_when_it_is_read(house: House) -> None:
    audit = house.load_one(
        text(
            [
                row(fill_date="2024-01-31"),
                row(fill_id="F2", fill_date="2024-03-01"),
                row(fill_id="F3", fill_date="2024-09-01", status="lost"),
            ]
        )
    )
    assert (audit.first_month, audit.last_month) == (dt.date(2024, 1, 1), dt.date(2024, 3, 1))


def test_line_numbers_are_true_to_the_last_row_when_a_file_is_larger_than_the_readers_blocks(house: House) -> None:
    """DuckDB reads a large file in parallel; the number of a row must not depend on which thread read it."""
    count = 150_000
    line = text([row()]).splitlines()[1]
    lines = [
        line.replace("F1,", f"F{number},", 1).replace(",2,12.50", f",{number},12.50") for number in range(2, count + 2)
    ]
    audit = house.load_one("\n".join([",".join(HEADER), *lines]) + "\n")
    assert audit.is_conserved and audit.rows_accepted == count
    found = house.query(
        f"select count(*) n from '{house.settings.lake}/raw/fill/*.parquet' where line_count <> source_line_number"
    )
    assert found == [{"n": 0}]


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(amounts, min_size=1, max_size=30), styles=st.randoms(use_true_random=False))
def test_every_cent_is_read_exactly_when_amounts_are_written_in_any_style(
    tmp_path_factory: pytest.TempPathFactory, values: list[Decimal], styles: object
) -> None:
    house = make_house(tmp_path_factory.mktemp("cents"), fill=FILL)
    written = []
    for number, value in enumerate(values):
        style = styles.choice(["plain", "dollars", "parentheses"])  # type: ignore[attr-defined]
        shown = {
            "plain": f"{value}",
            "dollars": f"${value:,}" if value >= 0 else f"-${-value:,}",
            "parentheses": f"({-value:,})" if value < 0 else f"{value:,} ",
        }[style]
        written.append(row(fill_id=f"F{number}", paid_amount=shown))
    audit = house.load_one(text(written))
    assert audit.is_conserved and audit.amount_accepted == sum(values)
    assert [read["paid_amount"] for read in house.rows()] == values


alphabet = st.sampled_from(list('aé€\xa0 ,"\t$5.-()\r\x01') + ["\n"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.lists(st.text(alphabet, max_size=25), max_size=8), encoding=st.sampled_from(["utf-8", "cp1252"]))
def test_both_counts_agree_and_nothing_is_lost_when_lines_are_garbage(
    tmp_path_factory: pytest.TempPathFactory, garbage: list[str], encoding: str
) -> None:
    house = make_house(tmp_path_factory.mktemp("garbage"), fill=FILL)
    content = text([row()]) + "\n".join(garbage) + "\n" + text([row(fill_id="F2")]).splitlines()[1] + "\n"
    audit = house.load_one(content.replace("\x01", "\x01" if encoding == "utf-8" else "x").encode(encoding, "replace"))
    assert audit.is_conserved, audit
    assert audit.rows_accepted == 2, "no line swallows its neighbours"


def test_a_load_is_not_conserved_when_the_reader_loses_a_dollar(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second count must be able to convict the first."""
    from dagster_project.sources import casts

    monkeypatch.setattr(casts, "cleaned_number", lambda value: f"replace({value}, '$', '1')")
    audit = house.load_one(text([row(paid_amount="$2.50")]))
    assert (audit.amount_read, audit.raw_amount, audit.is_conserved) == (Decimal("12.5"), Decimal("2.5"), False)


def test_quarantine_holds_places_and_reasons_and_no_values_when_rows_are_set_aside(
    house: House, tmp_path: Path
) -> None:
    house.load_one(text([row(member_id="CANARY-9", status="CANARY-8")]))
    assert set(house.quarantine()[0]) == {
        "load_id",
        "feed",
        "file_name",
        "source_line_number",
        "source_part_number",
        "column_name",
        "reason_code",
        "interchange_number",
        "transaction_number",
    }
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "landing" not in path.parts]
    assert left and not [path for path in left if b"CANARY" in path.read_bytes()]
