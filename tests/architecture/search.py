"""Looks for words in every file that a run leaves behind, however it is packed, and tells where, never what.

Belongs here: opening each kind of file to its last text. Does not: which words, and which folders may hold them.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

# Landing is where identities may be; the generator's answers name claims as they were sent, and no pipeline reads them;
# the key is a secret of its own.
SKIPPED = ("landing", "answers", "protected/token.key")
BLOCK = 1 << 23
DEEPEST = 4
NUMBERS = re.compile(r"(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))(\[\d*\])*")

Found = tuple[Path, str]


class NotSearched(RuntimeError):
    """A file could not be opened: a search that skips it would say that nothing leaked."""


def search(home: Path, words: Sequence[str], skipped: Sequence[str] = SKIPPED) -> list[Found]:
    """Every file below home that holds one of the words, with the place inside it; empty means that none does."""
    kept_out = [home / name for name in skipped]
    files = [
        path
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(folder) for folder in kept_out)
    ]
    return search_files(files, words)


def search_files(files: Sequence[Path], words: Sequence[str], depth: int = 0) -> list[Found]:
    """The places in each file: its name, its bytes, and what they unpack to. Raises NotSearched for a damaged one."""
    few = shortest(words)
    found: list[Found] = []
    parquet = []
    for path in files:
        with path.open("rb") as file:
            head = file.read(32)
        found += [(path, "file name")] if _holds(path.name, few) else []
        found += [(path, "bytes")] if in_bytes(path, few) else []
        if head[:4] == b"PAR1":
            parquet.append(path)
        else:
            with _named(path):
                found += [(path, where) for where in _inside(path, head, few, depth)]
    return sorted(found + in_parquet(parquet, few))


def _inside(path: Path, head: bytes, words: Sequence[str], depth: int) -> list[str]:
    if head[8:12] == b"DUCK":
        return in_duckdb(path, words)
    if head[:15] == b"SQLite format 3":
        return in_sqlite(path, words)
    if head[:2] == b"\x1f\x8b" or head[:4] == b"PK\x03\x04":
        return in_archive(path, words, depth)
    return []


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, sqlite3.Error, pa.ArrowException, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise NotSearched(f"{path} could not be opened: {type(error).__name__}") from error


def shortest(words: Sequence[str]) -> list[str]:
    """Words that hold another word need no search of their own."""
    kept: list[str] = []
    for word in sorted({word for word in words if word}, key=lambda word: (len(word), word)):
        if not any(known.lower() in word.lower() for known in kept):
            kept.append(word)
    return kept


def in_bytes(path: Path, words: Sequence[str]) -> bool:
    """Whether the bytes hold a word as UTF-8 or UTF-16; in files that look like text in any case of letters."""
    with path.open("rb") as file:
        is_text = b"\0" not in file.read(4096)
    spelt = [word.lower() if is_text else word for word in words]
    # Without its last byte UTF-16 reads the same in both orders of bytes.
    needles = [word.encode() for word in spelt] + [word.encode("utf-16-le")[:-1] for word in spelt]
    overlap = max((len(needle) for needle in needles), default=1)
    return any(needle in block for block in _blocks(path, overlap, is_text) for needle in needles)


def _blocks(path: Path, overlap: int, lower: bool) -> Iterator[bytes]:
    tail = b""
    with path.open("rb") as file:
        while read := file.read(BLOCK):
            block = tail + (read.lower() if lower else read)
            yield block
            tail = block[-overlap:]


def in_parquet(paths: Sequence[Path], words: Sequence[str]) -> list[Found]:
    """Columns of every row group, and the metadata. Files of one schema are read together: a run leaves thousands.

    The least and greatest values that statistics keep stand in the footer as they are, so `in_bytes` has seen them.
    """
    found: list[Found] = []
    alike: dict[str, list[Path]] = {}
    for path in paths:
        with _named(path):
            schema = pq.read_schema(path)
        alike.setdefault(schema.to_string(show_schema_metadata=False), []).append(path)
        found += [(path, "Parquet metadata")] if _holds(f"{schema.names} {schema.metadata}", words) else []
    with duckdb.connect() as con:
        for group in alike.values():
            files = ", ".join(_quoted(str(path)) for path in group)
            rows = f"read_parquet([{files}], filename = 'searched_file')"
            with _named(group[0] if len(group) == 1 else group[0].parent):
                columns = _columns_with(con, rows, words, by="searched_file")
            found += [(Path(file), f"Parquet column {name}") for file, name in columns]
    return found


def in_duckdb(path: Path, words: Sequence[str]) -> list[str]:
    """Every table's columns, and all that the catalog says: SQL of views and macros, names, comments."""
    places = []
    with duckdb.connect() as con:
        con.execute(f"attach {_quoted(str(path))} as searched (read_only)")
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'searched' order by all"
        ).fetchall()
        for schema, table in tables:
            relation = f'searched."{schema}"."{table}"'
            columns = _columns_with(con, relation, words, by="1")
            places += [f"DuckDB table {schema}.{table} column {name}" for _, name in columns]
        for catalog in ("duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_functions", "duckdb_schemas"):
            said = con.execute(f"select * from {catalog}() where database_name = 'searched'").fetchall()
            places += [f"DuckDB catalog {catalog}"] if _holds(str(said), words) else []
    return places


