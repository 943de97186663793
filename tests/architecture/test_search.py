"""The search for leaked words has been seen to find one in every kind of file that a run can leave behind."""

from __future__ import annotations

import gzip
import sqlite3
import sys
import zipfile
import zlib
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from search import NotSearched, search, shortest  # noqa: E402

WORD = "Zyxcanary"


def in_log(path):
    path.write_text(f"read a row of {WORD}sson\n")


def in_log_in_capitals(path):
    path.write_text(f"read a row of {WORD.upper()}\n")


def in_utf_16(path):
    path.write_bytes(f"a row of {WORD}".encode("utf-16-be"))


def over_the_edge_of_a_block(path):
    path.write_bytes(b"\0" * ((1 << 23) - 4) + WORD.encode() + b"\0")


def in_gzip(path):
    path.write_bytes(gzip.compress(f"a,b\n1,{WORD}\n".encode()))


def in_zip_in_zip(path):
    inner = path.with_name("inner.bin")
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", WORD)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, "inner.zip")
    inner.unlink()


def in_the_name_of_a_zipped_file(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{WORD}.csv", "nothing")


def in_parquet_column(path):
    table = pa.table({"number": range(1000), "text": ["x"] * 999 + [f"m {WORD}"]})
    pq.write_table(table, path, compression="zstd", row_group_size=100, write_statistics=False)


def in_parquet_list(path):
    pq.write_table(pa.table({"texts": [["x"], ["y", f"{WORD}"]]}), path, compression="zstd", write_statistics=False)


def in_parquet_blob(path):
    pq.write_table(pa.table({"raw": [b"x", WORD.encode()]}), path, compression="zstd", write_statistics=False)


def in_parquet_metadata(path):
    table = pa.table({"number": [1]}).replace_schema_metadata({"rows of": WORD})
    pq.write_table(table, path)


def in_duckdb_table(path):
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts; create table marts.plain as select range as number from range(1000)")
        con.execute("create table marts.leaky as select 'row ' || range as text from range(100000)")
        con.execute("update marts.leaky set text = 'Zyx' || 'canary' where text = 'row 77777'")


def in_duckdb_view(path):
    with duckdb.connect(str(path)) as con:
        con.execute(f"create view leaky as select '{WORD}' as text")


def in_duckdb_comment(path):
    with duckdb.connect(str(path)) as con:
        con.execute(f"create table leaky (number integer); comment on column leaky.number is 'as of {WORD}'")


def sqlite_with(path, value):
    con = sqlite3.connect(path)
    con.execute("create table events (number integer, body)")
    con.executemany("insert into events values (?, ?)", [(number, value) for number in range(3)])
    con.commit()
    con.close()


def in_sqlite_text(path):
    sqlite_with(path, "x" * 9000 + WORD + "x" * 9000)


def in_sqlite_packed_blob(path):
    sqlite_with(path, zlib.compress(WORD.encode() * 9))


LEAKS = [
    in_log, in_log_in_capitals, in_utf_16, over_the_edge_of_a_block, in_gzip, in_zip_in_zip,
    in_the_name_of_a_zipped_file, in_parquet_column, in_parquet_list, in_parquet_blob, in_parquet_metadata,
    in_duckdb_table, in_duckdb_view, in_duckdb_comment, in_sqlite_text, in_sqlite_packed_blob,
]  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_found_when_it_lies(tmp_path, leak):
    path = tmp_path / "lake" / "file"
    path.parent.mkdir()
    leak(path)
    found = search(tmp_path, [WORD, f"{WORD}sson", "987-65-4320"])
    assert {file for file, _ in found} == {path}
    assert not any(WORD.lower() in where.lower() for _, where in found)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_nothing_is_found_when_another_word_is_sought(tmp_path, leak):
    leak(tmp_path / "file")
    assert search(tmp_path, ["Qwyjibo", "987-65-4320"]) == []


def test_a_packed_leak_shows_where_it_is_when_its_bytes_do_not_say_it(tmp_path):
    in_parquet_column(tmp_path / "rows.parquet")
    in_gzip(tmp_path / "file.csv.gz")
    places = {(path.name, where) for path, where in search(tmp_path, [WORD])}
    assert {("rows.parquet", "Parquet column text"), ("file.csv.gz", "gzip → bytes")} <= places


def test_a_full_birth_date_is_found_when_a_column_keeps_it_as_a_date(tmp_path):
    with duckdb.connect() as con:
        con.execute(f"copy (select date '1913-02-17' as born) to '{tmp_path}/p.parquet' (format parquet)")
    assert "Parquet column born" in [where for _, where in search(tmp_path, ["1913-02-17"])]


def test_a_file_name_tells_on_itself_without_its_name_being_repeated(tmp_path):
    (tmp_path / f"{WORD}.csv").write_text("nothing")
    assert [where for _, where in search(tmp_path, [WORD])] == ["file name"]


def test_landing_answers_and_the_key_are_not_searched_and_protected_is(tmp_path):
    for folder in ("landing/remittance", "answers", "protected", "quarantine"):
        (tmp_path / folder).mkdir(parents=True)
    free = {"landing/remittance/a.csv", "answers/claims.txt", "protected/token.key"}
    searched = {"protected/reply", "quarantine/q"}
    for name in free | searched:
        (tmp_path / name).write_text(WORD)
    assert {str(path.relative_to(tmp_path)) for path, _ in search(tmp_path, [WORD])} == searched


def test_a_damaged_file_is_an_error_rather_than_clean(tmp_path):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no end")
    with pytest.raises(NotSearched, match="cut.parquet"):
        search(tmp_path, [WORD])


def test_only_words_that_hold_no_other_word_are_sought():
    assert shortest(["Zyxcanary Loop", "Zyxcanary", "zyxcanaryville", "Other", ""]) == ["Other", "Zyxcanary"]
