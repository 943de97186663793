"""Samples broken at random, one behind the other in one file with whole ones: every row and dollar of it is accounted for, for every feed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.sources.x12.breaking import CONTRACTS, EDITS, Edit, broken, read


@settings(max_examples=2, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
@given(damages=st.lists(st.lists(EDITS, min_size=1, max_size=4), min_size=70, max_size=80))
def test_of_samples_that_are_broken_nothing_is_lost_and_nothing_counted_twice(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory, damages: list[list[Edit]]
) -> None:
    files = [path.read_bytes() for path in sorted((real_data / "x12").rglob("*")) if path.is_file()]
    samples = [data for data in files if data.startswith(b"ISA")]
    pieces = [
        broken(samples[number % len(samples)], edits, samples[number % len(samples)][105:106])
        for number, edits in enumerate(damages)
    ]
    path = tmp_path_factory.mktemp("broken") / "file"
    path.write_bytes(b"".join([*pieces, *samples]))
    told = {contract.feed: read(path, contract) for contracts in CONTRACTS.values() for contract in contracts}
    for feed, tag in (("medical_claim", b"CLM"), ("eligibility_benefit", b"EB"), ("remittance", b"CLP")):
        segment = rb"%s\s*" + tag + rb"%s"
        whole = [re.findall(segment % (re.escape(data[105:106]), re.escape(data[3:4])), data) for data in samples]
        assert told[feed].rows >= sum(map(len, whole)) > 5
    assert all(one.rows >= one.accepted for one in told.values()) and sum(one.accepted for one in told.values()) > 50
