"""The files: by month, the same for the same seed, with damage in known places and nothing true lost."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from pathlib import Path

import duckdb
import pytest

from dagster_project.synthetic import canaries, generate
from dagster_project.synthetic.canaries import CANARY_ID_PREFIXES, CANARY_NOTE, CANARY_PEOPLE
from dagster_project.synthetic.dirt import DIRT, dirt_sql, to_mixed_encoding
from dagster_project.synthetic.draws import make_macros


def _bytes_of(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _planted(landed, where: str = "true") -> list[tuple]:
    return duckdb.sql(f"""select feed, file, row, kind
        from '{landed.answers}/planted_errors.parquet' where {where} order by all""").fetchall()


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(tmp_path):
    for name, seed, threads in (("a", 3, 2), ("b", 3, 1), ("c", 4, 2)):
        generate(tmp_path / name, tmp_path / name / "answers", members=60, seed=seed, months=4, threads=threads)
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")
    other = _hashes(tmp_path / "c")
    same = [
        name
        for name, digest in _hashes(tmp_path / "a").items()
        if name.startswith("medical_claim") and other.get(name) == digest
    ]
    assert same == []


def test_every_feed_is_written_by_month_when_it_has_one(landed):
    assert len(list((landed.landing / "medical_claim").glob("medical_claim_20??-??.csv"))) == 24
    assert len(list((landed.landing / "medical_claim_line").glob("*.csv.gz"))) == 24
    assert (landed.landing / "payer" / "payer.csv").exists()
    assert (landed.landing / "pharmacy_fill" / "pharmacy_fill_2024-02_resent.csv").read_bytes() == (
        landed.landing / "pharmacy_fill" / "pharmacy_fill_2024-02.csv"
    ).read_bytes()


def test_a_row_lies_in_the_month_it_was_sent_when_files_are_read(landed):
    out = duckdb.sql(f"""
        select count(*), count(*) filter (strftime(try_cast(paid_date as date), '%Y-%m') <> regexp_extract(filename,
            '\\d{{4}}-\\d{{2}}'))
        from read_csv('{landed.landing}/remittance/*.csv', all_varchar = true, filename = true)
            where claim_id not like 'DIRT%'""").fetchall()[0]
    assert out[0] > 1000
    assert out[1] == 0


def test_planted_damage_is_on_the_line_that_the_answers_name(landed):
    rows = _planted(landed, "row is not null and kind <> 'invalid_diagnosis'")
    assert {kind for *_, kind in rows} == {
        "duplicate_row",
        "broken_amount",
        "impossible_date",
        "missing_required",
        "unknown_code",
        "wrong_field_count",
    }
    files: dict[str, list[list[str]]] = {}
    for feed, file, line, kind in rows:
        if file not in files:
            files[file] = list(csv.reader(io.StringIO(_bytes_of(landed.landing / feed / file).decode())))
        header, fields, above = files[file][0], files[file][line - 1], files[file][line - 2]
        if kind == "wrong_field_count":
            assert len(fields) != len(header)
        elif kind == "duplicate_row":
            assert fields == above
        else:
            assert len(fields) == len(header)
            assert any(field.startswith("DIRT-") for field in fields)
            assert fields != above


def test_little_is_damaged_when_shares_are_taken_by_file(landed):
    counts: dict[tuple[str, str], int] = {}
    for feed, file, *_ in _planted(landed, "row is not null and kind <> 'invalid_diagnosis'"):
        counts[feed, file] = counts.get((feed, file), 0) + 1
    for (feed, file), count in counts.items():
        assert count / _bytes_of(landed.landing / feed / file).count(b"\n") < 0.03


# rows per thousand of a file, stated again here: whoever changes an amount changes it knowingly
BROKEN_PER_THOUSAND = {
    "medical_claim": 0.7,
    "medical_claim_line": 0.4,
    "remittance": 0.3,
    "remittance_adjustment": 0.3,
    "encounter": 0.7,
    "encounter_diagnosis": 0.5,
    "pharmacy_fill": 0.7,
    "patient_accounting": 0.7,
    "work_record": 0.7,
    "eligibility": 0.7,
    "member": 0.7,
    "scheduled_service": 0.7,
}


@pytest.mark.parametrize(("feed", "broken"), BROKEN_PER_THOUSAND.items())
def test_each_kind_of_damage_has_its_known_amount_when_a_file_is_long(feed, broken):
    plan = DIRT[feed]
    con = duckdb.connect()
    make_macros(con, 1)
    columns = [plan.key, *dict.fromkeys(column for column, _ in plan.broken.values() if column != plan.key)]
    con.execute(f"""create table w_file as select 0 as month_number, i as rn, 200000 as file_rows,
        {", ".join(f"'value' as {name}" for name in columns)} from range(1, 200001) numbers(i)""")
    counts = dict(con.execute(f"select dirt_kind, count(*) from ({dirt_sql(feed, columns)}) group by 1").fetchall())
    assert set(counts) == {"duplicate_row", *plan.broken}
    for kind, count in counts.items():
        # two draws of one place make one damaged row
        drawn = 200 * (1.0 if kind == "duplicate_row" else broken)
        assert drawn - 2 <= count <= drawn


def test_each_kind_of_damage_is_there_once_when_a_file_is_short(landed):
    counts = {
        (feed, file, kind): count
        for feed, file, kind, count in duckdb.sql(f"""select feed, file, kind, count(*)
            from '{landed.answers}/planted_errors.parquet' group by all""").fetchall()
    }
    long_enough = 0
    for feed, plan in DIRT.items():
        for path in sorted((landed.landing / feed).glob("*.csv*")):
            if path.suffix != ".ctl" and "resent" not in path.name and feed != "member":
                lines = _bytes_of(path).count(b"\n")
                kinds = ["duplicate_row", *plan.broken] if lines > 420 else []
                long_enough += len(kinds)
                assert [counts.get((feed, path.name, kind), 0) for kind in kinds] == [1] * len(kinds), path.name
    assert long_enough > 100
    assert sum(counts[key] for key in counts if key[2] == "wrong_field_count") % 2 == 0
    assert sum(counts[key] for key in counts if key[2] == "resent_file") == 1


def test_control_totals_are_those_of_the_file_when_a_sender_gives_them(landed):
    path = landed.landing / "remittance" / "remittance_2025-03.csv"
    control = dict(csv.reader((path.parent / (path.name + ".ctl")).read_text().splitlines()))
    rows, amount = duckdb.sql(f"""select count(*), sum(paid_amount::decimal(18, 2))
        from read_csv('{path}', all_varchar = true)""").fetchall()[0]
    assert (int(control["row_count"]), control["amount"]) == (rows, str(amount))


def test_the_provider_file_mixes_encodings_when_written(landed):
    content = (landed.landing / "provider" / "provider.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert any(
        "é" in line.decode("utf-8", "ignore") or "í" in line.decode("utf-8", "ignore") for line in content.split(b"\n")
    )


def test_no_character_is_lost_when_encodings_are_mixed(tmp_path):
    path = tmp_path / "provider.csv"
    path.write_text("name\nMüller & Sœur\nPeña\nPlain\n", encoding="utf-8")
    to_mixed_encoding(path)
    lines = [b"\xef\xbb\xbfname", "Müller & Sœur".encode("cp1252"), "Peña".encode(), b"Plain", b""]
    assert path.read_bytes().split(b"\n") == lines


def test_one_file_has_windows_lines_when_written(landed):
    content = (landed.landing / "patient_accounting" / "patient_accounting_2024-03.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") > 10


def test_every_canary_lands_when_members_are_written(landed):
    paths = [path for path in landed.landing.rglob("*.csv*") if path.suffix != ".ctl"]
    everything = b"\n".join(_bytes_of(path) for path in paths).decode("utf-8", "replace")
    for person in CANARY_PEOPLE:
        for text in person:
            assert text in everything, text
    assert CANARY_NOTE in everything
    missing = [prefix for prefix in CANARY_ID_PREFIXES if prefix not in everything and prefix != "ZYXAUT"]
    assert missing == []
    assert set(CANARY_ID_PREFIXES) <= set(canaries())


def test_identities_of_others_are_not_canaries_when_searched(landed):
    members = (landed.landing / "member" / "member.csv").read_text()
    assert members.count("ZYXMEM") == len(CANARY_PEOPLE)


def test_the_answers_are_complete_when_claims_are_compared(landed):
    claims = duckdb.sql(f"select * from '{landed.answers}/claims.parquet'")
    assert {"claim_id", "denial_probability", "is_denied", "denial_category"} <= set(claims.columns)
    missing = duckdb.sql(f"""
        select count(*) from read_csv('{landed.landing}/remittance/*.csv', all_varchar = true)
        where claim_id not like 'DIRT%' and claim_id not in (select claim_id
            from '{landed.answers}/claims.parquet')""").fetchall()[0][0]
    assert missing == 0
    waiting = duckdb.sql(f"""
        select count(*) from read_csv('{landed.landing}/medical_claim/*.csv', all_varchar = true, ignore_errors = true)
        where claim_status = 'in_preparation' and claim_id not like 'DIRT%' and claim_id not in (select claim_id
            from '{landed.answers}/claims.parquet')
        """).fetchall()[0][0]
    assert waiting == 0


def test_a_withheld_file_is_not_written_when_the_ledger_says_so(tmp_path, monkeypatch):
    from dagster_project.synthetic import ledger

    monkeypatch.setattr(ledger, "build_ledger", lambda con, seed, error: [("remittance", "2024-03")] if error else [])
    generate(tmp_path / "landing", tmp_path / "answers", members=60, seed=3, months=4, ledger_error=True)
    names = {path.name for path in (tmp_path / "landing" / "remittance").iterdir()}
    assert "remittance_2024-03.csv" not in names
    assert "remittance_2024-02.csv" in names


def test_a_world_is_refused_when_it_is_too_small(tmp_path):
    with pytest.raises(ValueError, match="at least 10 members"):
        generate(tmp_path / "landing", tmp_path / "answers", members=3, seed=1)


def test_progress_is_told_when_a_world_is_made(tmp_path):
    told: list[tuple[str, int, int]] = []
    generate(
        tmp_path / "landing",
        tmp_path / "answers",
        members=20,
        seed=1,
        months=3,
        progress=lambda *step: told.append(step),
    )
    assert {"people", "care", "files"} <= {stage for stage, _, _ in told}
    assert all(0 <= done <= total for _, done, total in told)
