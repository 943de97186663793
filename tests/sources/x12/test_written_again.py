"""A claim written again with tokens gives, read back, the rows it came from; and nothing else passes for a token."""

from __future__ import annotations

import io
import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.interchange.again import NotWritable, claims_as_837
from dagster_project.privacy.marks import MARK
from dagster_project.privacy.tokens import token
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import load_feed, prepare_lake, take_inventory
from tests.sources.x12.lake import KEY, OF_FILES
from tests.sources.x12.written import BILLER, DEPENDENT, INSTITUTIONAL, INSURED, OFFICE_VISIT, claims

FEEDS = ("medical_claim", "medical_claim_line")
NOW = "timestamp '2026-01-05 10:00'"
STAY = (
    "CLM*H1*900***11:A:7*Y*A*Y*Y~DTP*434*RD8*20260101-20260105~DTP*435*DT*202601010830~CL1*1*7*01~REF*F8*OLD9~"
    "HI*ABK:I219~HI*ABF:I10*ABF:E119~HI*DR:280~HI*BBR:027034Z:D8:20260102~HI*BBQ:0JH60XZ:D8:20260102~"
    "NM1*71*1*DOC*A****XX*1111111112~LX*1~SV2*0120**900*DA*4~"
)


def lake(home: Path, *files: bytes | str) -> duckdb.DuckDBPyConnection:
    """What files of one sender bring: relations medical_claim and medical_claim_line, as in the lake."""
    settings = Settings(home=home, quiet_seconds=0)
    folder = settings.landing / "x12" / "source=payer"
    folder.mkdir(parents=True)
    for number, data in enumerate(files):
        (folder / f"{number}.x12").write_bytes(data if isinstance(data, bytes) else data.encode())
    contracts = load_contracts()
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    con = duckdb.connect()
    for feed in FEEDS:
        load_feed(feed, settings, contracts, KEY)
        con.execute(
            f"create view {feed} as from read_parquet('{home}/lake/raw/{feed}/*.parquet', union_by_name = true)"
        )
    return con


def rows(con: duckdb.DuckDBPyConnection, feed: str) -> list[tuple[object, ...]]:
    return con.execute(f"select * exclude ({', '.join(OF_FILES)}) from {feed} order by all").fetchall()


def again(con: duckdb.DuckDBPyConnection) -> str:
    return claims_as_837(con, "medical_claim", "medical_claim_line", KEY, NOW)


def test_claims_of_both_forms_give_the_same_rows_when_written_and_read_again(tmp_path: Path) -> None:
    dependent = INSURED.replace("22*0", "22*1") + DEPENDENT + OFFICE_VISIT.replace("A1", "A2")
    first = lake(tmp_path / "first", claims(BILLER + INSURED + OFFICE_VISIT, BILLER + dependent),
                 claims(BILLER + INSURED + STAY, version=INSTITUTIONAL))  # fmt: skip
    text = again(first)
    second = lake(tmp_path / "second", text)
    for feed in FEEDS:
        assert rows(second, feed) == rows(first, feed) and len(rows(first, feed)) >= 3
    for identity in ("M100", "ROE", "KIM", "A1*", "H1*", "OLD9", "AUTH7"):
        assert identity not in text.upper()
    assert f"*{MARK}*" in text and text.split("~")[0].split("*")[15] == "T"


def test_what_the_lake_does_not_keep_is_unknown_and_not_invented_and_the_guides_are_kept(tmp_path: Path) -> None:
    text = again(lake(tmp_path, claims(BILLER + INSURED + OFFICE_VISIT.replace("LX*1", "NM1*77*2*SITE*****XX*1111111112~LX*1")),
                      claims(BILLER + INSURED + STAY, version=INSTITUTIONAL)))  # fmt: skip
    segments = [segment.strip().split("*") for segment in text.split("~")]
    told = {(segment[0], *segment[1:]) for segment in segments if segment[0] in ("N3", "N4", "PER")}
    assert told == {("N3", "UNKNOWN"), ("N4", "UNKNOWN"), ("PER", "IC", "UNKNOWN", "TE", "0000000000")}
    assert {segment[2] for segment in segments if segment[:2] == ["REF", "EI"]} == {"000000000"}
    assert {segment[3] for segment in segments if segment[0] == "NM1"} <= {"CLAIMHOUSE", "RECEIVER", "UNKNOWN", "P1"}
    params = pytest.importorskip("pyx12.params", reason="pyx12 is not installed")
    document = pytest.importorskip("pyx12.x12n_document")
    assert document.x12n_document(params.params(), io.StringIO(text), io.StringIO(), None)


def test_an_identity_that_is_called_a_token_becomes_one_all_the_same(tmp_path: Path) -> None:
    text = again(lake(tmp_path / "first", claims(BILLER + INSURED + OFFICE_VISIT)))
    member = token(KEY, "member", "payer", "M100")
    assert text.count(member) == 1
    forged = lake(tmp_path / "forged", text.replace(member, "123-45-6789"))
    assert "123-45-6789" not in str(rows(forged, "medical_claim"))


