"""The gates before publication, each on a home in which it has something to say."""

from dagster_project.resources.gates import GATES, as_check, due_files_are_there
from dagster_project.settings import Settings
from expectations.results import FAIL, PASS


def test_every_gate_lets_the_demonstration_pass_and_has_looked_at_something(demo_settings: Settings):
    answers = {name: gate(demo_settings) for name, (_, gate) in GATES.items()}
    assert {name: answer.verdict for name, answer in answers.items()} == dict.fromkeys(GATES, PASS)
    assert all(answer.checked_count > 0 for answer in answers.values())


def test_publication_waits_when_a_file_that_was_due_never_came(home_copy: Settings):
    """No data is not a pass: of a month that is simply not there no other check has anything to say."""
    batch = sorted(path.name for path in (home_copy.landing / "remittance").glob("remittance_*.csv"))[3]
    lost = [
        path for path in (home_copy.lake / "loads").glob("remittance-*.parquet") if batch.encode() in path.read_bytes()
    ]
    assert len(lost) == 1
    lost[0].unlink()
    answer = due_files_are_there(home_copy)
    assert (answer.verdict, answer.failed_count) == (FAIL, 1)
    assert answer.cells[0]["feed"] == "remittance" and answer.cells[0]["month"] in batch
    assert not as_check(answer).passed
