"""What is signed in a claim that was written with tokens, and which claims can be written: of one load, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pytest

from dagster_project.interchange.again import UNWRITABLE, NotWritable, claims_as_837
from dagster_project.interchange.segments import segment, text, words
from dagster_project.privacy.marks import token_or_hash_sql, vouched_sql
from dagster_project.privacy.tokens import register_key
from dagster_project.sources.x12.cells import SEGMENTS, VOUCHED_UNITS, take_segments
from dagster_project.sources.x12.claims import CLAIM_LINES, CLAIMS
from dagster_project.sources.x12.signed import find_signed
from tests.sources.x12.lake import KEY, Lake
from tests.sources.x12.written import BILLER, INSURED, OFFICE_VISIT, claims

NOW = "timestamp '2026-01-05 10:00'"
# A replacement, with all numbers that the house makes tokens of: the claim's, the payer's, an authorization, its lines'.
NUMBERED = (
    OFFICE_VISIT.replace("*11:B:1*", "*11:B:7*").replace("REF*G1*AUTH7~", "REF*G1*AUTH7~REF*F8*OLD9~")
    .replace("LX*2~", "REF*6R*A1-1~LX*2~") + "REF*6R*A1-2~"
)  # fmt: skip
OTHER = (
    INSURED.replace("HL*2*1", "HL*3*1").replace("M100", "M200")
    + NUMBERED.replace("A1", "A2").replace("AUTH7", "AUTH8").replace("OLD9", "OLD8")
)  # fmt: skip


@dataclass(frozen=True)
class House:
    """Two claims in the lake, and the file that was written of them."""

    con: duckdb.DuckDBPyConnection
    text: str

    def tokens(self, feed: str, column: str) -> list[str]:
        """In the order in which they are written."""
        found = self.con.execute(f"select {column} from {feed} order by source_line_number").fetchall()
        return [token for (token,) in found]

    def refused(self, claims_: str = "claim", lines: str = "line") -> str | None:
        """Why the first claim is not written, if it is not."""
        try:
            claims_as_837(self.con, f"(from {claims_} limit 1)", lines, KEY, NOW)
        except NotWritable as error:
            return str(error)
        return None


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    lake = Lake(tmp_path_factory.mktemp("signed"))
    lake.load(sent=claims(BILLER + INSURED + NUMBERED + OTHER))
    with duckdb.connect() as con:
        for name, feed in (("claim", "medical_claim"), ("line", "medical_claim_line")):
            files = f"{lake.settings.lake}/raw/{feed}/{feed}-*.parquet"
            con.execute(f"create table {name} as from read_parquet('{files}') order by source_line_number")
        yield House(con, claims_as_837(con, "claim", "line", KEY, NOW))


@contextmanager
def looked_through(text: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        register_key(con, KEY)
        take_segments(con, [text.encode()])
        find_signed(con)
        yield con


def believed(text: str) -> list[bool]:
    """Of each claim in the file's order whether its tokens are taken as they are."""
    with looked_through(text) as con:
        units = f"select unit in (select unit from {VOUCHED_UNITS}) from {SEGMENTS} where tag = 'CLM' order by segment_number"
        return [is_believed for (is_believed,) in con.execute(units).fetchall()]


def exchanged(text: str, one: str, other: str) -> str:
    return other.join(part.replace(other, one) for part in text.split(one))


def test_of_a_signed_claim_every_token_is_vouched_for(house: House) -> None:
    with looked_through(house.text) as con:
        told = [con.execute(record.statement(record.columns)).fetchall() for record in (CLAIMS, CLAIM_LINES)]
    found = [{cell[1:] for row in rows for cell in row[3:] if str(cell).startswith("\x1d")} for rows in told]
    of_claims = {token for feed, column in SIGNED[:-1] for token in house.tokens(feed, column)}
    of_lines = {*house.tokens("claim", "claim_token"), *house.tokens("line", "line_control_token")}
    # A line says of its patient what its claim does.
    assert found == [of_claims, of_lines | (found[1] & set(house.tokens("claim", "member_token")))]
    assert len(of_claims | of_lines) == 12 and believed(house.text) == [True, True]


SIGNED = [
    ("claim", "claim_token"), ("claim", "member_token"), ("claim", "payer_claim_control_token"),
    ("claim", "authorization_token"), ("line", "line_control_token"),
]  # fmt: skip


@pytest.mark.parametrize(("feed", "column"), SIGNED)
def test_two_claims_that_exchanged_a_token_are_not_vouched_for(house: House, feed: str, column: str) -> None:
    one, *_, other = house.tokens(feed, column)
    assert one != other and house.text.count(one) == house.text.count(other) == 1
    assert believed(exchanged(house.text, one, other)) == [False, False]


def test_two_lines_of_a_claim_that_exchanged_their_numbers_are_not_vouched_for(house: House) -> None:
    first, second, *_ = house.tokens("line", "line_control_token")
    assert believed(exchanged(house.text, first, second)) == [False, True]