def test_even_a_signed_value_must_look_like_a_token(tmp_path: Path) -> None:
    con = lake(tmp_path / "first", claims(BILLER + INSURED + OFFICE_VISIT))
    con.execute("create table untrue as select * replace ('123-45-6789' as member_token) from medical_claim")
    text = claims_as_837(con, "untrue", "medical_claim_line", KEY, NOW)
    assert "*123-45-6789~" in text
    ((member, claim),) = (
        lake(tmp_path / "second", text).execute("select member_token, claim_token from medical_claim").fetchall()
    )
    assert member == token(KEY, "member", "payer", "123-45-6789")
    assert claim == token(KEY, "claim", "payer", "A1")


def test_a_token_that_the_house_did_not_sign_is_hashed_like_any_id(tmp_path: Path) -> None:
    text = again(lake(tmp_path / "first", claims(BILLER + INSURED + OFFICE_VISIT)))
    member, other = token(KEY, "member", "payer", "M100"), token(KEY, "member", "payer", "somebody else")
    for name, data in {"moved": text.replace(member, other), "unmarked": text.replace(MARK, "7")}.items():
        found = str(rows(lake(tmp_path / name, data), "medical_claim"))
        assert member not in found and other not in found
        assert token(KEY, "member", "payer", other if name == "moved" else member) in found


def test_a_sign_of_our_own_in_a_file_is_no_voucher(tmp_path: Path) -> None:
    member = token(KEY, "member", "payer", "M100")
    data = claims(BILLER + INSURED.replace("M100", f"\x1d{member}") + OFFICE_VISIT)
    assert member not in str(rows(lake(tmp_path, data), "medical_claim"))


def test_a_claim_of_which_a_line_is_missing_is_not_written(tmp_path: Path) -> None:
    con = lake(tmp_path, claims(BILLER + INSURED + OFFICE_VISIT))
    con.execute("create table fewer as from medical_claim_line where claim_line_number > 1")
    with pytest.raises(NotWritable, match="lines"):
        claims_as_837(con, "medical_claim", "fewer", KEY, NOW)


@pytest.mark.parametrize(
    ("changed", "of_lines", "reason"),
    [
        ("null::varchar as diagnosis_code_1", "", "its codes have gaps"),
        ("null::varchar as diagnosis_code_2", "", "its codes have gaps"),
        ("null::varchar as procedure_code_1", "", "its codes have gaps"),
        ("null::varchar as procedure_code_1, 'A' as procedure_code_5", "", "its codes have gaps"),
        ("", "'snomed-ct' as procedure_code_type", "no 837 has codes of its code system"),
        ("", "null::varchar as procedure_code_type", "no 837 has codes of its code system"),
    ],
)
def test_a_claim_whose_codes_no_837_can_say_is_not_written_rather_than_without_them(
    tmp_path: Path, changed: str, of_lines: str, reason: str
) -> None:
    of_lines = of_lines and f"{of_lines}, 'X1' as hcpcs_code"
    stay = STAY.replace("ABF:E119", "ABF:E119*ABF:R05")
    con = lake(tmp_path, claims(BILLER + INSURED + stay, version=INSTITUTIONAL))
    for name, feed, values in (("claim", FEEDS[0], changed), ("line", FEEDS[1], of_lines)):
        con.execute(f"create table {name} as select *{f' replace ({values})' if values else ''} from {feed}")
    with pytest.raises(NotWritable, match=reason):
        claims_as_837(con, "claim", "line", KEY, NOW)


def test_the_number_of_a_line_cannot_be_moved_to_another_line_of_its_claim(tmp_path: Path) -> None:
    numbered = OFFICE_VISIT.replace("LX*2~", "REF*6R*A1-1~LX*2~")
    first = lake(tmp_path / "first", claims(BILLER + INSURED + numbered))
    text = again(first)
    (number,) = re.findall(r"REF\*6R\*(.*?)~", text.split("LX*2~")[0])
    con = first
    con.execute(
        "create table bare as select * replace (case claim_line_number when 1 then line_control_token end as line_control_token) "
        "from medical_claim_line"
    )
    signed = claims_as_837(con, "medical_claim", "bare", KEY, NOW)
    assert signed.count("REF*6R*") == 1
    kept = lake(tmp_path / "kept", signed)
    assert number in str(rows(kept, "medical_claim_line"))
    moved = signed.replace(f"REF*6R*{number}~", "").replace("DTP*472*RD8", f"REF*6R*{number}~DTP*472*RD8")
    assert moved.count(number) == 1
    assert number not in str(rows(lake(tmp_path / "moved", moved), "medical_claim_line"))


def test_the_sign_of_a_voucher_in_a_flat_file_is_none(tmp_path: Path) -> None:
    member = token(KEY, "member", "payer", "M100")
    settings = Settings(home=tmp_path, quiet_seconds=0)
    folder = settings.landing / "member_crosswalk" / "source=payer"
    folder.mkdir(parents=True)
    (folder / "people.csv").write_text(f"medical_record_number,member_id\nR1,\x1d{member}\nR2,{member}\n")
    contracts = load_contracts()
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    load_feed("member_crosswalk", settings, contracts, KEY)
    found = duckdb.sql(
        f"select member_token from read_parquet('{tmp_path}/lake/raw/member_crosswalk/member_crosswalk-*.parquet')"
    ).fetchall()
    assert found and (member,) not in found
