"""Bad files among good ones in one landing folder, loaded once: what becomes of each, and that nothing else suffers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dagster_project import cli
from dagster_project.sources import inventory
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.inventory import Inventoried, read_inventory
from dagster_project.sources.loads import LoadAudit
from tests.faults.bad_files import CANARY, CONTRACT, DAMAGED, KINDS, ROWS, Good, Kind
from tests.faults.page import PAGE, table
from tests.sources.fill_house import House, make_house

GOOD_FILES = 12


@dataclass(repr=False)
class Batch:
    """One landing folder with a file of each kind, after its load."""

    house: House
    files: dict[str, str] = field(default_factory=dict)  # kind: name in the folder of the feed
    audits: dict[str, LoadAudit] = field(default_factory=dict)  # by name in the folder
    inventory: dict[str, Inventoried] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by load, in the order of the file
    reasons: dict[str, list[tuple[int, str | None, str]]] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    house = make_house(tmp_path_factory.mktemp("bad"), fill=CONTRACT)
    folder = house.settings.landing / "fill"
    folder.mkdir(parents=True)
    batch = Batch(house)
    for number, kind in enumerate(KINDS, start=1):
        batch.files[kind.name] = kind.place(folder, number)
        # Good files lie between the bad ones, so that one which broke off the load would take some of them with it.
        if number % (len(KINDS) // GOOD_FILES) == 0:
            (folder / f"k{number:03}-good.csv").write_text(Good(f"good{number}").text())
    batch.before = contents(house.settings.landing)
    batch.audits = {audit.file_name.removeprefix("fill/"): audit for audit in house.load()}
    batch.after = contents(house.settings.landing)
    batch.inventory = {item.file_name.removeprefix("fill/"): item for item in read_inventory(house.settings)}
    for row in house.rows():
        batch.rows.setdefault(row["load_id"], []).append(row)
    for row in house.quarantine():
        told = (row["source_line_number"], row["column_name"], row["reason_code"])
        batch.reasons.setdefault(row["load_id"], []).append(told)
    yield batch


def contents(landing: Path) -> dict[str, str]:
    """Every file's bytes, and every link's target."""
    found = {}
    for path in sorted(landing.rglob("*")):
        if path.is_symlink():
            found[str(path)] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path)] = sha256(path.read_bytes()).hexdigest() + f" {path.stat().st_mtime_ns}"
        else:
            found[str(path)] = "no file"
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_bad_file_ends_as_the_catalogue_says_when(batch: Batch, kind: Kind) -> None:
    name, expected = batch.files[kind.name], kind.outcome
    audit, item = batch.audits.get(name), batch.inventory.get(name)
    if expected.state:
        assert audit is None and (item.state if item else "unseen") == expected.state
        return
    assert item is not None
    if expected.whole:
        assert (audit is not None) == expected.has_load
        reason = audit.reason_code if audit else item.reason_code
        assert reason == expected.whole and not (audit and audit.rows_read)
        if item.state == "set_aside":
            assert item.reason_code == expected.whole and item.explanation
        return
    assert audit is not None and (audit.status, audit.reason_code) == ("read", None)
    assert audit.is_conserved is not expected.breaks_control
    assert sorted(batch.reasons.get(audit.load_id, [])) == sorted(expected.aside)
    rows = batch.rows.get(audit.load_id, [])
    assert tuple(row["line_count"] for row in rows) == expected.arrive
    damaged = next((row for row in rows if row["line_count"] == DAMAGED), {})
    assert {column: damaged.get(column) for column in expected.values} == dict(expected.values)
    assert (audit.rows_accepted, audit.rows_set_aside) == (len(expected.arrive), len(expected.aside))


def test_the_catalogue_has_many_kinds_and_each_a_name_of_its_own_when_it_is_counted() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 60


def test_all_rows_of_the_good_files_arrive_when_bad_ones_lie_among_them(batch: Batch) -> None:
    good = {name: audit for name, audit in batch.audits.items() if name.endswith("-good.csv")}
    assert len(good) >= GOOD_FILES
    for audit in good.values():
        rows = batch.rows[audit.load_id]
        assert audit.is_conserved and [row["line_count"] for row in rows] == list(range(1, ROWS + 1))
        assert sum(row["paid_amount"] for row in rows) == audit.amount_accepted == Decimal("50.00")


def test_every_row_and_cent_is_accounted_for_when_files_are_read(batch: Batch) -> None:
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for one in batch.house.table("load_outcomes"):
        outcomes.setdefault(one["load_id"], []).append(one)
    for name, audit in batch.audits.items():
        if audit.status == "read":
            rows = audit.rows_accepted + audit.rows_set_aside + audit.rows_excluded
            amount = audit.amount_accepted + audit.amount_set_aside + audit.amount_excluded
            assert audit.rows_read == rows == audit.raw_row_count, name
            assert audit.amount_read == amount == audit.raw_amount, name
            told = outcomes.get(audit.load_id, [])
            assert (sum(one["row_count"] for one in told), sum(one["amount"] for one in told)) == (rows, amount), name
            assert len(batch.rows.get(audit.load_id, [])) == audit.rows_accepted, name
            assert len(batch.reasons.get(audit.load_id, [])) == audit.rows_set_aside, name


def test_no_row_is_of_a_load_that_was_not_read_when_files_are_set_aside(batch: Batch) -> None:
    read = {audit.load_id for audit in batch.audits.values() if audit.status == "read"}
    assert batch.rows.keys() | batch.reasons.keys() <= read


def test_landing_is_as_it_was_byte_for_byte_when_bad_files_were_loaded(batch: Batch) -> None:
    assert batch.before == batch.after
    assert not list(batch.house.settings.home.parent.rglob("escaped.csv")), "a zip wrote where its member's name says"
    assert not list(batch.house.settings.scratch.iterdir()), "copies with identities are gone"


def test_no_value_of_a_row_is_told_when_rows_or_files_are_set_aside(batch: Batch) -> None:
    told = [*batch.house.quarantine(), *batch.house.table("loads"), *batch.house.table("load_outcomes")]
    told += batch.house.query(f"from '{batch.house.settings.lake}/inventory.parquet'")
    told += batch.house.rows()
    assert told and CANARY.lower() not in str(told).lower()


def test_nothing_is_new_when_the_same_landing_is_loaded_again(batch: Batch) -> None:
    assert batch.house.load() == []


def test_the_others_go_on_and_the_file_is_read_later_when_it_may_not_be_read_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by its mode, since whoever tests as root may read everything."""
    house = make_house(tmp_path, fill=CONTRACT)
    house.land(Good("a").text(), "fill/good.csv")
    forbidden, look = house.land(Good("b").text(), "fill/forbidden.csv"), inventory.survey

    def survey(path: Path) -> Any:
        if path == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(inventory, "survey", survey)
    told = {audit.file_name: (audit.status, audit.reason_code) for audit in house.load()}
    assert told == {"fill/good.csv": ("read", None), "fill/forbidden.csv": ("set_aside", "no_permission")}
    monkeypatch.undo()
    assert [(audit.file_name, audit.rows_accepted) for audit in house.load()] == [("fill/forbidden.csv", ROWS)]


