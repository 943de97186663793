"""The page in words: written from the published figures, both tails, quality beside the money, the same each time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.drg import PageProblem
from dagster_project.drg.blocks import Grid, Heading, Picture, Points, Words, as_html, as_markdown
from dagster_project.drg.numbers import hospital_numbers
from dagster_project.drg.shared_words import NOTICE, against_nothing, back_test_sentence
from tests.conftest import settings_of


@pytest.fixture(scope="module")
def hospital(marts: duckdb.DuckDBPyConnection) -> str:
    """One that has something in both tails of payment, or else of documentation."""
    row = marts.execute("""
        select provider_id from mart_drg_opportunity where fiscal_year = 2023 and standardized_gap_amount is not null
        group by all order by count(*) filter (standardized_gap_amount > 0 and q_value <= 0.05) > 0 desc,
            count(*) filter (standardized_gap_amount < 0 and q_value <= 0.05) desc, 1 limit 1""").fetchone()
    assert row
    return str(row[0])


def one(marts: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = marts.execute(sql).fetchone()
    assert row
    return row


def test_a_hospitals_page_says_what_the_marts_say_when_asked(claimhouse, demo_home: Path, marts, hospital: str) -> None:
    answer = claimhouse(demo_home, "drg", "report", "--provider", hospital)
    assert answer.code == 0, answer.err
    plain, gap, low, high, found = one(
        marts,
        f"""select plain_gap_amount, standardized_gap_amount, standardized_gap_low_amount, standardized_gap_high_amount, found_count
        from mart_opportunity_ranking where area_level = 'hospital' and area_code = '{hospital}' and line_level = 'all' and fiscal_year = 2023""",
    )
    for figure in (f"{plain:,.0f} USD", f"{gap:,.0f} USD ({low:,.0f} to {high:,.0f})", f"{found} are found below"):
        assert figure in answer.out
    assert (
        answer.out.startswith("# ")
        and f"({hospital})" in answer.out.splitlines()[0]
        and "DY2023" in answer.out.splitlines()[0]
    )
    sections = re.findall(r"^## (.+)$", answer.out, re.MULTILINE)
    assert [section.split(":")[0].split(",")[0] for section in sections] == [
        "In short", "Payment below expectation", "The other tail", "Documentation", "Quality beside the money", "How far to trust this",
        "What is not known",
    ]  # fmt: skip


def test_every_page_says_that_no_billing_was_improper_when_written(
    claimhouse, demo_home: Path, hospital: str, tmp_path: Path
) -> None:
    for what in (("--provider", hospital), ("--drg", "871")):
        out = claimhouse(demo_home, "drg", "report", *what).out
        file = tmp_path / "page.html"
        assert claimhouse(demo_home, "drg", "report", *what, "--html", str(file)).code == 0
        for text in (out, file.read_text()):
            assert NOTICE in text
            assert "only" in text and "supports may be coded" in text
            assert "beds" in text.split("What is not known")[1]


def test_a_drgs_page_says_what_the_marts_say_when_asked(claimhouse, demo_home: Path, marts) -> None:
    answer = claimhouse(demo_home, "drg", "report", "--drg", "871", "--year", "2016")
    assert answer.code == 0, answer.err
    hospitals, stays, plain = one(
        marts,
        """select count(*), sum(discharges_count), sum(plain_gap_amount) from mart_drg_opportunity
        where drg_code = '871' and fiscal_year = 2016""",
    )
    (mean,) = one(
        marts,
        """select average_medicare_payment_amount from mart_drg_benchmarks
        where drg_code = '871' and fiscal_year = 2016 and benchmark_level = 'nation' and statistic = 'mean'""",
    )
    assert f"{hospitals} hospitals with {stays:,} published discharges" in answer.out
    assert f"below the national mean: {plain:,.0f} USD" in answer.out
    assert f"mean {mean:,.0f}, median" in answer.out
    assert "Above the peers' 80th percentile" in answer.out and "Below the peers' median" in answer.out


def test_the_page_is_the_same_to_the_byte_when_written_twice(
    claimhouse, demo_home: Path, hospital: str, tmp_path: Path
) -> None:
    pages = []
    for name in ("one.html", "two.html"):
        claimhouse(demo_home, "drg", "report", "--provider", hospital, "--html", str(tmp_path / name))
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1] and b"data:image/png;base64," in pages[0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "a hospital or a DRG"),
        (("--provider", "100007", "--drg", "871"), 2, "a hospital or a DRG"),
        (("--provider", "999999"), 2, "no published payment has provider_id '999999'"),
        (("--drg", "871", "--year", "1999"), 2, "it is for: demo 2023"),
        (("--drg", "871", "--source", "other"), 2, "it is for: demo 2023"),
    ],
)
def test_wrong_use_is_told_with_what_to_do_when_asked_wrongly(
    claimhouse, demo_home: Path, arguments, code: int, words: str
) -> None:
    answer = claimhouse(demo_home, "drg", "report", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err and "claimhouse drg report --" in answer.err


def test_nothing_published_is_no_wrong_use_when_a_page_is_asked(claimhouse, tmp_path: Path) -> None:
    answer = claimhouse(tmp_path, "drg", "report", "--drg", "871")
    assert answer.code == 3 and "nothing is published" in answer.err and "claimhouse run" in answer.err


def test_a_file_that_cannot_be_written_is_told_when_html_is_asked(claimhouse, demo_home: Path, tmp_path: Path) -> None:
    answer = claimhouse(demo_home, "drg", "report", "--drg", "871", "--html", str(tmp_path / "none" / "page.html"))
    assert answer.code == 2 and "cannot write" in answer.err


def test_the_source_with_the_most_hospitals_is_taken_when_none_is_named(demo_home: Path, hospital: str) -> None:
    numbers = hospital_numbers(settings_of(demo_home), hospital, year=None, source=None)
    assert (numbers.period.data_source, numbers.period.fiscal_year) == ("demo", 2023)
    with pytest.raises(PageProblem, match="it is for"):
        hospital_numbers(settings_of(demo_home), hospital, year=2011, source=None)


def test_words_follow_the_interval_when_a_gap_is_told() -> None:
    assert against_nothing(1, 3, 2) == "below what is expected, chance aside"
    assert against_nothing(-3, -1, -2) == "above what is expected, chance aside"
    assert against_nothing(-1, 3, 1) == "not to be told from nothing"
    assert against_nothing(None, None, None) == "cannot be told"


def test_a_verdict_is_told_in_its_own_words_when_years_are_compared() -> None:
    row = {
        "measure": "payment", "yardstick": "attributes", "earlier_year": 2011, "later_year": 2016, "hospital_count": 1909, "slope": 0.2,
        "slope_low": 0.1, "slope_high": 0.3, "chance_slope": 0.2, "reversed_slope": 0.3, "error_if_it_stays": 0.08, "error_if_it_closes": 0.12,
    }  # fmt: skip
    told = {
        verdict: back_test_sentence({**row, "verdict": verdict})
        for verdict in ("more_than_chance", "less_than_chance", "no_more_than_chance")
    }
    assert "foretold no more than regression to the mean does" in told["no_more_than_chance"]
    assert "foretold the change beyond chance" in told["more_than_chance"]
    assert len({*told.values()}) == 3
    assert "by 8.0 %" in told["more_than_chance"]
    assert "by 8.0 points" in back_test_sentence({**row, "measure": "severe_share", "verdict": "more_than_chance"})


def test_blocks_look_alike_in_both_forms_and_nothing_of_a_name_is_read_as_html() -> None:
    blocks = [
        Heading("A <b> & C", 1), Words("One."), Points(("two", "three")), Grid(("name", "n"), (("x|y <z>", "1,000"),)), Picture("cells", "gaps"),
    ]  # fmt: skip
    assert as_markdown(blocks) == (
        "# A <b> & C\n\nOne.\n\n- two\n- three\n\n| name    |     n |\n|---------|------:|\n| x/y <z> | 1,000 |\n"
    )
    page = as_html(blocks, {"cells": b"png"})
    assert "<h1>A &lt;b&gt; &amp; C</h1>" in page and "x|y &lt;z&gt;" in page and 'alt="gaps"' in page
    assert "<img" not in as_html(blocks, {})
