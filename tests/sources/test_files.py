"""Files as they come: packings, encodings, line ends, and those that cannot be read at all."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from fill_house import HEADER, House, row, text

TWO = text([row(), row(fill_id="F2", patient_name="Zoë")])


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TWO.encode()),
        ("bom.csv", b"\xef\xbb\xbf" + TWO.encode()),
        ("cp1252.csv", TWO.encode("cp1252")),
        (
            "mixture.csv",
            b"\xef\xbb\xbf"
            + TWO.encode()
            + TWO.splitlines()[1].replace("F1", "F3").replace("open", "open").encode()
            + b"\n"
            + TWO.splitlines()[2].replace("F2", "F4").encode("cp1252")
            + b"\n",
        ),
        ("windows.csv", TWO.replace("\n", "\r\n").encode()),
        ("twice_converted.csv", TWO.replace("\n", "\r\r\n").encode()),
        ("mixed_ends.csv", TWO.replace("\n", "\r\n", 1).encode()),
        ("old_mac.csv", TWO.replace("\n", "\r").encode()),
        ("no_last_end.csv", TWO.rstrip("\n").encode()),
        ("packed.csv.gz", gzip.compress(TWO.encode())),
        ("windows.csv.gz", gzip.compress(TWO.replace("\n", "\r\n").encode())),
        ("misnamed.csv", gzip.compress(TWO.encode())),
        ("packed.zip", zipped(**{"inner.csv": TWO.encode(), "__MACOSX/._inner.csv": b"\0"})),
        ("nul.csv", TWO.replace("Zoë", "Z\0ë").encode()),
        ("control.csv", TWO.replace("Zoë", "Z\x01ë").encode()),
        ("wild[1]*?.csv", TWO.encode()),
        ("tabs.txt", TWO.replace(",", "\t").encode()),
        ("pipes.txt", TWO.replace(",", "|").encode()),
        ("semicolons.csv", TWO.replace(",", ";").encode()),
        ("upper.csv", TWO.replace(",".join(HEADER), ",".join(HEADER).upper()).encode()),
    ],
)
def test_a_file_is_read_when_it_is_packed_encoded_or_delimited_in_any_known_way(
    house: House, name: str, content: bytes
) -> None:
    audit = house.load_one(content, f"fill/{name}")
    expected = 4 if name == "mixture.csv" else 2
    assert (audit.status, audit.rows_read, audit.rows_accepted, audit.is_conserved) == (
        "read",
        expected,
        expected,
        True,
    )
    assert [read["source_line_number"] for read in house.rows()] == list(range(2, 2 + expected))
    assert not list(house.settings.scratch.iterdir()), "copies with identities are gone"


def test_letters_survive_when_a_file_mixes_utf8_and_cp1252(house: House) -> None:
    """The real provider summary of 2023 has a byte-order mark and, further down, cp1252 bytes."""
    contracts = {**house.contracts}
    column = contracts["fill"].columns["patient_name"].model_copy(update={"identity": "keep"})
    contracts["fill"] = contracts["fill"].model_copy(
        update={"columns": {**contracts["fill"].columns, "patient_name": column}}
    )
    house.contracts = contracts
    lines = TWO.splitlines()
    house.land(
        f"{lines[0]}\n{lines[2]}\n".encode()
        + lines[2].replace("F2", "F3").replace("Zoë", "Zoë–").encode("cp1252")
        + b"\n"
    )
    house.load()
    assert [read["patient_name"] for read in house.rows()] == ["Zoë", "Zoë–"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "empty_file"),
        ("blank.csv", b"\n\n  \n", "empty_file"),
        ("utf16.csv", TWO.encode("utf-16"), "utf16"),
        ("page.csv", b"<!DOCTYPE html><html>Access denied</html>", "html"),
        ("book.xlsx", zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b""}), "excel"),
        ("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "excel"),
        ("paper.csv", b"%PDF-1.7 ...", "pdf"),
        ("bytes.csv", bytes(range(256)) * 3 + b"\0" * 300, "binary"),
        ("cut.csv.gz", gzip.compress(TWO.encode() * 50)[:-20], "truncated_gzip"),
        ("broken.csv.gz", b"\x1f\x8b\x08\x00nonsense, not gzip data", "broken_gzip"),
        ("several.zip", zipped(**{"a.csv": TWO.encode(), "b.csv": TWO.encode()}), "several_files_in_zip"),
        ("nothing.zip", zipped(), "empty_file"),
        ("foreign.csv", b"alpha,beta\n1,2\n", "no_header"),
        ("short.csv", TWO.replace("paid_amount", "paid_amt").encode(), "missing_column"),
    ],
)
def test_a_file_is_set_aside_whole_with_its_reason_when_it_cannot_be_read(
    house: House, name: str, content: bytes, reason: str
) -> None:
    house.land(text([row()]), "fill/good.csv")
    house.land(content, f"fill/{name}")
    audits = {audit.file_name: audit for audit in house.load()}
    bad = audits[f"fill/{name}"]
    assert (bad.status, bad.reason_code, bad.rows_read, bad.is_conserved) == ("set_aside", reason, 0, None)
    assert audits["fill/good.csv"].rows_accepted == 1, "the others go on"
    assert house.load() == []


def test_the_nearest_column_is_named_when_a_header_is_nearly_right(house: House) -> None:
    house.land(TWO.replace("paid_amount", "paid_amt"))
    house.load()
    (item,) = house.query(f"select explanation from '{house.settings.lake}/inventory.parquet'")
    assert (
        "column 'paid_amt' is not in any layout of fill.\n  Nearest: 'paid_amount' (layout claimhouse)."
        in item["explanation"]
    )


def test_no_text_of_the_file_is_told_when_it_has_no_header_at_all(house: House) -> None:
    house.land("\n".join(TWO.splitlines()[1:]))
    house.load()
    told = house.query(f"from '{house.settings.lake}/inventory.parquet'")[0]
    assert told["state"] == "set_aside" and "Zebulon" not in str(told)


def test_a_line_too_long_sets_the_file_aside_and_tells_nothing_of_it_when_reading_stops(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    audit = house.load_one(TWO + "Zebulon" * 2_000_000 + "\n")
    assert (audit.status, audit.reason_code) == ("set_aside", "line_too_long")
    assert "Zebulon" not in "".join(capfd.readouterr())


def test_a_link_out_of_landing_is_not_followed_when_one_lies_there(house: House, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.csv"
    outside.write_text(TWO)
    folder = house.settings.landing / "fill"
    folder.mkdir(parents=True)
    (folder / "link.csv").symlink_to(outside)
    (audit,) = house.load()
    assert (audit.status, audit.reason_code) == ("set_aside", "outside_landing") and house.rows() == []


def test_no_cell_is_told_when_a_line_has_one_known_name_among_somebodys_data(house: House) -> None:
    house.land("fill_id,Zebulon Quux,L-1\n1,2,3\n")
    house.load()
    told = house.query(f"from '{house.settings.lake}/inventory.parquet'")[0]
    assert told["reason_code"] == "missing_column" and "Zebulon" not in str(told) and "L-1" not in str(told)