# Those that show before a file is copied. The small feed's columns mean nothing to the real contracts.
FROM_HAND = [
    kind for kind in KINDS if kind.group in ("the file", "packing", "encoding and line ends") and kind.outcome.whole
]
FROM_HAND = [kind for kind in FROM_HAND if kind.outcome.whole != "line_too_long"]


def test_a_person_is_told_why_and_shown_no_traceback_when_files_cannot_be_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the real contracts: `claimhouse load` of a folder of bad files, and two good ones among them."""
    home, sent = tmp_path / "home", tmp_path / "sent"
    sent.mkdir()
    header = [name for name, column in load_contracts()["pharmacy_fill"].columns.items() if column.required]
    lines = [",".join(header), ",".join("1" for _ in header)]
    good = "\n".join(lines)
    (sent / "z-good.csv").write_text(good)
    (sent / ("y" * 246 + "-good.csv")).write_text(good.replace("1", "2"))  # as long as the disk allows
    for number, kind in enumerate(FROM_HAND, start=1):
        kind.place(sent, number)
    (sent / "missing.csv").write_text(good.replace("paid_amount", "paid_amt"))
    (sent / "twice.csv").write_text("\n".join(f"{line},{line.rpartition(',')[2]}" for line in lines))
    Path(str(sent) + "/caf\udce9.csv").write_text(good.replace("1", "3"))
    monkeypatch.setenv("CLAIMHOUSE_HOME", str(home))
    code = cli.call(["load", "--source", "north", str(sent)])
    out, err = capfd.readouterr()
    assert code == 3 and "Traceback" not in out + err and CANARY not in out + err
    assert err.count("was not taken in") == len(FROM_HAND) + 3
    for kind in FROM_HAND:
        assert inventory.EXPLANATIONS.get(str(kind.outcome.whole), "no line among the first twelve") in err, kind.name
    assert "its name is not UTF-8. Rename it." in err
    assert "column 'paid_amt' is not in any layout of pharmacy_fill" in err and "Nearest: 'paid_amount'" in err
    assert "column 'paid_amount' stands more than once in its header." in err
    placed = [path.name for path in (home / "landing").rglob("*") if path.is_file()]
    assert sorted(placed) == ["y" * 246 + "-good.csv", "z-good.csv"]


def test_one_bad_file_gives_exit_code_3_and_its_reason_when_it_is_loaded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLAIMHOUSE_HOME", str(tmp_path / "home"))
    path = tmp_path / "statement.csv"
    path.write_bytes(b"%PDF-1.7")
    assert cli.call(["load", str(path)]) == 3
    assert re.search(r"^claimhouse: .*statement\.csv was not taken in: it is a PDF", capfd.readouterr().err, re.M)


def test_the_page_shows_the_catalogue_when_it_is_compared() -> None:
    """`python -m tests.faults.page` writes it."""
    assert table() in PAGE.read_text(), "docs/reliability.md is behind: python -m tests.faults.page"


def test_only_a_file_that_no_layout_fits_is_told_to_get_one(tmp_path: Path) -> None:
    """A cut gzip file was once answered with: add a layout."""
    house = make_house(tmp_path, fill=CONTRACT)
    house.land(b"\x1f\x8b\x08\x00", "fill/cut.csv.gz")
    house.land("beach,weather\nnorth,fine\n", "fill/stranger.csv")
    house.load()
    told = {item.file_name: item.explanation or "" for item in read_inventory(house.settings)}
    assert "Add a layout" in told["fill/stranger.csv"]
    assert "Add a layout" not in told["fill/cut.csv.gz"] and "Fetch it again" in told["fill/cut.csv.gz"]
