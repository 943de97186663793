"""Loads over time: again, superseded, interrupted, growing; placing files; the sender's own totals."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from fill_house import FILL, House, make_house, row, text

from dagster_project.settings import Settings
from dagster_project.sources import inventory, loads
from dagster_project.sources.loads import (
    SourceNeeded,
    UnrecognisedFile,
    UnusableWord,
    load_feed,
    place,
    prepare_lake,
    take_inventory,
)

ONE = text([row()])


def states(house: House) -> dict[str, str]:
    return {item.file_name: item.state for item in take_inventory(house.settings, house.contracts)}


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_nothing_changes_when_the_same_files_are_loaded_again(house: House) -> None:
    house.load_one(ONE)
    before = everything(house.settings.lake / "raw") | everything(house.settings.lake / "loads")
    assert house.load() == []
    assert everything(house.settings.lake / "raw") | everything(house.settings.lake / "loads") == before


def test_a_copy_brings_nothing_when_the_same_content_comes_under_another_name(house: House) -> None:
    house.load_one(ONE)
    house.land(ONE, "fill/again.csv")
    assert house.load() == [] and len(house.rows()) == 1
    assert states(house) == {"fill/fills.csv": "recognised", "fill/again.csv": "duplicate"}


def test_files_keep_the_order_of_their_names_when_several_are_read_side_by_side(house: House) -> None:
    for number in range(8):
        house.land(text([row(fill_id=f"F{number}")] * (800 if number == 0 else 1)), f"fill/fills_{number}.csv")
    loads = house.load()
    assert [load.file_name for load in loads] == [f"fill/fills_{number}.csv" for number in range(8)]
    moments = [load.loaded_at for load in loads]
    assert moments == sorted(set(moments)), "of two rows with one key the later file's counts"


def test_two_senders_are_two_sources_when_they_send_the_same_content(house: House) -> None:
    house.land(ONE, "fill/source=north/fills.csv")
    house.land(ONE, "fill/source=south/fills.csv")
    house.load()
    north, south = sorted(house.rows(), key=lambda read: read["data_source"])
    assert (north["data_source"], south["data_source"]) == ("north", "south")
    assert north["member_token"] != south["member_token"], "two senders' M1 are two people"


def test_a_new_load_supersedes_and_both_stay_visible_when_a_name_comes_with_new_content(house: House) -> None:
    first = house.load_one(ONE)
    second = house.load_one(text([row(paid_amount="99")]))
    assert (first.load_number, second.load_number) == (1, 2) and first.load_id != second.load_id
    assert {(read["load_id"], read["paid_amount"]) for read in house.rows()} == {
        (first.load_id, Decimal("12.50")),
        (second.load_id, Decimal(99)),
    }
    third = house.load_one(ONE)
    assert third.load_number == 3, "back to the first content is news as well: the second was in force"


def test_a_copy_is_read_after_all_when_its_original_is_replaced(house: House) -> None:
    house.load_one(ONE)
    house.land(ONE, "fill/again.csv")
    house.load()
    house.land(text([row(fill_id="F9")]))
    assert {audit.file_name for audit in house.load()} == {"fill/fills.csv", "fill/again.csv"}


def test_ids_of_loads_are_the_same_in_another_home_when_files_are_the_same(house: House, tmp_path: Path) -> None:
    first = house.load_one(ONE)
    house.settings = house.settings.model_copy(update={"home": tmp_path / "other"})
    assert house.load_one(ONE).load_id == first.load_id


def test_a_half_written_load_is_done_again_when_the_process_died_before_its_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.land(ONE)
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(loads, "count_file", die)
        with pytest.raises(KeyboardInterrupt):
            house.load()
    assert [item["load_id"] for item in house.table("loads")] == []
    assert not list(house.settings.scratch.iterdir())
    (audit,) = house.load()
    assert audit.is_conserved and [read["load_id"] for read in house.rows()] == [audit.load_id]


def test_a_growing_file_is_left_alone_until_it_is_quiet(house: House) -> None:
    """A writer that paused nine seconds in the middle of a line was once taken for done after one."""
    house.settings = house.settings.model_copy(
        update={"quiet_seconds": Settings(home=house.settings.home).quiet_seconds}
    )
    assert house.settings.quiet_seconds == 30
    prepare_lake(house.settings, house.contracts)
    path = house.land(ONE[:-5])
    os.utime(path, (time.time() - 9, time.time() - 9))
    began = time.perf_counter()
    assert states(house) == {"fill/fills.csv": "growing"}
    assert load_feed("fill", house.settings, house.contracts, house.key) == []
    assert time.perf_counter() - began < 5, "left, not waited for"
    path.write_text(ONE)
    os.utime(path, (time.time() - 31, time.time() - 31))
    assert states(house) == {"fill/fills.csv": "recognised"}


def test_a_placed_file_is_complete_and_need_not_grow_quiet(house: House, tmp_path: Path) -> None:
    house.settings = house.settings.model_copy(update={"quiet_seconds": 30})
    path = tmp_path / "march.csv"
    path.write_text(ONE)
    place([path], house.settings, house.contracts)
    assert [audit.rows_accepted for audit in house.load()] == [1]


def test_a_file_is_not_recorded_when_it_changes_under_the_reader(house: House) -> None:
    prepare_lake(house.settings, house.contracts)
    path = house.land(ONE)
    take_inventory(house.settings, house.contracts)
    path.write_text(text([row(fill_id="F7"), row()]))
    assert load_feed("fill", house.settings, house.contracts, house.key) == [] and house.table("loads") == []


def test_landing_is_never_changed_when_it_is_read(house: House) -> None:
    house.land(ONE)
    house.land("nothing known\n1\n", "fill/odd.csv")
    before = everything(house.settings.landing)
    house.load()
    assert everything(house.settings.landing) == before


@pytest.mark.parametrize(
    ("control", "conserved"),
    [
        ("name,value\nrow_count,1\namount,12.50\n", True),
        ("row_count,2\n", False),
        ('amount,"$12.51"\n', False),
        ("amount,12.50\n", True),
    ],
)
def test_the_senders_totals_are_checked_when_a_control_file_lies_beside(
    house: House, control: str, conserved: bool
) -> None:
    house.land(control, "fill/fills.csv.ctl")
    audit = house.load_one(ONE)
    assert audit.is_conserved is conserved and audit.status == "read"


def test_the_registry_says_whether_the_senders_totals_hold_when_lines_are_no_rows(tmp_path: Path) -> None:
    """A sender counts lines, a repeating layout makes several rows of one: comparing rows called a good file broken."""
    wide = """
  wide:
    data_source: wide
    footer: {matches: '^TOTAL', row_count: 'rows=([0-9]+)'}
    repeat: {times: 2, present: ['PAID_{n}']}
    columns: {fill_id: {concat: [ID, {repeat: number}]}, member_id: ID, fill_date: DAY, paid_amount: 'PAID_{n}'}
