"""Rows and dollars of X12 counted from its bytes, by plain splitting and Arrow: the reader cannot vouch for itself.

Belongs here: the second count. Does not: anything of the reader's but where an interchange begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.sources.count import Count
from dagster_project.sources.unpack import blocks
from dagster_project.sources.x12.segments import ISA, LONGEST_ISA

AMOUNT = r"^-?([0-9]{1,18}(\.[0-9]{0,10})?|\.[0-9]{1,10})$"


@dataclass(frozen=True)
class Counted:
    """What makes rows of a record: segments of these tags, in transactions of this kind.

    `amounts` are elements whose sum counts. Where `each` is given, one segment is several rows: as many as there are
    groups of elements, each of which begins at one of these and is there if any of its first two elements is.
    """

    kind: bytes
    groups: bytes
    tags: dict[bytes, tuple[int, ...]]
    each: tuple[int, ...] = ()


COUNTED = {
    "claim": Counted(b"837", b"HC", {b"CLM": (2,)}),
    "claim_line": Counted(b"837", b"HC", {b"SV1": (2,), b"SV2": (3,)}),
    "payment": Counted(b"835", b"HP", {b"BPR": (2,)}),
    "payment_line": Counted(b"835", b"HP", {b"CLP": (4,), b"SVC": ()}),
    "payment_adjustment": Counted(b"835", b"HP", {b"CAS": tuple(range(3, 19, 3))}, tuple(range(2, 18, 3))),
    "provider_adjustment": Counted(b"835", b"HP", {b"PLB": tuple(range(4, 15, 2))}, tuple(range(3, 14, 2))),
    "enrolled_person": Counted(b"834", b"BE", {b"INS": ()}),
    "coverage": Counted(b"834", b"BE", {b"INS": (), b"HD": ()}),
    "benefit": Counted(b"271", b"HB", {b"EB": (7,)}),
    "claim_status": Counted(b"277", b"HN", {b"STC": (4,)}),
    "transaction_answer": Counted(b"999", b"FA", {b"AK1": (), b"AK2": ()}),
}


def count_x12(path: Path, record: str) -> Count:
    """Counts what the reader ought to have read."""
    about = path.stat()
    return _counts(path, COUNTED[record].kind, about.st_size, about.st_mtime_ns)[record]


@lru_cache(maxsize=10_000)
def _counts(path: Path, kind: bytes, byte_count: int, modified_ns: int) -> dict[str, Count]:
    """All records of a kind in one pass: up to four feeds ask of one file, one after the other."""
    asked = {name: counted for name, counted in COUNTED.items() if counted.kind == kind}
    totals, is_of_kind = {name: Count() for name in asked}, False
    (groups,) = {counted.groups for counted in asked.values()}
    for texts, element, opens_interchange in _split(path):
        segments = pc.ascii_ltrim_whitespace(texts.view(pa.large_string())).view(
            pa.large_binary()
        )  # separators may be any byte
        letters = _first_letters(segments)
        lengths = pc.binary_length(segments).to_numpy(zero_copy_only=False)
        of_kind = _of_kind(segments, letters, element, kind, groups, is_of_kind and not opens_interchange)
        is_of_kind = bool(of_kind[-1])
        for name, counted in asked.items():
            for tag, amounts in counted.tags.items():
                is_bare = (lengths == len(tag)) & _begin(letters, tag)  # a row all the same, of which nothing is said
                found = segments.filter(pa.array((_begin(letters, tag + element) | is_bare) & of_kind))
                if len(found):
                    _add(pc.split_pattern(found, element), amounts, counted.each, totals[name])
    for total in totals.values():
        total.line_count = total.row_count
    return totals


def _split(path: Path) -> Iterator[tuple[pa.LargeBinaryArray, bytes, bool]]:
    """Whole segments, a block at a time, with the separator of their elements, and whether they are an interchange's first."""
    held, element, end, is_first = b"", b"", b"", True
    for block in _and_nothing(path):
        held += block
        while isa := ISA.search(held):
            if end and (whole := held[: isa.start()].rpartition(end)[0]):
                yield _pieces(whole, end), element, is_first
            element, end, is_first = isa["element"], isa["segment"], True
            held = held[isa.end() :]
        kept = len(held) - LONGEST_ISA if block else len(held)
        if end and kept > 0:
            whole, found, _ = held[:kept].rpartition(end)
            if found:
                yield _pieces(whole, end), element, is_first
                is_first = False
                held = held[len(whole) + 1 :]