@pytest.mark.parametrize("qualifier", ["F8", "G1", "6R", "D9"])
def test_a_claim_that_lost_a_number_or_its_signature_is_not_vouched_for(house: House, qualifier: str) -> None:
    before, _, after = house.text.partition(f"REF*{qualifier}*")
    assert believed(before + after.partition("~")[2]) == [False, True]


FORMS = {
    "1_" + "0123456789abcdef" * 2: True,
    "v2020q1x_" + "f" * 32: True,
    "1_" + "a" * 31: False,
    "1_" + "a" * 33: False,
    "1_" + "A" * 32: False,
    "1_" + "g" * 32: False,
    "V_" + "a" * 32: False,
    "_" + "a" * 32: False,
    "v2020q1xy_" + "a" * 32: False,
    "1-" + "a" * 32: False,
    "x 1_" + "a" * 32: False,
    "1_" + "a" * 32 + "\n": False,
    "123-45-6789": False,
}


@pytest.mark.parametrize(("value", "is_token"), FORMS.items())
def test_a_token_has_a_version_and_32_hexadecimal_digits(value: str, is_token: bool) -> None:
    """Twice: the reader looks before it vouches, and whoever writes into the lake does before he believes it."""
    with duckdb.connect() as con:
        for signed, vouched in (("true", is_token), ("false", False)):
            cell = con.execute(f"select {vouched_sql('$1', signed)}", [value]).fetchone()
            assert cell == ("\x1d" + value if vouched else value,)
        for sign, taken in (("\x1d", is_token), ("", False)):
            cell = con.execute(f"select {token_or_hash_sql('$1::varchar', repr('hash'))}", [sign + value]).fetchone()
            assert cell == (value if taken else "hash",)


def test_what_would_end_an_element_is_left_out_of_a_value() -> None:
    """A value that brought segments of its own could say anything of any claim."""
    value = "A*B:C^D~SE*1~\r\nE"
    with duckdb.connect() as con:
        written = f"select {segment('REF', repr('G1'), text('$1::varchar'), words('$1::varchar'))}"
        assert con.execute(written, [value]).fetchone() == ("REF*G1*ABCDSE1E*ABCDSE1E~",)
        assert con.execute(f"select {words('$1::varchar')}", ["Zoë Müller"]).fetchone() == ("ZOE MULLER",)


@pytest.mark.parametrize("form", ["professional", "institutional"])
def test_ids_and_codes_of_a_claim_cannot_bring_segments_of_their_own(house: House, form: str) -> None:
    evil = "7*7:7^7~SE*1*0001~\n"
    of_claim = ["payer_id", "billing_id", "rendering_id", "facility_id", "drg_code"]
    of_claim += ["diagnosis_code_1", "diagnosis_code_3", "procedure_code_1", "procedure_code_2"]
    of_claim += ["bill_type_code", "admit_type_code", "admit_source_code", "discharge_disposition_code"]
    of_line = ["hcpcs_code", "hcpcs_modifier_1", "hcpcs_modifier_2", "place_of_service_code", "revenue_center_code"]
    made = []
    for value in (evil, "7777SE10001"):
        for table, columns in (("claim", of_claim), ("line", [*of_line, "rendering_id"])):
            replaced = ", ".join(f"$1::varchar as {column}" for column in columns)
            house.con.execute(
                f"create or replace temp table changed_{table} as select * replace ({replaced}) from {table}", [value]
            )
        # What stands for the whole claim is not asked here: places of service that differ name none.
        house.con.execute("update changed_line set place_of_service_code = '11' where claim_line_number = 1")
        claim = f"(select * replace ('{form}' as claim_type) from changed_claim)"
        made.append(claims_as_837(house.con, claim, "changed_line", KEY, NOW))
    assert made[0] == made[1]


def test_a_claim_of_ours_is_written(house: House) -> None:
    assert house.refused() is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("'draft' as claim_status", 0),
        ("null::varchar as claim_status", 0),
        ("null::date as submitted_date", 0),
        ("null::varchar as claim_type", 1),
        ("'dental' as claim_type", 1),
        ("'snomed-ct' as diagnosis_code_type", 2),
        ("'other' as procedure_code_type", 2),
        ("'1_none' as claim_token", 4),
    ],
)
def test_a_claim_that_no_837_can_say_is_refused_with_the_reason(house: House, changed: str, reason: int) -> None:
    told = house.refused(f"(select * replace ({changed}) from claim)")
    assert told == list(UNWRITABLE.values())[reason]


@pytest.mark.parametrize(
    "known", ["icd-9-cm' as diagnosis_code_type, 'icd-9-pcs", "icd-10-cm' as diagnosis_code_type, 'icd-10-pcs"]
)
def test_both_code_systems_of_an_837_can_be_written(house: House, known: str) -> None:
    assert house.refused(f"(select * replace ('{known}' as procedure_code_type) from claim)") is None


@pytest.mark.parametrize("numbers", ["2, 3", "1, 3", "0, 2"])
def test_a_claim_whose_lines_are_not_all_there_is_refused(house: House, numbers: str) -> None:
    number = f"list_extract([{numbers}], claim_line_number)"
    told = house.refused(lines=f"(select * replace ({number} as claim_line_number) from line)")
    assert told == list(UNWRITABLE.values())[-1]
