"""The catalogue of bad files: each kind makes one from a good file and says what must become of it.

Belongs here: how files are damaged, and the outcome expected of each. Does not: loading, assertions (test_bad_files.py).
A kind whose damage nobody can see in the file alone says so in `unseen`: that is part of what the catalogue tells.
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.sources.fill_house import FILL, HEADER, row, text

# Stands in every row as a name and in every id, so that it may appear nowhere but in landing.
CANARY = "CANARY"

# The small feed of the reader's tests, with one text that is kept as it is, and a layout as American senders write.
CONTRACT = FILL.replace(
    "layouts:\n", "  pharmacy:     {type: text, identity: keep, about: where it was dispensed}\nlayouts:\n"
) + (
    "  southern:\n"
    "    data_source: southern\n"
    "    null_values: [N/A]\n"
    "    columns:\n"
    "      fill_id: Rx\n"
    "      member_id: Cardholder\n"
    "      pharmacy: Store\n"
    "      line_count: Line\n"
    "      fill_date: {from: Filled, format: '%m/%d/%Y'}\n"
    "      death_date: {from: Died, format: '%m/%d/%Y'}\n"
    "      paid_amount: Paid\n"
    "    footer: {matches: '^TOTAL', row_count: 'rows=([^ ]+)', amount: 'paid=([^ ]+)'}\n"
)
COLUMNS = (*HEADER, "pharmacy")
SOUTHERN = ("Rx", "Cardholder", "Store", "Line", "Filled", "Died", "Paid")
ROWS = 4
DAMAGED = 2  # the row that is damaged: line 3, below the header and row 1
LINE = DAMAGED + 1
ALL = (1, 2, 3, 4)
OTHERS = (1, 3, 4)


@dataclass(frozen=True)
class Good:
    """A good file of four rows, numbered in line_count. Its tag makes ids, amounts and so contents differ from others'."""

    tag: str
    header: tuple[str, ...] = COLUMNS

    def rows(self, **changes: str) -> list[dict[str, str]]:
        """Its rows, the second one changed."""
        rows = [self._row(number) for number in ALL]
        rows[DAMAGED - 1] = {**rows[DAMAGED - 1], **changes}
        return rows

    def _row(self, number: int) -> dict[str, str]:
        name = f"{CANARY}-{self.tag}-{number}"
        plain = row(
            fill_id=name, member_id=name, subscriber_id=name, patient_name=CANARY, line_count=str(number), pharmacy="A"
        )
        return {
            **plain,
            **{"Rx": name, "Cardholder": name, "Store": "A", "Line": str(number)},
            **{"Filled": "03/04/2024", "Died": "", "Paid": plain["paid_amount"]},
        }

    def text(self, **changes: str) -> str:
        """The file, its second row changed."""
        return text(self.rows(**changes), self.header)

    def lines(self) -> list[str]:
        return self.text().splitlines()


@dataclass(frozen=True)
class Outcome:
    """What becomes of a file."""

    whole: str | None = None  # set aside as a whole: the reason code
    aside: tuple[tuple[int, str | None, str], ...] = ()  # (line, column, reason code) of each row set aside
    arrive: tuple[int, ...] = ()  # numbers of the rows that arrive
    values: Mapping[str, Any] = field(default_factory=dict)  # of the damaged row, as it lies in the lake
    state: str | None = None  # of a file that is not loaded: its state in the inventory; "unseen" if it has none
    breaks_control: bool = False  # read, but the sender's totals convict it: the load goes no further
    has_load: bool = True  # a file set aside as a whole is told in the inventory always, and as a load where it can be

    def told(self) -> str:
        """In words, for docs/reliability.md."""
        if self.whole:
            return f"file set aside: `{self.whole}`"
        if self.state:
            return "left alone" if self.state == "unseen" else f"not loaded: {self.state}"
        reasons = sorted({f"`{reason}`" + (f" ({column})" if column else "") for _, column, reason in self.aside})
        if not reasons:
            read = "read, and held: the sender's totals do not fit" if self.breaks_control else "read"
            return read if self.arrive else "read: no rows"
        rows = "every row" if not self.arrive else "1 row" if len(self.aside) == 1 else f"{len(self.aside)} rows"
        return f"{rows} set aside: {', '.join(reasons)}"


@dataclass(frozen=True)
class Kind:
    """One kind of bad file."""

    name: str  # a sentence
    group: str
    outcome: Outcome
    damage: Callable[[Good], str | bytes]
    unseen: str | None = None  # what cannot be told from the file alone
    header: tuple[str, ...] = COLUMNS
    file_name: str = "{tag}.csv"
    control: str | None = None  # what the sender's .ctl file says
    put: Callable[[Path, bytes], object] = Path.write_bytes  # links are not written but made

    def place(self, folder: Path, number: int) -> str:
        """Makes the file in the folder of its feed. Returns its name."""
        tag = f"k{number:03}"
        name = self.file_name.format(tag=tag)
        content = self.damage(Good(tag, self.header))
        if self.control is not None:
            (folder / f"{name}.ctl").write_text(self.control)
        self.put(folder / name, content.encode() if isinstance(content, str) else content)
        return name


