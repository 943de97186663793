"""The solver's own text: kept with the answer where asked for, bounded, from the threads of regions too, and nothing of it left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from optimization.pricing.cbc import cbc_version
from optimization.pricing.generate import generate
from optimization.pricing.solve import solve
from optimization.pricing.solver_log import FIRST, LAST, LONGEST, SolverLog, caught, listening, shortened


@pytest.mark.parametrize("method", ["whole", "parts"])
def test_an_answer_holds_what_highs_wrote_and_no_file_stays(method, tmp_path: Path, monkeypatch, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked = generate(30, 12, seed=3)
    answer = solve(asked, method=method, keep_log=True)
    assert "HiGHS run time" in answer.log and "Presolving model" in answer.log
    assert str(tmp_path) not in answer.log
    assert list(tmp_path.iterdir()) == []
    assert "HiGHS" not in capfd.readouterr().out  # none of it reaches the console
    if method == "parts":
        assert "Integrality" in answer.log or "MIP" in answer.log  # of a region, solved in a thread of its own
        assert "IPX" in answer.log  # of the relaxation


def test_without_being_asked_for_no_log_is_kept():
    assert solve(generate(6, 4, seed=3)).log == ""


def test_of_many_runs_the_first_and_last_are_kept_each_cut_in_its_middle():
    log = SolverLog()
    for number in range(40):
        log.add(f"begin {number} " + "x" * 50_000 + f" end {number}")
    text = log.text
    assert len(text) < (FIRST + LAST) * (LONGEST + 200)
    kept = [number for number in range(40) if f"begin {number} " in text and f"end {number}" in text]
    assert kept == [0, 1, 2, 36, 37, 38, 39]
    assert f"{40 - FIRST - LAST} runs left out" in text


def test_a_text_is_cut_only_where_it_is_longer_than_may_be():
    assert shortened("as it is", 8) == "as it is"
    assert shortened("as it is!", 8) == "as i\n… 1 characters left out …\n is!"


def test_lines_that_tell_where_the_file_of_a_moment_lay_are_not_kept():
    log = SolverLog()
    log.add('Set option log_file to "/somewhere/claimhouse-solver-1.log"\nPresolving model\n')
    assert log.text == "== run 1 of 1\nPresolving model"


def test_a_log_listens_only_while_it_is_asked_to():
    """Also where the solve fails: the next one must not write into the log of a question before it."""
    log = SolverLog()
    with pytest.raises(RuntimeError), listening(log):
        with caught() as path:
            path.write_text("heard")
        raise RuntimeError
    with caught() as path:
        assert path is None
    assert log.text == "== run 1 of 1\nheard"


@pytest.mark.skipif(cbc_version() is None, reason="CBC is not installed (Debian: coinor-cbc)")
def test_an_answer_holds_what_cbc_wrote_and_its_prices_are_those_of_highs(tmp_path: Path, monkeypatch, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked = generate(6, 4, seed=3)
    answer = solve(asked, solver="cbc", keep_log=True, gap=1e-9)
    assert answer.status == "optimal" and answer.solver == "cbc" and answer.solver_version[0].isdigit()
    assert "Welcome to the CBC MILP Solver" in answer.log and "Total time" in answer.log
    assert answer.objective == pytest.approx(solve(asked, gap=1e-9).objective, rel=1e-6)
    assert "CBC" not in capfd.readouterr().out
    assert solve(asked, solver="cbc").log == ""
