"""A lake of its own for each test that lands X12."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.x12.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)