KINDS: list[Kind] = []
Damage = Callable[[Good], str | bytes]


def kind(name: str, group: str, outcome: Outcome, **more: Any) -> Callable[[Damage], Damage]:
    """Enters a damage into the catalogue."""

    def enter(damage: Damage) -> Damage:
        KINDS.append(Kind(name, group, outcome, damage, **more))
        return damage

    return enter


def whole(reason: str, has_load: bool = True) -> Outcome:
    return Outcome(whole=reason, has_load=has_load)


def read(arrive: tuple[int, ...] = ALL, **values: Any) -> Outcome:
    return Outcome(arrive=arrive, values=values)


def one_row(column: str | None, reason: str) -> Outcome:
    """The damaged row is set aside, the others arrive."""
    return Outcome(aside=((LINE, column, reason),), arrive=OTHERS)


def no_row(column: str | None, reason: str) -> Outcome:
    return Outcome(aside=tuple((line, column, reason) for line in range(2, 2 + ROWS)))


def cell(name: str, group: str, outcome: Outcome, unseen: str | None = None, **changes: str) -> None:
    """A kind that damages cells of the second row."""
    KINDS.append(Kind(name, group, outcome, lambda good: good.text(**changes), unseen))


def southern(name: str, group: str, outcome: Outcome, unseen: str | None = None, **changes: str) -> None:
    """The same in the layout whose dates are month/day/year."""
    KINDS.append(Kind(name, group, outcome, lambda good: good.text(**changes), unseen, header=SOUTHERN))


def as_is(good: Good) -> str:
    """Good content, for kinds whose name or way of lying there is what is wrong."""
    return good.text()


# --- Nothing to read ---------------------------------------------------------------------------------------------

FILE = "the file"


@kind("the file is empty", FILE, whole("empty_file"))
def empty(good: Good) -> bytes:
    return b""


@kind("the file has blank lines only", FILE, whole("empty_file"), file_name="{tag}-blank.csv")
def blank_lines_only(good: Good) -> str:
    return "\n \n\t\n" * int(good.tag[1:])


@kind("the file has a header and no rows", FILE, read(()))
def header_only(good: Good) -> str:
    return good.lines()[0] + "\n"


@kind("the file has rows and no header", FILE, whole("no_header"))
def no_header(good: Good) -> str:
    return "\n".join(good.lines()[1:])


@kind("the header stands below thirteen lines of title", FILE, whole("no_header"))
def late_header(good: Good) -> str:
    return f"{good.tag}\n" * 13 + good.text()


@kind("the file is a web page", FILE, whole("html"))
def web_page(good: Good) -> str:
    return f"\n<!DOCTYPE html><html><body>Session of {CANARY} expired</body></html>"


@kind("the file is XML", FILE, whole("html"))
def xml(good: Good) -> str:
    return f"<?xml version='1.0'?><fills><fill id='{CANARY}'/></fills>"


@kind("the file is JSON", FILE, whole("no_header"))
def json_lines(good: Good) -> str:
    return f'{{"fill_id": "{CANARY}", "paid_amount": 12.5}}\n' * 3


@kind("the file is a PDF", FILE, whole("pdf"))
def pdf(good: Good) -> bytes:
    return b"%PDF-1.7\n" + good.text().encode()


@kind("the file is an Excel workbook", FILE, whole("excel"))
def excel(good: Good) -> bytes:
    return zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": good.text().encode()})


@kind("the file is an old Excel workbook", FILE, whole("excel"), file_name="{tag}.xls")
def old_excel(good: Good) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + good.text().encode()


@kind("the file is an OpenDocument sheet", FILE, whole("several_files_in_zip"))
def open_document(good: Good) -> bytes:
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})


@kind("the file holds bytes that are no text", FILE, whole("binary"))
def binary(good: Good) -> bytes:
    return bytes(range(256)) * 3 + b"\0" * 300


@kind("one line is 10 MB long", FILE, whole("line_too_long"))
def long_line(good: Good) -> str:
    return good.text() + CANARY * (10 * 2**20 // len(CANARY)) + "\n"


# --- Packed ------------------------------------------------------------------------------------------------------

PACKED = "packing"


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def with_zip_field(archive: bytes, local: int, central: int, value: int) -> bytes:
    """A zip of one member, with a two-byte field of both its headers changed."""
    data = bytearray(archive)
    struct.pack_into("<H", data, local, value)
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + central, value)
    return bytes(data)


@kind("gzip data end too early", PACKED, whole("truncated_gzip"), file_name="{tag}.csv.gz")
def truncated_gzip(good: Good) -> bytes:
    return gzip.compress(good.text().encode() * 50)[:-20]


