"""A file read in parts gives what it gives read whole, and takes no more of DuckDB's memory for being long."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.privacy.tokens import register_key
from dagster_project.sources import write
from dagster_project.sources.audit import LoadAudit
from dagster_project.sources.contracts import Contract, load_contracts
from dagster_project.sources.layouts import X12
from dagster_project.sources.read import PLACES, ROWS, Reading
from dagster_project.sources.x12.read import read_x12
from dagster_project.sources.x12.segments import PART
from tests.sources.x12.breaking import CONTRACTS, Edit, broken
from tests.sources.x12.lake import KEY
from tests.sources.x12.written import BILLER, DEPENDENT, INSURED, OFFICE_VISIT, WHOLE, claims, payments


def reading_of(path: Path, contract: Contract) -> Reading:
    layout = contract.layouts[X12]
    header = tuple(layout.source_columns())
    return Reading(path, False, False, contract, layout, header, 0, "", "f", None, dt.date(2026, 6, 1))


def told(con: duckdb.DuckDBPyConnection, path: Path, contract: Contract, part: int) -> tuple[list[object], ...]:
    """Rows, places and notes. Of a row that is set aside nothing but its place, its amount and the reason is told to anybody."""
    problems = read_x12(con, reading_of(path, contract), part)
    rows = con.execute(f"from {ROWS} where problem = 0 order by line, part").fetchall()
    others = con.execute(
        f"select line, part, problem, amount from {ROWS} where problem > 0 order by line, part"
    ).fetchall()
    places = con.execute(f"from {PLACES} order by all").fetchall()
    return rows, others, places, [problem for problem in problems if problem.outcome == "noted"]


EDITS = [Edit("drop", 6_500, 0), Edit("swap", 3_000, 8_000), Edit("repeat", 4_000, 7_000), Edit("turn", 4_500, 6_500)]


@pytest.mark.parametrize("kind", WHOLE)
def test_parts_give_the_rows_reasons_and_notes_of_the_whole(kind: int, tmp_path: Path) -> None:
    whole = WHOLE[kind]
    # The last two are one transaction: its end and the next one's beginning are lost.
    end, begin = whole.rindex(b"SE*"), whole.index(b"ST*")
    merged = whole[:end] + whole[begin:].split(b"~", 1)[1]
    files = {
        "whole": (whole, (4,)),
        "merged": (merged, (16,)),
        "damaged": (b"".join(broken(whole, [edit]) for edit in EDITS), (60,)),
    }
    with duckdb.connect() as con:
        for name, (data, parts) in files.items():
            path = tmp_path / name
            path.write_bytes(data)
            for contract in CONTRACTS[kind]:
                expected = told(con, path, contract, PART)
                assert expected[0] or expected[1]
                for part in parts:
                    assert told(con, path, contract, part) == expected, (name, contract.feed, part)


def test_a_patient_hangs_on_an_insured_and_a_biller_of_much_earlier_parts(tmp_path: Path) -> None:
    visits = [OFFICE_VISIT.replace("A1", f"A{number}") for number in range(3)]
    path = tmp_path / "claims"
    path.write_bytes(claims(BILLER + INSURED + "".join(visits[:2]) + DEPENDENT + "".join(visits[2:])))
    with duckdb.connect() as con:
        for contract in CONTRACTS[837]:
            expected = told(con, path, contract, PART)
            assert len(expected[0]) >= 3 and not expected[1]
            assert told(con, path, contract, 12) == expected


def test_adjudications_of_one_claim_are_numbered_through_all_parts_of_a_remittance(tmp_path: Path) -> None:
    paid = "".join(f"CLP*A1*1*80*60*10*12*C{number}*11*1~NM1*QC*1*ROE~" for number in range(3))
    path = tmp_path / "payments"
    path.write_bytes(payments("LX*1~" + paid + "PLB*1*20261231*L6*1*WO*2~PLB*1*20261231*L6*3~"))
    numbers = {"remittance": "adjudication_number", "provider_adjustment": "adjustment_number"}
    contracts = load_contracts()
    with duckdb.connect() as con:
        for feed, column in numbers.items():
            read_x12(con, reading_of(path, contracts[feed]), 3)
            assert con.execute(f"select {column} from {ROWS} order by line, part").fetchall() == [(1,), (2,), (3,)]


def test_what_duckdb_is_given_is_enough_however_long_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An 837 of 600,000 claims ended with an OutOfMemoryException where one of 200,000 did not.

    Claims alone grow, in one transaction and below one insured. What reads 10,000 of them in 120 MB reads 90,000; read whole,
    10,000 need more than that, and these more than 160.
    """
    count = 30_000
    path = tmp_path / "claims"
    path.write_bytes(claims(BILLER + INSURED + "".join(OFFICE_VISIT.replace("*A1*", f"*A{n}*") for n in range(count))))
    contract = load_contracts()["medical_claim"]
    monkeypatch.setattr(write, "AT_ONCE", 5_000)
    with duckdb.connect() as con:
        con.execute(f"set memory_limit = '160MB'; set threads = 2; set temp_directory = '{tmp_path / 'spill'}'")
        register_key(con, KEY)
        read_x12(con, reading_of(path, contract), part=20_000)
        audit = LoadAudit(
            "load", contract.feed, X12, "s", "f", "f", None, 0, None, 1, dt.datetime(2026, 6, 1), status="read"
        )
        rows, amount, *_ = write.write_accepted(con, contract, contract.layouts[X12], audit, tmp_path / "rows.parquet")
    assert (rows, amount) == (count, Decimal(80 * count))
