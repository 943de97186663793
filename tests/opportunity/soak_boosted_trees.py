"""Boosted trees on the same features, folds and cells as the ridge, on CMS's FY2016: the plain model is to be as good.

It takes minutes, so `make soak` runs it. Without the real files it skips and says so.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from xgboost import XGBRegressor

from dagster_project.resources.opportunity import read_period
from ml.opportunity.payment import MODEL, World, expected_payment, fit_payment, make_world, national_means, unseen
from tests.dbt.small_warehouse import Warehouse

FILES = [
    "cms_ipps/fy2016_provider_drg.csv.gz",
    "cms_ipps/table5_fy2013.txt",
    "cms_hospitals/hospital_general_information_2026_06.csv",
    "cms_hospitals/hospital_readmissions_reduction_2026_06.csv",
    "cms_hospitals/medicare_inpatient_by_provider_dy2023.csv",
]


@pytest.fixture(scope="module")
def world(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    from dagster_project.sources.loads import place

    built = Warehouse(tmp_path_factory.mktemp("trees"))
    place([real_data / name for name in FILES], built.settings, built.contracts)
    built.load()
    built.dbt("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test", "--select", "+int_opportunity__hospital_features", "+int_opportunity__payment_cells",
              "+int_opportunity__severity_cells")  # fmt: skip
    with duckdb.connect(str(built.settings.warehouse), read_only=True) as con:
        period = read_period(con, "cms_ipps", "fy", 2016)
    return make_world(period.hospitals, period.payments)


def trees(world: World, seen: np.ndarray) -> np.ndarray:
    """Trees see the ridge's own columns and the level of the DRG; squares and one column a level cost them nothing."""
    levels = national_means(world, seen)[world.drg]
    columns = np.hstack([world.every[world.hospital], np.log(levels)[:, None]]).astype("float32")
    used = seen & ~np.isnan(levels)
    model = XGBRegressor(
        n_estimators=300, max_depth=5, learning_rate=0.07, subsample=0.8, colsample_bytree=0.5, min_child_weight=200,
        tree_method="hist", max_bin=64, n_jobs=2, random_state=1,
    )  # fmt: skip
    model.fit(columns[used], np.log(world.payment / levels)[used], sample_weight=world.discharges[used])
    expected = np.exp(model.predict(columns)) * levels
    paid, got = ((values * world.discharges)[used].sum() for values in (world.payment, expected))
    return expected * paid / got


def test_the_ridge_is_no_worse_than_boosted_trees_when_hospitals_are_not_seen(world: World) -> None:
    seconds = dict.fromkeys((MODEL, "trees"), 0.0)

    def ways(seen: np.ndarray) -> dict[str, np.ndarray]:
        made = {}
        for name, way in (
            (MODEL, lambda: expected_payment(fit_payment(world, seen), world)),
            ("trees", lambda: trees(world, seen)),
        ):
            started = time.process_time()
            made[name] = way()
            seconds[name] += time.process_time() - started
        return made

    expected = unseen(world.hospitals["provider_id"], world.hospital, ways)
    known = ~np.isnan(np.vstack([*expected.values()])).any(axis=0)
    error = {
        name: float(np.average(np.abs(values - world.payment)[known], weights=world.discharges[known]))
        for name, values in expected.items()
    }
    print({name: (round(error[name], 1), round(seconds[name], 1)) for name in error})
    assert error[MODEL] < 1.02 * error["trees"]
    assert seconds[MODEL] < seconds["trees"] / 5