@kind("gzip data are broken", PACKED, whole("broken_gzip"), file_name="{tag}.csv.gz")
def broken_gzip(good: Good) -> bytes:
    return b"\x1f\x8b\x08\x00" + good.text().encode()


@kind("gzip data have the wrong checksum", PACKED, whole("broken_gzip"), file_name="{tag}.csv.gz")
def wrong_checksum(good: Good) -> bytes:
    packed = gzip.compress(good.text().encode())
    return packed[:-8] + bytes(4) + packed[-4:]


@kind("something follows the gzip data", PACKED, whole("broken_gzip"), file_name="{tag}.csv.gz")
def gzip_and_more(good: Good) -> bytes:
    return gzip.compress(good.text().encode()) + good.text().encode()


@kind("the file was gzipped twice", PACKED, whole("no_header"), file_name="{tag}.csv.gz")
def gzip_in_gzip(good: Good) -> bytes:
    return gzip.compress(gzip.compress(good.text().encode()))


@kind(
    "two gzip files were put one after the other",
    PACKED,
    Outcome(aside=((6, "birth_date", "not_a_date"),), arrive=ALL),
    file_name="{tag}.csv.gz",
)
def gzip_after_gzip(good: Good) -> bytes:
    return gzip.compress(good.text().encode()) + gzip.compress(good.lines()[0].encode())


@kind("a gzip file is called .csv", PACKED, read())
def gzip_called_csv(good: Good) -> bytes:
    return gzip.compress(good.text().encode())


@kind("a plain file is called .gz", PACKED, read(), file_name="{tag}.csv.gz")
def csv_called_gz(good: Good) -> str:
    return good.text()


@kind("a zip holds two files", PACKED, whole("several_files_in_zip"), file_name="{tag}.zip")
def two_in_zip(good: Good) -> bytes:
    return zipped({"a.csv": good.text().encode(), "b.csv": good.text().encode()})


@kind("a zip holds nothing", PACKED, whole("empty_file"), file_name="{tag}.zip")
def empty_zip(good: Good) -> bytes:
    return zipped({})


@kind("a zip is cut short", PACKED, whole("broken_zip"), file_name="{tag}.zip")
def cut_zip(good: Good) -> bytes:
    return zipped({"a.csv": good.text().encode()})[:-30]


@kind("a zip asks for a password", PACKED, whole("encrypted_zip"), file_name="{tag}.zip")
def encrypted_zip(good: Good) -> bytes:
    return with_zip_field(zipped({"a.csv": good.text().encode()}), local=6, central=8, value=1)


@kind("a zip is packed as Windows packs large ones", PACKED, whole("unknown_zip"), file_name="{tag}.zip")
def deflate64_zip(good: Good) -> bytes:
    return with_zip_field(zipped({"a.csv": good.text().encode()}), local=8, central=10, value=9)


@kind("a zip names a place outside for its file", PACKED, read(), file_name="{tag}.zip")
def zip_slip(good: Good) -> bytes:
    return zipped({"../../../escaped.csv": good.text().encode()})  # never unpacked by name, so there is nothing to fear


# --- Letters and line ends ---------------------------------------------------------------------------------------

LETTERS = "encoding and line ends"


@kind("the file is UTF-16, little end first", LETTERS, whole("utf16"))
def utf16_le(good: Good) -> bytes:
    return b"\xff\xfe" + good.text().encode("utf-16-le")


@kind("the file is UTF-16, big end first", LETTERS, whole("utf16"))
def utf16_be(good: Good) -> bytes:
    return b"\xfe\xff" + good.text().encode("utf-16-be")


@kind("the file is UTF-16, little end first, and does not say so", LETTERS, whole("binary"))
def bare_utf16_le(good: Good) -> bytes:
    return good.text().encode("utf-16-le")


@kind("the file is UTF-16, big end first, and does not say so", LETTERS, whole("binary"))
def bare_utf16_be(good: Good) -> bytes:
    return good.text().encode("utf-16-be")


@kind("the file begins with a byte-order mark", LETTERS, read())
def one_mark(good: Good) -> str:
    return "\ufeff" + good.text()


@kind("the file begins with two byte-order marks", LETTERS, read())
def two_marks(good: Good) -> str:
    return "\ufeff\ufeff" + good.text()


@kind("a line is cp1252 in a file of UTF-8", LETTERS, read(pharmacy="Zoë – Süd"))
def mixed_letters(good: Good) -> bytes:
    lines = [line.encode() for line in good.text(pharmacy="Zoë – Süd").splitlines()]
    lines[LINE - 1] = lines[LINE - 1].decode().encode("cp1252")
    lines[LINE] = lines[LINE].replace(b"12.50,A", "12.50,Zoë".encode())
    return b"\n".join(lines)


@kind("lines end in CR alone", LETTERS, read())
def old_mac(good: Good) -> str:
    return good.text().replace("\n", "\r")


@kind("some lines end in CR LF", LETTERS, read())
def mixed_ends(good: Good) -> str:
    return good.text().replace("\n", "\r\n", 2)


