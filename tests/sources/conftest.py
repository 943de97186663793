"""A home with one small feed, for every test of the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from fill_house import FILL, House, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path, fill=FILL)
