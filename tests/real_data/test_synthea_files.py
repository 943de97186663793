"""Synthea's CSV files of 27 patients, read by their layouts, with the figures counted beside them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from real_lake import LoadedLake

from dagster_project.sources.loads import UnrecognisedFile

FOLDER = "synthea/ohdsi_27_patients"
READ = [
    "patients",
    "encounters",
    "conditions",
    "procedures",
    "medications",
    "claims",
    "claims_transactions",
    "payers",
    "payer_transitions",
    "organizations",
    "providers",
]
NOT_READ = ["allergies", "careplans", "devices", "imaging_studies", "immunizations", "observations", "supplies"]


@pytest.fixture(scope="module")
def lake(load: Callable[..., LoadedLake]) -> LoadedLake:
    return load(*(f"{FOLDER}/{name}.csv" for name in READ))


def test_patients_encounters_and_claims_are_all_there_when_loaded(lake: LoadedLake) -> None:
    counts = {
        feed: lake.one(f"select count(*) from {feed}")[0]
        for feed in (
            "member",
            "encounter",
            "medical_claim",
            "encounter_diagnosis",
            "encounter_procedure",
            "pharmacy_fill",
            "payer",
            "provider",
        )
    }
    assert counts == {
        "member": 27,
        "encounter": 604,
        "medical_claim": 1_267,
        "encounter_diagnosis": 438,
        "encounter_procedure": 249,
        "pharmacy_fill": 663,
        "payer": 10,
        "provider": 166 + 63,
    }


def test_nothing_is_set_aside_and_every_dollar_is_accounted_for_when_loaded(lake: LoadedLake) -> None:
    assert lake.all("select feed, reason_code from load_outcomes where outcome = 'set_aside'") == []
    assert all(audit.is_conserved for audit in lake.audits)
    assert {audit.data_source for audit in lake.audits} == {"synthea"}


def test_charges_are_lines_to_the_cent_when_transactions_are_read(lake: LoadedLake) -> None:
    assert lake.one("select count(*), sum(charge_amount) from medical_claim_line") == (1_545, Decimal("1092402.73"))
    assert lake.excluded("medical_claim_line", "transfer")[0] == 920 + 920
    assert lake.excluded("medical_claim_line", "payment")[0] == 1_843


def test_payments_are_complete_to_the_cent_when_payer_and_patient_are_told_apart(lake: LoadedLake) -> None:
    """ECHECK is what payers pay with; patients pay with CASH, CC, CHECK and at the counter (COPAY)."""
    payer = lake.one("select count(*), sum(paid_amount) from remittance")
    patient = lake.one(
        "select count(*), sum(transaction_amount) from patient_accounting where transaction_type = 'patient_payment'"
    )
    assert payer == (184, Decimal("15473.58")) and patient == (1_659, Decimal("1088030.37"))
    assert (payer[0] + patient[0], payer[1] + patient[1]) == (1_843, Decimal("1103503.95"))
    assert lake.excluded("remittance", "patient_payment") == patient
    assert lake.excluded("patient_accounting", "payer_payment") == payer


def test_all_transactions_are_read_by_each_feed_when_one_file_feeds_three(lake: LoadedLake) -> None:
    assert {
        (audit.feed, audit.rows_read) for audit in lake.audits if audit.layout == "synthea_claims_transactions"
    } == {("medical_claim_line", 5_228), ("remittance", 5_228), ("patient_accounting", 5_228)}


def test_an_end_of_1970_is_unknown_when_lines_are_read(lake: LoadedLake, real_data: Path) -> None:
    """Synthea writes 1970-01-01 as the end of a prescription that has none: 164 transactions, 75 of them charges."""
    raw = f"read_csv('{real_data / FOLDER / 'claims_transactions.csv'}', all_varchar = true)"
    assert lake.one(
        f"select count(*), count(*) filter (TYPE = 'CHARGE') from {raw} where TODATE like '1970-01-01%'"
    ) == (164, 75)
    assert lake.one("select count(*) from medical_claim_line where claim_line_end_date is null") == (75,)
    assert lake.one("select count(*) from medical_claim_line where claim_line_end_date < claim_line_start_date") == (0,)


def test_one_person_is_one_token_when_named_in_many_feeds(lake: LoadedLake) -> None:
    for feed in ("encounter", "medical_claim", "pharmacy_fill", "remittance", "patient_accounting", "eligibility"):
        assert lake.one(
            f"select count(*) from {feed} where member_token is null "
            f"or member_token not in (select member_token from member)"
        ) == (0,), feed


def test_one_claim_is_one_token_when_lines_and_payments_name_it(lake: LoadedLake) -> None:
    for feed in ("medical_claim_line", "remittance", "patient_accounting"):
        assert lake.one(
            f"select count(*) from {feed} where claim_token not in (select claim_token from medical_claim)"
        ) == (0,), feed


def test_spans_without_insurance_are_no_enrolment_when_transitions_are_read(lake: LoadedLake) -> None:
    """258 spans are NO_INSURANCE; of the others seven name a second payer and become two rows."""
    assert lake.excluded("eligibility", "no_insurance")[0] == 258
    assert lake.all("select coverage_rank, count(*) from eligibility group by 1 order by 1") == [
        ("primary", 793),
        ("secondary", 7),
    ]


def test_the_payers_payment_of_a_fill_is_the_same_money_when_its_claim_is_read_too(lake: LoadedLake) -> None:
    """Synthea tells of a prescription twice, as a medication and as a claim: 2,408.85 of the 15,473.58."""
    assert lake.one("select sum(paid_amount) from pharmacy_fill") == (Decimal("2408.85"),)


def test_no_name_number_or_address_is_in_the_lake_when_patients_were_read(lake: LoadedLake, real_data: Path) -> None:
    raw = duckdb.sql(
        f"select Id, SSN, DRIVERS, PASSPORT, FIRST, LAST, ADDRESS, BIRTHDATE from "
        f"read_csv('{real_data / FOLDER / 'patients.csv'}', all_varchar = true)"
    ).fetchall()
    secrets = {value for row in raw for value in row if value}
    assert len(secrets) > 150
    found = set()
    for feed in lake.contracts:
        texts = [column for column, kind, *_ in lake.all(f'describe "{feed}"') if kind == "VARCHAR"]
        for column in texts:
            found |= secrets & {value for (value,) in lake.all(f'select distinct "{column}" from "{feed}"')}
    assert found == set()


@pytest.mark.parametrize("name", NOT_READ)
def test_a_file_that_no_feed_knows_is_refused_when_it_looks_like_another(
    load: Callable[..., LoadedLake], name: str
) -> None:
    """Allergies and devices have every column of conditions, and more: read as diagnoses they would be wrong."""
    with pytest.raises(UnrecognisedFile):
        load(f"{FOLDER}/{name}.csv")
