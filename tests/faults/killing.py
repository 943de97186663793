"""Runs `claimhouse run` up to a chosen moment, seen from outside by what has appeared on disk, and kills it.

Belongs here: the moments, and the killing. Does not: what must hold afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import CLAIMHOUSE

POLL_SECONDS = 0.004
LONGEST_SECONDS = 600
DBT_LOG = Path("dagster", "dbt", "target", "dbt.log")


@dataclass(frozen=True)
class Moment:
    """Between reading and publication: what has just happened, and how it shows. `with_children` kills dbt as well."""

    name: str
    has_come: Callable[[Path], bool]
    with_children: bool = True


def loads(home: Path) -> int:
    return sum(path.name != "_schema.parquet" for path in (home / "lake" / "loads").glob("*.parquet"))


def said_by_dbt(word: str) -> Callable[[Path], bool]:
    def has_come(home: Path) -> bool:
        log = home / DBT_LOG
        return log.exists() and any(
            f".{word} " in line and " OK created " in line for line in log.read_text().splitlines()
        )

    return has_come


def in_partial(name: str) -> Callable[[Path], bool]:
    return lambda home: any((home / "publications").glob(f"*.partial/{name}"))


MOMENTS = (
    Moment("the landing folder has been looked through", lambda home: (home / "lake" / "inventory.parquet").exists()),
    Moment("a first file of rows is in the lake", lambda home: any((home / "lake" / "raw").glob("*/*-*.parquet"))),
    Moment("ten loads are recorded", lambda home: loads(home) >= 10),
    Moment("a first load has been judged", lambda home: any((home / "lake" / "admissions").glob("*-*.parquet"))),
    Moment("half of the loads are recorded", lambda home: loads(home) >= 90),
    Moment("the warehouse has a file", lambda home: (home / "warehouse.duckdb").exists()),
    Moment("claims have lines", said_by_dbt("int_claim__lines"), with_children=False),
    Moment("claims have events", said_by_dbt("fct_claim_event"), with_children=False),
    Moment("the books are matched", said_by_dbt("int_finance__matched")),
    Moment("checks are in the warehouse", said_by_dbt("mart_data_quality")),
    Moment("a publication has begun", in_partial("delta/*/*.parquet")),
    Moment("the marts' file is being written", in_partial("marts.duckdb")),
    Moment("a publication is whole and not yet visible", in_partial("manifest.json")),
)


def start(home: Path, output: Path | None = None) -> subprocess.Popen[bytes]:
    """`claimhouse run` in a process group of its own; `output` takes what a person would see."""
    (home / DBT_LOG).unlink(missing_ok=True)  # it would tell of an earlier run
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLAIMHOUSE_", "DAGSTER_", "DBT_"))
    }
    with (output or Path(os.devnull)).open("wb") as said:
        return subprocess.Popen(
            [CLAIMHOUSE, "run"],
            env={**inherited, "CLAIMHOUSE_HOME": str(home), "CLAIMHOUSE_QUIET_SECONDS": "0"},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def comes(home: Path, moment: Moment, process: subprocess.Popen[bytes]) -> bool:
    """Waits for the moment; False where the run ended before it came."""
    end = time.monotonic() + LONGEST_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if moment.has_come(home):
            return True
        time.sleep(POLL_SECONDS)
    return False


def run_until(home: Path, moment: Moment) -> bool:
    """Starts a run and kills it when the moment has come; False where the run ended before it came."""
    process = start(home)
    has_come = comes(home, moment, process)
    if process.poll() is None:
        (os.killpg if moment.with_children else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    return has_come
