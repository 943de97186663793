"""What must hold of the models' text: SQL that DuckDB and Spark both run, stated grains, rules with dates and sources."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from dagster_project.settings import DBT_PROJECT
from dagster_project.sources.contracts import load_contracts

MODELS = sorted((DBT_PROJECT / "models").rglob("*.sql"))
SEEDS = sorted((DBT_PROJECT / "seeds").rglob("*.csv"))

# Each fails or gives something else on one of the two engines; where one is needed it goes through a dispatched macro.
FORBIDDEN = {
    "exclude": r"\bexclude\s*\(",
    "list()": r"\blist\s*\(",
    "unnest": r"\bunnest\s*\(",
    "explode": r"\bexplode\s*\(",
    "string_agg": r"\bstring_agg\s*\(",
    "sha256": r"\bsha256\s*\(|\bsha2\s*\(",
    "regexp": r"\bregexp_matches\s*\(|\bregexp_like\s*\(",
    "date formats": r"\bstrftime\s*\(|\bdate_format\s*\(|\bstrptime\s*\(|\bto_date\s*\(",
    "date_diff": r"\bdate_diff\s*\(|\bdatediff\s*\(",
    "add_months": r"\badd_months\s*\(",
    "quantile_cont": r"\bquantile_cont\s*\(",
    "asof": r"\basof\b",
    "try_divide": r"\btry_divide\s*\(",
    "qualify": r"\bqualify\b",
    "filter of a window": r"\bfilter\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*over\b",
    "casts by colons": r"::",
    "varchar without a length": r"\bvarchar\b(?!\s*\()",
    "the day of the run": r"\bcurrent_date\b|\bcurrent_timestamp\b|\bnow\s*\(|\btoday\s*\(",
}


# Types of contracts and seeds. Spark has no varchar without a length; macros/spark.sql makes it string there.
KNOWN_TYPES = re.compile(r"varchar|bigint|integer|double|boolean|date|timestamp|decimal\(\d+, ?\d+\)")


def bare_sql(path: Path) -> str:
    """The text without comments, Jinja and quoted words."""
    text = path.read_text()
    text = re.sub(r"\{\{ config\(.*?\n\) \}\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"--[^\n]*", " ", text)
    return re.sub(r"'[^']*'", "''", text).lower()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_uses_only_words_that_both_engines_know(path: Path) -> None:
    text = bare_sql(path)
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)]
    assert found == [], f"{path.name} uses {found}"
    assert '"' not in text, f"{path.name} quotes an identifier with double quotes"


def test_the_search_for_forbidden_words_sees_one_when_it_is_there(tmp_path: Path) -> None:
    model = tmp_path / "planted.sql"
    model.write_text("select string_agg(name, ',') from {{ ref('anything') }} -- unnest(x) in a comment is none")
    assert re.search(FORBIDDEN["string_agg"], bare_sql(model))
    assert not re.search(FORBIDDEN["unnest"], bare_sql(model))


def described() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for path in (DBT_PROJECT / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models") or []:
            found.setdefault(str(model["name"]), {}).update(model)
    return found


def test_contracts_and_seeds_use_only_types_that_both_engines_know() -> None:
    columns = [column for model in described().values() for column in listed_columns(model)]
    types = [str(column["data_type"]) for column in columns if "data_type" in column]
    for path in (DBT_PROJECT / "seeds").rglob("*.yml"):
        for seed in yaml.safe_load(path.read_text())["seeds"]:
            types += seed["config"]["column_types"].values()
    assert len(types) > 500
    assert sorted({kind for kind in types if not KNOWN_TYPES.fullmatch(kind)}) == []


def listed_columns(model: dict[str, object]) -> list[dict[str, object]]:
    columns = model.get("columns") or []
    assert isinstance(columns, list)
    return columns


def test_every_model_states_its_grain_when_it_is_described() -> None:
    models = described()
    assert sorted(path.stem for path in MODELS if path.stem not in models) == []
    silent = [name for name, model in models.items() if not str(model.get("description", "")).startswith("One row per")]
    assert silent == []


def test_every_column_of_a_mart_is_described_and_its_contract_enforced() -> None:
    models = described()
    for path in MODELS:
        if "marts" not in path.parts:
            continue
        model = models[path.stem]
        config = model.get("config") or {}
        assert isinstance(config, dict) and (config.get("contract") or {}).get("enforced") is True, path.stem
        columns = model.get("columns") or []
        assert isinstance(columns, list) and columns, path.stem
        bare = [column["name"] for column in columns if not column.get("description") or not column.get("data_type")]
        assert bare == [], path.stem


def test_feeds_have_the_keys_and_amounts_of_their_contracts() -> None:
    text = (DBT_PROJECT / "macros" / "feeds.sql").read_text()
    for name, contract in load_contracts().items():
        line = next((line for line in text.splitlines() if line.strip().startswith(f"'{name}':")), None)
        assert line is not None, f"{name} is missing in macros/feeds.sql"
        raw = yaml.safe_load((Path("dagster_project/sources/contracts") / f"{name}.yml").read_text())
        key = [in_lake(column, raw["columns"][column]["identity"]) for column in raw["key"]]
        assert f"'key': {key!r}" in line, name
        assert f"'amount': {raw.get('amount')!r}".replace("None", "none") in line, name
        assert contract.feed == name


def in_lake(column: str, identity: str) -> str:
    return re.sub(r"_(id|number)$", "_token", column) if identity.startswith("token:") else column


# Beside a feed's rows: some that are left out of them under a name, of which only what tells them apart is of use.
OF_SOME_ROWS = {"stg_medical_claim__other_submissions"}


@pytest.mark.parametrize("feed", sorted(load_contracts()))
def test_staging_passes_on_every_column_of_its_contract(feed: str) -> None:
    raw = yaml.safe_load((Path("dagster_project/sources/contracts") / f"{feed}.yml").read_text())
    folder = DBT_PROJECT / "models" / "staging" / feed
    (path,) = (path for path in folder.glob("stg_*.sql") if path.stem not in OF_SOME_ROWS)
    text = path.read_text()
    generalised = {"generalise:birth_year": "birth_year", "generalise:year": "death_year", "generalise:zip3": "zip3"}
    for column, rule in raw["columns"].items():
        if rule["identity"] == "drop":
            continue
        name = generalised.get(rule["identity"]) or in_lake(column, rule["identity"])
        assert re.search(rf"\b{name}\b", text), f"{path.name} leaves out {name}"


def test_denial_categories_are_the_sixteen_and_no_code_is_in_two_at_once() -> None:
    rows = list(csv.DictReader((DBT_PROJECT / "seeds/denials/denial_categories.csv").open()))
    listed = csv.DictReader((DBT_PROJECT / "seeds/denials/denial_category_names.csv").open())
    names = [row["denial_category"] for row in listed]
    denials = {row["denial_category"] for row in rows if row["is_denial"] == "true"}
    assert len(names) == 17 and names[-1] == "unmapped"
    assert denials == set(names) - {"unmapped"}
    reasons = [row for row in rows if row["code_list"] == "outsourcer_reason"]
    assert len(reasons) == 16
    keys = [(row["code_list"], row["code"], row["effective_from"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert {row["code"] for row in rows if row["denial_category"] == "not_a_denial"} >= {
        "1",
        "2",
        "3",
        "23",
        "24",
        "45",
    }


DATED_RULES = [
    "claims/acknowledgement_categories",
    "denials/appeal_deadlines",
    "denials/denial_categories",
    "denials/denial_remarks",
    "claims/service_category_rules",
    "claims/incurred_month_rules",
    "claims/encounter_rules",
    "claims/record_encounter_types",
    "finance/month_closes",
    "finance/underpayment_tolerances",
    "opportunity/census_divisions",
    "opportunity/cms_source_pairs",
    "opportunity/drg_parameters",
    "opportunity/drg_title_endings",
    "opportunity/mdc_names",
    "opportunity/mdc_ranges",
    "opportunity/ownership_classes",
    "opportunity/payment_systems",
    "opportunity/peer_bands",
    "opportunity/peer_rules",
]


@pytest.mark.parametrize("name", DATED_RULES)
def test_every_rule_has_a_date_and_a_source(name: str) -> None:
    rows = list(csv.DictReader((DBT_PROJECT / "seeds" / f"{name}.csv").open()))
    assert rows
    assert [row for row in rows if not row["effective_from"] or not row["source"]] == []


def test_service_category_rules_have_one_order_and_one_name_each() -> None:
    rows = list(csv.DictReader((DBT_PROJECT / "seeds/claims/service_category_rules.csv").open()))
    assert len({row["rule_id"] for row in rows}) == len(rows)
    assert len({row["priority"] for row in rows}) == len(rows)