@kind("lines end in CR CR LF", LETTERS, read())
def twice_converted(good: Good) -> str:
    return good.text().replace("\n", "\r\r\n")


@kind("the last line has no end", LETTERS, read())
def no_last_end(good: Good) -> str:
    return good.text().rstrip("\n")


@kind("blank lines stand between the rows", LETTERS, read())
def blank_lines(good: Good) -> str:
    return good.text().replace("\n", "\n\n \n")


@kind("a quoted amount has a letter of cp1252", LETTERS, one_row("paid_amount", "not_a_number"))
def letter_in_amount(good: Good) -> bytes:
    return good.text(paid_amount="£1,250.00 à").encode("cp1252")


cell("a name holds a NUL byte", LETTERS, read(), patient_name=f"{CANARY}\0")
cell("an id holds a NUL byte", LETTERS, one_row("member_id", "not_an_id"), member_id=f"{CANARY}\0")
cell("an id holds a control character", LETTERS, one_row("member_id", "not_an_id"), member_id=f"{CANARY}\x1b[2J")
cell("an id holds the sign of a lost letter", LETTERS, one_row("member_id", "not_an_id"), member_id=f"{CANARY}\ufffd")
cell(
    "an id holds a blank without width",
    LETTERS,
    read(),
    "an invisible letter of Unicode is part of the id: the person is another",
    member_id=f"{CANARY}\u200b",
)


@kind("NUL bytes follow the last line", LETTERS, Outcome(aside=((6, None, "wrong_field_count"),), arrive=ALL))
def padded_end(good: Good) -> str:
    return good.text() + "\0" * 20


@kind("the end-of-file sign of DOS follows", LETTERS, Outcome(aside=((6, None, "wrong_field_count"),), arrive=ALL))
def dos_end(good: Good) -> str:
    return good.text() + "\x1a"


# --- Delimiters and quotes ---------------------------------------------------------------------------------------

FIELDS = "delimiters and quotes"


@kind("semicolons stand for commas", FIELDS, read())
def semicolons(good: Good) -> str:
    return good.text().replace(",", ";")


@kind("bars stand for commas", FIELDS, read())
def bars(good: Good) -> str:
    return good.text().replace(",", "|")


@kind("tabs stand for commas", FIELDS, read())
def tabs(good: Good) -> str:
    return good.text().replace(",", "\t")


@kind("one row has semicolons", FIELDS, one_row(None, "wrong_field_count"))
def mixed_delimiters(good: Good) -> str:
    lines = good.lines()
    lines[LINE - 1] = lines[LINE - 1].replace(",", ";")
    return "\n".join(lines)


@kind("the header has another delimiter than the rows", FIELDS, no_row(None, "wrong_field_count"))
def header_of_another(good: Good) -> str:
    header, *lines = good.lines()
    return "\n".join([header.replace(",", ";"), *lines])


@kind("no delimiter that is known stands between the fields", FIELDS, whole("no_header"))
def unknown_delimiter(good: Good) -> str:
    return good.text().replace(",", "~")


@kind("rows end in a delimiter and the header does not", FIELDS, no_row(None, "wrong_field_count"))
def trailing_delimiters(good: Good) -> str:
    header, *lines = good.lines()
    return "\n".join([header, *(line + "," for line in lines)])


def with_line(good: Good, change: Callable[[str], str]) -> str:
    """The file with its second row rewritten."""
    lines = good.lines()
    lines[LINE - 1] = change(lines[LINE - 1])
    return "\n".join(lines) + "\n"


@kind("a quote is opened and never closed", FIELDS, one_row(None, "open_quote"))
def open_quote(good: Good) -> str:
    return with_line(good, lambda line: line.replace(f",{CANARY},", f',"{CANARY},'))


@kind(
    "a quoted field runs over two lines",
    FIELDS,
    Outcome(aside=((3, None, "open_quote"), (4, None, "wrong_field_count")), arrive=OTHERS),
)
def quoted_line_end(good: Good) -> str:
    return with_line(good, lambda line: line.replace(f",{CANARY},", f',"{CANARY}\n{CANARY}",'))


@kind("quotes inside a field are escaped by backslashes", FIELDS, one_row(None, "open_quote"))
def backslashes(good: Good) -> str:
    return with_line(good, lambda line: line.replace(f",{CANARY},", rf',"\"{CANARY}\"",'))


@kind("a field holds a comma and no quotes", FIELDS, one_row(None, "wrong_field_count"))
def bare_comma(good: Good) -> str:
    return with_line(good, lambda line: line.replace(f",{CANARY},", f",{CANARY}, Jr,"))


@kind("a row has a field too many", FIELDS, one_row(None, "wrong_field_count"))
def surplus_field(good: Good) -> str:
    return with_line(good, lambda line: line + ",surplus")


