"""Fixtures for the tests of dbt_project: a small demonstration world, landed and not yet read."""

from __future__ import annotations

import pytest
from small_warehouse import Warehouse


@pytest.fixture
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """70 members over four months, all files landed, nothing read yet."""
    from dagster_project.synthetic import generate

    warehouse = Warehouse(tmp_path_factory.mktemp("dbt"))
    generate(warehouse.settings.landing, warehouse.settings.answers, members=70, seed=11, months=4)
    return warehouse
