"""The definitions, loaded once a session."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from tests.pipeline.graph import load_definitions


@pytest.fixture(scope="session")
def definitions(demo_home: Path) -> dg.Definitions:
    return load_definitions(demo_home)