"""
    house = make_house(tmp_path, fill=FILL + wide)
    content = "ID,DAY,PAID_1,PAID_2\nA,2024-01-01,1.00,2.00\nB,2024-01-01,4.00,\n"
    for name, trailer, control in (
        ("silent", "", None),
        ("beside", "", "row_count,2\namount,7.00\n"),
        ("inside", "TOTAL rows=2\n", None),
        ("wrong", "", "row_count,3\namount,7.00\n"),
    ):
        house.land(content.replace("A,", f"{name},") + trailer, f"fill/{name}.csv")
        if control:
            house.land(control, f"fill/{name}.csv.ctl")
    house.load()
    told = {load["batch_id"]: (load["control_matches"], load["is_conserved"]) for load in house.table("loads")}
    assert told == {"silent": (None, True), "beside": (True, True), "inside": (True, True), "wrong": (False, False)}


def test_the_senders_amount_is_asked_of_the_feeds_that_have_it_when_one_file_feeds_several(tmp_path: Path) -> None:
    """The amount of a payer's control file was once held against the claims in the file too, which have no such column."""
    layout = "  both: {data_source: both, columns: {fill_id: ID, member_id: ID, fill_date: DAY, paid_amount: PAID}}\n"
    other = FILL.replace("feed: fill", "feed: order").replace("usd, required: true", "usd")
    person = other.replace("feed: order", "feed: person").replace("amount: paid_amount\n", "")
    bare = layout.replace(", paid_amount: PAID", "")
    house = make_house(tmp_path, fill=FILL + layout, order=other + bare, person=person + bare)
    house.land("row_count,1\namount,5.00\n", "fill/b.csv.ctl")
    house.land("ID,DAY,PAID\nA,2024-01-01,5.00\n", "fill/b.csv")
    told = {audit.feed: (audit.control_row_count, audit.control_amount, audit.is_conserved) for audit in house.load()}
    assert told == {"fill": (1, Decimal("5.00"), True), "order": (1, None, True), "person": (1, None, True)}


