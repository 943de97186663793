"""Rules that changed apply to every row: what counts as a change, and what a growing model asks before it keeps rows.

Belongs here: both without a build; `make soak` builds twice (soak_growing.py).
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from macro_results import result_of

from dagster_project import settings
from dagster_project.settings import Settings, rules_version

FILES = {
    "macros/claims.sql": "one",
    "models/marts/fct_claim.sql": "select 1",
    "seeds/denials/categories.csv": "code\n1\n",
    "reference/codes.csv.gz": "packed",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DBT_PROJECT", tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_line_of_sql_a_macro_a_rule_or_a_code_makes_other_rules(project: Path, name: str) -> None:
    before = rules_version()
    (project / name).write_text(FILES[name] + " ")
    changed = rules_version()
    (project / name).rename((project / name).with_stem("renamed"))
    assert len({before, changed, rules_version()}) == 3


def test_words_about_models_make_no_other_rules(project: Path) -> None:
    before = rules_version()
    (project / "models" / "marts" / "claims.yml").write_text("description: otherwise")
    (project / "tests").mkdir()
    (project / "tests" / "assert.sql").write_text("select 1")
    assert rules_version() == before


def test_dbt_is_told_of_the_rules(project: Path) -> None:
    assert Settings(home=project).environment()["CLAIMHOUSE_RULES"] == rules_version()


def called(macro: str, rules: str, con: duckdb.DuckDBPyConnection, only_grows: bool, flag: bool = False) -> Any:
    """A macro of growing.sql for the model fct_claim, in a build with these rules."""
    return result_of(
        f"{macro}()", "growing.sql", con,
        held_build=lambda: called("held_build", rules, con, only_grows),
        config={"full_refresh": False if only_grows else None},
        flags=SimpleNamespace(FULL_REFRESH=flag),
        model=SimpleNamespace(name="fct_claim"),
        env_var=lambda *_: rules,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "rules", "is_made_anew"),
    [("fct_claim", "these", False), ("fct_claim", "others", True), ("fct_other", "these", True)],
)
def test_a_growing_model_is_made_anew_unless_it_holds_a_build_by_these_rules(
    model: str, rules: str, is_made_anew: bool
) -> None:
    with duckdb.connect() as con:
        con.execute(
            "create schema intermediate; create table intermediate.built (model text, build_number int, rules text)"
        )
        con.execute("insert into intermediate.built values ($1, 3, $2), ('third', 9, 'these')", [model, rules])
        assert called("should_full_refresh", "these", con, only_grows=False) is is_made_anew
        assert called("should_full_refresh", "these", con, only_grows=False, flag=True) is True
        assert called("held_build", "these", con, only_grows=False) == (None if is_made_anew else 3)
        # What only ever grows says what came in, which no rule changes.
        assert called("held_build", "these", con, only_grows=True) == (3 if model == "fct_claim" else None)
        assert called("should_full_refresh", "these", con, only_grows=True) is False
