"""X12 bytes to numbered segments, block by block: memory does not grow with the file, and no loop runs over segments.

Belongs here: separators as each ISA declares them, where a segment ends, which interchange, group, transaction, claim and
line it stands in. Does not: whether counts and values are right, what elements mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.sources.unpack import decode_mixture

# Separators after translation: those that ASCII has for this, and no text needs.
SEGMENT, ELEMENT, REPETITION, COMPONENT = "\x1c", "\x1d", "\x1e", "\x1f"
# What a stray one of these four becomes: visible, and no separator.
STRAY = "\x1a"
# Segments that are read at once, where there is memory: planning what reads a part costs as much as reading fifty thousand.
PART = 1_000_000
# A file whose segment separator never comes again must not be gathered in memory without end.
LONGEST_SEGMENT = 1 << 20

# Sixteen elements; the byte after the tag separates elements, the sixteenth element components, the byte behind segments.
# Widths are fixed by the standard; senders that do not fill up with blanks are read all the same. No letter separates: an ISA
# cut before its last two bytes once took them from the ISA behind it, and with them all that followed.
ISA = re.compile(
    rb"ISA(?P<element>[^A-Za-z0-9\s])(?:(?:(?!\1).){0,15}\1){10}(?P<repetition>.)\1(?P<version>[0-9]{5})\1"
    rb"(?:(?!\1).){1,9}\1[01]\1[A-Z]\1(?P<component>[^A-Za-z0-9])(?P<segment>[^A-Za-z0-9])",
    re.DOTALL,
)
LONGEST_ISA = 3 + 10 * 16 + 1 + 2 + 6 + 10 + 2 + 2 + 3

SCHEMA = pa.schema(
    [
        ("segment_number", pa.int64()),  # in the file, from 1
        ("interchange", pa.int32()),  # running numbers in the file, from 1; 0 outside
        ("functional_group", pa.int32()),
        ("transaction", pa.int32()),
        ("kind", pa.int32()),  # ST01 as a number: 837, 835, …; where an ST is missing, what the group holds
        ("level", pa.int32()),  # of the hierarchy (HL): who bills, who is insured, who is the patient; 0 outside
        ("unit", pa.int32()),  # claim, payment or member: the smallest part that stands for itself; 0 outside
        ("line", pa.int32()),  # service line in the unit, from 1; 0 before the first
        ("text", pa.string()),  # one segment, its separators translated
        ("tag", pa.string()),  # what it begins with
        ("qualifier", pa.string()),  # its first element, which of many segments says what they are about
    ]
)

# What a functional group holds (GS01), for segments whose ST is lost.
KIND_OF_GROUP = {"HC": 837, "HP": 835, "BE": 834, "HB": 271, "HN": 277, "FA": 999}
OPENS_UNIT = {837: ("CLM",), 835: ("CLP",), 834: ("INS",), 271: ("HL",), 277: ("TRN",), 999: ("AK2",)}
# What stands behind a unit and belongs to none: the next level of a claim file, the next header number of a remittance.
CLOSES_UNIT = {837: ("HL",), 835: ("LX", "PLB"), 277: ("HL",), 999: ("AK9",)}
OPENS_LINE = {837: ("LX",), 835: ("SVC",), 834: ("HD",), 271: ("EB",), 277: ("SVC",)}

Numbers = NDArray[np.int32]
Places = NDArray[np.int64]  # of bytes in a block
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


class NotX12(Exception):
    """The bytes hold no ISA, or a segment that never ends."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code


@dataclass(frozen=True)
class Separators:
    """How one interchange is written: its segment separator, and a table that translates all of them."""

    segment: bytes
    table: bytes

    @classmethod
    def of(cls, isa: re.Match[bytes]) -> Separators:
        table = bytearray(range(256))
        for separator in (SEGMENT, ELEMENT, REPETITION, COMPONENT):
            table[ord(separator)] = ord(STRAY)
        table[ord(isa["component"])] = ord(COMPONENT)
        # Before 5010 nothing repeats, and the element says which standards body the control segments follow.
        if not isa["repetition"].isalnum():
            table[ord(isa["repetition"])] = ord(REPETITION)
        table[ord(isa["element"])] = ord(ELEMENT)
        table[ord(isa["segment"])] = ord(SEGMENT)
        return cls(isa["segment"], bytes(table))

    def translated(self, data: bytes) -> bytes:
        plain = data.translate(self.table)
        return plain if plain.isascii() else decode_mixture(plain).encode()


