"""Models that are made slice by slice hold what they would hold if they were made at once."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from tests.conftest import settings_of


def test_slices_make_up_the_whole(demo_home: Path) -> None:
    settings = settings_of(demo_home)
    nodes = json.loads((settings.dbt_target / "manifest.json").read_text())["nodes"].values()
    sliced = [
        node for node in nodes if node["resource_type"] == "model" and node["config"]["meta"].get("slices", 1) > 1
    ]
    assert "fct_claim" in {node["name"] for node in sliced}
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        for node in sliced:
            compiled = next((settings.dbt_target / "compiled").rglob(f"{node['name']}.sql")).read_text()
            table = f'"{node["schema"]}"."{node["name"]}"'
            assert "getvariable('slice')" in compiled
            # No slice is named here, so the model's text reads everything. A contract may order its columns otherwise.
            columns = ", ".join(f'"{name}"' for name, *_ in con.execute(f"describe {table}").fetchall())
            for some, others in ((f"({compiled})", table), (table, f"({compiled})")):
                row = con.execute(
                    f"select count(*) from (select {columns} from {some} except all select {columns} from {others})"
                ).fetchone()
                assert row == (0,)
            con.execute("set variable slice = 1")
            part, whole = con.execute(f"select (select count(*) from ({compiled})), count(*) from {table}").fetchall()[
                0
            ]
            con.execute("reset variable slice")
            assert 0 < part < 0.75 * whole
