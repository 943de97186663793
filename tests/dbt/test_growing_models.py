"""What grows holds what a build from nothing would hold, whatever arrived, changed or went in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_warehouse import Warehouse

from tests.sources.x12.written import (
    BILLER,
    INSURED,
    MISNAMED,
    OFFICE_VISIT,
    PAYMENT,
    SENT_ELSEWHERE,
    SENT_ON,
    UNNUMBERED,
    claims,
    payments,
)

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

BUILD = ("build", "--exclude-resource-type", "test", "unit_test")
GROWING = "select model from intermediate.built where model like 'fct_%' or model like 'int_%' order by 1"
# A log of the builds themselves: no build from nothing has it.
LOGS = {"int_lake__changed_loads", "int_lake__touched_claims", "int_lake__touched_people"}

# One sender's claims that another row finds by the payer's number: what arrives first, and what comes to it. A1 is sent on to a
# second payer and taken back under another id; of A5, which was so at first, the number becomes another claim's as well; and what a
# takeback refers to is the provider's id of A1, until a remittance carries it as a number. A10 goes to another first payer; A11 is
# sent again, and taken back under another id and number, and A12, which was so at first, may be a twin's since one is known.


def visit(claim: str) -> str:
    return OFFICE_VISIT.replace("CLM*A1*", f"CLM*{claim}*")


def payment(claim: str, number: str, day: str = "20260102") -> str:
    paid = PAYMENT.replace("CLP*A1*", f"CLP*{claim}*").replace("*C1*11*1~", f"*{number}*11*1~")
    return paid.replace("20260102", day)


def taken_back(claim: str, number: str, day: str, trace: str) -> bytes:
    said = UNNUMBERED.replace(b"CLP*X9*", b"CLP*%b*" % claim.encode()).replace(b"*C9*11", b"*%b*11" % number.encode())
    return said.replace(b"20260102", day.encode()).replace(b"TRN*1*T3*", b"TRN*1*%b*" % trace.encode())


OF_A1, PAYMENT_OF_A5 = OFFICE_VISIT, payment("A5", "C5")
AT_FIRST = {
    "claims": claims(BILLER + INSURED + OF_A1 + "".join(map(visit, ("A5", "A10", "A11", "A12")))),
    "era": payments(PAYMENT + PAYMENT_OF_A5 + payment("A11", "C11", "20260103") + payment("A12", "C12", "20260104")),
    "unnumbered": taken_back("X12", "C13", "20260104", "T7"),
    "takeback": payments("PLB*1234567893*20261231*WO:A1*25~").replace(b"TRN*1*T1*", b"TRN*1*T2*"),
    "taken back": MISNAMED.replace(b"CLP*X9*", b"CLP*X5*")
    .replace(b"*C1*", b"*C5*")
    .replace(b"TRN*1*T3*", b"TRN*1*T4*"),
}
AFTERWARDS = {
    "sent on": claims(BILLER + SENT_ON + OF_A1),
    "sent elsewhere": claims(BILLER + SENT_ELSEWHERE + visit("A10")).replace(b"*B1*20260104*", b"*B1*20260203*"),
    "sent again": claims(BILLER + INSURED + visit("A11")).replace(b"*B1*20260104*", b"*B1*20260305*"),
    "later unnumbered": taken_back("X11", "C14", "20260103", "T8"),
    "twin": payments(payment("A13", "C15", "20260104")).replace(b"TRN*1*T1*", b"TRN*1*T9*"),
    "later taken back": MISNAMED,
    "another": payments(PAYMENT_OF_A5.replace("CLP*A5*", "CLP*A6*")).replace(b"TRN*1*T1*", b"TRN*1*T5*"),
    "called so": payments(PAYMENT.replace("CLP*A1*", "CLP*A8*").replace("*C1*11*1~", "*A1*11*1~")).replace(
        b"TRN*1*T1*", b"TRN*1*T6*"
    ),
}
FOUND = """
    select (select count(*) from marts.fct_claim_event where is_to_further_payer),
        (select list(claim_rule order by remittance_id) from marts.mart_reversal where data_source = 'clinic'),
        (select list(claim_rule) from marts.fct_provider_adjustment where data_source = 'clinic'),
        (select sum(row_count)::bigint from marts.mart_load_outcome where reason_code = 'sent_to_further_payer'),
        (select sum(row_count)::bigint from marts.mart_load_outcome where reason_code = 'sent_to_earlier_payer'),
        (select sum(row_count)::bigint from marts.mart_load_outcome where reason_code = 'sent_before'),
        (select count(*) from marts.fct_claim_event where submission_number > 1),
        (select bool_and(is_conserved) from marts.mart_load_audit where data_source = 'clinic')