def test_a_file_is_set_aside_when_its_control_file_cannot_be_understood(house: House) -> None:
    house.land("row_count,many\n", "fill/fills.csv.ctl")
    assert house.load_one(ONE).reason_code == "broken_control_file"


def test_a_file_is_placed_where_its_feed_lies_with_the_operators_words_when_it_is_loaded(
    house: House, tmp_path: Path
) -> None:
    path = tmp_path / "march.csv"
    path.write_text(ONE)
    (tmp_path / "march.csv.ctl").write_text("row_count,1\n")
    (placed,) = place([path], house.settings, house.contracts, source="north")
    assert placed.target == house.settings.landing / "fill" / "source=north" / "march.csv" and placed.version == 1
    (audit,) = house.load()
    assert (audit.data_source, audit.control_row_count, audit.batch_id) == ("north", 1, "march")


def test_what_lies_in_landing_stays_and_the_later_version_counts_when_a_name_is_loaded_again(
    house: House, tmp_path: Path
) -> None:
    """Landing is the only copy of what a sender sent: loading other content under a taken name once overwrote it."""
    path = tmp_path / "march.csv"
    contents = [ONE, ONE + ONE.splitlines()[-1].replace("1", "2", 1) + "\n"]
    contents += [contents[1], ONE]
    loaded = []
    for version, content in zip([1, 2, 2, 3], contents, strict=True):
        path.write_text(content)
        (placed,) = place([path], house.settings, house.contracts)
        assert placed.version == version
        loaded.append(house.load())
    first = house.settings.landing / "fill" / "march.csv"
    assert first.read_text() == ONE and (first.parent / "version=2" / "march.csv").read_text() == contents[1]
    assert [[audit.load_number for audit in audits] for audits in loaded] == [[1], [2], [], [3]]
    states = [item.state for item in loads.read_inventory(house.settings)]
    assert states == ["replaced", "replaced", "recognised"]


