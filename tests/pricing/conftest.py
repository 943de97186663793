"""Instances for tests of pricing: the shared ones by name (skipped where the real folder is absent)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimization.pricing.forms import read
from optimization.pricing.instance import Instance


@pytest.fixture
def shared(real_data: Path) -> Callable[[str], Instance]:
    """`shared('v1_spend')` reads one of the instances whose optimum is known."""
    return lambda name: read(shared_path(real_data, name))


def shared_path(real_data: Path, name: str) -> Path:
    """The file of a shared instance; skips where it is not there."""
    found = sorted((real_data / "pricing").glob(f"{name}.json*"))
    if not found:
        pytest.skip(f"the instance {name} is not in {real_data.name}/pricing")
    return found[0]
