"""Segments of X12: every separator, every way to cut the bytes into blocks, every place at which a file may end."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.sources.x12.segments import COMPONENT, ELEMENT, REPETITION, SCHEMA, NotX12, Segments

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260121*1400*^*00501*000000001*0*P*:~"
CLAIMS = (
    "GS*HC*SENDER*RECEIVER*20260121*1400*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*1*20260121*1400*CH~"
    "HL*1**20*1~NM1*85*2*GROUP*****XX*1234567893~HL*2*1*22*0~SBR*P*18*******CI~CLM*A1*80***11:B:1*Y*A*Y*Y~HI*ABK:J029~"
    "LX*1~SV1*HC:99213*50*UN*1***1~DTP*472*D8*20260102~LX*2~SV1*HC:87880*30*UN*1***1~DTP*472*D8*20260102~"
    "CLM*A2*20***11:B:1*Y*A*Y*Y~LX*1~SV1*HC:99212*20*UN*1***1~HL*3*1*22*0~SBR*P*18*******CI~SE*20*0001~GE*1*1~"
    "IEA*1*000000001~"
)
REMITTANCE = (
    "GS*HP*SENDER*RECEIVER*20260121*1400*2*X*005010X221A1~ST*835*0002~BPR*I*60*C*ACH~TRN*1*T1*1999999999~LX*1~"
    "CLP*A1*1*80*60*10*12*C1*11*1~NM1*QC*1*DOE*J~SVC*HC:99213*50*40**1~CAS*CO*45*10~SVC*HC:87880*30*20**1~"
    "CAS*PR*1*10~LX*2~TS3*1*11~CLP*A2*4*20*0**12*C2*11*1~CAS*CO*29*20~PLB*1*20261231*WO*0~SE*16*0002~GE*1*2~"
    "IEA*1*000000001~"
)


def read(data: bytes, block: int = 1 << 20) -> tuple[pa.Table, int]:
    segments = Segments([data[place : place + block] for place in range(0, len(data), block)])
    table = pa.Table.from_batches(list(segments.batches()), schema=SCHEMA)
    return table, segments.loose_bytes


def column(table: pa.Table, name: str, tag: str) -> list[object]:
    rows = zip(table["text"].to_pylist(), table[name].to_pylist(), strict=True)
    return [value for text, value in rows if text.split(ELEMENT)[0] == tag]


def written_with(text: str, element: str, repetition: str, component: str, segment: str, line_end: str = "") -> bytes:
    table = str.maketrans({"*": element, "^": repetition, ":": component, "~": segment + line_end})
    return text.translate(table).encode("latin-1")


def test_each_segment_knows_its_interchange_transaction_claim_and_line() -> None:
    table, loose = read((ISA + CLAIMS + ISA + REMITTANCE).encode())
    assert loose == 0
    assert table["segment_number"].to_pylist() == list(range(1, table.num_rows + 1))
    assert column(table, "interchange", "IEA") == [1, 2]
    assert column(table, "functional_group", "GE") == [1, 2]
    assert column(table, "transaction", "SE") == [1, 2]
    assert column(table, "kind", "ST") == [837, 835]
    assert column(table, "unit", "CLM") == [1, 2] and column(table, "unit", "CLP") == [3, 4]
    assert column(table, "unit", "SV1") == [1, 1, 2] and column(table, "line", "SV1") == [1, 2, 1]
    assert column(table, "unit", "SVC") == [3, 3] and column(table, "line", "SVC") == [1, 2]
    assert column(table, "line", "CAS") == [1, 2, 0] and column(table, "unit", "CAS") == [3, 3, 4]


def test_what_stands_between_claims_belongs_to_none() -> None:
    table, _ = read((ISA + CLAIMS + ISA + REMITTANCE).encode())
    assert column(table, "unit", "HL") == [0, 0, 0] and column(table, "unit", "SBR") == [0, 0]
    assert (
        column(table, "unit", "TS3") == [0]
        and column(table, "unit", "PLB") == [0]
        and column(table, "unit", "SE") == [0, 0]
    )
    assert column(table, "transaction", "GS") == [0, 0] and column(table, "transaction", "IEA") == [0, 0]


PUNCTUATION = "*|>^~!+\\;\x1c\x1d\x1e\x1f\x07\n\r§"


@settings(deadline=None)
@given(
    separators=st.permutations(PUNCTUATION),
    line_end=st.sampled_from(["", "\n", "\r\n", "\n\n  "]),
    block=st.integers(7, 300),
)
def test_any_separators_that_the_isa_declares_give_the_same_segments(
    separators: list[str], line_end: str, block: int
) -> None:
    expected, _ = read((ISA + CLAIMS + ISA + REMITTANCE).encode())
    element, repetition, component, segment, *others = separators
    first = written_with(ISA + CLAIMS, element, repetition, component, segment, line_end)
    second = written_with(ISA + REMITTANCE, *others[:4], line_end)
    if any(mark in "\r\n" for mark in (element, repetition, component, *others[:3])):
        return  # a line end can only end segments
    table, loose = read(first + second, block)
    assert loose == 0
    assert table.equals(expected)


def test_a_file_cut_at_any_byte_loses_no_whole_segment_and_counts_what_is_left() -> None:
    data = (ISA + CLAIMS).encode()
    whole, _ = read(data)
    for end in range(len(ISA), len(data)):
        table, loose = read(data[:end], block=97)
        assert table.equals(whole.slice(0, table.num_rows))
        assert table.num_rows == data[:end].count(b"~")
        assert loose == end - 1 - data[:end].rindex(b"~")


@pytest.mark.parametrize("end", [0, 1, 50, len(ISA) - 1])
def test_a_file_that_ends_before_its_isa_does_has_none(end: int) -> None:
    with pytest.raises(NotX12, match="no_isa"):
        read(ISA[:end].encode())


@pytest.mark.parametrize("end", range(len(ISA)))
def test_an_isa_that_was_cut_takes_nothing_from_the_file_behind_it(end: int) -> None:
    whole = written_with(ISA + CLAIMS, "|", "^", ">", "~")
    table, loose = read(ISA[:end].encode() + whole)
    assert table.equals(read(whole)[0]) and loose == len(ISA[:end].strip())


def test_a_separator_that_never_comes_again_ends_the_reading_in_bounded_memory() -> None:
    with pytest.raises(NotX12, match="segment_too_long"):
        read(ISA.encode() + b"A" * (5 << 20), block=1 << 16)


def test_words_around_interchanges_are_counted_and_empty_segments_are_none() -> None:
    expected, _ = read((ISA + CLAIMS).encode())
    table, loose = read(b"From: us\n\n" + ISA.encode() + CLAIMS.replace("~", "~~\n~", 3).encode() + b"\nThe end")
    assert table.equals(expected) and loose == len("From: us") + len("The end")


def test_repetitions_components_and_stray_separators_are_told_apart() -> None:
    table, _ = read((ISA + CLAIMS.replace("HI*ABK:J029", "HI*ABK:J029^ABF:R05\x1f")).encode())
    (text,) = (text for text in table["text"].to_pylist() if text.startswith("HI"))
    assert text == f"HI{ELEMENT}ABK{COMPONENT}J029{REPETITION}ABF{COMPONENT}R05\x1a"


def test_text_that_is_not_utf_8_is_read_as_cp1252() -> None:
    data = (ISA + REMITTANCE).encode().replace(b"DOE", "MÜLLER".encode("cp1252"))
    table, _ = read(data)
    assert f"NM1{ELEMENT}QC{ELEMENT}1{ELEMENT}MÜLLER{ELEMENT}J" in table["text"].to_pylist()
