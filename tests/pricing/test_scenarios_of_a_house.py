"""From scenarios in a home and pairs in its warehouse to rows of the lake: answered when something is new, each by itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pydantic import ValidationError

from dagster_project.pricing import cover, kept, scenarios, steps
from dagster_project.pricing.cover import answer_all
from dagster_project.pricing.pairs import find
from dagster_project.pricing.scenarios import scenario_files
from dagster_project.resources.pricing import CHECKS, check_answers
from dagster_project.settings import Settings
from optimization.pricing.scenario import ScenarioError, Source
from tests.pricing.house import PAIRS, house, scenario, write_warehouse

IMPOSSIBLE = {"save.yml": scenario("save"), "too_much.yml": scenario("too_much", share=0.19, loss=0.05)}


@pytest.fixture(autouse=True)
def no_demonstrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scenarios, "DEMONSTRATIONS", tmp_path / "none")


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rules cost and how far savings go takes seconds, and most tests ask neither."""
    monkeypatch.setattr(steps.after, "explain", lambda work, made: {})


def rows(settings: Settings, table: str) -> list[dict[str, object]]:
    path = settings.lake / "pricing" / table / "*.parquet"
    with duckdb.connect() as con:
        return con.execute(f"from read_parquet('{path}', union_by_name = true) order by all").df().to_dict("records")


def answered(settings: Settings) -> list[str]:
    return sorted(answer_all(settings, lambda _: None).answered)


def verdicts(settings: Settings) -> dict[str, str]:
    results = {name: check_answers(settings, name, "a run") for name in CHECKS}
    return {name: str(result.metadata["verdict"].value) for name, result in results.items()}


def test_a_scenario_becomes_a_price_list_with_totals_costs_and_frontiers(tmp_path: Path) -> None:
    settings = house(tmp_path)
    assert answered(settings) == ["save"]
    (total,), prices = rows(settings, "scenario"), rows(settings, "recommendation")
    assert (total["status"], total["origin"], total["data_source"], total["pair_count"]) == ("optimal", "home", "s", 5)
    assert total["broken_rule_count"] == 0 and total["asked_pair_count"] == 6
    # By hand: the least spend is where each provider has lost a fifth and no price is below Medicare's.
    baseline = sum(Decimal(volume) * price for *_, volume, people, price, _ in PAIRS if people >= 11)
    assert total["baseline_spend_amount"] == baseline
    assert total["spend_amount"] == sum(row["spend_amount"] for row in prices) == baseline * Decimal("0.8")
    assert {row["benchmark_basis"] for row in prices} == {"medicare_claims"}
    assert all(row["price_amount"] == round(row["price_amount"], 2) for row in prices)
    assert all("loss:" in str(row["binding_rules"]) for row in prices)
    costs = {row["rule_id"]: row for row in rows(settings, "rule_cost") if row["is_kind"]}
    assert (
        costs["largest_loss"]["saved_if_dropped_amount"] > 0 and costs["savings_target"]["saved_if_dropped_amount"] == 0
    )
    points = pd.DataFrame(rows(settings, "frontier")).groupby("frontier").size()
    assert points.to_dict() == {"disruption": 20, "fairness": 20}
    assert verdicts(settings) == dict.fromkeys(CHECKS, "pass")
    assert (settings.prices / "save" / "report.html").exists() and (settings.prices / "save" / "prices.csv").exists()


def test_only_what_has_something_new_is_answered_again(tmp_path: Path, without_report: None) -> None:
    settings = house(tmp_path, {"a.yml": scenario("a"), "b.yml": scenario("b", share=0.12)})
    assert answered(settings) == ["a", "b"]
    before = {path: path.stat().st_mtime_ns for path in settings.lake.rglob("*.parquet")}
    assert answered(settings) == []
    assert before == {path: path.stat().st_mtime_ns for path in settings.lake.rglob("*.parquet")}
    (settings.scenarios / "b.yml").write_text(scenario("b", share=0.11))
    assert answered(settings) == ["b"]
    write_warehouse(settings, baseline=151.0)
    assert answered(settings) == ["a", "b"]
    (settings.lake / "pricing" / "frontier" / "a.parquet").unlink()
    assert answered(settings) == ["a"]


def test_an_impossible_scenario_is_an_answer_that_says_which_rules_collide(tmp_path: Path) -> None:
    settings = house(tmp_path, IMPOSSIBLE)
    answer_all(settings, lambda _: None)
    by_name = {str(row["scenario_id"]): row for row in rows(settings, "scenario")}
    assert (by_name["save"]["status"], by_name["too_much"]["status"]) == ("optimal", "infeasible")
    # By hand: with two providers held to their five percent the third cannot save the rest, and with one of them the others can.
    conflict = str(by_name["too_much"]["minimal_conflict"]).split("; ")
    assert len(conflict) == 3 and "target" in conflict and set(conflict) < {"loss:A", "loss:B", "loss:C", "target"}
    repairs = {
        row["rule_id"]: row["repair_quantity"] for row in rows(settings, "rule_cost") if row["is_in_conflict"] is True
    }
    # Five percent may be lost and nineteen shall be saved: the target alone would have to give fourteen percent of the baseline.
    assert repairs["target"] == pytest.approx(float(by_name["too_much"]["baseline_spend_amount"]) * 0.14, abs=0.01)
    assert {row["scenario_id"] for row in rows(settings, "recommendation")} == {"save"}
    assert verdicts(settings) == dict.fromkeys(CHECKS, "pass")


