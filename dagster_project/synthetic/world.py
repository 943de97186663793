"""Makes the whole invented world in one temporary database and writes it to landing/ and answers/.

Belongs here: the order of things. Does not: any of the things.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.synthetic import (
    acknowledgements,
    adjudication,
    billing,
    care,
    catalog,
    cms,
    denials,
    files,
    ledger,
    money,
    people,
    pharmacy,
    reference,
    work,
    x12,
)
from dagster_project.synthetic.draws import make_macros

FIRST_YEAR = 2024
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Intensity:
    """How much happens to a member: visits and drugs as multiples of the demonstration, and how much is on record."""

    visits: float = 1.0
    drugs: int = 1
    unrecorded: float = 0.01  # share of encounters that no clinical record tells of
    # A price for each code and day: nearly as many rows as lines, which no real contract has.
    has_contract_prices: bool = True


DEMONSTRATION = Intensity()
# About 20 claims, 50 lines, 7.5 recorded encounters and 25 fills a member in 24 months: the volumes of the benchmark.
# So few encounters beside so many claims means that most care is bought from others, whose records nobody sends.
BENCHMARK = Intensity(visits=1.4, drugs=2, unrecorded=0.57, has_contract_prices=False)


def last_day(months: int) -> dt.date:
    """The last day of a world of so many months."""
    return dt.date(FIRST_YEAR + months // 12, months % 12 + 1, 1) - dt.timedelta(days=1)


def generate(
    landing: Path,
    answers: Path,
    members: int,
    seed: int,
    months: int = 24,
    ledger_error: bool | set[str] = False,
    progress: Progress | None = None,
    memory_limit: str = "2GB",
    threads: int = 2,
    intensity: Intensity = DEMONSTRATION,
    scratch: Path | None = None,
    as_x12: bool = False,
) -> dict[str, int]:
    """Writes all feeds of a world of so many members and months, the same bytes for a seed; returns rows per feed.

    `as_x12` writes claims, acknowledgements and remittances as X12 (837, 277CA, 835). `scratch` holds the world while it is made (the system's temporary folder if none is named): it holds identities.
    `ledger_error` plants faults in the finance ledger; `progress` is told (stage, done, total).
    """
    if members < 10 or not 3 <= months <= 120:
        raise ValueError(f"a world needs at least 10 members and 3 to 120 months; got {members} and {months}")
    with tempfile.TemporaryDirectory(prefix="claimhouse-world-", dir=scratch) as folder:
        con = duckdb.connect(str(Path(folder) / "world.duckdb"))
        try:
            con.execute(f"set memory_limit = '{memory_limit}'; set threads = {int(threads)}")
            con.execute(f"set temp_directory = '{folder}/spill'")
            told = progress or _silent
            return build_and_write(
                con, Path(landing), Path(answers), members, seed, months, ledger_error, told, intensity, as_x12
            )
        finally:
            con.close()


def build_and_write(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    answers: Path,
    members: int,
    seed: int,
    months: int,
    ledger_error: bool | set[str],
    progress: Progress,
    intensity: Intensity = DEMONSTRATION,
    as_x12: bool = False,
) -> dict[str, int]:
    """The same on a given connection, whose tables then are the world."""
    start, end = build_world(con, members, seed, months, progress, intensity)
    if as_x12:
        x12.leave_unsaid(con)
    progress("ledger", 0, 1)
    withheld = ledger.build_ledger(con, seed, ledger_error)
    progress("ledger", 1, 1)
    landing.mkdir(parents=True, exist_ok=True)
    written = files.write_files(con, landing, start, end, months, withheld, progress, as_x12)
    files.write_answers(con, answers)
    progress("cms", 0, 1)
    written |= cms.write_cms(landing, seed, answers=answers)
    progress("cms", 1, 1)
    return written


def build_world(
    con: duckdb.DuckDBPyConnection,
    members: int,
    seed: int,
    months: int,
    progress: Progress | None = None,
    intensity: Intensity = DEMONSTRATION,
) -> tuple[str, str]:
    """All feeds but the ledger as clean tables of a connection, named as the feeds; returns first and last day."""
    progress = progress or _silent
    start = f"{FIRST_YEAR}-01-01"
    end = last_day(months).isoformat()
    steps: list[tuple[str, list[Callable[[], None]]]] = [
        (
            "reference",
            [
                lambda: make_macros(con, seed),
                lambda: reference.make_reference(con, members),
                lambda: catalog.make_catalog(con),
                lambda: reference.write_reference_feeds(con, FIRST_YEAR, int(end[:4])),
            ],
        ),
        ("people", [lambda: people.make_people(con, members, start, end), lambda: people.write_people_feeds(con, end)]),
        (
            "care",
            [
                lambda: care.make_encounters(con, start, end, months, intensity.visits),
                lambda: care.make_services(con),
            ],
        ),
        (
            "claims",
            [
                lambda: billing.price_services(con, end),
                lambda: billing.make_authorizations(con),
                lambda: billing.make_claims(con, end),
            ],
        ),
        ("denials", [lambda: denials.judge_claims(con, months)]),
        (
            "adjudication",
            [
                lambda: adjudication.follow_up(con, end),
                lambda: adjudication.make_adjudications(con, end),
                lambda: pharmacy.make_fills(con, end, months, intensity.drugs),
            ],
        ),
        (
            "benefits",
            [
                lambda: adjudication.apply_benefits(con),
                lambda: adjudication.settle_lines(con),
                lambda: adjudication.answer_second_payers(con, end),
            ],
        ),
        (
            "feeds",
            [
                lambda: care.write_encounter_feeds(con, end, intensity.unrecorded),
                lambda: billing.write_claim_feeds(con),
                lambda: acknowledgements.write_acknowledgement_feed(con, end),
                *([lambda: billing.write_contracted_rates(con)] if intensity.has_contract_prices else []),
                lambda: adjudication.write_remittance_feeds(con),
                lambda: pharmacy.write_pharmacy_feed(con, end),
            ],
        ),
        (
            "money",
            [
                lambda: money.write_patient_accounting(con, end),
                lambda: money.write_provider_adjustments(con, end),
                lambda: money.write_remittance_advices(con),
            ],
        ),
        ("work", [lambda: work.write_work_records(con, end), lambda: work.write_scheduling_feeds(con, end)]),
    ]
    for done, (stage, parts) in enumerate(steps):
        progress(stage, done, len(steps))
        for part in parts:
            part()
    progress("work", len(steps), len(steps))
    return start, end


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