def test_nothing_is_placed_and_the_nearest_is_named_when_one_file_is_unknown(house: House, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(ONE)
    bad.write_text(ONE.replace("paid_amount", "paid_amt"))
    with pytest.raises(
        UnrecognisedFile,
        match=r"(?s)bad.csv was not taken in: column 'paid_amt'.*Nearest: 'paid_amount'.*docs/add-a-layout.md",
    ):
        place([good, bad], house.settings, house.contracts)
    assert not house.settings.landing.exists()


def test_a_failure_names_the_file_and_no_value_when_the_machine_gives_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException("while reading Zebulon")

    monkeypatch.setattr(loads, "read_rows", fail)
    house.land(ONE)
    with pytest.raises(loads.LoadFailed, match="fill/fills.csv") as caught:
        house.load()
    assert "Zebulon" not in str(caught.value) and caught.value.__suppress_context__


def test_scratch_of_a_dead_process_is_removed_when_the_next_one_comes(house: House) -> None:
    abandoned = house.settings.scratch / "999999999-left"
    abandoned.mkdir(parents=True)
    (abandoned / "input").write_text(ONE)
    house.load_one(ONE)
    assert not abandoned.exists() and oct(house.settings.scratch.stat().st_mode & 0o777) == "0o700"


def test_a_small_file_costs_little_when_there_are_many(house: House) -> None:
    for number in range(25):
        house.land(text([row(fill_id=f"F{number}")]), f"fill/f{number}.csv")
    began, cpu = time.perf_counter(), os.times()
    assert len(house.load()) == 25
    spent = os.times()
    assert (spent.user + spent.system - cpu.user - cpu.system) / 25 < 0.12, (
        f"{time.perf_counter() - began:.1f} s in all"
    )


def test_a_file_set_aside_is_read_when_what_was_wrong_is_mended(house: House) -> None:
    house.land("row_count,many\n", "fill/fills.csv.ctl")
    first = house.load_one(ONE)
    assert house.load() == [], "told once"
    house.land("row_count,1\n", "fill/fills.csv.ctl")
    (second,) = house.load()
    assert (second.load_id, second.status, second.is_conserved) == (first.load_id, "read", True)
    assert [item["status"] for item in house.table("loads")] == ["read"]


def test_a_row_stays_one_row_when_its_only_identity_occurs_many_times(tmp_path: Path) -> None:
    """With one identity column the ids were once joined without being made distinct: every row came back squared."""
    visit = FILL.replace("feed: fill", "feed: visit").split("columns:")[0].replace("[fill_id]", "[line_count]")
    visit += "columns:\n" + "".join(
        line + "\n"
        for line in FILL.splitlines()
        if line.startswith(("  member_id:", "  fill_date:", "  line_count:", "  paid_amount:"))
    )
    house = make_house(tmp_path, visit=visit + "layouts:\n  claimhouse: {data_source: demo}\n")
    audit = house.load_one(
        "member_id,fill_date,line_count,paid_amount\nM1,2024-01-01,1,1\nM1,2024-01-01,2,1\n", "v.csv"
    )
    assert (audit.rows_accepted, audit.is_conserved) == (2, True) and len(house.rows("visit")) == 2


def test_a_file_is_growing_when_it_changes_while_it_is_looked_at(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_lake(house.settings, house.contracts)
    path, look = house.land(ONE), inventory.survey

    def look_while_someone_writes(file: Path) -> object:
        found = look(file)
        path.write_text(ONE + "more")
        return found

    monkeypatch.setattr(inventory, "survey", look_while_someone_writes)
    assert states(house) == {"fill/fills.csv": "growing"}


NOBODY = FILL.replace("{data_source: demo}", "{}")


def test_a_sender_is_asked_for_when_neither_layout_nor_person_says_who_it_is(tmp_path: Path) -> None:
    """Whoever sent our own layout was once silently called demo, and two hospitals' 1001 were one person."""
    house = make_house(tmp_path, fill=NOBODY)
    path = tmp_path / "march.csv"
    path.write_text(ONE)
    with pytest.raises(SourceNeeded, match=r"march.csv was not taken in: nothing says who sent it.*--source"):
        place([path], house.settings, house.contracts)
    assert house.load_one(ONE).reason_code == "no_source"
    (item,) = inventory.read_inventory(house.settings)
    assert "claimhouse load FILE --source NAME" in str(item.explanation)
    place([path], house.settings, house.contracts, source="north")
    house.load()
    assert [read["data_source"] for read in house.rows()] == ["north"]


def test_only_the_demonstrations_own_files_are_its_own_when_they_lie_in_its_landing(tmp_path: Path) -> None:
    house = make_house(tmp_path, fill=NOBODY)
    house.land(ONE, "fill/fill_2024-03.csv")
    assert states_after_prepare(house) == {"fill/fill_2024-03.csv": "set_aside"}
    house.land("what the generator says of itself\n1\n", "hospital/source=demo/hospital.csv")
    house.land(text([row(fill_id="F2")]), "fill/march.csv")
    house.load()
    assert [read["data_source"] for read in house.rows()] == ["demo"]
    found = {item.file_name: item.state for item in inventory.read_inventory(house.settings)}
    assert (found["fill/fill_2024-03.csv"], found["fill/march.csv"]) == ("recognised", "set_aside")


def states_after_prepare(house: House) -> dict[str, str]:
    prepare_lake(house.settings, house.contracts)
    return states(house)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"source": "Plan-A"}, "source 'Plan-A': use lower-case letters, digits and _"),
        ({"layout": "claimhuose"}, "there is no layout 'claimhuose'; did you mean 'claimhouse'"),
        ({"period": "20/25"}, "period '20/25'"),
    ],
)
def test_an_operators_word_is_refused_at_once_when_it_cannot_be_used(
    house: House, tmp_path: Path, words: dict[str, str], says: str
) -> None:
    path = tmp_path / "march.csv"
    path.write_text(ONE)
    with pytest.raises(UnusableWord) as caught:
        place([path], house.settings, house.contracts, **words)
    assert says in str(caught.value) and not house.settings.landing.exists()
