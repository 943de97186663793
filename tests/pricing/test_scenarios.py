"""Scenarios as people write them: what is refused and how it is told, and which rows each rule makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimization.pricing.question import ask, past_months
from optimization.pricing.scenario import Scenario, ScenarioError, read_scenario

PAIRS = pd.DataFrame(
    [
        # provider, procedure, region, specialty, family, stars, volume, baseline, benchmark, line of business
        ("A", "70551", "North", "hospital", "imaging", 5, 100, 1200.0, 1000.0, "commercial"),
        ("A", "01000", "North", "hospital", "imaging", 5, 50, 480.10, 400.0, "medicare_advantage"),
        ("B", "70551", "North", "clinic", "imaging", 2, 80, 1100.0, 1000.0, "commercial"),
        ("C", "70551", "South", "clinic", "imaging", None, 60, 900.0, 1000.0, "commercial"),
        ("C", "45378", "South", "clinic", "scopes", None, 20, 700.0, 600.0, "commercial"),
    ],
    columns=["provider", "procedure", "region", "specialty", "family", "quality_stars", "volume", "baseline_price", "medicare_rate", "line_of_business"],
)  # fmt: skip
HEAD = """
scenario: small
about: three providers
source: {pairs: pairs.csv}
tiers: {low: [0.9, 1.1], high: [1.2, 1.5]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    PAIRS.to_csv(tmp_path / "pairs.csv", index=False)
    return tmp_path


def scenario(folder: Path, *rules: str, head: str = HEAD, more: str = "") -> Scenario:
    listed = "rules:\n" + "".join(f"  - {{{rule}, reason: because, source: a policy}}\n" for rule in rules)
    return read_scenario(head + (listed if rules else "") + more, folder / "small.yml")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("about:", "abuot:"), "unknown key 'abuot'; did you mean 'about'?"),
        (("pairs: pairs.csv", "pair: pairs.csv"), "source: unknown key 'pair'; did you mean 'pairs'?"),
        (
            ("kind: savings_target", "kind: saving_target"),
            "no kind of rule 'saving_target'; did you mean 'savings_target'?",
        ),
        (("share: 0.05", "shaer: 0.05"), "unknown key 'shaer'; did you mean 'share'?"),
        (("share: 0.05", "share: much"), "rules → 0 → share"),
        (
            ("source: {pairs: pairs.csv}", "source: {pairs: p.csv, instance: i.json}"),
            "exactly one of instance, pairs, marts, ipps",
        ),
        (("tiers:", "# tiers:"), "tiers: name them"),
        (("about: three", "about: again\nabout: three"), "the key 'about' stands twice"),
        (("reason: because", "reason: x"), "reason"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_and_the_nearest_name(folder, change, told):
    good = HEAD + "rules:\n  - {id: save, kind: savings_target, share: 0.05, reason: because, source: the board}\n"
    read_scenario(good, folder / "small.yml")
    with pytest.raises(ScenarioError) as refused:
        read_scenario(good.replace(*change), folder / "small.yml")
    assert told in str(refused.value) and "small.yml" in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("id: t, kind: tier_rule, forbid: [lwo]", "there is no tier 'lwo'; did you mean 'low'?"),
        ("id: t, kind: tier_rule, forbid: [low], where: {providers: [D]}", "'D' is not there"),
        (
            "id: b, kind: budget, amount: 5, where: {columns: {line_of_busines: [x]}}",
            "did you mean 'line_of_business'?",
        ),
        ("id: s, kind: savings_target, share: 0.1, where: {providers: [A]}", "say a budget"),
        ("id: l, kind: legal_band, high_percentile: 75, as_of: 2026-01-01", "needs negotiated rates"),
        (
            "id: n, kind: tier_rule, forbid: [low], when: {measure: stars, at_least: 5}, where: {providers: [B]}",
            "about no pair at all",
        ),
    ],
)
def test_a_rule_that_fits_no_pair_or_tier_says_so(folder, rule, told):
    with pytest.raises(ScenarioError, match="small"):
        try:
            ask(scenario(folder, rule))
        except ScenarioError as error:
            assert told in str(error)
            raise


def test_ids_keep_leading_zeros_and_prices_their_decimals(folder):
    asked = ask(scenario(folder))
    assert "01000" in asked.procedures
    assert str(asked.baseline_spend.normalize()) == str((asked.baseline_spend * 100 / 100).normalize())
    assert asked.baseline_spend == 100 * 1200 + 80 * 1100 + 60 * 900 + 20 * 700 + 50 * 48010 / 100
    assert asked.provider_stars.tolist() == [5, 2, 0]


def row(asked, name):
    frame = asked.rule_frame().set_index("id")
    return frame.loc[name]