@kind("a row has a field too few", FIELDS, one_row(None, "wrong_field_count"))
def short_row(good: Good) -> str:
    return with_line(good, lambda line: line.rpartition(",")[0])


@kind("a row is shifted by one field", FIELDS, one_row("birth_date", "not_a_date"))
def shifted_row(good: Good) -> str:
    return with_line(good, lambda line: f"0,{line.rpartition(',')[0]}")


@kind("words follow the last row", FIELDS, Outcome(aside=((6, None, "wrong_field_count"),), arrive=ALL))
def trailing_words(good: Good) -> str:
    return good.text() + f"-- 4 rows exported by {CANARY}\n"


@kind("the last line is cut in its middle", FIELDS, Outcome(aside=((5, None, "wrong_field_count"),), arrive=(1, 2, 3)))
def cut_line(good: Good) -> str:
    return good.text()[:-40]


CUT = "that a number or the rows below it are cut off; the sender's totals (.ctl, trailer) show it"


@kind("the last number is cut and all fields are there", FIELDS, read(), unseen=CUT)
def cut_number(good: Good) -> str:
    return good.text()[: -len("0,A\n")] + ",A"


@kind("the file ends after its third row", FIELDS, read((1, 2, 3)), unseen=CUT)
def cut_between_lines(good: Good) -> str:
    return "\n".join(good.lines()[:4])


# --- The sender's totals -----------------------------------------------------------------------------------------

TOTALS = "the sender's totals"


@kind(
    "the file is cut and its .ctl file is not",
    TOTALS,
    Outcome(arrive=(1, 2, 3), breaks_control=True),
    control="row_count,4\namount,50.00\n",
)
def cut_with_control(good: Good) -> str:
    return "\n".join(good.lines()[:4])


def control(name: str, said: str) -> None:
    KINDS.append(Kind(name, TOTALS, whole("broken_control_file"), as_is, control=said))


control("the .ctl file has a word for a number", "row_count,many\n")
control("the .ctl file has an amount that is not finite", "amount,NaN\n")
control("the .ctl file has a number of rows without end", "row_count," + "9" * 40 + "\n")
control("the .ctl file has a cell without end", "row_count," + "9" * 200_000 + "\n")


@kind("the trailer has an amount that is none", TOTALS, whole("broken_control_file"), header=SOUTHERN)
def broken_trailer(good: Good) -> str:
    return good.text() + "TOTAL rows=4 paid=5.0.0\n"


@kind("the trailer counts a row more", TOTALS, Outcome(arrive=ALL, breaks_control=True), header=SOUTHERN)
def trailer_of_more(good: Good) -> str:
    return good.text() + "TOTAL rows=5 paid=50.00\n"


# --- Columns -----------------------------------------------------------------------------------------------------

NAMES = "columns"


def with_header(good: Good, change: Callable[[list[str]], Sequence[str]]) -> str:
    """The file with other words in its header and the rows as they were."""
    header, *lines = good.lines()
    return "\n".join([",".join(change(header.split(","))), *lines]) + "\n"


