"""Which layout a file has, told from its header.

Belongs here: finding the header line, its delimiter and its format; saying what is nearest where nothing fits.
Does not: reading rows. No text of a file gets into a message unless it nearly is the name of a known column.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dagster_project.sources.contracts import Contract
from dagster_project.sources.layouts import CANONICAL, fill

DELIMITERS = (",", "\t", "|", ";")
HEADER_SEARCHED_LINES = 12
NEAR_ENOUGH = 0.75
ADVICE = "Add a layout: docs/add-a-layout.md, or: claimhouse load FILE --layout NAME"


@dataclass(frozen=True)
class Format:
    """One kind of file: a layout, with every feed that is read from it."""

    layout: str
    feeds: tuple[str, ...]
    needed: frozenset[str]
    known: frozenset[str]
    absent: frozenset[str]
    delimiter: str | None

    @property
    def name(self) -> str:
        return self.layout if self.layout != CANONICAL else f"{CANONICAL}:{self.feeds[0]}"


@dataclass(frozen=True)
class Recognised:
    """A file's format, and where its rows begin."""

    layout: str
    feeds: tuple[str, ...]
    delimiter: str
    header_line_number: int
    header: tuple[str, ...]
    unread_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotRecognised:
    """Why no layout fits, in words that name columns only, and what to do where the words do not say it."""

    reason_code: str
    explanation: str
    advice: str = ADVICE


@dataclass
class _Candidate:
    format: Format
    line_number: int
    delimiter: str
    header: list[str]
    covered: set[str] = field(default_factory=set)

    @property
    def missing(self) -> set[str]:
        return set(self.format.needed) - self.covered


def formats(contracts: Mapping[str, Contract]) -> list[Format]:
    """Every format: the canonical one of each feed, and each named layout over all feeds that have it."""
    named: dict[str, list[Contract]] = {}
    found = []
    for contract in contracts.values():
        for name, layout in contract.layouts.items():
            if name == CANONICAL:
                found.append(_format(name, [contract]))
            elif not layout.x12:  # told from its segments, not from a header
                named.setdefault(name, []).append(contract)
    return [*found, *(_format(name, members) for name, members in named.items())]


def _format(name: str, contracts: list[Contract]) -> Format:
    layouts = [contract.layout(name) for contract in contracts]
    needed = {column for layout in layouts for column in layout.needed_columns()}
    known = {column for layout in layouts for column in layout.source_columns()}
    known |= {
        fill(column, binding)
        for layout in layouts
        for binding in layout.rounds()
        for column in [*layout.ignored, *layout.optional]
    }
    absent = {_plain(column).lower() for layout in layouts for column in layout.absent}
    delimiter = next((layout.delimiter for layout in layouts if layout.delimiter), None)
    return Format(
        name,
        tuple(contract.feed for contract in contracts),
        frozenset(needed),
        frozenset(known),
        frozenset(absent),
        delimiter,
    )


def recognise(head: str, known_formats: Iterable[Format], layout: str | None = None) -> Recognised | NotRecognised:
    """The format whose columns cover the header best, all needed ones being there.

    `layout` is the operator's word: no other is tried.
    """
    considered = [item for item in known_formats if layout is None or item.layout == layout]
    if not considered:
        return NotRecognised("unknown_layout", f"there is no layout {layout!r}")
    candidates = _candidates(head, considered)
    if not candidates:
        return NotRecognised("no_header", "no line among the first twelve has the columns of any known layout")
    best = max(len(candidate.covered) for candidate in candidates)
    # A file of claims without its claim type must not be taken for a file of something smaller that it also covers.
    top = [candidate for candidate in candidates if len(candidate.covered) == best]
    complete = [candidate for candidate in top if not candidate.missing]
    if not complete:
        return _explain(min(top, key=lambda candidate: (len(candidate.missing), candidate.line_number)))
    first_line = min(candidate.line_number for candidate in complete)
    complete = [candidate for candidate in complete if candidate.line_number == first_line]
    if len({candidate.format.name for candidate in complete}) > 1:
        names = ", ".join(sorted(candidate.format.name for candidate in complete))
        return NotRecognised("ambiguous_layout", f"its header fits several layouts equally well: {names}")
    found = complete[0]
    places = {column: position(found.header, column) for column in found.format.known}
    repeated = sorted(
        column for column, place in places.items() if place is not None and found.header.count(found.header[place]) > 1
    )
    if repeated:
        # Which of the two is meant cannot be told; the first was once taken without a word.
        return NotRecognised("repeated_column", f"column {repeated[0]!r} stands more than once in its header.")
    unread = tuple(cell for cell in _cells_left(found) if cell)
    return Recognised(
        found.format.layout, found.format.feeds, found.delimiter, found.line_number, tuple(found.header), unread
    )


def position(header: Iterable[str], column: str) -> int | None:
    """Where a source column stands (from 0): its exact name first, then the name in any case."""
    cells = list(header)
    wanted = _plain(column)
    if wanted in cells:
        return cells.index(wanted)
    lowered = [cell.lower() for cell in cells]
    return lowered.index(wanted.lower()) if wanted.lower() in lowered else None


def _plain(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").replace("\xa0", " ").split())


def _candidates(head: str, considered: list[Format]) -> list[_Candidate]:
    by_cell: dict[str, list[Format]] = {}
    for item in considered:
        for column in item.known:
            by_cell.setdefault(_plain(column).lower(), []).append(item)
    found = []
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:HEADER_SEARCHED_LINES]
    for line_number, line in enumerate(lines, start=1):
        for delimiter in DELIMITERS if line.strip() else ():
            header = split_line(line, delimiter)
            lowered = {cell.lower() for cell in header}
            touched = {item.name: item for cell in lowered for item in by_cell.get(cell, ())}
            for item in touched.values():
                if item.delimiter in (None, delimiter) and not item.absent & lowered:
                    covered = {column for column in item.known if _plain(column).lower() in lowered}
                    found.append(_Candidate(item, line_number, delimiter, header, covered))
    return found


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of a header."""
    try:
        return [_plain(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _cells_left(candidate: _Candidate) -> list[str]:
    known = {_plain(column).lower() for column in candidate.format.known}
    return [cell for cell in candidate.header if cell.lower() not in known]


def _explain(candidate: _Candidate) -> NotRecognised:
    item = candidate.format
    missing = sorted(candidate.missing)
    left = _cells_left(candidate)
    for column in missing:
        # Only a cell that nearly is a known name is repeated: a file without a header starts with somebody's data.
        near = difflib.get_close_matches(column.lower(), [cell.lower() for cell in left], n=1, cutoff=NEAR_ENOUGH)
        if near:
            cell = next(cell for cell in left if cell.lower() == near[0])
            return NotRecognised(
                "missing_column",
                f"column {cell!r} is not in any layout of {item.feeds[0]}.\n"
                f"  Nearest: {column!r} (layout {item.layout}).",
            )
    named = ", ".join(repr(column) for column in missing[:3]) + (" and others" if len(missing) > 3 else "")
    return NotRecognised(
        "missing_column",
        f"{named} missing from its header.\n  Nearest: layout {item.layout} of {', '.join(item.feeds)}.",
    )
