"""Facts that grow by month hold what a build from nothing would hold, whatever arrived, changed or went in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_warehouse import Warehouse

pytestmark = pytest.mark.xdist_group("dbt_warehouse")

FACTS = ["fct_claim_line", "fct_claim_event", "fct_pharmacy_fill"]


def contents(warehouse: Warehouse) -> dict[str, tuple[object, ...]]:
    """A fact's rows, whatever their order, as a count and a sum of hashes over all columns."""
    summed = "select count(*), sum(hash(fact)::hugeint)::varchar from marts.{} as fact"
    return {fact: warehouse.rows(summed.format(fact))[0] for fact in FACTS}


def changed_months(warehouse: Warehouse, fact: str) -> list[object]:
    changed = warehouse.rows(f"select changed_month from intermediate.changed_months__{fact} order by 1")
    return [month for (month,) in changed]


def month_files(landing: Path, feed: str) -> list[Path]:
    """A feed's monthly files in their order; control totals left out, since one of the files will change."""
    for control in landing.rglob(f"{feed}_2*.ctl"):
        control.unlink()
    return sorted(path for path in landing.rglob(f"{feed}_2*") if path.is_file())


def test_incremental_facts_equal_a_full_build_when_files_arrive_and_change(
    small_world: Warehouse, tmp_path: Path
) -> None:
    landing = small_world.settings.landing
    late = [month_files(landing, feed)[-1] for feed in ("remittance", "remittance_adjustment", "pharmacy_fill")]
    for path in late:
        shutil.move(path, tmp_path / path.name)
    small_world.load()
    build = ("build", "--exclude-resource-type", "test", "unit_test", "--select", *(f"+{fact}" for fact in FACTS))
    small_world.dbt(*build)
    before = contents(small_world)

    small_world.dbt(*build)
    assert contents(small_world) == before
    assert all(changed_months(small_world, fact) == [] for fact in FACTS), "nothing arrived, and months were rewritten"

    for path in late:
        shutil.move(tmp_path / path.name, path)
    sent_again = month_files(landing, "pharmacy_fill")[0]
    cut_short = sent_again.read_bytes().splitlines(keepends=True)[:-3]
    sent_again.write_bytes(b"".join(cut_short))
    small_world.load()
    small_world.dbt(*build)
    grown = contents(small_world)
    assert grown["fct_claim_line"] != before["fct_claim_line"]
    assert grown["fct_pharmacy_fill"] != before["fct_pharmacy_fill"]
    fill_months = {
        month for (month,) in small_world.rows("select distinct incurred_month from marts.fct_pharmacy_fill")
    }
    rewritten = set(changed_months(small_world, "fct_pharmacy_fill"))
    assert rewritten and rewritten < fill_months, "only the months of the two files that changed may be rewritten"

    small_world.dbt("run", "--full-refresh", "--select", *FACTS)
    assert contents(small_world) == grown
