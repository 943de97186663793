"""Files that are broken at random: nothing is lost, nothing counted twice, and what stands beside the damage arrives.

Belongs here: properties of every reading, held by counting a second way. Does not: which reason a fault is given.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.sources.contracts import Contract, load_contracts
from dagster_project.sources.layouts import X12
from dagster_project.sources.read import ROWS, Reading
from dagster_project.sources.x12.count import count_x12
from dagster_project.sources.x12.read import read_x12
from dagster_project.sources.x12.records import RECORDS
from dagster_project.sources.x12.segments import ISA
from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    BILLER,
    ENROLLED,
    ENROLLED_CHILD,
    INSURED,
    OFFICE_VISIT,
    PAYMENT,
    READ_AND_UNREADABLE,
    REPLY,
    acceptances,
    claims,
    enrolments,
    payments,
    readabilities,
    replies,
)

PLB = "PLB*1234567893*20261231*WO:A9*25*L6*-1.5~"
# One small file of each kind that a feed reads.
WHOLE = {
    837: claims(BILLER + INSURED + OFFICE_VISIT + OFFICE_VISIT.replace("A1", "A2")),
    835: payments(PAYMENT + PAYMENT.replace("A1", "A2") + PLB),
    834: enrolments(ENROLLED + ENROLLED_CHILD),
    271: replies(REPLY),
    277: acceptances(ACCEPTED_AND_REJECTED),
    999: readabilities(READ_AND_UNREADABLE),
}
# To be cut: the two smallest at every byte, the others at every ninth.
STEPS = {837: 9, 835: 1, 834: 9, 271: 9, 277: 9, 999: 1}
SHORT = {**WHOLE, 835: payments("LX*1~CLP*A1*1*80*60~NM1*QC*1*ROE~SVC*HC:1*80*60~CAS*CO*45*20~PLB*1*20261231*L6*-1.5~")}
CONTRACTS = {
    kind: [
        contract
        for contract in load_contracts().values()
        if X12 in contract.layouts and RECORDS[contract.layouts[X12].x12 or ""].kind == kind
    ]
    for kind in WHOLE
}


@dataclass(frozen=True)
class Told:
    """What the reader made of a file for one feed."""

    rows: int
    amount: Decimal
    accepted: int


def read(path: Path, contract: Contract) -> Told:
    """Reads a file, and holds what was read against the second count and against itself."""
    layout = contract.layouts[X12]
    reading = Reading(
        path, False, False, contract, layout, tuple(layout.source_columns()), 0, "", "f", None, dt.date(2026, 6, 1)
    )
    with duckdb.connect() as con:
        problems = read_x12(con, reading)
        rows, places, amount, accepted, least, most = con.execute(
            f"select count(*), count(distinct (line, part)), coalesce(sum(amount), 0), count(*) filter (where problem = 0), "
            f"coalesce(min(problem), 0), coalesce(max(problem), 0) from {ROWS}"
        ).fetchall()[0]
    count = count_x12(path, layout.x12 or "")
    assert (rows, amount) == (count.row_count, count.amount if contract.amount else 0)
    assert rows == places and least >= 0 and most <= len(problems)
    return Told(rows, amount, accepted)


NOTHING = Told(0, Decimal(0), 0)
# Segments of which each makes one row.
TAGS = {
    "medical_claim": "CLM", "medical_claim_line": "SV1|SV2", "remittance": "CLP|SVC", "member": "INS", "eligibility": "INS|HD",
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
        if contract.feed in TAGS:
            tag = re.compile(rf"~(?:{TAGS[contract.feed]})\*[^~]*(?=~)".encode())
            assert told.rows == sum(len(tag.findall(piece)) for piece in [*pieces, data])
        alone = tmp_path / "alone"
        alone.write_bytes(another(data))
        assert told.accepted >= read(alone, contract).accepted > 0


@dataclass(frozen=True)
class Edit:
    """One thing done to a file. Places are parts of ten thousand."""

    name: str
    place: int
    other: int

    def made(self, data: bytes) -> bytes:
        segments = data.split(b"~")
        first, second = (number * len(segments) // 10_000 for number in (self.place, self.other))
        if self.name == "drop":
            del segments[first]
        elif self.name == "repeat":
            segments.insert(second, segments[first])
        elif self.name == "swap":
            segments[first], segments[second] = segments[second], segments[first]
        elif self.name == "turn":
            segments[min(first, second) : max(first, second)] = segments[min(first, second) : max(first, second)][::-1]
        elif self.name == "cut":
            return data[: self.place * len(data) // 10_000]
        elif self.name == "overwrite":
            place = self.place * len(data) // 10_000
            return data[:place] + MARKS[self.other % len(MARKS)] + data[place + 1 :]
        return b"~".join(segments)


MARKS = [bytes([mark]) for mark in b"~*:^A9-. \n\x00\xff"]
PLACES = st.integers(0, 9_999)
EDITS = st.builds(Edit, st.sampled_from(["drop", "repeat", "swap", "turn", "cut", "overwrite"]), PLACES, PLACES)
SEPARATORS = st.sampled_from(["*^:~", "|^>\n", "+!;'", "\x1d\x1e\x1f\x1c", "~*:^"])


def broken(data: bytes, edits: list[Edit], separators: str) -> bytes:
    for edit in edits:
        data = edit.made(data) or data
    return data.translate(bytes.maketrans(b"*^:~", separators.encode()))


@settings(max_examples=8, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    damages=st.lists(st.tuples(st.lists(EDITS, min_size=1, max_size=4), SEPARATORS), min_size=8, max_size=24),
)
def test_whatever_is_broken_is_accounted_for_and_a_whole_file_behind_it_arrives(
    tmp_path_factory: pytest.TempPathFactory, kind: int, damages: list[tuple[list[Edit], str]]
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    damaged = b"".join(broken(WHOLE[kind], edits, separators) for edits, separators in damages)
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
