"""What nothing changed above is kept, tables and tests alike; everything else is made and asked again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from small_warehouse import Warehouse

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

# A short way down from two feeds to marts, with the tables that tell what changed.
MARTS = ("+dim_hospital_year", "+dim_payer")
BUILD = ("build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
# What is made of how loads were judged, and with it the log of changes, by which all others know. Tests of these, and of the
# lake itself, are asked again as well: there are loads in it that do not count.
ALWAYS = {"int_lake__loads", "int_lake__active_loads", "int_lake__changed_loads"}
OF_LAKE = re.compile("source_|lake__|active_loads")


def build(warehouse: Warehouse, *arguments: str) -> set[str]:
    """Which tables were made and tests asked, by the SQL that dbt writes down as run."""
    run = warehouse.settings.dbt_target / "run"
    shutil.rmtree(run, ignore_errors=True)
    warehouse.dbt(*BUILD, *arguments)
    told = {path.stem: path.read_text().strip() for path in run.rglob("*.sql")}
    return {
        name
        for name, sql in told.items()
        if not sql.startswith(("update intermediate.built", "select 0 as failures")) and "create view" not in sql
    }


def spoil(warehouse: Warehouse, statement: str) -> None:
    with duckdb.connect(str(warehouse.settings.warehouse)) as con:
        con.execute(statement)


def test_what_nothing_changed_above_is_kept_and_a_test_that_failed_is_asked_until_it_passes(
    demo_home: Path, tmp_path: Path
) -> None:
    warehouse = Warehouse(Path(shutil.copytree(demo_home, tmp_path / "home", symlinks=True)))
    spoil(warehouse, "update marts.dim_payer set payer_key = null")
    nothing = build(warehouse, "--select", *MARTS)  # a test that was asked again would fail
    assert nothing >= ALWAYS and "int_lake__repeated_rows" not in nothing
    assert {name for name in nothing if not OF_LAKE.search(name)} == set()

    hospitals = next(warehouse.settings.landing.rglob("hospital.csv*"))
    hospitals.write_bytes(b"".join(hospitals.read_bytes().splitlines(keepends=True)[:-1]))
    warehouse.load()
    of_hospitals = build(warehouse, "--select", *MARTS)
    assert {"dim_hospital_year", "key_dim_hospital_year_hospital_year_key", "int_lake__repeated_rows"} <= of_hospitals
    assert not {name for name in of_hospitals if "dim_payer" in name or "dim_drg" in name}
    held = (
        "select count(distinct build_number) from intermediate.built where model in ('dim_payer', 'dim_hospital_year')"
    )
    assert warehouse.rows(held) == [(1,)]

    spoil(warehouse, "delete from intermediate.passed where test = 'key_dim_payer_payer_key'")
    with pytest.raises(AssertionError, match="key_dim_payer_payer_key"):
        build(warehouse, "--select", "dim_payer")
    mended = build(warehouse, "--select", "dim_payer", "--full-refresh")
    assert {"dim_payer", "key_dim_payer_payer_key"} <= mended
    assert build(warehouse, "--select", "dim_payer") == set()