"""


def contents(warehouse: Warehouse) -> dict[str, tuple[object, ...]]:
    """Every table of the warehouse: its rows, whatever their order, as a count and a sum of hashes over all columns."""
    tables = warehouse.rows(
        "select schema_name || '.' || table_name, table_name from duckdb_tables()"
        " where schema_name in ('intermediate', 'marts') and table_name not like 'touched\\_\\_%' escape '\\'"
        " and table_name not in ('built', 'passed') order by 1"
    )
    summed = "select count(*), sum(hash(row_of)::hugeint)::varchar from {} as row_of"
    return {str(name): warehouse.rows(summed.format(path))[0] for path, name in tables if name not in LOGS}


def touched(warehouse: Warehouse, model: str) -> int:
    (count,) = warehouse.rows(f"select count(*) from intermediate.touched__{model}")[0]
    assert isinstance(count, int)
    return count


def count(warehouse: Warehouse, relation: str) -> int:
    (rows,) = warehouse.rows(f"select count(*) from {relation}")[0]
    assert isinstance(rows, int)
    return rows


def differing(one: dict[str, tuple[object, ...]], other: dict[str, tuple[object, ...]]) -> list[str]:
    return sorted(name for name in one | other if one.get(name) != other.get(name))


def files_of(landing: Path, feed: str) -> list[Path]:
    """A feed's files in their order; control totals left out, since files will change under them."""
    for control in landing.rglob("*.ctl"):
        control.unlink()
    return sorted(path for form in ("_2*", ".csv*") for path in landing.rglob(f"{feed}{form}") if path.is_file())


def cut_short(path: Path, lines: int) -> None:
    """The file sent again under its name without its last lines."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))


def arrive(warehouse: Warehouse, files: dict[str, bytes]) -> None:
    folder = warehouse.settings.landing / "x12" / "source=clinic"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def withhold(paths: list[Path], folder: Path) -> dict[Path, Path]:
    folder.mkdir()
    return {path: Path(shutil.move(path, folder / path.name)) for path in paths}


def test_what_grows_equals_a_full_build_when_files_arrive_change_and_go_and_a_build_died_between(
    small_world: Warehouse, tmp_path: Path
) -> None:
    landing = small_world.settings.landing
    feeds = (
        "medical_claim", "medical_claim_line", "remittance", "remittance_adjustment", "pharmacy_fill", "encounter",
        "eligibility", "patient_accounting", "provider_adjustment", "remittance_advice", "work_record", "ledger_posting",
        "claim_acknowledgement",
    )  # fmt: skip
    last = withhold([files_of(landing, feed)[-1] for feed in feeds], tmp_path / "last")
    first_claims = withhold([files_of(landing, "medical_claim")[0]], tmp_path / "first")
    crosswalk = withhold(list(landing.rglob("member_crosswalk.*")), tmp_path / "crosswalk")
    arrive(small_world, AT_FIRST)
    small_world.load()
    small_world.dbt(*BUILD)
    before = contents(small_world)
    rules = ["control_number", "negated_to_the_cent"]
    assert small_world.rows(FOUND) == [(0, rules, ["referred_claim_id"], None, None, None, 0, True)]
    models = [str(model) for (model,) in small_world.rows(GROWING)]
    assert {
        "fct_claim",
        "fct_claim_event",
        "fct_claim_line",
        "fct_encounter",
        "fct_member_month",
        "fct_pharmacy_fill",
    } <= set(models)

    # A month arrives, and with it claims that were late and the record numbers' owners.
    for kept in (last, first_claims, crosswalk):
        for path, held in kept.items():
            shutil.move(held, path)
    arrive(small_world, AFTERWARDS)
    small_world.load()
    # A build that died half way leaves some tables ahead; one asset asked for alone has not seen what those above it lack.
    small_world.dbt(*BUILD, "--select", "+int_claim__adjudications")
    small_world.dbt(*BUILD, "--select", "fct_claim_event")
    for feed, index, lines in (
        ("pharmacy_fill", 0, 3),
        ("encounter", 1, 5),
        ("remittance", 0, 4),
        ("claim_acknowledgement", 0, 4),
        ("patient_accounting", 0, 4),
        ("ledger_posting", 0, 4),
    ):
        cut_short(files_of(landing, feed)[index], lines)
    small_world.load()
    small_world.dbt(*BUILD)
    grown = contents(small_world)
    rules = ["control_number", "claim_id", "ambiguous", "negated_to_the_cent"]
    assert small_world.rows(FOUND) == [(1, rules, ["control_number"], 1, 1, 1, 2, True)]
    assert set(differing(grown, before)) >= {
        "fct_claim", "fct_claim_event", "fct_claim_line", "fct_encounter", "fct_member_month", "fct_pharmacy_fill"
    }  # fmt: skip
    claims = count(
        small_world, "(select claim_token from marts.fct_claim union select claim_token from marts.fct_pharmacy_fill)"
    )
    assert 0 < touched(small_world, "fct_claim_line") < claims, (
        "claims of which nothing came or went were written again"
    )

    small_world.dbt(*BUILD, "--full-refresh")
    assert differing(contents(small_world), grown) == []

    # Claims stay as they are, and what they were agreed to cost does not.
    cut_short(files_of(landing, "contracted_rate")[0], 400)
    small_world.load()
    small_world.dbt(*BUILD, "--select", "+mart_underpayment")
    repriced = contents(small_world)
    assert set(differing(repriced, grown)) >= {"int_claim__expected_amounts", "mart_underpayment"}
    small_world.dbt(*BUILD, "--full-refresh", "--select", "int_claim__expected_amounts", "mart_underpayment")
    assert differing(contents(small_world), repriced) == []
