"""The dictionary says what the project says, of every mart, rule and feed, and is written anew when that changes."""

from __future__ import annotations

import json

import pytest

from dagster_project.publication import dictionary
from dagster_project.settings import Settings


def model(name, columns, about="One row per thing. More words."):
    return {
        "resource_type": "model",
        "name": name,
        "fqn": ["claimhouse", "marts", "claims", name],
        "unique_id": f"model.claimhouse.{name}",
        "description": about,
        "columns": {
            column: {"name": column, "data_type": "varchar", "description": f"the {column}"} for column in columns
        },
    }


def column_test(kind, table, column, **more):
    return {
        "resource_type": "test",
        "test_metadata": {"name": kind, "kwargs": {"field": column}},
        "column_name": column,
        "attached_node": f"model.claimhouse.{table}",
        **more,
    }


@pytest.fixture
def manifest():
    nodes = [
        model("dim_member", ["member_key", "birth_year"]),
        model("fct_claim", ["claim_key", "member_key", "payer_id"]),
        model("mart_claim_score", ["claim_key"]),
        model("mart_pmpm", ["month"], "One row per month | payer. Divided by everyone."),
        model("mart_payer_note", ["payer_id"]),
        column_test("unique", "dim_member", "member_key"),
        column_test("unique", "fct_claim", "claim_key"),
        column_test("unique", "mart_claim_score", "claim_key"),
        column_test("relationships", "mart_payer_note", "payer_id",
                    depends_on={"nodes": ["model.claimhouse.fct_claim", "model.claimhouse.mart_payer_note"]}),
    ]  # fmt: skip
    return {"nodes": {str(number): node for number, node in enumerate(nodes)}}


def test_a_table_is_described_by_its_grain_columns_and_keys(manifest):
    doc = {table.name: table for table in dictionary.marts(manifest)}["fct_claim"]
    assert (doc.grain, doc.domain, doc.keys) == ("One row per thing.", "claims", ("claim_key",))
    assert [(column.name, column.type, column.about) for column in doc.columns][0] == (
        "claim_key",
        "varchar",
        "the claim_key",
    )


def test_the_diagram_joins_marts_by_shared_keys_and_by_tests_of_relationships(manifest):
    text = dictionary.entities(manifest)
    assert "dim_member ||--o{ fct_claim : member_key" in text
    assert "fct_claim ||--o| mart_claim_score : claim_key" in text
    assert "fct_claim ||--o{ mart_payer_note : payer_id" in text
    assert "varchar member_key FK" in text
    assert "- `mart_pmpm`: One row per month | payer." in text
    assert "    mart_pmpm {" not in text


def test_a_bar_in_a_description_does_not_break_the_table(manifest):
    assert "One row per month \\| payer." in dictionary.dictionary(manifest, [])


def test_every_feed_shows_what_happens_to_each_identity(manifest):
    text = dictionary.dictionary(manifest, dictionary.read_contracts())
    assert "| `patient_name` | text | dropped | patient's name |" in text
    assert "| `birth_date` | date | year only, ages above 89 pooled |" in text
    assert "token of kind member" in text
    feeds = {contract["feed"] for contract in dictionary.read_contracts()}
    assert len(feeds) == len(list(dictionary.CONTRACTS.glob("*.yml")))
    assert all(f"\n### {feed}\n" in text for feed in feeds)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return dictionary.parse(Settings(home=tmp_path_factory.mktemp("dictionary")))


def test_the_written_pages_are_current(project):
    """If this fails: python -m dagster_project.publication.dictionary"""
    assert dictionary.DICTIONARY.read_text() == dictionary.dictionary(project, dictionary.read_contracts())
    assert dictionary.ENTITIES.read_text() == dictionary.entities(project)


def test_no_mart_and_no_column_of_one_is_left_unexplained(project):
    tables = dictionary.marts(project)
    assert [doc.name for doc in tables if not doc.about.startswith("One row per") or not doc.columns] == []
    assert [f"{doc.name}.{column.name}" for doc in tables for column in doc.columns if not column.about] == []


def test_no_rule_table_is_left_unexplained(project):
    assert [doc.name for doc in dictionary.seeds(project) if not doc.about] == []


def test_the_pages_name_no_folder_of_the_machine_they_were_written_on(project):
    text = dictionary.dictionary(project, dictionary.read_contracts()) + dictionary.entities(project)
    assert json.dumps(str(dictionary.REPOSITORY)) not in text
    assert "/tmp/" not in text and str(dictionary.REPOSITORY) not in text
