"""`make soak`: what grows, where claims touch each other by the payer's number, and where the rules changed.

Named so that `make test` does not collect it; what grows at large stands in test_growing_models.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from small_warehouse import Warehouse
from test_growing_models import contents, count, differing

from tests.sources.x12.written import BILLER, INSURED, OFFICE_VISIT, PAYMENT, claims, payments

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

BUILD = (
    "build", "--exclude-resource-type", "test", "unit_test",
    "--select", "+fct_claim", "+fct_provider_adjustment", "+int_claim__receivables",
    "+int_finance__warehouse_amounts",
)  # fmt: skip
FILLS = ("build", "--exclude-resource-type", "test", "unit_test", "--select", "+fct_pharmacy_fill")
REPLACEMENT = OFFICE_VISIT.replace("CLM*A1*80***11:B:1*", "CLM*R1*80***11:B:7*").replace("REF*G1*AUTH7~", "REF*F8*C1~")
TAKEBACK = payments("PLB*1234567893*20261231*WO:C1*25~").replace(b"TRN*1*T1*", b"TRN*1*T9*")
ANOTHER = payments(PAYMENT.replace("CLP*A1*", "CLP*A8*")).replace(b"TRN*1*T1*", b"TRN*1*T8*")
STATE = """
    select claim_state, successor_claim_key is not null, recouped_amount::varchar from marts.fct_claim
    inner join (select distinct claim_key from marts.fct_claim_event where remittance_id = 'T1') using (claim_key)
"""
ANSWER = payments(PAYMENT.replace("CLP*A1*", "CLP*R1*").replace("*C1*11*1~", "*C2*11*1~")).replace(
    b"TRN*1*T1*", b"TRN*1*T7*"
)
CORRECTED = "select count(*) from marts.fct_claim_event where event_type = 'corrected' and remittance_id = 'T7'"
REVERSED_CHARGES = "select sum(amount)::varchar from intermediate.int_finance__warehouse_amounts where measure_code = 'claim_charge_reversed'"
RULE = "select original_claim_rule from marts.fct_claim where claim_frequency_code = '7'"


def arrive(warehouse: Warehouse, **files: bytes) -> None:
    folder = warehouse.settings.landing / "x12" / "source=payer"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    warehouse.load()
    warehouse.dbt(*BUILD)


def test_a_link_by_the_payers_number_comes_and_goes_with_either_side_as_a_full_build_has_it(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    arrive(warehouse, sent=claims(BILLER + INSURED + OFFICE_VISIT + REPLACEMENT), takeback=TAKEBACK)
    assert warehouse.rows(RULE) == [("not_found",)]

    arrive(warehouse, era=payments(PAYMENT))
    assert warehouse.rows(RULE) == [("control_number",)]
    assert warehouse.rows(STATE) == [("replaced", True, "25.00")]

    # The replacement is answered under a number of its own, and its original is not heard of again.
    arrive(warehouse, answer=ANSWER)
    assert warehouse.rows(RULE) == [("control_number",)]
    assert warehouse.rows(CORRECTED) == [(1,)] and warehouse.rows(REVERSED_CHARGES) == [("-80.00",)]

    # Another claim is paid under the same number: it is no longer known whose it is.
    arrive(warehouse, another=ANOTHER)
    assert warehouse.rows(RULE) == [("ambiguous",)]
    assert warehouse.rows(STATE) == [("paid", False, None)]
    assert warehouse.rows(REVERSED_CHARGES) == [(None,)]

    grown = contents(warehouse)
    warehouse.dbt(*BUILD, "--full-refresh")
    assert differing(contents(warehouse), grown) == []


def test_every_row_is_written_again_when_the_rules_changed(
    small_world: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule applies to all rows; a table that kept rows of the old rules would hold two truths."""
    small_world.load()
    small_world.dbt(*FILLS)
    environment = dict(small_world.settings.environment())
    held = "select distinct rules from intermediate.built where model = 'fct_pharmacy_fill'"
    assert small_world.rows(held) == [(environment["CLAIMHOUSE_RULES"],)]
    monkeypatch.setattr("dagster_project.settings.rules_version", lambda: "other rules")
    with duckdb.connect(str(small_world.settings.warehouse)) as con:
        con.execute("update marts.fct_pharmacy_fill set ndc_code = 'of the old rules'")
    small_world.dbt(*FILLS)
    assert count(small_world, "marts.fct_pharmacy_fill where ndc_code = 'of the old rules'") == 0
    assert small_world.rows(held) == [("other rules",)]
