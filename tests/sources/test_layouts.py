"""Layouts: each way of mapping, how a file's layout is recognised, and adding one without code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fill_house import FILL, KEY, make_house, row, text

from dagster_project.privacy.tokens import token
from dagster_project.sources import write

ACME = """
  acme:
    data_source: acme
    source: ACME's manual
    null_values: [N/A, '-9']
    ignored: [Remark]
    optional: [Born]
    exclude:
      reversed: {column: Kind, in: [R]}
      not_a_fill: {column: Kind, not_matches: '^[FR]$'}
      nameless: {column: Person, blank: true}
    footer: {matches: '^TOTAL', row_count: 'rows=([0-9,]+)', amount: 'paid=([0-9.,]+)'}
    columns:
      fill_id: {concat: [Id, Line], separator: '-'}
      member_id: Person
      birth_date: {from: Born, formats: ['%m/%d/%Y', '%Y%m%d']}
      drug_code: {from: Drug, extract: '^([0-9]+) -', pad: 3}
      status: {from: Kind, map: {F: open}, default: closed}
      quantity: {first: [Qty, Units]}
      fill_date: {from: Day, format: '%Y%m%d'}
      line_count: {file: 'v([0-9]+)'}
      paid_amount: {sum: [Plan, Other]}
"""
ACME_HEADER = "Id,Line,Person,Kind,Drug,Qty,Units,Day,Plan,Other,Remark"

WIDE = """
  wide:
    data_source: wide
    repeat: {times: 3, present: ['DRUG_{n}', 'PAID_{n}']}
    columns:
      fill_id: {concat: [ID, {repeat: number}], separator: '-'}
      member_id: PERSON
      drug_code: 'DRUG_{n}'
      line_count: {repeat: number}
      fill_date: DAY
      paid_amount: 'PAID_{n}'
"""

YEARLY = """
  yearly:
    data_source: yearly
    repeat: {bindings: [{p: IP, s: open}, {p: OP, s: closed}]}
    columns:
      fill_id: {concat: [ID, {value: '{p}'}]}
      member_id: ID
      status: {value: '{s}'}
      fill_date: {value: '2024-01-01'}
      paid_amount: {sum: ['REIMB_{p}', 'OWN_{p}']}
"""


def test_every_way_of_mapping_gives_its_value_when_a_sender_has_a_layout_of_its_own(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL + ACME)
    audit = house.load_one(
        "\n".join(
            [
                ACME_HEADER + ",Born",
                "A,1,P1,F,7 - aspirin,,5,20240301,10.50,-0.25,x,12/31/1980",
                "A,2,P1,X9,12 - other,2,5,20240301,N/A,N/A,x,",
                "B,1,P2,R,7 - aspirin,1,1,20240301,7.00,,x,",
                'B,2,P2,F,7 - aspirin,-9,N/A,20240302,"$1,000.10",,x,19811231',
                "C,1,,F,7 - aspirin,1,1,20240302,1.00,,x,",
                "C,2,P3,F,7 - aspirin,1,1,20240302,1.00,much,x,",
                "TOTAL rows=6 paid=1019.35",
            ]
        )
        + "\n",
        "fill/acme_v12.csv",
    )
    assert [
        (
            read["status"],
            read["drug_code"],
            read["quantity"],
            read["line_count"],
            read["paid_amount"],
            read["birth_year"],
        )
        for read in house.rows()
    ] == [("open", "007", Decimal(5), 12, Decimal("10.25"), 1980), ("open", "007", None, 12, Decimal("1000.10"), 1981)]
    assert house.reasons() == [(7, "paid_amount", "not_a_number")]
    outcomes = {
        (item["outcome"], item["reason_code"]): (item["row_count"], item["amount"])
        for item in house.table("load_outcomes")
    }
    assert outcomes == {
        ("accepted", None): (2, Decimal("1010.35")),
        ("set_aside", "not_a_number"): (1, 0),
        ("excluded", "reversed"): (1, Decimal(7)),
        ("excluded", "not_a_fill"): (1, 0),
        ("excluded", "nameless"): (1, Decimal(1)),
        ("excluded", "footer"): (1, 0),
    }
    assert (audit.raw_row_count, audit.raw_amount) == (7, Decimal("1018.35"))
    assert (audit.control_row_count, audit.control_amount, audit.is_conserved) == (6, Decimal("1019.35"), False)


def test_a_trailers_totals_are_met_when_they_leave_the_footer_out(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL + ACME)
    audit = house.load_one(
        f"{ACME_HEADER}\nA,1,P1,F,7 - a,,5,20240301,10.50,,x\nTOTAL rows=1 paid=10.50\n", "fill/acme_v1.csv"
    )
    assert (audit.control_row_count, audit.control_amount, audit.is_conserved) == (1, Decimal("10.50"), True)


def test_one_line_gives_several_rows_when_its_layout_repeats(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL + WIDE)
    audit = house.load_one(
        "ID,PERSON,DAY,DRUG_1,DRUG_2,DRUG_3,PAID_1,PAID_2,PAID_3\n"
        "A,P,2024-01-01,001,,003,1.00,,3.00\n"
        "B,P,2024-01-01,,,,,,\n"
        "C,P,2024-01-01,,,,,2.50,\n"
        "D,P\n"
    )
    assert [
        (
            read["source_line_number"],
            read["source_part_number"],
            read["drug_code"],
            read["line_count"],
            read["paid_amount"],
        )
        for read in house.rows()
    ] == [(2, 1, "001", 1, Decimal(1)), (2, 3, "003", 3, Decimal(3)), (4, 2, None, 2, Decimal("2.5"))]
    assert (audit.rows_read, audit.rows_accepted, audit.rows_excluded, audit.rows_set_aside) == (5, 3, 1, 1)
    assert audit.is_conserved and audit.raw_amount == Decimal("6.50")


def test_a_row_for_each_binding_is_read_when_a_layout_names_its_repeats(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL + YEARLY)
    audit = house.load_one("ID,REIMB_IP,OWN_IP,REIMB_OP,OWN_OP\nP1,100.00,1.50,0,0\nP2,,,7,\n")
    assert [(read["status"], read["paid_amount"]) for read in house.rows()] == [
        ("open", Decimal("101.50")),
        ("closed", 0),
        ("closed", Decimal(7)),
    ]
    assert house.reasons() == [(3, "paid_amount", "missing")] and audit.is_conserved


def test_the_operators_word_decides_when_the_path_says_it(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL + ACME)
    house.land(
        f"{ACME_HEADER}\nA,1,P1,F,7 - a,,5,20240301,10.50,,x\n", "fill/layout=acme/source=elsewhere/period=44/plain.csv"
    )
    house.land(text([row()]), "fill/layout=acme/canonical.csv")
    audits = {audit.file_name: audit for audit in house.load()}
    assert [(read["data_source"], read["line_count"]) for read in house.rows()] == [("elsewhere", 44)]
    assert audits["fill/layout=acme/canonical.csv"].reason_code in ("missing_column", "no_header")


def test_a_file_is_set_aside_when_its_name_lacks_what_the_layout_takes_from_it(tmp_path: Path) -> None:
    house = make_house(
        tmp_path, fill=FILL + ACME.replace("line_count", "drug_code").replace("drug_code: {from", "line_count: {from")
    )
    audit = house.load_one(f"{ACME_HEADER}\nA,1,P1,F,7 - a,,5,20240301,10.50,,x\n", "fill/nameless.csv")
    assert (audit.status, audit.reason_code) == ("set_aside", "not_in_file_name")


def test_one_file_feeds_several_feeds_when_their_layouts_share_a_name(tmp_path: Path) -> None:
    person = """
