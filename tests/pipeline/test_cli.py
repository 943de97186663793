"""What a person types and sees: help, wrong use, exit codes, JSON, sentences instead of tracebacks."""

from __future__ import annotations

import json
import time

import pytest

from dagster_project import cli
from dagster_project.cli.terminal import DONE, FAULT, SET_ASIDE, WRONG_USE

VERBS = ["run", "ui", "demo-data", "load", "status", "reconcile", "claim", "publish", "describe"]


def test_help_is_there_at_once_and_names_every_verb_and_exit_code(claimhouse, tmp_path):
    claimhouse(tmp_path, "--help")  # the first call may compile
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = claimhouse(tmp_path, "--help")
        took.append(time.perf_counter() - began)
    assert answer.code == DONE
    assert [verb for verb in VERBS if verb not in answer.out] == []
    assert "Exit codes: 0 done, 3 input" in answer.out
    assert min(took) < 2.0, "heavy libraries belong inside the verbs"


def test_help_imports_no_heavy_library(claimhouse, tmp_path):
    """Under a second on a quiet machine: Dagster alone takes two, Great Expectations three."""
    import subprocess
    import sys

    heavy = ("dagster", "duckdb", "pyarrow", "pandas", "great_expectations")
    code = f"import sys; from dagster_project.cli import call; call(['--help']); print(set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(claimhouse, tmp_path, verb):
    answer = claimhouse(tmp_path, verb, "--help")
    assert (answer.code, answer.err) == (DONE, "")
    assert f"claimhouse {verb}" in answer.out
    assert ("--json" in answer.out) == (verb != "ui")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], ""),
        (["bogus"], "claimhouse: No such command 'bogus'.\n  See: claimhouse --help"),
        (["run", "--fast"], "claimhouse: No such option: --fast\n  See: claimhouse run --help"),
        (["describe"], "claimhouse: Missing argument 'TABLE'.\n  See: claimhouse describe --help"),
        (["demo-data", "--members", "many"], "claimhouse: Invalid value for '--members'"),
        (["load"], "claimhouse: nothing to load"),
        (["load", "/nope"], "claimhouse: /nope is not there\n  Name files or folders that are: claimhouse load FILE…"),
        (["load", "/nope", "--source", "Plan-A"], "claimhouse: source 'Plan-A': use lower-case letters, digits and _"),
        (["load", "/nope", "--layout", "lakesdie"], "claimhouse: there is no layout 'lakesdie'"),
        (["reconcile"], "claimhouse: which month?"),
        (["reconcile", "--month", "June"], "claimhouse: "),
        (["reconcile", "--month", "2025-06", "--accept"], "claimhouse: a difference is accepted by a named person"),
    ],
)
def test_wrong_use_is_told_in_a_sentence_with_what_to_do(claimhouse, tmp_path, arguments, told):
    answer = claimhouse(tmp_path, *arguments)
    assert answer.code == WRONG_USE
    assert told in answer.err
    assert "Traceback" not in answer.err + answer.out


def test_an_unknown_setting_is_refused_with_the_nearest_one(claimhouse, tmp_path):
    answer = claimhouse(tmp_path, "status", CLAIMHOUSE_TREADS="4")
    assert answer.code == WRONG_USE
    assert "unknown setting CLAIMHOUSE_TREADS; did you mean CLAIMHOUSE_THREADS?" in answer.err


def test_a_table_that_is_not_there_is_told_with_the_nearest_one(claimhouse, demo_settings):
    answer = claimhouse(demo_settings.home, "describe", "fct_clam")
    assert answer.code == WRONG_USE
    assert "no published table 'fct_clam'; did you mean fct_claim?" in answer.err


def test_describe_publish_and_reconcile_say_so_alike_when_there_is_nothing_yet(claimhouse, tmp_path):
    for arguments in (["describe", "fct_claim"], ["publish"], ["reconcile", "--month", "2025-06"]):
        answer = claimhouse(tmp_path, *arguments)
        assert answer.code == SET_ASIDE
        assert "claimhouse run" in answer.err


