"""Files that are broken at random: nothing is lost, nothing counted twice, and what stands beside the damage arrives.

Belongs here: properties of every reading, held by counting a second way. Does not: which reason a fault is given.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.sources.x12.segments import ISA
from tests.sources.x12.breaking import CONTRACTS, EDITS, Edit, Told, broken, read
from tests.sources.x12.written import WHOLE, payments

# To be cut: the two smallest at every byte, the others at every ninth.
STEPS = {837: 9, 835: 1, 834: 9, 271: 9, 277: 9, 999: 1}
SHORT = {**WHOLE, 835: payments("LX*1~CLP*A1*1*80*60~NM1*QC*1*ROE~SVC*HC:1*80*60~CAS*CO*45*20~PLB*1*20261231*L6*-1.5~")}


NOTHING = Told(0, Decimal(0), 0)
# Segments of which each makes one row: those of adjustments have one each in what is cut.
TAGS = {
    "medical_claim": "CLM", "medical_claim_line": "SV1|SV2", "remittance": "CLP|SVC", "remittance_adjustment": "CAS",
    "provider_adjustment": "PLB", "remittance_advice": "BPR", "member": "INS", "eligibility": "INS|HD",
    "eligibility_benefit": "EB", "claim_acknowledgement": "STC", "transaction_acknowledgement": "AK1|AK2",
}  # fmt: skip


def another(data: bytes) -> bytes:
    """The same file about other people, claims and payments."""
    renamed = re.sub(rb"\b(A1|A2|M100|T1|B1|ACK1|Q1)\b", rb"W\1", data)
    return renamed.replace(b"*000000001", b"*000000002")


@pytest.mark.parametrize("kind", WHOLE)
def test_of_a_file_cut_anywhere_each_whole_segment_is_accounted_for(kind: int, tmp_path: Path) -> None:
    data = SHORT[kind]
    pieces = [data[:end] for end in range(0, len(data), STEPS[kind])]
    path = tmp_path / "cut"
    path.write_bytes(b"".join(pieces) + another(data))
    for contract in CONTRACTS[kind]:
        told = read(path, contract)
        tag = re.compile(rf"~(?:{TAGS[contract.feed]})\*[^~]*(?=~)".encode())
        assert told.rows == sum(len(tag.findall(piece)) for piece in [*pieces, data]) > 0
        alone = tmp_path / "alone"
        alone.write_bytes(another(data))
        assert told.accepted >= read(alone, contract).accepted > 0


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_bare_or_stands_behind_a_transaction_in_no_group_is_accounted_for(kind: int, tmp_path: Path) -> None:
    segments = [part for part in WHOLE[kind].split(b"~") if not part.startswith((b"GS*", b"GE*"))]
    opened, closed = (next(at for at, part in enumerate(segments) if part.startswith(tag)) for tag in (b"ST*", b"SE*"))
    whole, path = tmp_path / "whole", tmp_path / "behind"
    whole.write_bytes(WHOLE[kind])
    for contract in CONTRACTS[kind]:
        bare = TAGS[contract.feed].encode().split(b"|")
        path.write_bytes(
            b"~".join([*segments[: closed + 1], *segments[opened + 1 : closed], *bare, *segments[closed + 1 :]])
        )
        told, expected = read(path, contract), read(whole, contract)
        assert told.rows == 2 * expected.rows + len(bare) > len(bare)
        assert told.amount == 2 * expected.amount


SEPARATORS = st.sampled_from(["*^:~", "|^>\n", "+!;'", "\x1d\x1e\x1f\x1c", "~*:^"])


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=2, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
@given(damages=st.lists(st.tuples(st.lists(EDITS, min_size=1, max_size=4), SEPARATORS), min_size=12, max_size=24))
def test_whatever_is_broken_is_accounted_for_and_a_whole_file_behind_it_arrives(
    tmp_path_factory: pytest.TempPathFactory, kind: int, damages: list[tuple[list[Edit], str]]
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    damaged = b"".join(
        broken(WHOLE[kind], edits).translate(bytes.maketrans(b"*^:~", separators.encode()))
        for edits, separators in damages
    )
    whole = another(WHOLE[kind])
    for contract in CONTRACTS[kind]:
        told = []
        for data in (damaged, whole, damaged + whole):
            path = folder / "file"
            path.write_bytes(data)
            # A file without an ISA is set aside whole before anybody reads it.
            told.append(read(path, contract) if ISA.search(data) else NOTHING)
        of_damaged, of_whole, of_both = told
        assert of_whole.accepted > 0
        assert of_both == Told(
            of_damaged.rows + of_whole.rows,
            of_damaged.amount + of_whole.amount,
            of_damaged.accepted + of_whole.accepted,
        )
