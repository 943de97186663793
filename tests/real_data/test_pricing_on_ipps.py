"""Prices of real hospitals: CMS's inpatient file of FY2016 as pairs, and a scenario on one state of it, solved and checked.

The whole country is the benchmark's; tests/pricing/ipps.py gives it its pairs too.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from dagster_project.database import open_warehouse
from dagster_project.pricing.pairs import Found
from dagster_project.settings import Settings
from optimization.pricing import check
from optimization.pricing.cents import rounded
from optimization.pricing.question import ask
from optimization.pricing.scenario import Scenario, read_scenario
from optimization.pricing.solve import solve
from tests.pricing.ipps import built, ipps_pairs

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

VERMONT = """
scenario: vermont_inpatient
about: Inpatient stays in Vermont, 2 % below what was paid in all; hospitals of four stars keep out of the lowest tier.
source:
  ipps: {states: [VT], period: fy2016}
tiers:
  low: [0.95, 1.10]
  middle: [1.10, 1.25]
  high: [1.25, 2.60]
objective: {type: min_spend_plus_deviation, deviation_weight: 0.5}
rules:
  - {id: no_ruin, kind: largest_loss, share: 0.08, reason: No hospital may lose a twelfth., source: this test}
  - {id: together, kind: family_tiers, difference: 1, reason: One major category is negotiated together., source: this test}
  - {id: steady, kind: largest_change, share: 0.3, reason: No price moves by more than that in a year., source: this test}
  - id: quality
    kind: tier_rule
    forbid: [low]
    when: {measure: stars, at_least: 4}
    reason: Quality is rewarded.
    source: CMS hospital general information, 2026-06
  - {id: save, kind: savings_target, share: 0.02, reason: The budget., source: this test}
solver: {gap: 0.0001, time_limit: 60}
"""


@pytest.fixture(scope="module")
def country(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return built(tmp_path_factory.mktemp("ipps"), real_data)


@pytest.fixture(scope="module")
def everywhere(country: Settings) -> Found:
    return ipps_pairs(country)


@pytest.fixture(scope="module")
def vermont() -> Scenario:
    return read_scenario(VERMONT, Path("vermont_inpatient.yml"))


def test_the_whole_country_is_181_215_pairs_and_their_spend_is_what_cms_published(everywhere: Found) -> None:
    """Baselines are whole cents of averages, so the sum may be off by half a cent a discharge, and is held to the file's sum so."""
    found = everywhere
    assert len(found.frame) == found.asked_pair_count == 181_215
    assert found.frame["provider"].nunique() == 3_064 and found.frame["volume"].sum() == 6_645_098
    paid = (found.frame["volume"] * found.frame["baseline_price"]).sum()
    of_medicare = (found.frame["volume"] * found.frame["medicare_rate"]).sum()
    assert paid == pytest.approx(85_304_726_375.82, abs=6_645_098 * 0.005)
    assert of_medicare == pytest.approx(72_035_484_553.41, abs=6_645_098 * 0.005)
    assert found.asked_amount == pytest.approx(Decimal("85304726375.82"), abs=Decimal(181_215) / 200)


def test_stars_and_families_are_those_of_the_files_and_blank_where_they_do_not_join(
    country: Settings, everywhere: Found
) -> None:
    """A third of the hospitals of 2016 is not rated in the file of 2026 or no longer in it; nothing is put in its place."""
    frame = everywhere.frame
    of_hospital = frame.groupby("provider")["quality_stars"].agg(["nunique", "first"])
    assert of_hospital["nunique"].max() == 1 and of_hospital["first"].isna().sum() > 0
    assert set(of_hospital["first"].dropna().astype(int)) == {1, 2, 3, 4, 5}
    # Table 5 is that of FY2013: MS-DRGs that came later are in no family, nor are those that it names no category for (981 to 989).
    with open_warehouse(country) as con:
        weighed = {
            f"DRG {code}"
            for (code,) in con.execute(
                "select drg_code from staging.stg_drg_weight__weights where mdc_code is not null"
            ).fetchall()
        }
    is_weighed = frame["procedure"].isin(weighed)
    assert frame.loc[is_weighed, "family"].notna().all() and frame.loc[~is_weighed, "family"].isna().all()
    assert (
        "DRG 266" in set(frame.loc[~is_weighed, "procedure"])
        and frame.loc[frame["procedure"] == "DRG 470", "family"].eq("MDC 08").all()
    )


def test_a_states_hospitals_are_priced_within_every_rule(country: Settings, vermont: Scenario) -> None:
    found = ipps_pairs(country, vermont.source)
    asked = ask(vermont, found.frame)
    assert set(found.frame["state"]) == {"VT"} and len(asked.pairs) == len(found.frame) > 300
    answer = solve(asked, gap=vermont.solver.gap, time_limit=vermont.solver.time_limit)
    assert answer.status == "optimal" and answer.relative_gap is not None and answer.relative_gap <= vermont.solver.gap
    cents = rounded(asked, answer.prices).prices
    assert check.check(asked, cents, tolerance=0) == []
    saved = 1 - check.spend(asked, cents) / asked.baseline_spend
    assert saved >= Decimal("0.02")
    # Another look at two rules, by other means than the check: who has four stars is not in the lowest tier, who loses loses 8 %.
    merged = found.frame.merge(cents, on=["provider", "procedure"])
    assert (merged.loc[merged["quality_stars"] >= 4, "tier"] != "low").all()
    merged = merged.assign(
        before=merged["volume"] * merged["baseline_price"], after=merged["volume"] * merged["price"].astype(float)
    )
    revenue = merged.groupby("provider")[["before", "after"]].sum()
    assert np.all(revenue["after"] >= revenue["before"] * 0.92 - 0.01)