feed: person
domain: eligibility
about: People.
grain: One row per person.
key: [member_id]
columns:
  member_id: {type: text, required: true, identity: 'token:member', about: person}
layouts:
  claimhouse: {data_source: demo}
  wide: {data_source: wide, columns: {member_id: PERSON}}
"""
    house = make_house(tmp_path, fill=FILL + WIDE, person=person)
    house.land("ID,PERSON,DAY,DRUG_1,DRUG_2,DRUG_3,PAID_1,PAID_2,PAID_3\nA,P,2024-01-01,001,,,1.00,,\n", "fill/w.csv")
    assert sorted(audit.feed for audit in house.load()) == ["fill", "person"]
    assert house.rows("person")[0]["member_token"] == house.rows("fill")[0]["member_token"]


def test_a_larger_feed_is_not_taken_for_a_smaller_one_when_its_header_lacks_a_column(tmp_path: Path) -> None:
    """A file of claims whose claim type is missing has all that a crosswalk needs; it is no crosswalk."""
    small = (
        FILL.replace("feed: fill", "feed: small")
        .split("columns:")[0]
        .replace("[fill_id]", "[member_id]")
        .replace("amount: paid_amount\nmonth: fill_date\n", "")
    )
    small += "columns:\n  member_id: {type: text, required: true, identity: 'token:member', about: person}\n"
    small += "layouts:\n  claimhouse: {data_source: demo}\n"
    house = make_house(tmp_path, fill=FILL, small=small)
    header = [name for name in row() if name != "fill_date"]
    audit = house.load_one(text([row()], header))
    assert (audit.feed, audit.status, audit.reason_code) == ("fill", "set_aside", "missing_column") and house.rows(
        "small"
    ) == []


def test_a_file_is_set_aside_as_ambiguous_when_two_layouts_fit_equally(tmp_path: Path) -> None:
    twin = ACME.replace("  acme:", "  twin:", 1).replace("data_source: acme", "data_source: twin")
    house = make_house(tmp_path, fill=FILL + ACME + twin)
    content = f"{ACME_HEADER}\nA,1,P1,F,7 - a,,5,20240301,10.50,,x\n"
    assert house.load_one(content, "fill/a_v1.csv").reason_code == "ambiguous_layout"
    house.land(content, "fill/layout=twin/a_v1.csv")
    house.load()
    assert [read["data_source"] for read in house.rows()] == ["twin"]


def test_a_new_layout_is_lines_in_a_contract_when_a_file_of_a_known_feed_comes_in_other_words(tmp_path: Path) -> None:
    """The example of docs/add-a-layout.md, step by step: set aside, mapped, read; the same file and no code."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "add-a-layout.md").read_text(encoding="utf-8")
    content, layout = (
        page.split(f"<!-- {part} -->")[1].split("```")[1].split("\n", 1)[1] for part in ("file", "layout")
    )
    contracts = Path(__file__).resolve().parents[2] / "dagster_project" / "sources" / "contracts"
    canonical = (contracts / "pharmacy_fill.yml").read_text(encoding="utf-8")
    before = make_house(tmp_path, pharmacy_fill=canonical)
    assert before.load_one(content, "pharmacy_fill/lakeside_2025-06.csv").status == "set_aside"
    start, _, rest = canonical.partition("layouts:\n")
    after = make_house(tmp_path, pharmacy_fill=f"{start}layouts:\n{layout}{rest}")
    (audit,) = after.load()
    assert (audit.status, audit.layout, audit.data_source, audit.is_conserved) == ("read", "lakeside", "lakeside", True)
    assert (audit.rows_read, audit.rows_accepted, audit.rows_set_aside, audit.rows_excluded) == (4, 2, 1, 1)
    assert [(read["ndc_code"], read["paid_amount"]) for read in after.rows("pharmacy_fill")] == [
        ("00093505698", Decimal("41.20")),
        ("61392018345", Decimal("-12.00")),
    ]


