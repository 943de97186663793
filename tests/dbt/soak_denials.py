"""`make soak`: denials of real files whose sender gives no reasons (CMS DE-SynPUF). Named so that `make test` does not collect it."""

from __future__ import annotations

import pytest
from small_warehouse import Warehouse
from soak_concentration import desynpuf

__all__ = ["desynpuf"]
pytestmark = pytest.mark.xdist_group("dbt_warehouse")


def test_a_denial_rate_is_unknown_when_the_sender_gives_no_reasons(desynpuf: Warehouse) -> None:
    desynpuf.dbt("build", "--exclude-resource-type", "test", "unit_test", "--select", "+mart_denials")
    assert desynpuf.rows(
        "select count(denied_claim_count), count(denial_rate), count(*) > 0 from marts.mart_denials"
    ) == [(0, 0, True)]
