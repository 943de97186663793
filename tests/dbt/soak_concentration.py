"""The concentration marts on real files: figures that were counted elsewhere before (CMS DE-SynPUF, 2008)."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_warehouse import Warehouse

from dagster_project.sources.loads import place

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

FILES = [
    "desynpuf/176541_DE1_0_2008_Beneficiary_Summary_File_Sample_1.zip",
    "desynpuf/176549_DE1_0_2008_to_2010_Inpatient_Claims_Sample_1.zip",
]


@pytest.fixture(scope="module")
def desynpuf(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("desynpuf"))
    place([real_data / name for name in FILES], warehouse.settings, warehouse.contracts)
    warehouse.load()
    warehouse.dbt("build", "--exclude-resource-type", "test", "unit_test", "--select", "+mart_pareto")
    return warehouse


def top_shares(warehouse: Warehouse, basis: str) -> list[tuple[object, ...]]:
    return warehouse.rows(
        f"""select top_percent, people_count, population_count, total_amount::bigint,
                round(cumulative_share_rate * 100, 2)
            from marts.mart_pareto
            where basis = '{basis}' and period = '2008' and top_percent in (1, 5, 10) order by top_percent"""
    )


def test_yearly_amounts_are_as_concentrated_as_counted_before_when_those_without_cost_count(
    desynpuf: Warehouse,
) -> None:
    assert top_shares(desynpuf, "yearly_amounts") == [
        (1, 1164, 116352, 572106116, 16.86),
        (5, 5818, 116352, 572106116, 46.45),
        (10, 11636, 116352, 572106116, 63.87),
    ]


def test_inpatient_claims_are_as_concentrated_as_counted_before_when_all_beneficiaries_count(
    desynpuf: Warehouse,
) -> None:
    assert top_shares(desynpuf, "inpatient_claims_paid") == [
        (1, 1164, 116352, 257732880, 29.0),
        (5, 5818, 116352, 257732880, 73.0),
        (10, 11636, 116352, 257732880, 94.27),
    ]
