"""Instances for tests of pricing: the shared ones by name (skipped where the real folder is absent)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimization.pricing.forms import read
from optimization.pricing.instance import Instance


@pytest.fixture
def shared(shared_path: Callable[[str], Path]) -> Callable[[str], Instance]:
    """`shared('v1_spend')` reads one of the instances whose optimum is known."""
    return lambda name: read(shared_path(name))


@pytest.fixture
def shared_path(real_data: Path) -> Callable[[str], Path]:
    """`shared_path('v1_spend')` is the file of such an instance; where it is not there the test skips and says so."""

    def found(name: str) -> Path:
        paths = sorted((real_data / "pricing").glob(f"{name}.json*"))
        if not paths:
            pytest.skip(f"the instance {name} is not in {real_data.name}/pricing")
        return paths[0]

    return found