def _and_nothing(path: Path) -> Iterator[bytes]:
    yield from blocks(path)
    yield b""


def _pieces(whole: bytes, end: bytes) -> pa.LargeBinaryArray:
    return pc.split_pattern(pa.array([whole], pa.large_binary()), end).flatten()


def _first_letters(segments: pa.LargeBinaryArray) -> np.ndarray:
    """The first four bytes of each as a number; what a shorter one lacks is zero."""
    _, offsets, data = segments.buffers()
    edges = np.frombuffer(offsets, dtype=np.int64)[segments.offset : segments.offset + len(segments) + 1]
    places = np.arange(4)
    found = np.append(np.frombuffer(data or b"", dtype=np.uint8), np.zeros(4, dtype=np.uint8))[
        edges[:-1, None] + places
    ]
    found[places >= np.diff(edges)[:, None]] = 0
    return found.view(">u4").ravel().astype(np.int64)


def _begin(letters: np.ndarray, with_these: bytes) -> np.ndarray:
    """Whether segments begin with these, at most four bytes."""
    return np.asarray(letters >> 8 * (4 - len(with_these)) == int.from_bytes(with_these))


def _of_kind(
    segments: pa.LargeBinaryArray, letters: np.ndarray, element: bytes, kind: bytes, groups: bytes, before: bool
) -> np.ndarray:
    """Whether each segment stands in a transaction of the kind; where ST is lost, in a group of it."""
    controls = np.flatnonzero(
        np.logical_or.reduce([_begin(letters, tag) for tag in (b"ST", b"GS", b"GE", b"ISA", b"IEA")])
    )
    chosen = segments.take(pa.array(controls))

    def begins(*words: bytes) -> np.ndarray:
        return np.asarray(pc.starts_with(chosen, element.join(words)).to_numpy(zero_copy_only=False))

    def are(*words: bytes) -> np.ndarray:
        whole = pc.equal(chosen, element.join(words)).to_numpy(zero_copy_only=False)
        return np.asarray(begins(*words, b"") | whole)

    opens = are(b"ST", kind) | begins(b"GS", groups)
    ends = (are(b"ST") | are(b"GS") | are(b"GE") | are(b"ISA") | are(b"IEA")) & ~opens
    state = np.zeros(
        len(segments), dtype=np.int64
    )  # of the latest that opens or ends: its place, negative where it ends
    state[controls[opens]] = controls[opens] + 1
    state[controls[ends]] = -1 - controls[ends]
    latest = np.maximum.accumulate(np.abs(state))
    return np.where(latest == 0, before, state[np.maximum(latest - 1, 0)] > 0)


def _add(elements: pa.Array, amounts: tuple[int, ...], each: tuple[int, ...], total: Count) -> None:
    lengths = pc.list_value_length(elements)

    def cells(place: int) -> pa.Array:
        there = elements.filter(pc.greater(lengths, place))
        return pc.list_element(there, place) if len(there) else pa.array([], pa.large_binary())

    total.row_count += len(elements)
    for place in each[1:]:  # the first is there whatever it holds
        longer = elements.filter(pc.greater(lengths, place))
        if len(longer):
            seconds = pc.greater(pc.list_value_length(longer), place + 1)
            has_first = pc.not_equal(pc.list_element(longer, place), b"").to_numpy(zero_copy_only=False)
            has_second = np.zeros(len(longer), dtype=bool)
            both = longer.filter(seconds)
            if len(both):
                has_second[seconds.to_numpy(zero_copy_only=False)] = pc.not_equal(
                    pc.list_element(both, place + 1), b""
                ).to_numpy(zero_copy_only=False)
            total.row_count += int((has_first | has_second).sum())
    for place in amounts:
        texts = cells(place).view(pa.large_string())
        written = texts.filter(pc.match_substring_regex(texts, AMOUNT)) if len(texts) else texts
        if len(written):
            total.amount += pc.sum(pc.cast(written, pa.decimal128(38, 10))).as_py() or Decimal(0)
