"""`make bench`: the pipeline from files to published marts at full scale, one more day, and the floor; docs/performance.md.

Belongs here: the stages, in order. Does not: how a stage is measured (measure), the floor itself (floor), how a day is
held back (one_day), the page's words (page).

MEMBERS=… makes it smaller, and its page stays in that folder; BENCH=FOLDER says where (about 40 GB for the default, removed by whoever wants it gone).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.settings import REPOSITORY, Settings
from dagster_project.sources.inventory import DEMO
from dagster_project.synthetic.world import last_day
from expectations.calendar import expect_until
from tests.bench import page as performance
from tests.bench.measure import Taken, Watched, watch
from tests.bench.one_day import hold_back

MEMBERS, MONTHS, SEED = 120_000, 24, 1
LEAST_MEMBERS, LEAST_MONTHS = 10, 3
LAST_DAY = "2025-12-31"
CLAIMHOUSE = str(Path(sys.executable).with_name("claimhouse"))
STAGES = ("reading", "warehouse", "answers", "checks", "publication")


@dataclass(frozen=True)
class Stage:
    """One line of the page."""

    name: str
    taken: Taken
    rows: int
    byte_count: int


def main() -> None:
    members = int(os.environ.get("MEMBERS", MEMBERS))
    root = Path(os.environ.get("BENCH", "bench-data")).resolve()
    settings = Settings(home=root / "home")
    root.mkdir(parents=True, exist_ok=True)
    results = root / "results.json"
    before = json.loads(results.read_text()) if results.exists() else {}
    told: dict[str, Any] = {
        "members": members, "months": MONTHS, "commit": _commit(), "day": time.strftime("%Y-%m-%d"),
        "generator": _commit("HEAD:dagster_project/synthetic"),
    }  # fmt: skip

    def keep(name: str, measured: dict[str, Any] | None) -> None:
        """At once, so that a bench that ends early has not measured for nothing."""
        told[name] = measured
        results.write_text(json.dumps(told, indent=1, default=str))

    # A world of another generator lacks what the warehouse asks for since.
    if (root / "day").exists() and all(before.get(word) == told[word] for word in ("members", "generator")):
        keep("generation", before.get("generation"))
    else:
        for folder in (settings.landing, root / "day"):
            shutil.rmtree(folder, ignore_errors=True)
        keep("generation", _generate(root, settings, members))
    for folder in ("lake", "dagster", "publications", "quarantine"):
        shutil.rmtree(settings.home / folder, ignore_errors=True)
    settings.warehouse.unlink(missing_ok=True)
    settings.published.unlink(missing_ok=True)
    _take_day_back(root, settings)
    keep("start", _start(root))
    keep("floor", _floor(root, settings))
    keep("whole", _run(root, settings, "whole"))
    if not told["whole"]["is_published"]:
        raise SystemExit(f"the whole run published nothing; see {root / 'whole.log'}")
    shutil.copytree(root / "day", settings.landing, dirs_exist_ok=True)
    keep("day_more", _day(root, settings) | {"day_bytes": _bytes(root / "day")})
    if told["day_more"]["rows_read"] <= told["whole"]["rows_read"]:
        raise SystemExit("the day's files were not read: its figures would be those of a run with nothing new")
    keep("nothing_new", _run(root, settings, "nothing"))
    page = performance.page_of("performance.md", members == MEMBERS, root)
    page.write_text(performance.page(told))
    print("\n".join(performance.table(told)))
    print(f"written: {page}")


def _take_day_back(root: Path, settings: Settings) -> None:
    """A bench that runs again begins without the day that the one before put in."""
    for path in (root / "day").rglob("*"):
        if path.is_file():
            (settings.landing / path.relative_to(root / "day")).unlink(missing_ok=True)


def _generate(root: Path, settings: Settings, members: int) -> dict[str, Any]:
    seen = _write_world(root, settings, members, MONTHS, "generation")
    expect_until(settings, DEMO, dt.date.fromisoformat(LAST_DAY), "the world of the benchmark")
    day = root / "day.unfinished"
    shutil.rmtree(day, ignore_errors=True)
    hold_back(settings.landing, day, LAST_DAY)
    day.rename(root / "day")
    return asdict(Stage("generation", seen.whole(), 0, _bytes(settings.landing) + _bytes(root / "day")))


def _write_world(root: Path, settings: Settings, members: int, months: int, name: str) -> Watched:
    code = (
        "import sys; from pathlib import Path; from dagster_project.synthetic import world; "
        "world.generate(Path(sys.argv[1]), Path(sys.argv[2]), members=int(sys.argv[3]), months=int(sys.argv[4]), "
        f"seed={SEED}, intensity=world.BENCHMARK, ledger_error=set(), memory_limit='3GB')"
    )
    given = [str(settings.landing), str(settings.answers), str(members), str(months)]
    return _watched([sys.executable, "-c", code, *given], root, settings, name)


def _start(root: Path) -> dict[str, Any]:
    """What a run costs that has next to nothing to do: the smallest world there is, run once more with nothing new."""
    settings = Settings(home=root / "start")
    shutil.rmtree(settings.home, ignore_errors=True)
    _write_world(root, settings, LEAST_MEMBERS, LEAST_MONTHS, "start-generation")
    expect_until(settings, DEMO, last_day(LEAST_MONTHS), "the smallest world")
    _run(root, settings, "start-first")
    return _run(root, settings, "start")


def _floor(root: Path, settings: Settings) -> dict[str, Any]:
    target = root / "floor"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    command = [sys.executable, "-m", "tests.bench.floor", str(settings.landing), str(target)]
    seen = _watched(command, root, settings, "floor")
    rows = duckdb.sql(f"select count(*) from read_parquet('{target}/*.parquet', union_by_name = true)").fetchone()
    return asdict(Stage("floor", seen.whole(), rows[0] if rows else 0, _bytes(target)))


def _run(root: Path, settings: Settings, name: str) -> dict[str, Any]:
    seen = _watched([CLAIMHOUSE, "run", "--json"], root, settings, name, may_exit=(0, 3))
    told = json.loads(seen.output[seen.output.index("{") :])
    run_id = told["run_id"]
    steps, models = _steps(settings, run_id)
    stages = {
        stage: _merged(seen, [span for key, span in steps.items() if _stage_of(key) == stage]) for stage in STAGES
    }
    return {
        "whole": asdict(seen.whole()),
        "exit_code": seen.exit_code,
        "stages": {stage: asdict(taken) for stage, taken in stages.items()},
        "models": models,
        "rows_read": sum(tally["rows_read"] for tally in told["feeds"]),
        "is_published": told["is_success"],
        "bytes": {
            "lake": _bytes(settings.lake),
            "warehouse": settings.warehouse.stat().st_size,
            "published": _bytes(settings.published.resolve()) if settings.published.exists() else 0,
        },
        "rows": _mart_rows(settings),
    }


def _day(root: Path, settings: Settings) -> dict[str, Any]:
    """One more day: its files are read, judged and accepted (arrive), then the run builds and publishes."""
    arrived = asdict(_watched([sys.executable, "-m", "tests.bench.arrive"], root, settings, "arrival").whole())
    run = _run(root, settings, "day")
    for taken in (run["whole"], run["stages"]["reading"]):
        taken["seconds"] += arrived["seconds"]
        taken["cpu_seconds"] += arrived["cpu_seconds"]
        taken["peak_bytes"] = max(taken["peak_bytes"], arrived["peak_bytes"])
    return run


def _stage_of(step: str) -> str:
    if step.startswith(("raw__", "lake")) and "." not in step:
        return "reading"
    if step.startswith("warehouse"):
        return "warehouse"
    if step.startswith(("pricing__", "ml__")):
        return "answers"
    return "publication" if step.startswith("published") else "checks"


def _steps(settings: Settings, run_id: str) -> tuple[dict[str, tuple[float, float]], list[tuple[str, float]]]:
    """When each step of a run began and ended, and how long dbt took for each model, longest first."""
    os.environ.update(settings.environment())
    from dagster import DagsterEventType, DagsterInstance

    with DagsterInstance.from_config(str(settings.dagster)) as instance:
        stats = instance.get_run_step_stats(run_id)
        steps = {one.step_key: (one.start_time, one.end_time) for one in stats if one.start_time and one.end_time}
        records = instance.get_records_for_run(
            run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION, limit=1_000
        ).records
    models = []
    for record in records:
        event = record.event_log_entry.get_dagster_event().event_specific_data.materialization
        seconds = event.metadata.get("Execution Duration") or event.metadata.get("seconds")
        if seconds is not None and event.asset_key.path[0] in ("staging", "intermediate", "marts", "seeds"):
            models.append((event.asset_key.path[-1], round(float(seconds.value), 2)))
    return steps, sorted(models, key=lambda model: -model[1])


def _merged(seen: Watched, spans: list[tuple[float, float]]) -> Taken:
    parts = [seen.between(*span) for span in spans]
    return Taken(
        round(sum(part.seconds for part in parts), 1),
        round(sum(part.cpu_seconds for part in parts), 1),
        max((part.peak_bytes for part in parts), default=0),
    )


def _watched(
    command: list[str], root: Path, settings: Settings, name: str, may_exit: tuple[int, ...] = (0,)
) -> Watched:
    print(f"{name} …", flush=True)
    environment = {"CLAIMHOUSE_HOME": str(settings.home), "CLAIMHOUSE_QUIET_SECONDS": "0"}
    seen = watch(command, environment, REPOSITORY, root / f"{name}.log")
    if seen.exit_code not in may_exit:
        raise SystemExit(f"{name} ended with {seen.exit_code}; see {root / f'{name}.log'}")
    taken = seen.whole()
    print(f"  {taken.seconds:.1f} s, {taken.cpu_seconds:.1f} CPU-s, {taken.peak_bytes / 2**30:.2f} GiB", flush=True)
    return seen


def _mart_rows(settings: Settings) -> dict[str, int]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return dict(
            con.execute("select table_name, estimated_size from duckdb_tables() where schema_name = 'marts'").fetchall()
        )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _commit(of: str = "HEAD") -> str:
    return subprocess.run(
        ["git", "-C", str(REPOSITORY), "rev-parse", "--short", of], capture_output=True, text=True, check=False
    ).stdout.strip()


if __name__ == "__main__":
    main()
