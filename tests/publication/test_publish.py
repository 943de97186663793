"""A publication is whole, atomic, and tells what it holds."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable

from dagster_project.publication import files, publish, swap
from dagster_project.publication.marts import PublicationError
from dagster_project.settings import Settings
from tests.conftest import settings_of
from tests.publication.warehouse import make_warehouse, write_claims


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


def published(settings: Settings) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(settings.published.resolve() / "marts.duckdb"), read_only=True)


def test_a_home_with_an_apostrophe_in_its_name_is_published(tmp_path):
    settings = settings_of(tmp_path / "o'neill")
    publish.publish(settings, make_warehouse(settings), "run-1")
    with published(settings) as con:
        assert con.execute("select count(*) from fct_claim").fetchone() == (1_000,)


def test_marts_and_nothing_else_are_published_in_both_forms(settings):
    done = publish.publish(settings, make_warehouse(settings), "run-1")
    with published(settings) as con:
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        assert tables == {"fct_claim", "dim_payer"} == set(done.row_counts)
        assert con.execute("select count(*), sum(paid_amount) from fct_claim").fetchone() == (1_000, Decimal("4995.00"))
    delta = DeltaTable(settings.published.resolve() / "delta" / "fct_claim")
    assert delta.count() == 1_000 == done.row_counts["fct_claim"]
    assert {field.name: field.type.type for field in delta.schema().fields} == {
        "claim_key": "long", "paid_amount": "decimal(18,2)", "claim_start_month": "date", "loaded_at": "timestamp",
    }  # fmt: skip
    assert {path.name for path in (settings.published.resolve() / "delta").iterdir()} == tables


def test_a_mart_without_rows_is_published_without_rows(settings):
    """A house without a ledger has no document of one."""
    manifest_path = make_warehouse(settings, claims=0)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("delete from marts.dim_payer")
    done = publish.publish(settings, manifest_path, "run-1")
    assert done.row_counts == {"fct_claim": 0, "dim_payer": 0}
    with published(settings) as con:
        assert con.execute("select (select count(*) from fct_claim), (select count(*) from dim_payer)").fetchone() == (
            0,
            0,
        )
    for name in done.row_counts:
        delta = DeltaTable(settings.published.resolve() / "delta" / name)
        assert (delta.count(), len(delta.schema().fields)) == (0, {"fct_claim": 4, "dim_payer": 2}[name])
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("insert into marts.dim_payer values ('ACME', 7)")
        write_claims(con, 10)
    assert publish.publish(settings, manifest_path, "run-2").row_counts == {"fct_claim": 10, "dim_payer": 1}


def test_columns_carry_what_they_mean_when_an_analyst_opens_the_file(settings):
    publish.publish(settings, make_warehouse(settings), "run-1")
    with published(settings) as con:
        comments = dict(
            con.execute("select column_name, comment from duckdb_columns() where table_name = 'fct_claim'").fetchall()
        )
        about = con.execute("select comment from duckdb_tables() where table_name = 'fct_claim'").fetchone()
    assert about == ("One row per claim.",)
    assert comments == {
        "claim_key": "Surrogate key.", "paid_amount": "Paid, it's exact.", "claim_start_month": None, "loaded_at": None,
    }  # fmt: skip


def test_the_manifest_has_the_checksum_of_every_file_and_what_they_rest_on(settings):
    publish.publish(settings, make_warehouse(settings), "run-1")
    folder = settings.published.resolve()
    manifest = json.loads((folder / "manifest.json").read_text())
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del present["manifest.json"]
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in present.items()
    }
    assert manifest["load_ids"] == ["a-1"]
    assert manifest["token_key_versions"] == ["1"], "only keys of loads that count"
    assert {name: mart["row_count"] for name, mart in manifest["marts"].items()} == {"fct_claim": 1_000, "dim_payer": 1}
    assert manifest["publication_id"] == folder.name
    assert manifest["published_at"].endswith("+00:00")


def test_checksums_stay_right_when_files_are_linked_from_the_publication_before(settings):
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        write_claims(con, 1_001)
    second = publish.publish(settings, manifest_path, "run-2")
    assert second.linked == ("dim_payer",)
    folder = settings.published.resolve()
    for name, file in publish.read_manifest(settings)["files"].items():
        assert file["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
    assert DeltaTable(folder / "delta" / "fct_claim").count() == 1_001
    assert DeltaTable(folder / "delta" / "dim_payer").to_pyarrow_table().to_pylist() == [
        {"payer_id": "ACME", "rank": 7}
    ]


def test_nothing_is_written_again_when_nothing_changed(settings):
    manifest_path = make_warehouse(settings)
    first = publish.publish(settings, manifest_path, "run-1")
    second = publish.publish(settings, manifest_path, "run-2")
    assert second.publication_id != first.publication_id
    assert set(second.linked) == {"fct_claim", "dim_payer"}
    assert (second.path / "marts.duckdb").samefile(first.path / "marts.duckdb")


def remember(settings: Settings, load_id: str, changed_build: int, rules: str = "these") -> None:
    """What the warehouse says of fct_claim: in which build its rows last changed, and of which loads that was."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(
            "create or replace table intermediate.built as select 'fct_claim' as model, 9 as build_number, $1 as rules, $2 as changed_build",
            [rules, changed_build],
        )
        con.execute(
            "create or replace table intermediate.int_lake__changed_loads as"
            " from (values (1, 'a-1', 'medical_claim', true), (2, $1, 'medical_claim', true)) as log(build_number, load_id, feed, is_active)",
            [load_id],
        )