@dataclass
class Segments:
    """Reads the blocks of one file, once. `loose_bytes` counts what belongs to no whole segment: a file cut in its
    middle, or words before the first ISA. All segments are numbered; of those in a transaction are given
    which `keeps` asks for by kind, tag and unit, and whatever stands in none, which is noted of the file whoever reads it."""

    blocks: Iterable[bytes]
    keeps: Callable[[Numbers, Numbers, Numbers], Flags] | None = None
    part: int = PART  # how many given segments a part has at least
    loose_bytes: int = 0
    begins: list[int] = field(default_factory=lambda: [1])  # the first segment of each part of the file (parts.py)
    _given: int = 0  # segments of the last part so far
    _count: dict[str, int] = field(default_factory=dict)  # how many of each there were
    _current: dict[str, int] = field(default_factory=dict)  # which one the last segment stands in

    def reader(self) -> pa.RecordBatchReader:
        """As DuckDB takes it. Raises NotX12 while it is read."""
        return pa.RecordBatchReader.from_batches(SCHEMA, self.batches())

    def batches(self) -> Iterator[pa.RecordBatch]:
        held = b""
        separators: Separators | None = None
        known = 0  # bytes held that are the ISA whose separators are in use: it is read with what follows it
        for block in self.blocks:
            held += block
            while isa := ISA.search(held, known):
                yield from self._end_of(held[: isa.start()], separators)
                separators = Separators.of(isa)
                held, known = held[isa.start() :], len(isa[0])
            # What may be the beginning of an ISA or of a segment waits for the next block.
            settled = max(len(held) - LONGEST_ISA, 0)
            if separators is None:
                self.loose_bytes += len(held[:settled].strip())
                rest = b""
            else:
                rest = yield from self._whole(held[:settled], separators)
            if len(rest) > LONGEST_SEGMENT:
                raise NotX12("segment_too_long")
            known = max(known - (settled - len(rest)), 0)
            held = rest + held[settled:]
        if separators is None:
            raise NotX12("no_isa")
        yield from self._end_of(held, separators)

    def _end_of(self, data: bytes, separators: Separators | None) -> Iterator[pa.RecordBatch]:
        """The last segments of an interchange, behind which stands another ISA or nothing."""
        if separators is not None:
            data = yield from self._whole(data, separators)
        self.loose_bytes += len(data.strip())

    def _whole(self, data: bytes, separators: Separators) -> Generator[pa.RecordBatch, None, bytes]:
        """The segments that end in the data; returns what follows the last of them."""
        end = data.rfind(separators.segment) + 1
        if end:
            yield from self._numbered(separators.translated(data[:end]))
        return data[end:]

    def _numbered(self, data: bytes) -> Iterator[pa.RecordBatch]:
        """One batch of whole segments, each with its place."""
        given = np.frombuffer(data, dtype=np.uint8)
        starts, ends = _bounds(given)
        if not len(starts):
            return
        tags = _tags(given, starts, ends)
        is_ = {tag: tags == _tag(tag) for tag in ("ISA", "IEA", "GS", "GE", "ST", "SE")}
        outside = is_["ISA"] | is_["IEA"]
        interchange = self._running("interchange", is_["ISA"], ends_after=is_["IEA"])
        group = self._running("functional_group", is_["GS"], ends_after=is_["GE"], ends_at=outside)
        outside = outside | is_["GS"] | is_["GE"]
        transaction = self._running("transaction", is_["ST"], ends_after=is_["SE"], ends_at=outside)
        # What follows an SE is still of its kind, in a group or not: claims that nobody vouches for, not none.
        inside = self._running("opened", is_["ST"] | is_["GS"], ends_after=is_["GE"], ends_at=is_["ISA"] | is_["IEA"])
        kind = self._kinds(given, starts, ends, is_, inside > 0)
        outside = outside | is_["ST"] | is_["SE"]
        level = self._running("level", tags == _tag("HL"), ends_at=outside)
        opens = of_kind(kind, tags, OPENS_UNIT)
        # What an answer says in one place of its level is said of all of it.
        opens_whole = np.where((kind == 277) & (level > 0), tags == _tag("HL"), opens)
        closes = of_kind(kind, tags, CLOSES_UNIT) | outside
        unit = self._running("unit", opens, ends_at=closes)
        line = self._lines(of_kind(kind, tags, OPENS_LINE), opens, unit)
        first = self._count.get("segment", 0) + 1
        self._count["segment"] = first + len(starts) - 1
        numbers = np.arange(first, first + len(starts), dtype=np.int64)
        columns: list[NDArray[Any]] = [numbers, interchange, group, transaction, kind, level, unit, line]
        is_between = (unit == 0) & ((kind != 277) | (level == 0))
        may_begin = opens_whole | is_between
        if self.keeps:
            kept = self.keeps(kind, tags, unit) | (transaction == 0) | (group == 0) | (interchange == 0)
            starts, ends, may_begin = starts[kept], ends[kept], may_begin[kept]
            columns = [column[kept] for column in columns]
        self._part(columns[0], may_begin)
        tag_ends, qualifier_ends = _first_elements(given, starts, ends)
        texts = (
            _texts(given, starts, ends),
            _short_texts(given, starts, tag_ends),
            _short_texts(given, np.minimum(tag_ends + 1, ends), qualifier_ends),
        )
        yield pa.record_batch([*map(pa.array, columns), *texts], schema=SCHEMA)

    def _part(self, numbers: NDArray[Any], may_begin: Flags) -> None:
        """Where parts begin: each as soon as the one before it has its segments, and no unit is cut."""
        places = np.flatnonzero(may_begin)
        begun = -self._given  # where in this batch the last part begins
        while (next_one := np.searchsorted(places, begun + self.part)) < len(places):
            begun = int(places[next_one])
            self.begins.append(int(numbers[begun]))
        self._given = len(numbers) - begun

    def _running(
        self, name: str, opens: Flags, ends_after: Flags | None = None, ends_at: Flags | None = None
    ) -> Numbers:
        """Which one each segment stands in: numbers grow where one opens, and are 0 from where it ends."""
        closes = np.zeros(len(opens), dtype=np.bool_) if ends_at is None else ends_at
        if ends_after is not None:
            closes = closes | np.concatenate(([False], ends_after[:-1]))
        places = np.arange(1, len(opens) + 1, dtype=np.int32)
        opened = np.maximum.accumulate(np.where(opens, places, 0))
        closed = np.maximum.accumulate(np.where(closes, places, 0))
        numbers = self._count.get(name, 0) + np.cumsum(opens, dtype=np.int32)
        inside = np.where(opened >= closed, numbers, 0)
        found: Numbers = np.where((opened == 0) & (closed == 0), self._current.get(name, 0), inside).astype(np.int32)
        self._count[name] = int(numbers[-1])
        self._current[name] = 0 if ends_after is not None and ends_after[-1] else int(found[-1])
        return found

    def _kinds(self, given: Bytes, starts: Places, ends: Places, is_: Mapping[str, Flags], inside: Flags) -> Numbers:
        """What each segment is part of, as the latest ST says or, before one, the latest GS."""
        own = np.zeros(len(starts), dtype=np.int32)
        opens = np.flatnonzero(is_["ST"] | is_["GS"])
        first, second, third, behind = (
            given[np.minimum(starts[opens] + place, ends[opens])].astype(np.int32) for place in (3, 4, 5, 6)
        )
        digits = np.stack([first, second, third]) - ord("0")
        is_number = ((digits >= 0) & (digits <= 9)).all(axis=0) & ((behind == ord(ELEMENT)) | (behind == ord(SEGMENT)))
        own[opens] = np.where(is_["ST"][opens] & is_number, digits[0] * 100 + digits[1] * 10 + digits[2], 0)
        for group, number in KIND_OF_GROUP.items():
            of_group = is_["GS"][opens] & (first == ord(group[0])) & (second == ord(group[1]))
            own[opens[of_group]] = number
        latest = np.zeros(len(starts), dtype=np.int32)
        latest[opens] = opens + 1
        latest = np.maximum.accumulate(latest)
        kinds: Numbers = np.where(latest > 0, own[np.maximum(latest - 1, 0)], self._current.get("kind", 0))
        kinds = np.where(inside, kinds, 0).astype(np.int32)
        self._current["kind"] = int(kinds[-1])
        return kinds

    def _lines(self, opens: Flags, unit_opens: Flags, unit: Numbers) -> Numbers:
        """Service lines, numbered within each unit."""
        so_far = self._current.get("line", 0) + np.cumsum(opens & (unit > 0), dtype=np.int32)
        latest = np.maximum.accumulate(np.where(unit_opens, np.arange(1, len(opens) + 1, dtype=np.int32), 0))
        before = np.where(latest > 0, so_far[np.maximum(latest - 1, 0)], 0)
        lines: Numbers = np.where(unit > 0, so_far - before, 0).astype(np.int32)
        self._current["line"] = int(lines[-1])
        return lines


