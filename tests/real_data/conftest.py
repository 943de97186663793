"""Real files, loaded once per module into a home of its own; where they are absent, tests skip and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from real_lake import LoadedLake


@pytest.fixture(scope="module")
def load(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LoadedLake]:
    """`load('cms_ipps/a.csv.gz', …, feeds=[…])` places and reads files of the real folder in a new home."""

    def loaded(*names: str, feeds: Iterable[str] | None = None) -> LoadedLake:
        return LoadedLake(tmp_path_factory.mktemp("home"), [real_data / name for name in names], feeds)

    return loaded