def test_a_file_that_cannot_be_read_is_told_and_loses_no_other_scenario(tmp_path: Path, without_report: None) -> None:
    broken = scenario("broken").replace("tiers:", "teirs:")
    settings = house(tmp_path, {"broken.yml": broken, "misnamed.yml": scenario("other"), "save.yml": scenario("save")})
    answer_all(settings, lambda _: None)
    by_name = {str(row["scenario_id"]): row for row in rows(settings, "scenario")}
    assert {name: row["status"] for name, row in by_name.items()} == {
        "broken": "not_readable", "misnamed": "not_readable", "save": "optimal",
    }  # fmt: skip
    assert "teirs" in str(by_name["broken"]["note"]) and "'tiers'" in str(by_name["broken"]["note"])
    assert "name the file other.yml" in str(by_name["misnamed"]["note"])
    result = check_answers(settings, "every_scenario_is_answered", "a run")
    assert not result.passed and result.metadata["failed"].value == 2 and "teirs" in (result.description or "")
    assert answered(settings) == []


def test_a_fault_of_ours_in_one_scenario_is_its_status_and_no_value_is_told(
    tmp_path: Path, without_report: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = house(tmp_path, {"a.yml": scenario("a"), "b.yml": scenario("b")})
    whole = steps.study

    def falls_over(asked, *given, **named):
        if asked.scenario == "a":
            raise RuntimeError("a value of a row")
        return whole(asked, *given, **named)

    monkeypatch.setattr(steps, "study", falls_over)
    answer_all(settings, lambda _: None)
    by_name = {str(row["scenario_id"]): row for row in rows(settings, "scenario")}
    assert (by_name["a"]["status"], by_name["b"]["status"]) == ("failed", "optimal")
    assert "RuntimeError" in str(by_name["a"]["note"]) and "a value" not in str(by_name["a"]["note"])
    assert verdicts(settings)["every_scenario_is_answered"] == "fail"
    monkeypatch.setattr(steps, "study", whole)
    assert answered(settings) == ["a"]


def test_a_list_that_breaks_a_rule_is_withheld_whoever_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = house(tmp_path)
    written = kept.write_study

    def a_cent_too_little(work, done):
        written(work, done)
        prices = pd.read_parquet(work.path(kept.PRICES))
        prices.loc[0, "price"] = str(Decimal(prices.loc[0, "price"]) - 1)
        prices.to_parquet(work.path(kept.PRICES))

    monkeypatch.setattr(kept, "write_study", a_cent_too_little)
    answer_all(settings, lambda _: None)
    (total,) = rows(settings, "scenario")
    assert total["status"] == "no_answer" and total["broken_rule_count"] > 0 and "loss:A" in str(total["note"])
    assert rows(settings, "recommendation") == [] and not (settings.prices / "save" / "prices.csv").exists()
    found = verdicts(settings)
    assert (found["every_rule_is_kept"], found["every_scenario_is_answered"]) == ("fail", "fail")


@pytest.mark.parametrize(
    ("table", "change", "check"),
    [
        ("recommendation", "price_amount + 0.01 as price_amount", "savings_add_up"),
        ("recommendation", "spend_amount + 0.000000001 as spend_amount", "savings_add_up"),
        ("scenario", "savings_amount + 0.01 as savings_amount", "savings_add_up"),
        ("scenario", "0.5 as relative_gap", "solved_to_the_stated_gap"),
        ("scenario", "'feasible' as status", "solved_to_the_stated_gap"),
        ("scenario", "pair_count + 1 as pair_count", "every_rule_is_kept"),
        ("scenario", "cast(null as bigint) as broken_rule_count", "every_rule_is_kept"),
    ],
)
def test_each_check_sees_what_it_is_there_for(
    answered_house: Settings, tmp_path: Path, table: str, change: str, check: str
) -> None:
    """What lies in the lake is changed behind the steps' back."""
    settings = answered_house
    path = settings.lake / "pricing" / table / "save.parquet"
    before = path.read_bytes()
    try:
        with duckdb.connect() as con:
            con.execute(
                f"copy (select * replace ({change}) from '{path}') to '{tmp_path}/changed.parquet' (format parquet)"
            )
        path.write_bytes((tmp_path / "changed.parquet").read_bytes())
        assert verdicts(settings)[check] == "fail"
    finally:
        path.write_bytes(before)
    assert verdicts(settings)[check] == "pass"


@pytest.fixture(scope="module")
def answered_house(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scenarios, "DEMONSTRATIONS", tmp_path_factory.mktemp("none"))
        settings = house(tmp_path_factory.mktemp("house"))
        patched.setattr(steps.after, "explain", lambda work, made: {})
        answer_all(settings, lambda _: None)
    return settings


def test_rows_of_a_scenario_whose_file_is_gone_go_with_it(tmp_path: Path, without_report: None) -> None:
    settings = house(tmp_path, {"a.yml": scenario("a"), "b.yml": scenario("b")})
    answer_all(settings, lambda _: None)
    (settings.scenarios / "a.yml").unlink()
    covered = answer_all(settings, lambda _: None)
    assert (covered.gone, covered.kept) == (("a",), ("b",))
    for table in ("scenario", "recommendation"):
        assert {row["scenario_id"] for row in rows(settings, table)} == {"b"}
    assert list(settings.lake.rglob("a.parquet")) == []
    assert (settings.prices / "a" / "state.json").exists()


def test_a_report_that_falls_over_leaves_the_price_list_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A histogram of savings that never vary once fell over, and the list that had been solved and checked was lost."""

    def falls_over(work, made):
        raise ValueError("Cannot create 40 finite-sized bins.")

    monkeypatch.setattr(steps.after, "explain", falls_over)
    settings = house(tmp_path)
    answer_all(settings, lambda _: None)
    (total,) = rows(settings, "scenario")
    assert (total["status"], total["is_reported"]) == ("optimal", False) and "ValueError" in str(total["note"])
    assert len(rows(settings, "recommendation")) == 5
    found = verdicts(settings)
    assert found.pop("every_scenario_is_answered") == "fail" and set(found.values()) == {"pass"}


def test_a_house_without_scenarios_or_pairs_has_nothing_to_say_and_does_not_fall_over(tmp_path: Path) -> None:
    settings = house(tmp_path / "none", {"README.txt": "not a scenario"})
    assert answered(settings) == [] and verdicts(settings) == dict.fromkeys(CHECKS, "no_data")
    settings = house(tmp_path / "empty", {"save.yml": scenario("save").replace("[P]", "[NOBODY]")})
    assert answered(settings) == ["save"] and rows(settings, "scenario")[0]["status"] == "no_pairs"
    assert verdicts(settings)["every_scenario_is_answered"] == "pass"


def test_an_instance_in_json_is_a_scenario_by_its_name(tmp_path: Path, without_report: None) -> None:
    shipped = Path(scenarios.__file__).parents[2] / "optimization/pricing/scenarios/instances/three_hospitals.json"
    settings = house(tmp_path, {"three.json": shipped.read_text()})
    assert answered(settings) == ["three"]
    (total,) = rows(settings, "scenario")
    assert (total["spend_amount"], total["baseline_spend_amount"]) == (Decimal(1_568_000), Decimal(1_710_000))


def test_a_file_of_the_house_takes_the_place_of_a_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = house(tmp_path, {"save.yml": scenario("save")})
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "save.yml").write_text(scenario("save", share=0.01))
    (shipped / "other.yml").write_text(scenario("other"))
    monkeypatch.setattr(scenarios, "DEMONSTRATIONS", shipped)
    assert [(one.scenario_id, one.origin) for one in scenario_files(settings)] == [
        ("other", "repository"),
        ("save", "home"),
    ]


def test_senders_are_not_mixed_and_pairs_of_ten_people_are_left_out(tmp_path: Path) -> None:
    settings = house(tmp_path, senders=("s", "t"))
    with pytest.raises(ScenarioError, match="2 senders \\(s, t\\).*data_source"):
        find(settings, Source.model_validate({"marts": {"payers": ["P"]}}), "mixed")
    found = find(settings, Source.model_validate({"marts": {"data_source": "s", "region_by": "zip3"}}), "one")
    assert list(zip(found.frame["provider"], found.frame["procedure"], strict=True)) == [
        ("A", "99213"), ("A", "99214"), ("B", "99213"), ("B", "99214"), ("C", "99213"),
    ]  # fmt: skip
    assert set(found.frame["region"]) == {"PA 171", "PA 190"} and (found.asked_pair_count, len(found.frame)) == (6, 5)
    assert found.asked_amount - found.amount == Decimal(30 * 240)
    assert found.months is not None and len(found.months) == 5 * 12
    largest = find(settings, Source.model_validate({"marts": {"data_source": "s", "most_providers": 1}}), "one")
    assert set(largest.frame["provider"]) == {"B"}


def test_totals_add_up_where_volumes_answer_to_price(tmp_path: Path, without_report: None) -> None:
    elastic = scenario("save") + "elasticity: {value: -0.2, source: a test}\n"
    settings = house(tmp_path, {"save.yml": elastic})
    answer_all(settings, lambda _: None)
    (total,), prices = rows(settings, "scenario"), rows(settings, "recommendation")
    assert total["is_elastic"] is True and total["spend_amount"] == sum(row["spend_amount"] for row in prices)
    assert any(row["spend_amount"] != row["volume_quantity"] * row["price_amount"] for row in prices)
    assert verdicts(settings) == dict.fromkeys(CHECKS, "pass")


def test_a_scenario_without_a_file_has_no_partition_to_run(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"no scenario 'gone'.*gone\.yml"):
        cover.answer_named(house(tmp_path), "inputs", "gone")
    with pytest.raises(ValidationError):
        Source.model_validate({"marts": {"payer": ["P"]}})