def is_tag(tags: Numbers, *names: str) -> Flags:
    return np.isin(tags, [_tag(name) for name in names])


def _tag(text: str) -> int:
    """A tag as a number; of one of two letters the third byte is the separator behind it."""
    first, second, third = (text + ELEMENT)[:3].encode()
    return first << 16 | second << 8 | third


def _bounds(given: Bytes) -> tuple[Places, Places]:
    """Where each segment begins and ends, without line ends and blanks before it; empty ones are left out."""
    ends = np.flatnonzero(given == ord(SEGMENT))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1] + 1)) if len(ends) else ends
    # Separators of our own are below the blank, and are text.
    is_text = (given > ord(" ")) | ((given >= ord(SEGMENT)) & (given <= ord(COMPONENT)))
    if not is_text[starts].all():
        texts = np.flatnonzero(is_text)
        starts = texts[np.searchsorted(texts, starts)]
    kept = starts < ends
    return starts[kept], ends[kept]


def _tags(given: Bytes, starts: Places, ends: Places) -> Numbers:
    """The tag of each segment as a number, 0 where it has more than three letters."""
    first, second, third, fourth = (given[np.minimum(starts + place, ends)].astype(np.int32) for place in range(4))
    third = np.where(third == ord(SEGMENT), np.int32(ord(ELEMENT)), third)  # two letters of which nothing is said
    is_whole = (third == ord(ELEMENT)) | (fourth == ord(ELEMENT)) | (fourth == ord(SEGMENT))
    return np.where(is_whole, first << 16 | second << 8 | third, 0)