def test_a_fault_of_ours_names_its_kind_and_place_and_never_its_message(monkeypatch, capsys, tmp_path):
    """DuckDB's messages quote the row that would not cast; a person's name once stood in one."""

    def fall(settings):
        raise RuntimeError("Could not convert string 'Jane Canary' to DATE")

    monkeypatch.setenv("CLAIMHOUSE_HOME", str(tmp_path))
    monkeypatch.setattr("dagster_project.cli.summary.of_status", fall)
    assert cli.call(["status"]) == FAULT
    said = capsys.readouterr()
    assert "RuntimeError at" in said.err
    assert "Jane" not in said.err + said.out
    assert "Traceback" not in said.err
    with pytest.raises(RuntimeError):
        cli.call(["--debug", "status"])


def test_a_contract_that_is_wrong_is_told_in_its_own_words(monkeypatch, capsys, tmp_path):
    """A misspelt key in a mapping of one's own was called our fault, with the place in our code."""
    (tmp_path / "payer.yml").write_text("feed: payer\ngrian: One row per payer.\n")
    monkeypatch.setenv("CLAIMHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("dagster_project.sources.contracts.load_contracts.__defaults__", (tmp_path,))
    for verb in (["run"], ["load", str(tmp_path / "payer.yml")], ["ui"]):
        assert cli.call(verb) == WRONG_USE
        said = capsys.readouterr().err
        assert "claimhouse: payer.yml: " in said and "grian: unknown key; did you mean 'grain'" in said
        assert "docs/add-a-layout.md" in said and "our fault" not in said
    assert not (tmp_path / "home" / "landing").exists(), "nothing half-done"


@pytest.mark.parametrize(
    ("content", "mode", "says"), [("1:" + "k" * 64, 0o644, "chmod 600"), ("kkk", 0o600, "version:key")]
)
def test_a_key_that_cannot_be_used_is_told_before_anything_runs(claimhouse, tmp_path, content, mode, says):
    """A key file that others could read let the run go on for minutes, to 27 steps that fell over."""
    key = tmp_path / "protected" / "token.key"
    key.parent.mkdir()
    key.write_text(content)
    key.chmod(mode)
    answer = claimhouse(tmp_path, "run")
    assert answer.code == WRONG_USE
    assert answer.err.startswith("claimhouse: ") and says in answer.err and "kkk" not in answer.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [key]


def test_demonstration_files_are_not_put_among_others(claimhouse, tmp_path):
    """A second world over a first, or over a sender's files, was mixed in without a word."""
    file = tmp_path / "landing" / "payer" / "payer.csv"
    file.parent.mkdir(parents=True)
    file.write_text("payer_id\nA\n")
    answer = claimhouse(tmp_path, "demo-data", "--members", "10", "--months", "3")
    assert answer.code == WRONG_USE
    assert "holds files already" in answer.err and "CLAIMHOUSE_HOME" in answer.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_demonstration_files_are_complete_and_need_not_grow_quiet(claimhouse, tmp_path):
    answer = claimhouse(tmp_path, "demo-data", "--members", "10", "--months", "3", CLAIMHOUSE_QUIET_SECONDS="600")
    assert answer.code == DONE
    files = [path for path in (tmp_path / "landing").rglob("*") if path.is_file()]
    assert files and max(path.stat().st_mtime for path in files) <= time.time() - 600


def test_demonstration_claims_and_what_payers_say_of_them_are_written_as_x12_when_asked(claimhouse, tmp_path):
    answer = claimhouse(tmp_path, "demo-data", "--members", "20", "--months", "3", "--format", "x12", "--json")
    assert answer.code == DONE and answer.json["rows"]["medical_claim"] > 0
    folder = tmp_path / "landing" / "x12" / "source=demo"
    assert {path.name[:4] for path in folder.iterdir()} == {"837_", "835_", "277_"}
    assert not any((tmp_path / "landing" / feed).exists() for feed in ("remittance", "claim_acknowledgement"))
    assert claimhouse(tmp_path / "other", "demo-data", "--format", "edifact").code == WRONG_USE


def test_a_claim_is_written_in_no_other_form_and_not_as_of_a_day(claimhouse, tmp_path):
    for arguments in (["--as", "835"], ["--as", "837", "--as-of", "2025-05-31"]):
        assert claimhouse(tmp_path, "claim", "C1", *arguments).code == WRONG_USE
    answer = claimhouse(tmp_path, "claim", "C1", "--as", "837")
    assert answer.code != DONE and "there is no warehouse; run: claimhouse run" in answer.err


def test_files_too_young_to_be_whole_are_named_with_the_time_to_run_again(capsys, tmp_path):
    from dagster_project.cli import show, summary
    from dagster_project.sources.contracts import load_contracts
    from dagster_project.sources.loads import prepare_lake, take_inventory
    from tests.conftest import settings_of

    settings = settings_of(tmp_path).model_copy(update={"quiet_seconds": 30.0})
    file = settings.landing / "payer" / "payer.csv"
    file.parent.mkdir(parents=True)
    file.write_text("payer_id\n")
    prepare_lake(settings, load_contracts())
    take_inventory(settings, load_contracts())
    told = summary.of_status(settings)
    assert [left.file_name for left in told.left_files] == ["payer/payer.csv"]
    show.show_status(settings, told)
    said = capsys.readouterr().out
    assert "1 file left unread: younger than 30 seconds" in said and "payer/payer.csv" in said
    assert "Run again after " in said


def test_a_sender_is_asked_for_when_a_file_in_our_own_layout_comes_without_one(claimhouse, tmp_path):
    answer = claimhouse(tmp_path / "home", "load", str(payers(tmp_path)))
    assert answer.code == WRONG_USE
    assert "nothing says who sent it" in answer.err and "--source NAME" in answer.err and "set aside" not in answer.err


def test_a_long_path_stays_in_one_piece_in_a_table(claimhouse, tmp_path):
    folder = tmp_path / ("a_folder_with_a_long_name_" * 6)
    folder.mkdir()
    file = payers(folder)
    answer = claimhouse(tmp_path / "home", "load", str(folder), "--source", "north")
    assert answer.code == DONE
    assert str(file) in answer.out


def payers(folder):
    """A file in our own layout, which any sender may use."""
    file = folder / "payers.csv"
    file.write_text("payer_id,payer_name,payer_type\nA,Plan A,commercial\n")
    return file


def test_a_file_that_no_layout_knows_is_not_taken_in(claimhouse, tmp_path):
    stranger = tmp_path / "holiday.csv"
    stranger.write_text("beach,weather\nnorth,fine\n")
    answer = claimhouse(tmp_path / "home", "load", str(stranger))
    assert answer.code == SET_ASIDE
    assert answer.err.startswith("claimhouse: ")
    assert "docs/add-a-layout.md" in answer.err
    assert not [path for path in (tmp_path / "home" / "landing").rglob("*") if path.is_file()]


def test_the_other_files_of_a_folder_are_taken_in_when_one_is_unknown(claimhouse, demo_settings, tmp_path):
    folder = tmp_path / "sent"
    folder.mkdir()
    original = next((demo_settings.landing / "payer").glob("*.csv*"))
    (folder / original.name).write_bytes(original.read_bytes())
    (folder / "holiday.csv").write_text("beach,weather\nnorth,fine\n")
    answer = claimhouse(tmp_path / "home", "load", str(folder), "--source", "north")
    assert answer.code == SET_ASIDE
    assert "holiday.csv was not taken in" in answer.err and "set aside" not in answer.err
    landed = [path.name for path in (tmp_path / "home" / "landing").rglob("*") if path.is_file()]
    assert landed == [original.name]


def test_load_says_what_each_file_is_and_leaves_the_original(claimhouse, demo_settings, tmp_path):
    original = next((demo_settings.landing / "payer").glob("*.csv*"))
    answer = claimhouse(tmp_path / "home", "load", str(original.parent), "--source", "north", "--json")
    assert answer.code == DONE
    assert [(one["feeds"], one["layout"], one["version"]) for one in answer.json] == [(["payer"], "claimhouse", 1)]
    assert original.exists()
    other = tmp_path / original.name
    other.write_bytes(original.read_bytes().replace(b"\n", b"\n\n", 1))
    again = claimhouse(tmp_path / "home", "load", str(other), "--source", "north")
    assert "version 2" in again.out


def test_a_load_is_accepted_only_by_name_and_reason(claimhouse, demo_settings):
    answer = claimhouse(demo_settings.home, "load", "--accept", "payer-0000")
    assert answer.code == WRONG_USE
    assert "--by NAME --reason WHY" in answer.err


def test_run_says_what_it_made(demo_run, demo_settings):
    told = demo_run.json
    assert demo_run.code == DONE
    assert told["is_success"] is True
    assert told["waiting_loads"] == [] == told["failed_steps"]
    feeds = {feed["feed"]: feed for feed in told["feeds"]}
    assert feeds["medical_claim"]["rows_read"] > 500
    for feed in feeds.values():
        assert feed["rows_read"] == feed["rows_accepted"] + feed["rows_set_aside"] + feed["rows_excluded"], feed["feed"]
    assert sum(feed["rows_set_aside"] for feed in feeds.values()) > 0, "dirt is planted"
    assert len(told["largest_marts"]) == 10
    assert {line["account_code"] for line in told["ledger"]} >= {
        "gross_charges",
        "payer_payments",
        "medical_claims_paid",
    }
    assert sum(line["blocking"] for line in told["ledger"]) == 0
    assert told["publication"]["path"] == str(demo_settings.published)


def test_status_says_how_things_stand(claimhouse, demo_settings):
    told = claimhouse(demo_settings.home, "status", "--json").json
    assert {feed["feed"] for feed in told["feeds"]} >= {"medical_claim", "remittance", "ledger_posting"}
    assert told["runs"][0]["job"] == "everything"
    assert told["runs"][0]["status"] == "success"
    assert told["publication"]["rows"]["fct_claim"] > 0


def test_describe_tells_each_column_of_a_published_table(claimhouse, demo_settings):
    told = claimhouse(demo_settings.home, "describe", "mart_pmpm", "--json").json
    assert told["description"].startswith("One row per")
    columns = {column["column"]: column for column in told["columns"]}
    assert columns["paid_amount"]["type"] == "DECIMAL(18,2)"
    assert all(column["meaning"] for column in told["columns"])


def test_reconcile_prints_a_statement_that_can_be_signed(claimhouse, demo_settings):
    answer = claimhouse(demo_settings.home, "reconcile", "--month", "2024-05")
    assert answer.code == DONE, answer.err
    assert "LEDGER RECONCILIATION" in answer.out
    assert "Prepared by" in answer.out
    statements = json.loads(claimhouse(demo_settings.home, "reconcile", "--month", "2024-05", "--json").out)
    assert [one["is_ready_to_sign"] for one in statements] == [True]


def test_reconcile_goes_from_a_figure_to_its_claims_and_from_a_claim_to_its_lines(claimhouse, demo_settings):
    drilled = claimhouse(
        demo_settings.home,
        "reconcile",
        "--month",
        "2024-05",
        "--drill",
        "--cause",
        "tied",
        "--account",
        "payer_payments",
        "--json",
    ).json
    assert drilled["total"] > 0
    token = next(document["claim_token"] for document in drilled["documents"] if document["claim_token"])
    places = claimhouse(demo_settings.home, "reconcile", "--claim", token, "--json").json
    assert {"medical_claim", "remittance"} <= {place["feed"] for place in places}
    assert all(place["source_line_number"] > 1 for place in places)


def test_a_feed_without_money_has_no_dollars_which_is_not_none_of_them(demo_settings, claimhouse):
    feeds = {feed["feed"]: feed for feed in claimhouse(demo_settings.home, "status", "--json").json["feeds"]}
    assert feeds["eligibility"]["amount_read"] is None
    assert float(feeds["remittance"]["amount_read"]) > 0
