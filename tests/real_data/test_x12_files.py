"""Payers' samples and the implementation guides' examples, against counts taken without our reader."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from real_lake import LoadedLake

from dagster_project.sources.x12.cells import Record, take_segments
from dagster_project.sources.x12.claims import CLAIM_LINES, CLAIMS
from dagster_project.sources.x12.envelopes import DAMAGE, find_damage, find_transactions
from dagster_project.sources.x12.payments import PAYMENT_ADJUSTMENTS, PAYMENT_LINES, PROVIDER_ADJUSTMENTS
from dagster_project.sources.x12.segments import ELEMENT, SCHEMA, NotX12, Segments


def test_files_have_the_segments_and_claims_that_plain_splitting_finds(real_data: Path) -> None:
    files = [path for path in sorted((real_data / "x12").rglob("*")) if path.is_file()]
    with_isa = [path for path in files if path.read_bytes().startswith(b"ISA")]
    assert len(files) > 60 and len(files) - len(with_isa) == 1
    for path in with_isa:
        data = path.read_bytes()
        mark, end = chr(data[3]), chr(data[105])
        tags = [text.strip().split(mark)[0] for text in data.decode("latin-1").split(end) if text.strip()]
        segments = Segments([data[:500], data[500:]])
        table = pa.Table.from_batches(list(segments.batches()), schema=SCHEMA)
        assert segments.loose_bytes == 0
        assert [text.split(ELEMENT)[0] for text in table["text"].to_pylist()] == tags
        if claims := tags.count("CLM") + tags.count("CLP"):
            assert len({unit for unit in table["unit"].to_pylist() if unit}) == claims


def plain(path: Path, *tags: str) -> list[list[str]]:
    """Elements of each segment with one of these tags, by plain splitting."""
    data = path.read_bytes()
    mark, end = chr(data[3]), chr(data[105])
    segments = (text.strip().split(mark) for text in data.decode("latin-1").split(end))
    return [elements for elements in segments if elements[0] in tags]


# Segments that make rows, counted by a regular expression, and the folders (by the word before _) whose files have them.
ROWS = {
    "medical_claim": "CLM", "medical_claim_line": "SV1|SV2", "remittance": "CLP|SVC",
    "member": "INS", "eligibility": "INS|HD", "eligibility_benefit": "EB",
}  # fmt: skip
FOLDERS = {
    "medical_claim": ("837", "claims"), "medical_claim_line": ("837", "claims"), "remittance": ("835", "edi"),
    "member": ("834",), "eligibility": ("834",), "eligibility_benefit": ("271",),
}  # fmt: skip


def found_in(path: Path, tags: str) -> int:
    data = path.read_bytes()
    mark, end = re.escape(data[3:4]), re.escape(data[105:106])
    return len(re.findall(rb"(?:^|" + end + rb")\s*(?:" + tags.encode() + rb")" + mark, data))


def read(con: duckdb.DuckDBPyConnection, path: Path, record: Record, *columns: str) -> list[tuple[str | None, ...]]:
    take_segments(con, [path.read_bytes()], record)
    found = con.execute(f"{record.statement(record.columns)} order by line, part").fetchall()
    return [tuple(cells[record.columns.index(column)] for column in columns) for _, _, _, *cells in found]


def test_every_claim_and_line_of_the_samples_is_a_row_with_the_charge_it_states(real_data: Path) -> None:
    files = [path for path in sorted((real_data / "x12").rglob("*837*")) if path.is_file()]
    assert len(files) > 30
    with duckdb.connect() as con:
        for path in files:
            sent = [(claim[1], claim[2]) for claim in plain(path, "CLM")]
            assert read(con, path, CLAIMS, "CLM01", "CLM02") == sent
            lines = [line[2] if line[0] == "SV1" else line[3] for line in plain(path, "SV1", "SV2")]
            assert [charge for (charge,) in read(con, path, CLAIM_LINES, "CHARGE")] == lines
            assert all(patient for (patient,) in read(con, path, CLAIMS, "PATIENT"))


def test_every_dollar_of_the_samples_payments_is_in_a_row(real_data: Path) -> None:
    files = [
        path for path in sorted((real_data / "x12").rglob("*835*/*")) if path.is_file() and "blue" not in path.name
    ]
    assert len(files) == 8
    with duckdb.connect() as con:
        for path in files:
            paid = read(con, path, PAYMENT_LINES, "PAID")
            assert len(paid) == len(plain(path, "CLP")) + len(plain(path, "SVC"))
            assert sum(Decimal(str(cell)) for (cell,) in paid) == sum(Decimal(claim[4]) for claim in plain(path, "CLP"))
            reasons = sum(Decimal(amount) for cas in plain(path, "CAS") for amount in cas[3::3])
            assert sum(Decimal(str(cell)) for (cell,) in read(con, path, PAYMENT_ADJUSTMENTS, "AMOUNT")) == reasons
            beside = sum(Decimal(amount) for plb in plain(path, "PLB") for amount in plb[4::2])
            assert sum(Decimal(str(cell)) for (cell,) in read(con, path, PROVIDER_ADJUSTMENTS, "AMOUNT")) == beside


def test_only_files_of_the_older_version_or_with_wrong_counts_are_damaged(real_data: Path) -> None:
    found: dict[str, set[str]] = {}
    files = [path for path in sorted((real_data / "x12").rglob("*")) if path.is_file() and "blue" not in path.name]
    kinds = {path: int(plain(path, "ST")[0][1]) for path in files}
    assert Counter(kinds.values()) == {837: 39, 835: 8, 834: 10, 271: 3, 270: 2, 276: 4, 277: 4}
    with duckdb.connect() as con:
        for path, kind in kinds.items():
            if kind in (837, 835, 834, 271):
                take_segments(con, [path.read_bytes()])
                find_transactions(con)
                find_damage(con, kind)
                reasons = con.execute(f"select distinct reason_code from {DAMAGE}").fetchall()
                if reasons:
                    found[path.relative_to(real_data / "x12").as_posix()] = {reason for (reason,) in reasons}
    older = {name for name, reasons in found.items() if reasons == {"other_version"}}
    assert len(older) == 11 and all("_004010" in name for name in older)
    # Their SE state one segment fewer, and one more, than there are. The claim of the first is whole but for the number of its
    # line (LX), which it never had; the payment of the second does not balance.
    assert {name: found[name] for name in found.keys() - older} == {
        "claims_837/sample_837_12.txt": {"missing_segment"},
        "edi_835_samples/test.835": {"wrong_segment_count"},
        "linuxforhealth/271_005010X279A1/subscriber-health-benefit-check-error.271": {"wrong_control_number"},
    }


def test_a_file_without_interchange_is_told_from_one(real_data: Path) -> None:
    with pytest.raises(NotX12, match="no_isa"):
        list(Segments([(real_data / "x12/edi_835_samples/blue_cross_nc_sample.txt").read_bytes()]).batches())


def test_every_sample_is_read_or_set_aside_with_a_reason_and_its_dollars_are_conserved(
    real_data: Path, tmp_path: Path
) -> None:
    # One sample lies there twice under two names.
    by_content = {path.read_bytes(): path for path in sorted((real_data / "x12").rglob("*")) if path.is_file()}
    files = list(by_content.values())
    folder = tmp_path / "landing" / "x12" / "source=samples"
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / f"{path.parent.name} {path.name}")
    lake = LoadedLake(tmp_path, [])
    states = Counter((item.state, item.reason_code) for item in lake.inventory)
    kinds = Counter(path.parent.name.split("_")[0] for content, path in by_content.items() if content[:3] == b"ISA")
    unwanted = sum(kinds[kind] for kind in ("270", "276", "277"))
    assert states == {
        ("set_aside", "no_isa"): 1, ("set_aside", "x12_not_wanted"): unwanted,
        ("recognised", None): len(files) - unwanted - 1,
    }  # fmt: skip
    assert lake.one(
        "select count(*) filter (where not is_conserved), count(*) filter (where status <> 'read') from loads"
    ) == (0, 0)
    assert lake.one("select count(*) filter (where raw_row_count is distinct from rows_read) from loads") == (0,)
    for name, feed, rows in lake.all("select file_name, feed, rows_read from loads"):
        if feed in ROWS:
            assert rows == found_in(lake.settings.landing / name, ROWS[feed]), (name, feed)
    counted = lake.all("select feed, count(*) from loads group by 1")
    assert {feed: count for feed, count in counted if feed in ROWS} == {
        feed: sum(kinds[kind] for kind in of) for feed, of in FOLDERS.items()
    }
    read = [path for path in files if path.read_bytes().startswith(b"ISA")]
    read = [path for path in read if path.parent.name.split("_")[0] in ("837", "835", "edi", "claims")]
    sent = {path: sum(Decimal(claim[2]) for claim in plain(path, "CLM")) for path in read}
    paid = {path: sum(Decimal(claim[4]) for claim in plain(path, "CLP")) for path in read}
    assert lake.one("select sum(amount_read) from loads where feed = 'medical_claim'") == (sum(sent.values()),)
    assert lake.one("select sum(amount_read) from loads where feed = 'remittance'") == (sum(paid.values()),)
    found = {row[0] for row in lake.all("select distinct reason_code from load_outcomes where outcome = 'set_aside'")}
    damages = {"missing_segment", "other_version", "wrong_segment_count"}
    assert found == {*damages, "duplicate_key", "missing"}
    noted = "select distinct split_part(file_name, ' ', -1), load_outcomes.reason_code from load_outcomes join loads using (load_id) where outcome = 'noted'"
    assert sorted(lake.all(noted)) == [
        ("managed-care.835", "wrong_payment_date"),
        ("sample_837_12.txt", "wrong_segment_count"),
        ("sample_837_12.txt", "wrong_transaction_count"),
        ("subscriber-health-benefit-check-error.271", "wrong_control_number"),
        ("test.835", "wrong_segment_count"),
    ]
    # Of ten enrolments two end a person's cover without the day on which it began; the others change what is no span.
    ends = "select feed, reason_code, row_count from load_outcomes where outcome = 'set_aside' and feed in ('member', 'eligibility')"
    assert sorted(lake.all(ends)) == [("eligibility", "missing", 1)] * 2
    assert lake.one("select count(*) from remittance where adjudicated_date > paid_date") == (0,)