def _columns_with(
    con: duckdb.DuckDBPyConnection, relation: str, words: Sequence[str], by: str
) -> list[tuple[str, str]]:
    """Columns that hold a word, with the value of `by`; whole numbers and yes or no cannot hold one."""
    kinds = {name: kind for name, kind, *_ in con.execute(f"describe from {relation}").fetchall()}
    names = [name for name, kind in kinds.items() if not NUMBERS.fullmatch(kind) and name != by]
    if not names:
        return []
    pattern = _quoted("(?i)" + "|".join(re.escape(word) for word in words))
    tests = [f"coalesce(bool_or(regexp_matches({_text(name, kinds[name])}, {pattern})), false)" for name in names]
    rows = con.execute(f"select {by}, {', '.join(tests)} from {relation} group by all").fetchall()
    return [(row[0], name) for row in rows for name, holds in zip(names, row[1:], strict=True) if holds]


def _text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    # A blob as text shows bytes outside ASCII as \xNN: enough for words of letters and digits.
    return column if kind == "VARCHAR" else f"cast({column} as varchar)"


def in_sqlite(path: Path, words: Sequence[str]) -> list[str]:
    """Every value of every table that is text or bytes, zlib's included, and the SQL of the schema."""
    places = []
    con = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    con.text_factory = bytes
    try:
        schema = con.execute("select type, name, sql from sqlite_master").fetchall()
        places += ["SQLite schema"] if any(_holds_value(value, words) for row in schema for value in row) else []
        for kind, name, _ in schema:
            if kind == b"table":
                rows = con.execute('select * from "{}"'.format(name.decode().replace('"', '""')))
                if any(_holds_value(value, words) for row in rows for value in row):
                    places.append(f"SQLite table {name.decode()}")
    finally:
        con.close()
    return places


def in_archive(path: Path, words: Sequence[str], depth: int) -> list[str]:
    """What a gzip or zip unpacks to, searched as files of their own, archives in archives as well."""
    if depth >= DEEPEST:
        raise NotSearched(f"{path}: archives in archives, more than {DEEPEST} deep")
    with tempfile.TemporaryDirectory(prefix="claimhouse-search-") as folder:
        unpacked = list(_unpacked(path, Path(folder)))
        places = []
        for number, (name, file) in enumerate(unpacked):
            telling = _holds(name, words)
            shown = f"entry {number}" if telling else name
            places += [f"name of {shown}"] if telling else []
            places += [f"{shown} → {where}" for _, where in search_files([file], words, depth + 1)]
        return places


def _unpacked(path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for number, entry in enumerate(item for item in archive.infolist() if not item.is_dir()):
                target = folder / str(number)
                with archive.open(entry) as source, target.open("wb") as to:
                    shutil.copyfileobj(source, to)
                yield entry.filename, target
    else:
        target = folder / "unpacked"
        with gzip.open(path) as source, target.open("wb") as to:
            shutil.copyfileobj(source, to)
        yield "gzip", target


def _holds(text: str, words: Sequence[str]) -> bool:
    lower = text.lower()
    return any(word.lower() in lower for word in words)


def _holds_value(value: object, words: Sequence[str]) -> bool:
    if not isinstance(value, bytes):
        return False
    if any(word.lower().encode() in value.lower() for word in words):
        return True
    if any(word.encode("utf-16-le")[:-1] in value for word in words):
        return True
    try:
        return any(word.lower().encode() in zlib.decompress(value).lower() for word in words)
    except zlib.error:
        return False


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