def test_a_mart_that_was_made_from_the_same_is_not_read_again(settings):
    """Shown by a change that only reading could find; a build's number alone says nothing, another warehouse gives it as well."""
    manifest_path = make_warehouse(settings)
    remember(settings, "b-2", changed_build=2)
    publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 0.01 where claim_key = 5")

    def linked() -> set[str]:
        return set(publish.publish(settings, manifest_path, "run-2").linked)

    assert "fct_claim" in linked()
    remember(settings, "c-2", changed_build=2)
    assert "fct_claim" not in linked()
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 0.01 where claim_key = 5")
    remember(settings, "c-2", changed_build=2, rules="others")
    assert "fct_claim" not in linked()
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("drop table intermediate.built; drop table intermediate.int_lake__changed_loads")
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 0.01 where claim_key = 5")
    assert "fct_claim" not in linked()


def test_a_mart_that_is_parted_otherwise_now_is_read_again(settings):
    manifest_path = make_warehouse(settings)
    remember(settings, "b-2", changed_build=2)
    publish.publish(settings, manifest_path, "run-1")
    manifest_path.write_text(manifest_path.read_text().replace(', "meta": {"month": "claim_start_month"}', ""))
    done = publish.publish(settings, manifest_path, "run-2")
    assert "fct_claim" not in done.linked
    assert DeltaTable(done.path / "delta" / "fct_claim").count() == 1_000


def test_a_mart_is_written_again_when_only_its_description_or_one_cent_changed(settings):
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    manifest_path.write_text(manifest_path.read_text().replace("One row per payer.", "One row per payer and year."))
    assert publish.publish(settings, manifest_path, "run-2").linked == ("fct_claim",)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 0.01 where claim_key = 5")
    assert publish.publish(settings, manifest_path, "run-3").linked == ("dim_payer",)


def test_only_the_months_that_changed_are_written_again_in_both_forms(settings):
    """One more day must not cost the writing of two years."""
    manifest_path = make_warehouse(settings)
    first = publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 1 where claim_key = 12")  # 2025-03
        con.execute("delete from marts.fct_claim where claim_key % 10 = 9")  # every row without a month
        con.execute("delete from marts.fct_claim where claim_start_month = date '2025-08-01'")
        con.execute(
            "insert into marts.fct_claim values (5000, 7.00, date '2026-01-01', timestamp '2026-01-02 00:00:00')"
        )
    second = publish.publish(settings, manifest_path, "run-2")
    folders = [done.path / "delta" / "fct_claim" for done in (first, second)]
    old, new = ({path.name: path for path in folder.glob("*.parquet")} for folder in folders)
    assert {name[:7] for name in old.keys() - new.keys()} == {"2025-03", "2025-08", "no-mont"}
    assert {name[:7] for name in new.keys() - old.keys()} == {"2025-03", "2026-01"}
    assert all(new[name].samefile(old[name]) for name in old.keys() & new.keys())
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        expected = sorted(con.execute("from marts.fct_claim").fetchall())
    with published(settings) as con:
        assert sorted(con.execute("from fct_claim").fetchall()) == expected
    delta = DeltaTable(folders[1]).to_pyarrow_table(columns=["claim_key", "paid_amount", "claim_start_month"])
    assert sorted(tuple(row.values()) for row in delta.to_pylist()) == [row[:3] for row in expected]


def test_rows_that_are_there_twice_are_published_twice_when_one_more_of_them_came(settings):
    """Rows are told apart by what they hold: of two alike that cannot say how many there are, so parts are counted."""
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("insert into marts.fct_claim from marts.fct_claim where claim_key in (12, 19)")
    publish.publish(settings, manifest_path, "run-2")
    with published(settings) as con:
        assert con.execute("select count(*) from fct_claim where claim_key in (12, 19)").fetchone() == (4,)
    assert publish.differences(settings, manifest_path) == []


def test_only_rows_that_went_or_came_are_written_in_the_file_of_all_marts(settings, monkeypatch):
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = 7 where claim_key = 12")
    told = []
    real = files._patches
    monkeypatch.setattr(files, "_patches", lambda *given: told.append(real(*given)) or told[-1])
    publish.publish(settings, manifest_path, "run-2")
    assert told == [{"fct_claim": 2, "dim_payer": 0}]
    with published(settings) as con:
        assert con.execute("select paid_amount from fct_claim where claim_key = 12").fetchall() == [(Decimal("7.00"),)]
        assert con.execute("select count(*) from fct_claim").fetchone() == (1_000,)


