"""Contracts: strict, and what follows from them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from fill_house import FILL, make_house

from dagster_project.settings import Settings
from dagster_project.sources import dbt_sources
from dagster_project.sources.contracts import ContractError, load_contracts, token_name
from dagster_project.sources.lake import raw_schema
from dagster_project.sources.loads import load_feed, prepare_lake, take_inventory
from tests.sources.x12.lake import KEY


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "status:       {type: code, identity: keep, ",
            "status: {type: code, ",
            "status: states no identity treatment",
        ),
        (
            "identity: keep, about: lines",
            "identity: keep, abuot: lines, about: lines",
            "unknown key; did you mean 'about'",
        ),
        ("type: integer", "type: integr", "'integr' is not known; did you mean 'integer'"),
        ("identity: drop", "identity: dorp", "did you mean 'drop'"),
        ("key: [fill_id]", "key: [fil_id]", "no column 'fil_id'; did you mean 'fill_id'"),
        ("amount: paid_amount", "amount: status", "must be usd or decimal"),
        ("month: fill_date", "month: birth_date", "must be a date or timestamp, and kept"),
        ("grain:", "grian:", "did you mean 'grain'"),
        (
            "layouts:",
            "suite: {fill_varies: [statsu]}\nlayouts:",
            "no column 'statsu' in the lake; did you mean 'status'",
        ),
        ("key: [fill_id]", "key: [birth_date]", "the key column 'birth_date' is not kept"),
        (
            "identity: 'token:member', about: person}",
            "identity: 'token:member', pattern: '(', about: person}",
            "member_id",
        ),
        (
            "layouts:\n  claimhouse: {data_source: demo}",
            "layouts:\n  acme: {data_source: acme, columns: {fill_id: ID}}",
            "maps nothing to 'member_id', which is required",
        ),
        (
            "layouts:\n  claimhouse: {data_source: demo}",
            "layouts:\n  acme: {columns: {fil_id: ID}}",
            "did you mean 'fill_id'",
        ),
        (
            "layouts:\n  claimhouse: {data_source: demo}",
            "layouts:\n  acme: {data_sourse: acme}",
            "did you mean 'data_source'",
        ),
        (
            "claimhouse: {data_source: demo}",
            "claimhouse: {columns: {paid_amount: {from: paid_amount, issued_by: plan_a}}}",
            "layout claimhouse: 'paid_amount' becomes no token",
        ),
        (
            "claimhouse: {data_source: demo}",
            "claimhouse: {columns: {member_id: {first: [{from: A, issued_by: plan_a}, B]}}}",
            "issued_by is said of the whole column",
        ),
        (
            "claimhouse: {data_source: demo}",
            "claimhouse: {columns: {member_id: {from: A, issued_by: Plan-A}}}",
            "issued_by 'Plan-A': use lower-case letters, digits and _",
        ),
        ("feed: fill", "feed: pill", "the file must be pill.yml"),
        ("type: boolean, identity: keep", "type: free_text, identity: keep", "identity is drop, or keep with why_kept"),
        ("type: boolean, identity: keep", "type: free_text, identity: 'token:note'", "only text can become a token"),
        ("about: lines", "about: lines, why_kept: it is a number", "said of free text that is kept"),
    ],
)
def test_a_contract_is_refused_and_told_why_when_something_in_it_is_wrong(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in FILL
    with pytest.raises(ContractError, match="fill.yml") as caught:
        make_house(tmp_path, fill=FILL.replace(old, new, 1))
    assert says in str(caught.value)


def test_codes_that_yaml_would_misread_stay_text_when_they_are_yes_no_or_010(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=FILL.replace("allowed: [open, closed]", "allowed: [NO, Y, on, 010, 7]"))
    assert house.contracts["fill"].columns["status"].allowed == ["NO", "Y", "on", "010", "7"]


def test_identities_change_name_and_type_when_they_go_to_the_lake(tmp_path: Path) -> None:
    columns = {column.name: column.type for column in make_house(tmp_path, fill=FILL).contracts["fill"].lake_columns()}
    assert list(columns)[:4] == ["fill_token", "member_token", "subscriber_token", "birth_year"]
    assert list(columns)[4:7] == ["is_birth_year_pooled", "death_year", "zip3"]
    assert columns["is_birth_year_pooled"] == "BOOLEAN"
    assert (columns["birth_year"], columns["quantity"], columns["paid_amount"]) == (
        "INTEGER",
        "DECIMAL(12,3)",
        "DECIMAL(18,2)",
    )
    assert list(columns)[-4:] == ["data_source", "load_id", "source_line_number", "source_part_number"]
    assert token_name("medical_record_number") == "medical_record_token"


def test_free_text_may_be_kept_when_the_contract_says_why(tmp_path: Path) -> None:
    kept = "is_generic:   {type: free_text, identity: keep, why_kept: a fixed sentence of the device, about: text}"
    (tmp_path / "fill.yml").write_text(
        FILL.replace("is_generic:   {type: boolean, identity: keep, about: generic}", kept)
    )
    column = load_contracts(tmp_path)["fill"].columns["is_generic"]
    assert (column.duckdb_type, column.why_kept) == ("VARCHAR", "a fixed sentence of the device")


def test_no_free_text_or_name_of_a_person_is_kept_when_the_projects_contracts_are_read() -> None:
    for contract in load_contracts().values():
        kept = {column.name for column in contract.lake_columns()}
        assert (
            not {
                "patient_name",
                "first_name",
                "last_name",
                "phone_number",
                "email_address",
                "social_security_number",
                "claim_note",
            }
            & kept
        )
        for column, definition in contract.columns.items():
            if column in ("member_id", "subscriber_id", "claim_id", "medical_record_number", "patient_account_number"):
                assert definition.token_kind, f"{contract.feed}.{column}"


def test_every_contract_has_a_schema_and_a_canonical_layout_when_they_are_loaded() -> None:
    contracts = load_contracts()
    assert len(contracts) >= 27
    for contract in contracts.values():
        assert "claimhouse" in contract.layouts and len(raw_schema(contract)) == len(contract.lake_columns())


def test_the_dbt_sources_are_those_of_the_contracts_when_contracts_have_changed() -> None:
    assert dbt_sources.TARGET.read_text(encoding="utf-8") == dbt_sources.render(load_contracts()), (
        "run: python -m dagster_project.sources.dbt_sources"
    )


def test_what_a_fee_schedule_leaves_blank_is_any_and_repeats_no_price(tmp_path: Path) -> None:
    """In a key a blank would be unknown, and of two files with the same price neither would take the other's place."""
    contracts = {"contracted_rate": load_contracts()["contracted_rate"]}
    settings = Settings(home=tmp_path, quiet_seconds=0)
    file = settings.landing / "contracted_rate" / "source=house" / "schedule.csv"
    file.parent.mkdir(parents=True)
    file.write_text(
        "payer_id,billing_id,claim_type,billing_code_type,billing_code,billing_code_modifier,effective_from_date,"
        "unit_amount,charge_rate\n"
        "P,,,hcpcs,j1745,,2025-01-01,0.451234,\n"
        "P,all,any,hcpcs,J1745,any,2025-01-01,0.5,\n"
        "P,B,institutional,revenue_code,450,,2025-01-01,,0.62\n"
        "P,B,institutional,revenue_code,451,,2025-01-01,,62\n"
    )
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    (load,) = load_feed("contracted_rate", settings, contracts, KEY)
    assert (load.rows_accepted, load.rows_set_aside) == (2, 2), "a key that comes again, and a share above one"
    read = f"read_parquet('{settings.lake}/raw/contracted_rate/{load.load_id}.parquet')"
    assert duckdb.sql(f"select billing_id, claim_type, billing_code, billing_code_modifier from {read}").fetchall() == [
        ("all", "any", "J1745", "ANY"),
        ("B", "institutional", "0450", "ANY"),
    ]
