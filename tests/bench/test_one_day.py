"""The day that the benchmark holds back: nothing is lost, and the reader takes it as the generator's own."""

import gzip
from collections import Counter
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.inventory import DEMO
from dagster_project.sources.loads import prepare_lake, take_inventory
from dagster_project.synthetic import world
from tests.bench.one_day import hold_back

DAY = "2024-03-31"


def lines(landing: Path) -> Counter[bytes]:
    """Every line under the folder, by how often it stands there, headers left out."""
    counted: Counter[bytes] = Counter()
    for path in (path for path in landing.rglob("*.csv*") if path.suffix != ".ctl"):
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            counted.update(file.read().splitlines()[1:])
    return counted


def test_a_day_held_back_arrives_whole_and_has_a_sender(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", quiet_seconds=0)
    world.generate(settings.landing, settings.answers, members=60, seed=1, months=3, ledger_error=set())
    before = lines(settings.landing)
    moved = hold_back(settings.landing, tmp_path / "day", DAY)
    assert lines(settings.landing) + lines(tmp_path / "day") == before
    assert (
        moved["medical_claim"]
        and moved["ledger_posting"]
        and sum(lines(tmp_path / "day").values()) == sum(moved.values())
    )

    (tmp_path / "day").rename(settings.landing / "day")
    contracts = load_contracts()
    prepare_lake(settings, contracts)
    arrived = [item for item in take_inventory(settings, contracts) if item.file_name.startswith("day/")]
    assert len(arrived) == sum(1 for count in moved.values() if count)
    assert {(item.state, item.data_source) for item in arrived} == {("recognised", DEMO)}