PLAN_AND_HOSPITAL = {
    "eligibility": """
feed: eligibility
domain: eligibility
about: Spans.
grain: One row per span.
key: [member_id]
columns:
  member_id: {type: text, required: true, identity: 'token:member', about: person}
layouts:
  claimhouse: {}
  plan_a: {data_source: plan_a, columns: {member_id: SUBSCRIBER}}
""",
    "crosswalk": """
feed: crosswalk
domain: eligibility
about: Numbers.
grain: One row per number.
key: [record_number]
columns:
  record_number: {type: text, required: true, identity: 'token:record', about: the hospital's number}
  member_id:     {type: text, required: true, identity: 'token:member', about: the plan's id}
layouts:
  claimhouse: {}
  hosp_b_numbers: {data_source: hosp_b, columns: {record_number: MRN, member_id: {from: MBR_ID, issued_by: plan_a}}}
""",
    "encounter": """
feed: encounter
domain: encounters
about: Encounters.
grain: One row per encounter.
key: [encounter_id]
columns:
  encounter_id:  {type: text, required: true, identity: 'token:encounter', about: id}
  record_number: {type: text, identity: 'token:record', about: the hospital's number}
  member_id:     {type: text, identity: 'token:member', about: the plan's id}
layouts:
  claimhouse: {}
  hosp_b_visits:
    data_source: hosp_b
    columns: {encounter_id: VISIT, record_number: PATIENT_MRN, member_id: {from: PLAN_MEMBER, issued_by: plan_a}}
""",
}


def test_one_person_is_one_token_when_two_senders_name_an_id_that_one_of_them_issued(tmp_path: Path) -> None:
    """A hospital's crosswalk could never reach a plan's members: the plan's id was hashed as the hospital's own."""
    house = make_house(tmp_path, **PLAN_AND_HOSPITAL)
    house.land("SUBSCRIBER\n1001\n", "eligibility/spans.csv")
    house.land("MRN,MBR_ID\n1001,1001\n", "crosswalk/numbers.csv")
    house.land("VISIT,PATIENT_MRN,PLAN_MEMBER\nV1,1001,\nV2,1001,1001\n", "encounter/visits.csv")
    house.load()
    (span,), (number,), (first, second) = house.rows("eligibility"), house.rows("crosswalk"), house.rows("encounter")
    assert (span["data_source"], number["data_source"]) == ("plan_a", "hosp_b"), "who sent the row stays who sent it"
    assert (
        number["member_token"]
        == span["member_token"]
        == second["member_token"]
        == token(KEY, "member", "plan_a", "1001")
    )
    assert first["record_token"] == number["record_token"] == token(KEY, "record", "hosp_b", "1001")


def test_each_id_of_a_load_is_hashed_once_when_it_stands_in_many_rows_and_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(tmp_path, **PLAN_AND_HOSPITAL)
    hashed, make = [], write._make_tokens

    def make_and_count(con: duckdb.DuckDBPyConnection, *arguments: Any) -> None:
        make(con, *arguments)
        hashed.append(con.execute("select count(*), count(distinct (kind, issuer, id)) from tokens").fetchone())

    monkeypatch.setattr(write, "_make_tokens", make_and_count)
    lines = "".join(f"V{number},M{number % 3},P{number % 2}\n" for number in range(60))
    house.land(f"VISIT,PATIENT_MRN,PLAN_MEMBER\n{lines}", "encounter/visits.csv")
    house.load()
    assert hashed == [(65, 65)]
