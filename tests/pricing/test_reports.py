"""What a list changes and which rules hold it, and the files that tell of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from publishers import publisher
from small_questions import prices_of, question

from optimization.pricing import explain, report
from optimization.pricing.instance import Instance
from optimization.pricing.page import Grid, Heading, Words, as_html, as_markdown
from optimization.pricing.scenario import Scenario, Source
from optimization.pricing.study import as_json, study

TODAY = dt.date(2026, 11, 26)


@pytest.fixture(scope="module")
def asked() -> Instance:
    return question(
        [
            ("P1", "MRI", 100, 1000, (800, 900, 1000)),
            ("P2", "MRI", 50, 1000, (820, 930, 1010)),
            ("P1", "CT", 80, 500, (400, 450, 500)),
        ],
        tiers=("T1", "T2", "T3"),
        baseline={("P1", "MRI"): 950.0, ("P2", "MRI"): 1200.0},
        floors={"P1": 122_000},
        fairness=[{"procedure": "MRI", "region": "North", "max_spread": 70}],
        tier_rules=[{"id": "quality:P2", "provider": "P2", "procedures": "all", "forbid": ["T1"], "why": "five stars"}],
    )


@pytest.fixture(scope="module")
def prices(asked: Instance) -> pd.DataFrame:
    return prices_of(asked, [1, 1, 0])  # P1 MRI 900, P2 MRI 930, P1 CT 400: in the instance's order


def test_changes_and_totals_say_what_moves_and_from_where(asked, prices):
    found = explain.changes(asked, prices).set_index(["provider", "procedure"])
    assert found.loc[("P1", "MRI"), "tier_before"] == "between T2 and T3"
    assert found.loc[("P2", "MRI"), "tier_before"] == "above T3"
    assert found.loc[("P1", "CT"), "tier_before"] == "T3"
    assert found.loc[("P2", "MRI"), "revenue_change"] == 50 * (930 - 1200)
    whole = explain.totals(asked, prices)
    assert whole.baseline_spend == 100 * 950 + 50 * 1200 + 80 * 500
    assert whole.spend == 100 * 900 + 50 * 930 + 80 * 400
    assert (whole.cheaper, whole.dearer, whole.unchanged) == (3, 0, 0)


def test_a_rule_binds_at_its_limit_and_holds_the_pairs_it_is_about(asked, prices):
    at_limit = set(explain.binding(asked, prices)["id"])
    assert at_limit == {"floor:P1", "quality:P2"}
    held = explain.changes(asked, prices).set_index(["provider", "procedure"])["binding_rules"]
    assert held[("P1", "MRI")] == "floor:P1" and held[("P1", "CT")] == "floor:P1"
    assert held[("P2", "MRI")] == "quality:P2"


def test_a_spread_holds_the_pairs_at_its_two_ends_and_not_the_one_between():
    asked = question(
        [(f"P{number}", "MRI", 10, 1000, (800 + 50 * number,)) for number in range(3)],
        tiers=("T1",),
        fairness=[{"procedure": "MRI", "region": "North", "max_spread": 100}],
    )
    held = explain.holding(asked, prices_of(asked, [0, 0, 0]))
    assert held[["rule", "pair"]].values.tolist() == [["spread:MRI:North", 0], ["spread:MRI:North", 2]]


def test_spreads_are_those_of_the_prices(asked, prices):
    row = explain.caps(asked, prices).set_index("id").loc["spread:MRI:North"]
    assert (row["before"], row["after"], row["cap"]) == (250.0, 30.0, 70.0)


def test_every_rule_is_said_as_a_sentence(asked):
    words = {rule: explain.in_words(asked, rule) for rule in asked.rule_frame()["id"]}
    assert words["floor:P1"] == "revenue of P1 at least 122,000"
    assert words["spread:MRI:North"] == "prices of MRI in North at most 70 apart"
    assert words["quality:P2"] == "P2 for MRI: not T1"


def test_providers_are_ranked_by_what_they_lose(asked, prices):
    found = explain.providers(asked, prices)
    assert found["change"].is_monotonic_increasing
    assert found.set_index("provider").loc["P1", "index_after"] == pytest.approx(122_000 / 140_000)
    assert found["change"].sum() == pytest.approx(float(explain.totals(asked, prices).spend - asked.baseline_spend))


def test_two_questions_are_set_side_by_side(asked, prices):
    other = asked.eased({"floor:P1": 2000}).without(["quality:P2"])
    rules = explain.rules_that_differ(asked, other).set_index("id")
    assert set(rules.index) == {"floor:P1", "quality:P2"}
    found = explain.compare(asked, prices, other, prices_of(other, [0, 1, 0]))
    assert found.iloc[0][["provider", "procedure", "difference"]].tolist() == ["P1", "MRI", -100.0]


def scenario(**more) -> Scenario:
    given = {"scenario": "small", "about": "a small one", "transparency": publisher()} | more
    return Scenario(source=Source(instance="small.json"), **given)


@pytest.fixture(scope="module")
def done(asked):
    return study(scenario(), asked, seconds=20)


def test_a_report_holds_what_is_asked_of_it(done, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    written = {path.name for path in report.write(done, folder, today=TODAY, hospital="P1")}
    assert {
        "report.html",
        "report.md",
        "prices.csv",
        "2026-11-26_example-health-plan_example-ppo_in-network-rates.json",
        "p1_standardcharges.json",
    } <= written
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    for heading in ("Who loses and who wins", "Spreads against their caps", "Rules that bind", "What each rule costs", "If volumes come otherwise", "Savings against disruption", "Rules that were asked"):  # fmt: skip
        assert heading in page and heading in text
    assert "none is broken" in text and done.answer.fingerprint in text
    for picture in re.findall(r"\]\((plots/\w+\.png)\)", text):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert page.count("data:image/png;base64,") == text.count("](plots/") >= 6
    rows = list(csv.DictReader(io.StringIO((folder / "prices.csv").read_text())))
    assert {(row["provider"], row["procedure"]): Decimal(row["price"]) for row in rows} == (
        done.prices.set_index(["provider", "procedure"])["price"].to_dict()
    )


def test_the_same_study_writes_the_same_bytes(done, tmp_path_factory):
    folders = [tmp_path_factory.mktemp("twice") for _ in range(2)]
    for folder in folders:
        report.write(done, folder, today=TODAY)
    names = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert all((folders[0] / name).read_bytes() == (folders[1] / name).read_bytes() for name in names)


def test_an_impossible_question_is_reported_with_its_conflict_and_ways_out(asked, tmp_path):
    stuck = asked.eased({"floor:P1": -25_000})
    made = study(scenario(), stuck)
    report.write(made, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "Why it is impossible" in text and "spread:MRI:North" not in text.split("Rules that were asked")[0]
    assert "| floor:P1 | 7,000.0000 | USD of revenue |" in text
    assert not (tmp_path / "prices.csv").exists()
    told = as_json(made)
    assert told["minimal_conflict"] == ["floor:P1"] and told["single_rule_repair"]["floor:P1"]["amount"] == 7000.0
    json.dumps(told)


def test_a_page_escapes_what_it_is_given_in_both_forms():
    frame = pd.DataFrame({"rule": ["a|b", "<script>"], "amount": [1234.5, np.nan], "none": [None, None]})
    blocks = [Heading("A & B"), Words("<b>"), Grid(frame)]
    page, text = as_html("T", blocks), as_markdown(blocks)
    assert "<script>" not in page and "A &amp; B" in page and "1,234.50" in page
    assert r"| a\|b | 1,234.50 | – |" in text


def test_a_study_meets_its_target_at_the_confidence_asked_for():
    """Volumes vary by a tenth: a list that just meets the target misses it in half of the years."""
    pairs = [("P1", f"C{number}", 100, 1000, (800 if number else 1000, 1000)) for number in range(10)]
    asked = question(pairs, savings_target={"min_savings_fraction": 0.06}, objective={"type": "min_deviation"})
    rule = {"id": "save", "kind": "savings_target", "share": 0.06, "reason": "the board", "source": "minutes"}
    found = {}
    for confidence in (None, 0.95):
        said = scenario(rules=[rule | ({"confidence": confidence} if confidence else {})], transparency=None)
        found[confidence] = study(said, asked, with_costs=False, with_frontiers=False)
    assert found[None].robustness.miss_share > 0.3
    assert found[0.95].robustness.miss_share <= 0.05
    assert any("95%" in note for note in found[0.95].notes)