def test_every_kind_of_rule_makes_its_rows(folder):
    asked = ask(
        scenario(
            folder,
            "id: legal, kind: legal_band, low: 0.85, high: 1.15, as_of: 2026-01-01",
            "id: alike, kind: regional_spread, share: 0.1",
            "id: peers, kind: specialty_spread, cap: 0.2",
            "id: least, kind: minimum_price, share_of_baseline: 0.9",
            "id: floor, kind: revenue_floor, share: 0.8",
            "id: ruin, kind: largest_loss, share: 0.1",
            "id: stars, kind: tier_rule, forbid: [low], when: {measure: stars, at_least: 4}",
            "id: hand, kind: tier_rule, require: [high], where: {providers: [C], procedures: ['45378']}",
            "id: lowest, kind: lowest_tier_cap, count: 1",
            "id: together, kind: family_tiers, difference: 0",
            "id: save, kind: savings_target, share: 0.05",
            "id: bid, kind: budget, share_of_baseline: 0.5, where: {columns: {line_of_business: [medicare_advantage]}}",
            "id: steady, kind: largest_change, share: 0.25",
        )
    )
    assert (row(asked, "legal:A:01000").low, row(asked, "legal:A:01000").high) == (340.0, 460.0)
    assert row(asked, "legal:A:01000").source == "a policy, as of 2026-01-01"
    assert row(asked, "spread:70551:North").high == 100.0
    assert list(asked.of("regional_spread").ids) == ["spread:70551:North"]  # one pair has no spread
    assert set(asked.of("specialty_spread").ids) == {"specialty:clinic", "specialty:hospital"}
    assert row(asked, "minprice:A:01000").low == 432.09
    assert row(asked, "floor:A").low == 0.8 * (100 * 1200 + 50 * 480.10)
    assert row(asked, "loss:C").low == 0.9 * (60 * 900 + 20 * 700)
    assert set(asked.of("tier_rule").ids) == {"stars:A", "hand"}
    assert row(asked, "lowcap:45378:South").high == 1
    assert list(asked.of("family_tiers").ids) == ["family:A:imaging"]  # a family of one pair has no difference
    assert row(asked, "target").high == float(asked.baseline_spend) * 0.95
    assert row(asked, "budget:bid").high == 50 * 480.10 / 2
    assert (row(asked, "change:B:70551").low, row(asked, "change:B:70551").high) == (825.0, 1375.0)
    assert set(asked.rule_frame()["reason"]) == {"because"}


def test_a_later_rule_takes_the_place_of_an_earlier_one_about_the_same_subject(folder):
    asked = ask(
        scenario(
            folder,
            "id: all, kind: legal_band, low: 0.8, high: 1.6, as_of: 2026-01-01",
            "id: north, kind: legal_band, low: 0.9, high: 1.3, as_of: 2026-01-01, where: {regions: [North]}",
        )
    )
    assert row(asked, "legal:B:70551").low == 900.0
    assert row(asked, "legal:C:70551").low == 800.0
    assert len(asked.of("legal_band")) == len(asked.pairs)


def test_a_percentile_of_negotiated_rates_caps_prices_and_baselines_come_from_them(folder):
    rates = pd.DataFrame(
        {
            "provider": ["A", "B", "C", "X", "C"],
            "procedure": ["70551", "70551", "70551", "70551", "45378"],
            "rate": [1300.0, 1250.0, 1050.0, 1400.0, 650.0],
        }
    )
    rates.to_csv(folder / "rates.csv", index=False)
    head = HEAD.replace("pairs: pairs.csv", "pairs: pairs.csv, rates: rates.csv")
    asked = ask(
        scenario(
            folder,
            "id: peers, kind: legal_band, high: 1.45, high_percentile: 50, as_of: 2026-01-01",
            head=head,
            more="baseline: {from: rates}\n",
        )
    )
    assert row(asked, "legal:A:70551").high == 1275.0  # the median of four, below 1.45 times the benchmark
    assert row(asked, "legal:C:45378").high == 870.0  # one rate is no market: the share alone holds
    frame = asked.pair_frame().set_index(["provider", "procedure"])["baseline_price"]
    assert frame[("A", "70551")] == 1300.0 and frame[("A", "01000")] == 480.10


def test_elasticity_penalty_steps_and_months_are_read(folder):
    months = pd.DataFrame(
        {"provider": ["A", "A"], "procedure": ["01000", "01000"], "month": ["2025-01", "2025-02"], "volume": [3, 5]}
    )
    months.to_csv(folder / "months.csv", index=False)
    made = scenario(
        folder,
        head=HEAD.replace("pairs: pairs.csv", "pairs: pairs.csv, months: months.csv"),
        more="elasticity: {value: -0.2, source: a study, by_family: {scopes: -0.5}}\n"
        "objective: {type: min_spend_plus_deviation, deviation_weight: 0.3, steps: [{up_to: 0.1, rate: 1}, {rate: 3}]}\n",
    )
    asked = ask(made)
    assert asked.elasticity is not None and sorted(set(asked.elasticity.per_pair)) == [-0.5, -0.2]
    assert [step.rate for step in asked.objective.steps] == [1, 3] and np.isinf(asked.objective.steps[-1].up_to)
    found = past_months(made)
    assert found is not None and found["volume"].sum() == 8 and found["procedure"].tolist() == ["01000", "01000"]


def test_a_provider_in_two_regions_is_refused(folder):
    PAIRS.assign(region=["North", "South", "North", "South", "South"]).to_csv(folder / "pairs.csv", index=False)
    with pytest.raises(ScenarioError, match="two values of 'region'"):
        ask(scenario(folder))


def test_an_instance_is_changed_by_dropping_and_adding_rules(folder, shared_path):
    (folder / "three_hospitals.json").write_text(shared_path("three_hospitals").read_text())
    head = "scenario: small\nabout: the demonstration\nsource: {instance: three_hospitals.json}\n"
    asked = ask(
        scenario(
            folder,
            "id: save, kind: savings_target, share: 0.09",
            head=head,
            more="drop: [legal_band, 'minprice:A_Ochsner:CT']\n",
        )
    )
    assert "legal_band" not in asked.rules and "minprice:A_Ochsner:CT" not in set(asked.of("minimum_price").ids)
    assert row(asked, "target").high == 1_710_000 * 0.91
    with pytest.raises(ScenarioError, match="did you mean 'legal_band'"):
        ask(scenario(folder, head=head, more="drop: [legal_bnad]\n"))
