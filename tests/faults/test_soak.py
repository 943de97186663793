"""What `make soak` runs is what docs/reliability.md says that it runs."""

from __future__ import annotations

import re

from dagster_project.settings import REPOSITORY


def test_every_proof_that_make_test_leaves_out_is_run_by_make_soak_and_told() -> None:
    there = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "tests").rglob("*soak*.py")}
    proofs = there - {"tests/faults/test_soak.py"}
    (asked,) = re.findall(
        r"^soak:.*\n.* -m pytest (.*?) -n ", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE
    )
    run = {path.relative_to(REPOSITORY).as_posix() for glob in asked.split() for path in REPOSITORY.glob(glob)}
    told = re.findall(r"^\| `(tests/.*?)` \|", (REPOSITORY / "docs" / "reliability.md").read_text(), flags=re.MULTILINE)
    assert proofs == run == set(told) and len(proofs) == len(told) > 4