def test_the_file_of_all_marts_is_made_new_when_most_of_it_changed(settings):
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update marts.fct_claim set paid_amount = paid_amount + 1")
        con.execute(
            "drop table marts.dim_payer; create table marts.dim_payer as select 'ACME' as payer_id, 8::bigint as rank"
        )
    publish.publish(settings, manifest_path, "run-2")
    with published(settings) as con:
        assert con.execute("select sum(paid_amount) from fct_claim").fetchone() == (Decimal("5995.00"),)
        assert con.execute("from dim_payer").fetchall() == [("ACME", 8)]
    assert DeltaTable(settings.published.resolve() / "delta" / "dim_payer").to_pyarrow_table().to_pylist() == [
        {"payer_id": "ACME", "rank": 8}
    ]


def test_the_last_good_publication_stays_when_a_publisher_crashes_before_the_swap(settings, monkeypatch):
    manifest_path = make_warehouse(settings)
    first = publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        write_claims(con, 5)
    crash(monkeypatch, swap, "swap")
    with pytest.raises(Crash):
        publish.publish(settings, manifest_path, "run-2")
    assert settings.published.resolve() == first.path
    with published(settings) as con:
        assert con.execute("select count(*) from fct_claim").fetchone() == (1_000,)
    monkeypatch.undo()
    assert publish.publish(settings, manifest_path, "run-3").row_counts["fct_claim"] == 5


def test_what_a_crash_left_half_made_is_gone_after_the_next_publication(settings, monkeypatch):
    manifest_path = make_warehouse(settings)
    crash(monkeypatch, files, "write_delta")
    with pytest.raises(Crash):
        publish.publish(settings, manifest_path, "run-1")
    assert not settings.published.exists()
    assert [path.name for path in (settings.home / "publications").glob("*.partial")]
    monkeypatch.undo()
    publish.publish(settings, manifest_path, "run-2")
    assert not list((settings.home / "publications").glob("*.partial"))


def test_nothing_is_published_when_a_mart_is_missing_in_the_warehouse(settings):
    manifest_path = make_warehouse(settings)
    first = publish.publish(settings, manifest_path, "run-1")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("drop table marts.dim_payer")
    with pytest.raises(PublicationError, match="dim_payer is not in the warehouse"):
        publish.publish(settings, manifest_path, "run-2")
    assert settings.published.resolve() == first.path


def test_a_folder_in_the_links_place_is_left_alone_and_told(settings):
    manifest_path = make_warehouse(settings)
    (settings.published / "mine").mkdir(parents=True)
    with pytest.raises(PublicationError, match="move it away"):
        publish.publish(settings, manifest_path, "run-1")
    assert (settings.published / "mine").exists()


def test_three_publications_are_kept(settings):
    manifest_path = make_warehouse(settings)
    ids = [publish.publish(settings, manifest_path, f"run-{number}").publication_id for number in range(5)]
    kept = sorted(path.name for path in (settings.home / "publications").iterdir() if path.is_dir())
    assert kept == ids[-3:]


def test_the_visible_publication_is_kept_however_old_it_is(settings):
    manifest_path = make_warehouse(settings)
    ids = [publish.publish(settings, manifest_path, f"run-{number}").publication_id for number in range(3)]
    publications = settings.home / "publications"
    swap.swap(settings.published, publications / ids[0])
    for name in ("99999999-later", "99999999-latest"):
        (publications / name).mkdir()
    swap.prune(publications, settings.published)
    assert sorted(path.name for path in publications.iterdir() if path.is_dir()) == [
        ids[0],
        ids[2],
        "99999999-later",
        "99999999-latest",
    ]


def test_the_published_file_cannot_be_written_by_who_opens_it(settings):
    publish.publish(settings, make_warehouse(settings), "run-1")
    modes = {path.stat().st_mode & 0o222 for path in settings.published.resolve().rglob("*") if path.is_file()}
    assert modes == {0}


def test_a_difference_between_warehouse_and_publication_is_found_in_either_form(settings):
    manifest_path = make_warehouse(settings)
    publish.publish(settings, manifest_path, "run-1")
    assert publish.differences(settings, manifest_path) == []
    with duckdb.connect(str(settings.warehouse)) as con:
        write_claims(con, 999)
    assert publish.differences(settings, manifest_path) == [publish.Difference("fct_claim", 999, 1_000, 1_000)]


class Crash(RuntimeError):
    """Stands for a process that ends in the middle."""


def crash(monkeypatch: pytest.MonkeyPatch, module: object, function: str) -> None:
    def fall(*_: object, **__: object) -> None:
        raise Crash

    monkeypatch.setattr(module, function, fall)
