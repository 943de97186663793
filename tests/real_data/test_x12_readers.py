"""Our segments against those of three libraries, element by element, on every sample that the library reads.

None of them reads all that we need (docs/x12.md), but on whole files of one interchange they are right, and so must we be.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import oxedi
import pyarrow as pa
import pytest
from pyx12.x12file import X12Reader
from x12sdk.io import X12SegmentReader

from dagster_project.sources.x12.segments import COMPONENT, ELEMENT, REPETITION, SCHEMA, Segments

Elements = list[list[str]]


def ours(data: bytes) -> Elements:
    """Segments as lists of elements, composite ones as they were sent, of a file with one interchange."""
    batches = Segments([data[place : place + 700] for place in range(0, len(data), 700)]).batches()
    texts = pa.Table.from_batches(list(batches), schema=SCHEMA)["text"].to_pylist()
    isa = data[data.index(b"ISA") :]
    component, repetition = chr(isa[104]), chr(isa[82])
    return [text.replace(COMPONENT, component).replace(REPETITION, repetition).split(ELEMENT) for text in texts]


def of_pyx12(data: bytes) -> Elements:
    reader = X12Reader(io.StringIO(data.decode()))
    return [segment.format(seg_term="", ele_term="\x1d").split("\x1d") for segment in reader]


def of_oxedi(data: bytes) -> Elements:
    document = oxedi.parse(data).document
    mark = data[104:105]
    found = []
    for number in range(len(document)):
        segment = document[number]
        cells = [mark.join(cell) if isinstance(cell, list) else cell for cell in segment.elements]
        if not segment.id:  # what follows the last segment
            continue
        found.append([segment.id.decode(), *(cell.decode() for cell in cells)])
    return found


def of_x12sdk(data: bytes) -> Elements:
    with X12SegmentReader(data.decode()) as reader:
        return [fields for _, fields in reader.segments()]


def without_blanks_behind(segments: Elements) -> Elements:
    """Trailing empty elements say nothing; one library keeps them, another drops them."""
    return [
        segment[: max(place for place, cell in enumerate(segment, 1) if cell or place == 1)] for segment in segments
    ]


READERS: dict[str, Callable[[bytes], Elements]] = {"pyx12": of_pyx12, "oxedi": of_oxedi, "x12sdk": of_x12sdk}


@pytest.mark.parametrize("library", READERS)
def test_every_element_of_every_sample_is_the_one_that_the_library_reads(library: str, real_data: Path) -> None:
    files = [path for path in sorted((real_data / "x12").rglob("*")) if path.is_file()]
    with_isa = [path for path in files if path.read_bytes().startswith(b"ISA")]
    assert len(files) > 60 and len(files) - len(with_isa) == 1
    for path in with_isa:
        data = path.read_bytes()
        mine = without_blanks_behind(ours(data))
        assert len(mine) > 5 and without_blanks_behind(READERS[library](data)) == mine, path.name