def _first_elements(given: Bytes, starts: Places, ends: Places) -> tuple[Places, Places]:
    """Where the tag ends, and where the element behind it does; at the segment's end where there is no more."""
    separators = np.append(np.flatnonzero(given == ord(ELEMENT)), (len(given), len(given)))
    first = np.searchsorted(separators, starts)
    return np.minimum(separators[first], ends), np.minimum(separators[first + 1], ends)


def of_kind(kind: Numbers, tags: Numbers, tags_by_kind: Mapping[int, tuple[str, ...]]) -> Flags:
    """Segments whose tag has this meaning in a transaction of their kind."""
    found = np.zeros(len(tags), dtype=np.bool_)
    for number, names in tags_by_kind.items():
        is_kind = kind == number
        if is_kind.any():
            for name in names:
                found |= is_kind & (tags == _tag(name))
    return found


def _texts(given: Bytes, starts: Places, ends: Places) -> pa.StringArray:
    """Long pieces of text that do not overlap, one after the other in one buffer."""
    edges = np.zeros(len(given) + 1, dtype=np.int8)
    edges[starts] += 1
    edges[ends] -= 1
    return _strings(given[np.cumsum(edges[:-1], dtype=np.int8).astype(np.bool_)], ends - starts)


def _short_texts(given: Bytes, starts: Places, ends: Places) -> pa.StringArray:
    """A few letters of each segment: cheaper to gather than to find among all bytes."""
    lengths = ends - starts
    behind = np.cumsum(lengths)
    return _strings(given[np.arange(behind[-1] if len(behind) else 0) + np.repeat(ends - behind, lengths)], lengths)


def _strings(values: Bytes, lengths: Places) -> pa.StringArray:
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths))).astype(np.int32)
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values)))
