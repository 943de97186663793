"""Bytes of a landed file: unpacked, hashed, judged readable, and where needed copied clean for the reader.

Belongs here: gzip and zip, encodings, line ends, what makes a file unreadable as a whole.
Does not: columns, layouts; nothing here knows what a line means.
"""

from __future__ import annotations

import codecs
import ctypes
import gzip
import hashlib
import lzma
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from dagster_project.settings import Settings

CHUNK = 1 << 20
GIVEN_BACK_EVERY = 32  # chunks
HEAD = 1 << 16
BOM = codecs.BOM_UTF8

NUL = b"\0"
# Bytes that no line of text has. DuckDB's line reader would trip over two of them: NUL, and \1, the delimiter it is
# given so that a line stays whole. The others would hide in ids and move the cursor of whoever looks at a value.
_CONTROLS = bytes(byte for byte in [*range(32), 127] if byte not in b"\t\n\r")
_CONTROL = re.compile("[" + re.escape(_CONTROLS.decode()) + "]")

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None  # glibc alone has it

_RETURNS = re.compile("\r{1,2}\n")
_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


class Unreadable(Exception):
    """A file that cannot be read at all. Holds a reason code, never content."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code


@dataclass(frozen=True)
class Survey:
    """What one pass over the bytes tells."""

    content_hash: str
    packing: str  # plain, gzip, zip
    encoding: str
    is_clean: bool  # the reader may take the landed file itself, if it is not a zip
    head: str  # the first lines, for the header; held in memory, never written


def survey(path: Path) -> Survey:
    """One pass: SHA-256 of the unpacked bytes, encoding, cleanliness. Raises Unreadable."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise Unreadable("empty_file")
    if start == _EXCEL:
        raise Unreadable("excel")
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")("strict")
    is_utf8, has_control, is_pending = True, False, False
    feeds = returns = pairs = 0
    last, head = b"", b""
    for chunk in blocks(path):
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        digest.update(chunk)
        has_control = has_control or len(chunk.translate(None, _CONTROLS)) < len(chunk)
        feeds += chunk.count(b"\n")
        if b"\r" in chunk or last == b"\r":
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        last = chunk[-1:]
        if is_utf8 and (is_pending or not chunk.isascii()):
            try:
                decoder.decode(chunk)
                is_pending = bool(decoder.getstate()[0])
            except UnicodeDecodeError:
                is_utf8 = False
    is_utf8 = is_utf8 and not is_pending
    _judge(head)
    even_lines = returns == 0 or returns == pairs == feeds
    encoding = "utf-8" if is_utf8 else "utf-8 with cp1252 bytes"
    return Survey(
        digest.hexdigest(),
        packing(path),
        encoding,
        is_utf8 and not has_control and even_lines,
        decode_mixture(head.removeprefix(BOM)),
    )


def _judge(head: bytes) -> None:
    if not head.strip():
        raise Unreadable("empty_file")
    if head.startswith(_UTF16):
        raise Unreadable("utf16")
    if head.startswith(b"%PDF"):
        raise Unreadable("pdf")
    if head.removeprefix(BOM).lstrip()[:64].lower().startswith(_MARKUP):
        raise Unreadable("html")
    # A NUL or two is dirt; many are another encoding or no text at all.
    if head.count(NUL) > len(head) // 20:
        raise Unreadable("binary")


def control_file(path: Path) -> Path | None:
    """The sender's totals beside a file, if there are any."""
    control = path.with_name(path.name + ".ctl")
    try:
        return control if control.is_file() else None
    except OSError:  # a name so long that none can be four letters longer; asking for it once ended all loads
        return None


def packing(path: Path) -> str:
    """plain, gzip or zip, by the first bytes: names lie."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zip" if start in (b"PK\x03\x04", b"PK\x05\x06") else "plain"


def blocks(path: Path) -> Iterator[bytes]:
    """The unpacked bytes, a megabyte at a time. Raises Unreadable when the packing is broken."""
    try:
        with _opened(path) as file:
            for number in count(1):
                if not (chunk := file.read(CHUNK)):
                    break
                yield chunk
                if number % GIVEN_BACK_EVERY == 0:
                    _give_back()
    except EOFError:
        raise Unreadable("broken_zip" if packing(path) == "zip" else "truncated_gzip") from None
    except (gzip.BadGzipFile, zlib.error):
        raise Unreadable("broken_zip" if packing(path) == "zip" else "broken_gzip") from None
    except (zipfile.BadZipFile, lzma.LZMAError):
        raise Unreadable("broken_zip") from None
    except (
        RuntimeError
    ):  # so zipfile calls Deflate64, as Windows packs what is large, which once ended the inventory of all
        raise Unreadable("unknown_zip") from None


def _give_back() -> None:
    """Free memory to the system, where the allocator can. What a chunk is taken apart into is freed before the next, but the few
    bytes that DuckDB meanwhile noted for long lie between, and no later chunk fits into the holes: an 837 of 1.3 GB once left 1.3 GB of them."""
    if _trim is not None:
        _trim(0)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    kind = packing(path)
    if kind == "gzip":
        with gzip.open(path, "rb") as unzipped:
            yield unzipped  # type: ignore[misc]
    elif kind == "zip":
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive)) as member:
            yield member
    else:
        with path.open("rb") as plain:
            yield plain


def _member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        raise Unreadable("excel")
    members = [item for item in archive.infolist() if not item.is_dir() and not item.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        raise Unreadable("several_files_in_zip" if members else "empty_file")
    if members[0].flag_bits & 1:
        raise Unreadable("encrypted_zip")
    return members[0]


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8 are cp1252 in real files; the five that cp1252 lacks are taken as latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_cp1252(bytes([byte])) for byte in wrong), error.end


def _cp1252(byte: bytes) -> str:
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return byte.decode("latin-1")


codecs.register_error("claimhouse_cp1252", _as_cp1252)


def decode_mixture(data: bytes) -> str:
    """UTF-8 where it is, cp1252 where it is not."""
    return data.decode("utf-8", "claimhouse_cp1252")


def write_clean(path: Path, target: Path) -> None:
    """A copy for the reader: UTF-8, one kind of line end, the same line numbers, nothing that breaks a line."""
    decoder = codecs.getincrementaldecoder("utf-8")("claimhouse_cp1252")
    is_old_mac = not any(b"\n" in chunk for chunk in blocks(path))
    lone_return = "\n" if is_old_mac else " "
    held = ""
    with target.open("w", encoding="utf-8", newline="") as file:
        for chunk in blocks(path):
            text = held + decoder.decode(chunk)
            kept = text.rstrip("\r")
            held = text[len(kept) :]
            file.write(_cleaned(kept, lone_return))
        file.write(_cleaned(held + decoder.decode(b"", final=True), lone_return))


def _cleaned(text: str, lone_return: str) -> str:
    if "\r" in text:
        text = _RETURNS.sub("\n", text).replace("\r", lone_return)
    return _CONTROL.sub("\ufffd", text)  # stays visible, and fails whatever pattern the column has


@contextmanager
def scratch_folder(settings: Settings) -> Iterator[Path]:
    """A folder of one's own for copies that hold identities; nobody else can read it, and it always goes."""
    for folder in (settings.protected, settings.scratch):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    _remove_abandoned(settings.scratch)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=settings.scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(scratch: Path) -> None:
    """Folders of processes that were killed before they could tidy up."""
    for folder in scratch.iterdir():
        owner = folder.name.split("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
