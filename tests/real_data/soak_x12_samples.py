"""`make soak`: samples of X12 broken at random, one behind the other in one file with whole ones, every row and dollar accounted for;
and sample claims written again with tokens.

Named so that `make test` does not collect it; tests/sources/x12 holds the same of small files.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.interchange.again import claims_as_837
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import load_feed, prepare_lake, take_inventory
from tests.sources.x12.breaking import CONTRACTS, EDITS, Edit, broken, read
from tests.sources.x12.lake import KEY, OF_FILES


@settings(max_examples=2, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
@given(damages=st.lists(st.lists(EDITS, min_size=1, max_size=4), min_size=70, max_size=80))
def test_of_samples_that_are_broken_nothing_is_lost_and_nothing_counted_twice(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory, damages: list[list[Edit]]
) -> None:
    files = [path.read_bytes() for path in sorted((real_data / "x12").rglob("*")) if path.is_file()]
    samples = [data for data in files if data.startswith(b"ISA")]
    pieces = [
        broken(samples[number % len(samples)], edits, samples[number % len(samples)][105:106])
        for number, edits in enumerate(damages)
    ]
    path = tmp_path_factory.mktemp("broken") / "file"
    found = []
    # A file whose every ISA is broken would be none of X12, and set aside before it is read.
    half = [samples[0], *pieces]
    for data in (half, samples, [*half, *samples]):
        path.write_bytes(b"".join(data))
        found.append(
            {contract.feed: read(path, contract) for contracts in CONTRACTS.values() for contract in contracts}
        )
    of_pieces, of_samples, told = found
    for feed, tag in (("medical_claim", b"CLM"), ("eligibility_benefit", b"EB"), ("remittance", b"CLP")):
        segment = rb"%s\s*" + tag + rb"%s"
        whole = [re.findall(segment % (re.escape(data[105:106]), re.escape(data[3:4])), data) for data in samples]
        assert told[feed].rows >= sum(map(len, whole)) > 5
    for feed, one in told.items():
        apart = (of_pieces[feed], of_samples[feed])
        assert (one.rows, one.amount) == (sum(each.rows for each in apart), sum(each.amount for each in apart)), feed
    assert sum(one.accepted for one in told.values()) > 50


def test_every_sample_claim_that_loads_gives_the_same_rows_when_written_with_tokens_and_read_again(
    real_data: Path, tmp_path: Path
) -> None:
    # Senders of samples like to call their claims alike: each file is a sender of its own.
    files = [path for path in sorted((real_data / "x12").rglob("*837*")) if path.is_file()]
    for number, path in enumerate(files):
        land(tmp_path / "sent", f"sample_{number}", path.read_bytes())
    with duckdb.connect() as con:
        sent = rows_of(tmp_path / "sent", con, "sent")
        for (source,) in con.execute("select distinct data_source from sent_medical_claim").fetchall():
            of_source = f"where data_source = '{source}')"
            text = claims_as_837(
                con,
                f"(from sent_medical_claim {of_source}",
                f"(from sent_medical_claim_line {of_source}",
                KEY,
                "timestamp '2026-01-05 10:00'",
            )
            land(tmp_path / "again", source, text.encode())
        again = rows_of(tmp_path / "again", con, "again")
        columns = f"* exclude ({', '.join(OF_FILES)})"
        # Lines arrive where their claim's own row was set aside; without it there is no claim to write.
        for feed in ("medical_claim", "medical_claim_line"):
            expected = (
                f"select {columns} from sent_{feed} "
                "where (data_source, claim_token) in (select data_source, claim_token from sent_medical_claim)"
            )
            found = f"select {columns} from again_{feed}"
            for one, other in ((expected, found), (found, expected)):
                assert con.execute(f"select count(*) from ({one} except all {other})").fetchone() == (0,), feed
    assert sent == again == 28


def land(home: Path, source: str, data: bytes) -> None:
    folder = home / "landing" / "x12" / f"source={source}"
    folder.mkdir(parents=True)
    (folder / "837.x12").write_bytes(data)


def rows_of(home: Path, con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Claims and lines that the landed files bring, as tables; how many claims."""
    settings, contracts = Settings(home=home, quiet_seconds=0), load_contracts()
    prepare_lake(settings, contracts)
    take_inventory(settings, contracts)
    for feed in ("medical_claim", "medical_claim_line"):
        load_feed(feed, settings, contracts, KEY)
        con.execute(
            f"create table {name}_{feed} as from read_parquet('{home}/lake/raw/{feed}/*.parquet', union_by_name = true)"
        )
    (count,) = con.execute(f"select count(*) from {name}_medical_claim").fetchone() or (0,)
    return int(count)
