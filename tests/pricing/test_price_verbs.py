"""The verbs `claimhouse price …` as a person calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.cli import call

SCENARIO = """
scenario: three
about: the demonstration, with a target of its own
source: {{instance: three_hospitals.json}}
rules:
  - {{id: save, kind: savings_target, share: {share}, reason: the board asks for it, source: minutes of 2026-10-01}}
"""


@pytest.fixture
def folder(shared_path: Callable[[str], Path], tmp_path: Path) -> Path:
    (tmp_path / "three_hospitals.json").write_text(shared_path("three_hospitals").read_text())
    (tmp_path / "three.yml").write_text(SCENARIO.format(share=0.05))
    (tmp_path / "too_much.yml").write_text(SCENARIO.format(share=0.09))
    return tmp_path


def price(capsys, *words: object) -> tuple[int, str, str]:
    code = call(["price", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_solve_prints_the_answer_and_what_it_rests_on(folder, capsys):
    code, out, _ = price(capsys, "solve", folder / "three_hospitals.json", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["status"], told["objective"], told["spend"], told["baseline_spend"]) == (
        "optimal",
        1_568_000,
        1_568_000,
        1_710_000,
    )
    assert told["best_bound"] == pytest.approx(1_568_000) and told["relative_gap"] == pytest.approx(0, abs=1e-9)
    expected = json.loads((folder / "three_hospitals.json").read_text())["expected"]["prices"]
    assert {
        name: {one["procedure"]: one["price"] for one in told["prices"] if one["provider"] == name} for name in expected
    } == expected
    assert {"provider", "procedure", "tier", "price"} == set(told["prices"][0])


def test_an_impossible_scenario_says_why_and_exits_with_three(folder, capsys):
    code, out, _ = price(capsys, "solve", folder / "too_much.yml", "--json")
    told = json.loads(out)
    assert (code, told["status"], told["prices"]) == (3, "infeasible", [])
    assert set(told["minimal_conflict"]) == {
        "target",
        "minprice:C_Lafayette_General:MRI",
        "minprice:C_Lafayette_General:CT",
    }
    assert told["only_because_tiers_are_discrete"] is True
    assert told["single_rule_repair"]["target"] == {"amount": 11_900.0, "unit": "USD of spend"}
    code, out, _ = price(capsys, "explain", folder / "too_much.yml")
    assert (
        code == 3 and "No price list keeps these 3 rules together" in out and "only because tiers are discrete" in out
    )


def test_a_list_of_someone_else_is_judged_to_the_last_decimal(folder, capsys):
    good = "provider,procedure,price\n" + "".join(
        f"{name},{procedure},{amount}\n"
        for name, amounts in {
            "A_Ochsner": (800, 540),
            "B_BR_General": (800, 540),
            "C_Lafayette_General": (900, 600),
        }.items()
        for procedure, amount in zip(("MRI", "CT"), amounts, strict=True)
    )
    path = folder / "prices.csv"
    path.write_text(good)
    code, out, _ = price(capsys, "check", path, folder / "three.yml")
    assert code == 0 and "8.30%" in out and "is kept" in out
    path.write_text(good.replace("C_Lafayette_General,MRI,900", "C_Lafayette_General,MRI,800"))
    code, out, _ = price(capsys, "check", path, folder / "three.yml", "--json")
    told = json.loads(out)
    assert code == 3 and [one["rule"] for one in told["broken"]] == ["minprice:C_Lafayette_General:MRI"]
    assert told["broken"][0]["missed_by"] == 20
    path.write_text(good.replace("900", "nine hundred"))
    code, _, err = price(capsys, "check", path, folder / "three.yml")
    assert code == 3 and "line 6" in err and "nine" not in err


def test_two_questions_are_compared(folder, capsys):
    (folder / "kept.yml").write_text(SCENARIO.format(share=0.03).replace("scenario: three", "scenario: kept"))
    code, out, _ = price(capsys, "compare", folder / "three.yml", folder / "kept.yml", "--json")
    told = json.loads(out)
    assert code == 0 and [one["id"] for one in told["rules_that_differ"]] == ["target"]
    assert all(one["difference"] == 0 for one in told["prices"])


def test_a_frontier_has_twenty_points_and_its_plot(folder, capsys):
    plots = folder / "plots"
    code, out, _ = price(
        capsys, "frontier", folder / "three.yml", "--against", "disruption", "--plots", plots, "--json"
    )
    told = json.loads(out)
    assert code == 0 and len(told["disruption"]) >= 20
    assert (plots / "frontier_disruption.png").stat().st_size > 5000
    code, _, err = price(capsys, "frontier", folder / "three.yml", "--against", "unfairness")
    assert code == 2 and "unfairness" in err


def test_a_rule_is_explained_with_its_cost(folder, capsys):
    code, out, _ = price(
        capsys, "explain", folder / "three.yml", "--rule", "minprice:C_Lafayette_General:MRI", "--json"
    )
    told = json.loads(out)
    assert code == 0
    (cost,) = told["rule_costs"]
    assert cost["saved_by_dropping"] == 30_000 and cost["saved_by_easing"] == 0
    code, _, err = price(capsys, "explain", folder / "three.yml", "--rule", "minprice:C_Lafayete_General:MRI")
    assert code == 2 and "did you mean 'minprice:C_Lafayette_General:MRI'" in err


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (("rules:", "rulse:"), 3, "unknown key 'rulse'; did you mean 'rules'?"),
        (("three_hospitals.json", "four.json"), 3, "there is no file"),
    ],
)
def test_a_scenario_that_cannot_be_read_says_where(folder, capsys, change, code, told):
    (folder / "bad.yml").write_text(SCENARIO.format(share=0.05).replace(*change))
    got, _, err = price(capsys, "solve", folder / "bad.yml")
    assert got == code and told in err and "docs/pricing.md" in err
    got, _, err = price(capsys, "solve", folder / "none.yml")
    assert got == 2 and "there is no file" in err