def renamed(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda header: [new if column == old else column for column in header]


def without(column: str) -> tuple[str, ...]:
    return tuple(name for name in COLUMNS if name != column)


@kind("a column that is needed is missing", NAMES, whole("missing_column"))
def missing_column(good: Good) -> str:
    return text(good.rows(), without("paid_amount"))


@kind("a column that is needed has another name", NAMES, whole("missing_column"))
def renamed_column(good: Good) -> str:
    return with_header(good, renamed("paid_amount", "paid_amt"))


@kind("a column that is not needed is missing", NAMES, read(pharmacy=None))
def missing_optional(good: Good) -> str:
    return text(good.rows(), without("pharmacy"))


@kind(
    "a column that is not needed has another name",
    NAMES,
    read(quantity=None),
    unseen="that the two are one; the column is blank, and the inventory lists the other name as not read",
)
def renamed_optional(good: Good) -> str:
    return with_header(good, renamed("quantity", "qty"))


@kind("a column is there that nobody knows", NAMES, read())
def extra_column(good: Good) -> str:
    return text([{**one, "note": CANARY} for one in good.rows()], ("note", *COLUMNS))


@kind("two columns stand in the other order, with their names", NAMES, read(quantity=Decimal(30)))
def moved_column(good: Good) -> str:
    return text(good.rows(), COLUMNS[::-1])


@kind("the names of two columns are swapped and their types differ", NAMES, no_row("quantity", "not_a_number"))
def swapped_names(good: Good) -> str:
    return with_header(
        good, lambda header: [{"quantity": "fill_date", "fill_date": "quantity"}.get(name, name) for name in header]
    )


@kind(
    "the names of two columns are swapped and their types fit",
    NAMES,
    read(quantity=Decimal("12.5"), paid_amount=Decimal(30)),
    unseen="which is which, where both hold numbers; a suite's rule or the sender's totals may show it",
)
def swapped_amounts(good: Good) -> str:
    return with_header(
        good, lambda header: [{"quantity": "paid_amount", "paid_amount": "quantity"}.get(name, name) for name in header]
    )


@kind("a column is there twice", NAMES, whole("repeated_column"))
def doubled_column(good: Good) -> str:
    return with_line_ends(good.text(), "paid_amount", "99.00")


@kind("a column that nobody knows is there twice", NAMES, read())
def doubled_unknown(good: Good) -> str:
    return with_line_ends(with_line_ends(good.text(), "note", "a"), "note", "b")


def with_line_ends(content: str, name: str, value: str) -> str:
    """One more column at the end."""
    header, *lines = content.splitlines()
    return "\n".join([f"{header},{name}", *(f"{line},{value}" for line in lines)])


@kind("the header is in capitals with blanks around its names", NAMES, read())
def loud_header(good: Good) -> str:
    return with_header(good, lambda header: [f" {name.upper()} " for name in header])


@kind("the names in the header are quoted", NAMES, read())
def quoted_header(good: Good) -> str:
    return with_header(good, lambda header: [f'"{name}"' for name in header])


@kind("a title stands above the header", NAMES, read())
def title(good: Good) -> str:
    return f"Fills of March\n\n{good.text()}"


@kind(
    "the header comes again in the middle",
    NAMES,
    Outcome(aside=((4, "birth_date", "not_a_date"),), arrive=ALL),
)
def header_again(good: Good) -> str:
    lines = good.lines()
    return "\n".join([*lines[:3], lines[0], *lines[3:]])


# --- How a file lies there ---------------------------------------------------------------------------------------

PLACES = "names and links"
UNSEEN = Outcome(state="unseen")


def link_outside(path: Path, content: bytes) -> None:
    outside = path.parents[3] / f"outside-{path.name}"
    outside.write_bytes(content)
    path.symlink_to(outside)


def link_to_nothing(path: Path, _: bytes) -> None:
    path.symlink_to(path.with_name("never-there.csv"))


def link_to_itself(path: Path, _: bytes) -> None:
    path.symlink_to(path)


def link_to_good(path: Path, content: bytes) -> None:
    original = path.with_name(f"a-{path.name}")
    original.write_bytes(content)
    path.symlink_to(original)


def copy_of_good(path: Path, content: bytes) -> None:
    path.with_name(f"a-{path.name}").write_bytes(content)
    path.write_bytes(content)


def folder_link(path: Path, content: bytes) -> None:
    outside = path.parents[3] / f"outside-{path.name}"
    outside.mkdir()
    (outside / "inside.csv").write_bytes(content)
    path.symlink_to(outside)


def pipe(path: Path, _: bytes) -> None:
    os.mkfifo(path)


def bytes_in_name(path: Path, content: bytes) -> None:
    Path(os.fsdecode(os.fsencode(path.parent) + b"/caf\xe9.csv")).write_bytes(content)


def lies(name: str, outcome: Outcome, file_name: str = "{tag}.csv", put: Any = Path.write_bytes, **more: Any) -> None:
    KINDS.append(Kind(name, PLACES, outcome, as_is, file_name=file_name, put=put, **more))


lies("a link leads out of landing", whole("outside_landing"), put=link_outside)
lies("a link leads nowhere", whole("broken_link"), put=link_to_nothing)
lies("a link leads to itself", whole("broken_link"), put=link_to_itself)
lies("a link leads to a good file", Outcome(state="duplicate"), put=link_to_good)
lies("a good file comes again under another name", Outcome(state="duplicate"), put=copy_of_good)
lies("a link leads to a folder", UNSEEN, put=folder_link)
lies("a pipe lies among the files", UNSEEN, put=pipe)
lies("a file is hidden", UNSEEN, ".{tag}.csv")
lies("a file is called unfinished", UNSEEN, "{tag}.csv.part")
lies("a name has blanks", read(), "{tag} of  March .csv")
lies("a name has quotes", read(), '{tag}-it\'s "fine".csv')
lies("a name has signs that stand for others", read(), "{tag}-[a]*?.csv")
lies("a name has letters of many scripts", read(), "{tag}-Überfällig–日本.csv")
lies("a name begins with a dash", read(), "-rf {tag}.csv")
lies("a name has a line end", read(), "{tag}\nsecond.csv")
lies("a name is SQL", read(), "{tag}'); drop table loads; --.csv")
lies("a name is a template", read(), "{tag}{{{{ env_var('HOME') }}}} %s {{}}.csv")
lies("a name has no ending", read(), "{tag}")
lies("a name is as long as the disk allows", read(), "{tag}" + "x" * 247 + ".csv")
lies("a name is no UTF-8", whole("name_not_utf8", has_load=False), "caf\\xe9.csv", put=bytes_in_name)


# --- What a spreadsheet does -------------------------------------------------------------------------------------

SHEET = "spreadsheets"

cell("a code lost its zeros and the contract pads it", SHEET, read(drug_code="007"), drug_code="7")
cell(
    "an id lost its zeros",
    SHEET,
    read(),
    "that zeros are gone, where no length is known; a layout's pad gives them back",
    member_id="1234",
)
cell("a date is a serial number", SHEET, one_row("fill_date", "not_a_date"), fill_date="45321")
southern("a date of an American layout is a serial number", SHEET, one_row("fill_date", "not_a_date"), Filled="45321")
cell(
    "a number is a date's serial number",
    SHEET,
    read(quantity=Decimal(45321)),
    "that 45321 was a date",
    quantity="45321",
)
cell("an id is in scientific notation", SHEET, one_row("member_id", "spreadsheet_damage"), member_id="1.23457E+15")
cell("a key is in scientific notation", SHEET, one_row("fill_id", "spreadsheet_damage"), fill_id="4e+11")
cell("a code is in scientific notation", SHEET, one_row("drug_code", "pattern"), drug_code="9.35E+10")
cell("a text is in scientific notation", SHEET, one_row("pharmacy", "spreadsheet_damage"), pharmacy="9.35E+10")
cell("a number is in scientific notation", SHEET, one_row("line_count", "not_a_number"), line_count="2E+0")
cell(
    "a long id lost its last digits",
    SHEET,
    read(),
    "digits beyond the fifteenth that a spreadsheet made 0",
    member_id="123456789012345000",
)
cell("an id is a spreadsheet's error", SHEET, one_row("member_id", "spreadsheet_damage"), member_id="#REF!")
cell("a text is a spreadsheet's error", SHEET, one_row("pharmacy", "spreadsheet_damage"), pharmacy="#VALUE!")
cell("an amount is a spreadsheet's error", SHEET, one_row("paid_amount", "not_a_number"), paid_amount="#N/A")
cell("an id did not fit its column", SHEET, one_row("member_id", "spreadsheet_damage"), member_id="########")
cell("an id is a formula to keep its zeros", SHEET, one_row("member_id", "spreadsheet_damage"), member_id='="00123"')
cell("an amount is a formula", SHEET, one_row("paid_amount", "not_a_number"), paid_amount="=1+1")
cell("a text is a formula", SHEET, read(pharmacy="=1+1"), pharmacy="=1+1")


# --- Dates -------------------------------------------------------------------------------------------------------

DATES = "dates"

cell("a day is not in the calendar", DATES, one_row("fill_date", "not_a_date"), fill_date="2025-02-30")
cell("a date is all zeros", DATES, one_row("fill_date", "not_a_date"), fill_date="0000-00-00")
cell("a date has the day first", DATES, one_row("fill_date", "not_a_date"), fill_date="31/12/2025")
cell("a date has two digits of the year", DATES, one_row("fill_date", "not_a_date"), fill_date="12/31/25")
cell("a date has two digits of the year first", DATES, one_row("fill_date", "out_of_range"), fill_date="25-12-31")
cell("a date has no dashes", DATES, one_row("fill_date", "not_a_date"), fill_date="20240304")
cell("a date lies in the future", DATES, one_row("fill_date", "out_of_range"), fill_date="2099-01-01")
cell("a date lies before all claims", DATES, one_row("fill_date", "out_of_range"), fill_date="1800-01-01")
cell(
    "a date without limits is of the first century", DATES, one_row("death_date", "out_of_range"), death_date="25-12-31"
)
cell("a person is born tomorrow", DATES, one_row("birth_date", "out_of_range"), birth_date="2099-01-01")
cell("a moment has hour 25", DATES, one_row("filled_at", "not_a_timestamp"), filled_at="2024-03-04T25:00:00Z")
cell("a date has a time", DATES, read(), fill_date="2024-03-04 10:00:00")
southern("an American date has two digits of the year", DATES, one_row("fill_date", "out_of_range"), Filled="12/31/25")
southern("another American date has them", DATES, one_row("death_date", "out_of_range"), Died="12/31/25")
southern("an American date has the day first", DATES, one_row("fill_date", "not_a_date"), Filled="31/12/2025")
southern(
    "an American date has the day first and the day is below 13",
    DATES,
    read(),
    "whether 05/04 is April or May",
    Filled="05/04/2024",
)


# --- Numbers -----------------------------------------------------------------------------------------------------

NUMBERS = "amounts and numbers"

cell("an amount is in parentheses", NUMBERS, read(paid_amount=Decimal("-1234.56")), paid_amount="(1,234.56)")
cell("an amount has a decimal comma", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="12,50")
cell("an amount is wholly European", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="1.234,56")
cell("a dot groups an amount's thousands", NUMBERS, one_row("paid_amount", "too_many_decimals"), paid_amount="1.234")
cell(
    "a comma is decimal before three digits",
    NUMBERS,
    read(quantity=Decimal(1500)),
    "whether 1,500 is a thousand and a half or one and a half",
    quantity="1,500",
)
cell("a cell holds two numbers", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="12 50")
cell("an amount is in exponents", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="1e10")
cell("an amount has twenty digits", NUMBERS, one_row("paid_amount", "out_of_range"), paid_amount="9" * 20)
cell("an amount is minus nothing", NUMBERS, read(paid_amount=Decimal(0)), paid_amount="-0.00")
cell("an amount is negative", NUMBERS, read(paid_amount=Decimal("-12.50")), paid_amount="-12.50")
cell("an amount has its minus behind", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="12.50-")
cell("an amount has three decimals", NUMBERS, one_row("paid_amount", "too_many_decimals"), paid_amount="12.505")
cell("an amount has a currency in letters", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="EUR 12.50")
cell("an amount is infinite", NUMBERS, one_row("paid_amount", "not_a_number"), paid_amount="Infinity")
cell("a quantity is negative", NUMBERS, one_row("quantity", "out_of_range"), quantity="-30")
cell("a count has a fraction", NUMBERS, one_row("line_count", "not_a_number"), line_count="2.5")


@kind("all amounts have 28 digits", NUMBERS, no_row("paid_amount", "out_of_range"))
def absurd_amounts(good: Good) -> str:
    return text([{**one, "paid_amount": "9" * 28} for one in good.rows()], COLUMNS)


@kind("a European spreadsheet saved it", NUMBERS, no_row("paid_amount", "not_a_number"))
def european_sheet(good: Good) -> str:
    return good.text().replace(",", ";").replace("12.50", "12,50")


# --- Words and codes ---------------------------------------------------------------------------------------------

WORDS = "words, codes and keys"

cell("an amount is N/A", WORDS, one_row("paid_amount", "not_a_number"), paid_amount="N/A")
cell("an amount is NULL", WORDS, one_row("paid_amount", "not_a_number"), paid_amount="NULL")
cell("an id is N/A", WORDS, one_row("member_id", "not_an_id"), member_id="N/A")
cell("an id is NULL", WORDS, one_row("member_id", "not_an_id"), member_id="NULL")
cell("an id that may be blank is nan", WORDS, one_row("subscriber_id", "not_an_id"), subscriber_id="nan")
southern(
    "an id is N/A and the layout says that this is blank", WORDS, one_row("member_id", "missing"), Cardholder="N/A"
)
southern("a text is N/A and the layout says that this is blank", WORDS, read(pharmacy=None), Store="N/A")
cell("a text is NULL", WORDS, read(pharmacy="NULL"), "whether the word is meant, in a text", pharmacy="NULL")
cell("an id is unknown in a sender's own word", WORDS, read(), "that 999999 is nobody", member_id="999999")
cell("a code is not in the list", WORDS, one_row("status", "not_allowed"), status="lost")
cell("a code has the wrong form", WORDS, one_row("drug_code", "pattern"), drug_code="12-4")
cell("a code is in the other case", WORDS, read(status="open", drug_code="AB1"), status="OPEN", drug_code="ab1")
cell("a truth is a word nobody knows", WORDS, one_row("is_generic", "not_allowed"), is_generic="perhaps")
cell("a truth is a word", WORDS, read(is_generic=True), is_generic="TRUE")
cell("a text is SQL", WORDS, read(pharmacy="'; drop table loads; --"), pharmacy="'; drop table loads; --")
cell("an id is SQL", WORDS, read(), member_id=f"{CANARY}'); drop table loads; --")
cell("a text is a template", WORDS, read(pharmacy="{{ env_var('HOME') }} %s"), pharmacy="{{ env_var('HOME') }} %s")
cell("a text is a script", WORDS, read(pharmacy="<script>alert(1)</script>"), pharmacy="<script>alert(1)</script>")
cell("a key is blank", WORDS, one_row("fill_id", "missing"), fill_id="")
cell("a key is blanks", WORDS, one_row("fill_id", "missing"), fill_id=" \u00a0 ")


@kind("a row is there twice", WORDS, Outcome(aside=((4, None, "duplicate_key"),), arrive=ALL))
def same_row_twice(good: Good) -> str:
    return with_line(good, lambda line: f"{line}\n{line}")


@kind("a key is there twice with other amounts", WORDS, Outcome(aside=((4, None, "duplicate_key"),), arrive=ALL))
def same_key_twice(good: Good) -> str:
    return with_line(good, lambda line: f"{line}\n{line.replace('12.50', '99.00')}")


@kind("a key is there twice, once with blanks", WORDS, Outcome(aside=((4, None, "duplicate_key"),), arrive=ALL))
def same_key_with_blanks(good: Good) -> str:
    return with_line(good, lambda line: f"{line}\n {line.replace(',', ' ,', 1)}")


@kind(
    "a key is there twice, once in small letters",
    WORDS,
    read((1, 2, 2, 3, 4)),
    unseen="whether two ids that differ in case are one",
)
def same_key_in_small_letters(good: Good) -> str:
    return with_line(good, lambda line: f"{line}\n{line.replace(CANARY, CANARY.lower(), 1)}")
