"""Where a bench writes its page."""

from pathlib import Path

from dagster_project.settings import REPOSITORY
from tests.bench.page import page_of


def test_a_bench_that_was_made_small_leaves_the_page_of_the_full_one_alone(tmp_path: Path) -> None:
    assert page_of("x12-speed.md", True, tmp_path) == REPOSITORY / "docs" / "x12-speed.md"
    assert page_of("x12-speed.md", False, tmp_path) == tmp_path / "x12-speed.md"
