"""No identity passes the landing folder: planted ones are looked for in every file that a run leaves behind."""

from pathlib import Path

import duckdb

from dagster_project.settings import Settings
from dagster_project.synthetic.canaries import canaries
from tests.architecture.search import search, search_files


def landed(settings: Settings) -> list[Path]:
    return [path for path in settings.landing.rglob("*") if path.is_file()]


def test_the_planted_identities_did_land(demo_settings: Settings):
    """A search for what was never there would prove nothing."""
    found = search_files(landed(demo_settings), canaries())
    feeds = {path.relative_to(demo_settings.landing).parts[0] for path, _ in found}
    assert {
        "member",
        "eligibility",
        "encounter",
        "medical_claim",
        "remittance",
        "pharmacy_fill",
        "patient_accounting",
    } <= feeds


def test_no_planted_identity_is_in_any_file_a_run_leaves_behind(demo_settings: Settings):
    found = search(demo_settings.home, canaries())
    assert [f"{path.relative_to(demo_settings.home)}: {where}" for path, where in found] == []


def test_a_leak_into_the_lake_the_warehouse_or_a_log_is_found(demo_settings: Settings, tmp_path: Path):
    """The accident this guards against: a column renamed in a contract, its treatment forgotten, and nobody looks."""
    word = canaries()[-1]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        con.execute("create table leaked as select 'before ' || ? || ' after' as note from range(3)", [word])
        con.execute(f"copy leaked to '{tmp_path / 'leaked.parquet'}' (format parquet, compression zstd)")
    (tmp_path / "run.log").write_text(f"failed at {word}\n")
    assert {path.name for path, _ in search(tmp_path, canaries())} == {"warehouse.duckdb", "leaked.parquet", "run.log"}


def test_the_key_is_in_no_file_but_its_own(demo_settings: Settings):
    key = (demo_settings.protected / "token.key").read_text().strip()
    assert len(key) >= 32
    assert search(demo_settings.home, [key.partition(":")[2]], skipped=["landing", "protected/token.key"]) == []


def test_the_key_file_is_its_owners_alone(demo_settings: Settings):
    assert (demo_settings.protected / "token.key").stat().st_mode & 0o077 == 0
