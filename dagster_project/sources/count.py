"""Rows and dollars of a file, counted from its bytes without DuckDB, so that the reader cannot vouch for itself.

Belongs here: the second count (NumPy and Arrow over blocks of bytes), and the sender's own totals.
Does not: anything of the reader's; the two agree only in what a row and an amount are: docs/add-a-layout.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.sources.layouts import Layout, Mapping, fill, fill_mapping
from dagster_project.sources.recognise import position
from dagster_project.sources.unpack import Unreadable, blocks, control_file, decode_mixture

AMOUNT = pa.decimal128(38, 10)
NUMBER = r"^-?(\d{1,18}(\.\d{0,10}0*)?|\.\d{1,10}0*)$"
WRITTEN = r"^[-+($ \t\r]*(\d{1,3}([, \t\r]\d{3})+|\d*)(\.\d*)?[)$ \t\r]*$"  # commas group thousands, nothing else
MOST_PLAIN = 18  # characters: so never more digits before the point than count for anything
_IN_NUMBERS = np.zeros(256, dtype=bool)
_IN_NUMBERS[np.frombuffer(b"-.0123456789", dtype=np.uint8)] = True
_BLANK = np.zeros(256, dtype=bool)
_BLANK[[9, 10, 13, 32]] = True
Bytes = np.ndarray


@dataclass
class Count:
    """Rows and dollars, and what a trailer in the file says they should be."""

    row_count: int = 0
    line_count: int = 0  # lines with data: what a sender counts, whatever is made of a line
    amount: Decimal = Decimal(0)
    control_row_count: int | None = None
    control_amount: Decimal | None = None


@dataclass(frozen=True)
class Lines:
    """Lines of a block of bytes: where each begins and ends."""

    data: Bytes
    starts: Bytes
    ends: Bytes

    def where(self, mask: Bytes) -> Lines:
        return Lines(self.data, self.starts[mask], self.ends[mask])

    def texts(self) -> pa.Array:
        """The lines as Arrow binaries."""
        lengths = self.ends - self.starts
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        places = np.arange(offsets[-1], dtype=np.int64) + np.repeat(self.starts - offsets[:-1], lengths)
        return pa.Array.from_buffers(
            pa.large_binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(self.data[places])]
        )


def count_file(
    path: Path, layout: Layout, header: tuple[str, ...], header_line_number: int, delimiter: str, amount: str | None
) -> Count:
    """Counts what the reader ought to have read."""
    counter = _Counter(layout, header, delimiter, layout.columns.get(amount) if amount else None)
    total, skipped = Count(), 0
    for lines in _line_blocks(path):
        skip = min(header_line_number - skipped, len(lines.starts))
        skipped += skip
        begin = lines.starts[skip] if skip < len(lines.starts) else 0
        counter.add(Lines(lines.data[begin:], lines.starts[skip:] - begin, lines.ends[skip:] - begin), total)
    return total


def _line_blocks(path: Path) -> Iterator[Lines]:
    """Whole lines, some megabytes at a time."""
    end = b"\n" if any(b"\n" in chunk for chunk in blocks(path)) else b"\r"
    held = b""
    for chunk in _larger(blocks(path)):
        held += chunk
        whole, found, rest = held.rpartition(end)
        if found:
            yield _lines(whole + end, end)
            held = rest
    if held:
        yield _lines(held + end, end)


def _larger(chunks: Iterator[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    for chunk in chunks:
        gathered.append(chunk)
        if len(gathered) == 8:
            yield b"".join(gathered)
            gathered = []
    yield b"".join(gathered)


def _lines(data: bytes, end: bytes) -> Lines:
    # No-break spaces are blanks, in UTF-8 and in cp1252; letters with the same byte matter neither to rows nor to sums.
    if b"\xa0" in data:
        data = data.replace(b"\xc2\xa0", b" ").replace(b"\xa0", b" ")
    array = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(array == end[0])
    starts = np.concatenate([[0], ends[:-1] + 1])
    for _ in range(2):  # CR LF, and the CR CR LF of files converted twice
        ends = ends - ((ends > starts) & (array[ends - 1] == 13))
    return Lines(array, starts, ends)


class _Counter:
    """Counts one block after another."""

    def __init__(self, layout: Layout, header: tuple[str, ...], delimiter: str, amount: Mapping | None) -> None:
        self.layout, self.header, self.delimiter = layout, header, delimiter
        self.rounds = layout.rounds()
        self.amounts = [fill_mapping(amount, binding) for binding in self.rounds] if amount else []
        self.present = [
            [fill(column, binding) for column in layout.repeat.present] if layout.repeat else []
            for binding in self.rounds
        ]
        names = [column for mapping in self.amounts for column in mapping.source_columns()]
        names += [column for columns in self.present for column in columns]
        found = {column: position(header, column) for column in names}
        self.places = {column: place for column, place in found.items() if place is not None}

    def add(self, lines: Lines, total: Count) -> None:
        if not len(lines.starts):
            return
        lines = lines.where(~self._is_blank(lines))
        if not len(lines.starts):
            return
        lines = self._without_footer(lines, total)
        total.line_count += len(lines.starts)
        if not self.places and self.layout.repeat is None:
            total.row_count += len(lines.starts)
            return
        has_quote = np.zeros(len(lines.starts), dtype=bool)
        if len(quotes := np.flatnonzero(lines.data == 34)):
            # Quotes between begin and end of each line, told from how many stand before either.
            has_quote = np.searchsorted(quotes, lines.starts) < np.searchsorted(quotes, lines.ends)
        plain, quoted = lines.where(~has_quote), lines.where(has_quote)
        for cells, wrong in (self._split_plain(plain), self._split_quoted(quoted)):
            total.row_count += wrong
            self._add_cells(cells, total)

    @staticmethod
    def _is_blank(lines: Lines) -> Bytes:
        """Lines of nothing but blanks. Only those that begin with one are looked at to their end."""
        is_blank = _BLANK[lines.data[lines.starts]]
        few = lines.where(is_blank)
        if len(few.starts):
            # Sums from begin to end of each line, by turns with the gaps; an end is a line end, so never out of range.
            bounds = np.column_stack([few.starts, few.ends]).ravel()
            visible = np.add.reduceat(~_BLANK[few.data], bounds, dtype=np.int64)[::2]
            is_blank[is_blank] = (visible == 0) | (few.starts == few.ends)
        return is_blank

    def _without_footer(self, lines: Lines, total: Count) -> Lines:
        footer = self.layout.footer
        if footer is None:
            return lines
        texts = lines.texts()
        is_footer = pc.match_substring_regex(texts, footer.matches).to_numpy(zero_copy_only=False)
        total.row_count += int(is_footer.sum())
        for text in map(decode_mixture, texts.filter(pa.array(is_footer)).to_pylist()):
            if footer.row_count and (found := re.search(footer.row_count, text)):
                total.control_row_count = _told_rows(found[1])
            if footer.amount and (found := re.search(footer.amount, text)):
                total.control_amount = _told_amount(found[1])
        return lines.where(~is_footer)

    def _split_plain(self, lines: Lines) -> tuple[dict[str, pa.Array], int]:
        """Cells of lines without quotes, and how many lines have the wrong number of fields."""
        delimiters = np.flatnonzero(lines.data == ord(self.delimiter))
        per_line = len(self.header) - 1
        if self._is_even(lines, delimiters, per_line):
            first, even = np.arange(len(lines.starts)) * per_line, np.ones(len(lines.starts), dtype=bool)
        else:
            first = np.searchsorted(delimiters, lines.starts)
            even = np.searchsorted(delimiters, lines.ends) - first == per_line
            lines, first = lines.where(even), first[even]
        cells = {}
        for column, place in self.places.items():
            starts = delimiters[first + place - 1] + 1 if place else lines.starts
            ends = delimiters[first + place] if place < len(self.header) - 1 else lines.ends
            cells[column] = _trimmed(Lines(lines.data, starts, ends).texts())
        return (cells if cells else {"": pa.nulls(len(lines.starts), pa.large_string())}), int((~even).sum())

    @staticmethod
    def _is_even(lines: Lines, delimiters: Bytes, per_line: int) -> bool:
        """Whether the delimiters of the block are so many to each line: a look at the first and last of each tells."""
        if not per_line or len(delimiters) != per_line * len(lines.starts):
            return False
        is_after, is_before = delimiters[::per_line] >= lines.starts, delimiters[per_line - 1 :: per_line] < lines.ends
        return bool(is_after.all() and is_before.all())

    def _split_quoted(self, lines: Lines) -> tuple[dict[str, pa.Array], int]:
        """The same for lines with quotes: a pattern of the whole line, so that nothing is left over."""
        d = re.escape(self.delimiter)
        b = "[ ]" if self.delimiter == "\t" else r"[ \t]"
        a_field = rf'(?:{b}*"(?:[^"]|"")*"{b}*|[^{d}"][^{d}]*|)'
        captured = {place: f"f{place}" for place in sorted({*self.places.values()} or {0})}
        fields = [
            f"(?P<{captured[place]}>{a_field})" if place in captured else a_field for place in range(len(self.header))
        ]
        texts = lines.texts()
        found = pc.extract_regex(texts, "^(?s:" + d.join(fields) + ")$") if len(texts) else None
        if found is None:
            return {"": pa.nulls(0, pa.large_string())}, 0
        fitting = found.filter(found.is_valid())
        cells = {
            column: _unquoted(_trimmed(pc.struct_field(fitting, captured[place])))
            for column, place in self.places.items()
        }
        return (cells if cells else {"": pa.nulls(len(fitting), pa.large_string())}), len(texts) - len(fitting)

    def _add_cells(self, cells: dict[str, pa.Array], total: Count) -> None:
        length = len(next(iter(cells.values())))
        if not length:
            return
        nulls = pa.array(self.layout.null_values, pa.large_string())
        cells = {
            column: pc.if_else(pc.or_(pc.equal(cell, ""), pc.is_in(cell, nulls)), None, cell)
            for column, cell in cells.items()
        }
        missing = np.ones(length, dtype=bool)
        for number, present in enumerate(self.present):
            there = np.zeros(length, dtype=bool) if present else np.ones(length, dtype=bool)
            for column in present:
                if column in cells:
                    there |= cells[column].is_valid().to_numpy(zero_copy_only=False)
            total.row_count += int(there.sum())
            missing &= ~there
            if self.amounts and there.any():
                total.amount += self._amount(self.amounts[number], cells, pa.array(there))
        total.row_count += int(missing.sum())

    @staticmethod
    def _amount(mapping: Mapping, cells: dict[str, pa.Array], there: pa.Array) -> Decimal:
        found = [column for column in mapping.source_columns() if column in cells]
        columns = [cells[column] for column in found]
        if not columns:
            return Decimal(0)
        signs = [-1 if column in mapping.less else 1 for column in found]
        if mapping.first is not None:
            columns, signs = [pc.coalesce(*columns)], [1]
        numbers = [_numbers(column.filter(there)) for column in columns]
        # An addend that is written and is no number makes the row's amount unreadable, and that counts as nothing.
        readable = np.ones(len(numbers[0]), dtype=bool)
        for column, number in zip(columns, numbers, strict=True):
            unreadable = pc.and_(column.filter(there).is_valid(), pc.invert(number.is_valid()))
            readable &= ~unreadable.to_numpy(zero_copy_only=False)
        total = Decimal(0)
        for sign, number in zip(signs, numbers, strict=True):
            total += sign * (pc.sum(number.filter(pa.array(readable))).as_py() or Decimal(0))
        return total


def _trimmed(texts: pa.Array) -> pa.Array:
    """Without blanks around; the bytes are looked at, not the encoding, which amounts do not need."""
    return pc.ascii_trim(texts.view(pa.large_string()) if texts.type == pa.large_binary() else texts, " \t\r")


def _unquoted(texts: pa.Array) -> pa.Array:
    quoted = pc.starts_with(texts, '"')
    # By bytes: a letter of cp1252 in a quoted amount once ended the loads of the whole feed.
    sliced = pc.binary_slice(texts.view(pa.large_binary()), 1, -1).view(pa.large_string())
    inner = pc.replace_substring(sliced, '""', '"')
    return _trimmed(pc.if_else(quoted, inner, texts))


def _numbers(texts: pa.Array) -> pa.Array:
    """Exact decimals; NULL where the text is no number."""
    plain = _plain_numbers(texts)
    return _any_numbers(texts) if plain is None else plain


def _plain_numbers(texts: pa.Array) -> pa.Array | None:
    """The same for a column of nothing but short plain numbers, as most are, in one cast; None for any other."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > MOST_PLAIN:
        return None
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    written = np.frombuffer(texts.buffers()[2] or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
    if not _IN_NUMBERS[written].all():
        return None
    try:
        return pc.cast(texts, AMOUNT)
    except pa.ArrowInvalid:
        return None


def _any_numbers(texts: pa.Array) -> pa.Array:
    written = pc.if_else(pc.match_substring_regex(texts, WRITTEN), texts, None)
    bare = pc.replace_substring_regex(written, r"[$, \t\r]", "")
    bare = pc.replace_substring_regex(pc.replace_substring_regex(bare, r"^\((.*)\)$", r"-\1"), r"^\++", "")
    fits = pc.match_substring_regex(bare, NUMBER)
    canonical = pc.replace_substring_regex(pc.if_else(fits, bare, None), r"(\.\d{10})0+$", r"\1")
    return pc.cast(canonical, AMOUNT)


def control_totals(path: Path) -> tuple[int | None, Decimal | None]:
    """What the sender says in `<file>.ctl`: lines `row_count,123` and `amount,4567.89`."""
    control = control_file(path)
    if control is None:
        return None, None
    try:
        with control.open(encoding="utf-8-sig", newline="") as file:
            values = {row[0].strip().lower(): row[1].strip() for row in csv.reader(file) if len(row) >= 2}
    except (ValueError, csv.Error, OSError):
        raise Unreadable("broken_control_file") from None
    rows = _told_rows(values["row_count"]) if values.get("row_count") else None
    amount = _told_amount(values["amount"]) if values.get("amount") else None
    return rows, amount


def _told_rows(text: str) -> int:
    """A sender's number of rows. Raises Unreadable: a total that is none must not end the loads of all other files."""
    if not re.fullmatch(r"[0-9]{1,15}", bare := text.replace(",", "").strip()):
        raise Unreadable("broken_control_file")
    return int(bare)


def _told_amount(text: str) -> Decimal:
    """A sender's sum of dollars, as far as it can be recorded. Raises Unreadable."""
    if not re.fullmatch(r"[-+]?([0-9]{1,18}(\.[0-9]{0,10})?|\.[0-9]{1,10})", bare := re.sub("[$, ]", "", text)):
        raise Unreadable("broken_control_file")
    return Decimal(bare)
