"""`make bench-pricing`: price lists by the textbook's model with CBC and HiGHS, and by ours; writes docs/pricing-speed.md.

Belongs here: what is run, in which order, under which limits, and the page. Does not: the textbook's model (pricing_textbook),
instances from the real IPPS file (pricing_ipps), how a process is measured (measure).

SMALL=1 leaves out the large instances, and its page stays in bench-data; BENCH=FOLDER says where. Every run is a process of its
own, which says how long it took from the instance in memory to the checked answer; memory is the process's whole. Ours run first:
how long CBC is given follows from them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.settings import REPOSITORY
from optimization.pricing.instance import Instance, rules
from tests.bench.measure import watch
from tests.bench.page import page_of

GAP = 1e-4
SEED = 7
FOLDER = Path(os.environ.get("CLAIMHOUSE_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
SHARED = [
    "providers_20_procedures_50",
    "providers_100_procedures_50",
    "providers_300_procedures_50",
    "providers_1000_procedures_300",
]
LARGE = {"providers_1000_procedures_300", "generated:3000:150", "generated:3000:300", "ipps"}
OURS_LIMIT = 300.0
LARGE_PAIRS = 20_000
# How long the textbook is given (seconds). With CBC: fifty times what ours took on 100 × 50, at least a minute.
TEXTBOOK_HIGHS = {
    "providers_20_procedures_50": 60.0,
    "providers_100_procedures_50": 240.0,
    "providers_300_procedures_50": 60.0,
}
TEXTBOOK_CBC = {"providers_20_procedures_50": 60.0, "providers_100_procedures_50": 0.0}
PAGE = "pricing-speed.md"


@dataclass(frozen=True)
class Run:
    """One solve: which way, of what, and what came of it."""

    way: str
    instance: str
    told: dict[str, Any]
    peak_bytes: int

    @property
    def seconds(self) -> float:
        return float(self.told["seconds"])


def instance_of(name: str) -> Instance:
    """A shared, generated or real instance by its name."""
    if name.startswith("generated:"):
        from optimization.pricing.generate import generate

        _, providers, procedures = name.split(":")
        return generate(int(providers), int(procedures), seed=SEED)
    if name == "ipps":
        from tests.bench.pricing_ipps import country

        return country(FOLDER / "cms_ipps" / "fy2016_provider_drg.csv.gz")
    from optimization.pricing.forms import read

    return read(next((FOLDER / "pricing").glob(f"{name}.json*")))


def main() -> None:
    small = "SMALL" in os.environ
    folder = Path(os.environ.get("BENCH", "bench-data")).resolve() / "pricing"
    folder.mkdir(parents=True, exist_ok=True)
    written, found = page_of(PAGE, not small, folder), []
    todo = [(way, name, limit) for way, name, limit in _plan() if _is_there(name) and (not small or name not in LARGE)]
    while todo:
        way, name, limit = todo.pop(0)
        if way == "textbook-cbc" and not limit:
            limit = max(60.0, 50 * found[1].seconds)
        found.append(_measured(way, name, limit, folder))
        # After each run, so that a bench that is ended early leaves a page, which says what it lacks.
        written.write_text(page(found, [f"{way} {name}" for way, name, _ in todo]), encoding="utf-8")
    print(written.read_text())
    print(f"written: {written}")


def _plan() -> list[tuple[str, str, float]]:
    """What is run, in this order: what the aims are about first, the largest last."""
    small = SHARED[:3]
    plan = [("ours", name, OURS_LIMIT) for name in small]
    plan += [("textbook-highs", name, limit) for name, limit in TEXTBOOK_HIGHS.items()]
    if _has_cbc():
        plan += [("textbook-cbc", name, limit) for name, limit in TEXTBOOK_CBC.items()]
    plan += [("again", name, OURS_LIMIT) for name in SHARED[1:3]]
    plan += [("ours", SHARED[3], OURS_LIMIT), ("build", SHARED[3], OURS_LIMIT), ("again", SHARED[3], OURS_LIMIT)]
    return plan + [("ours", name, OURS_LIMIT) for name in ["generated:3000:150", "ipps", "generated:3000:300"]]


def _is_there(name: str) -> bool:
    if name == "ipps":
        return (FOLDER / "cms_ipps" / "fy2016_provider_drg.csv.gz").exists()
    return name.startswith("generated:") or any((FOLDER / "pricing").glob(f"{name}.json*"))


def _has_cbc() -> bool:
    from optimization.pricing.cbc import cbc_version

    return cbc_version() is not None


def _measured(way: str, name: str, limit: float, folder: Path) -> Run:
    print(f"{time.strftime('%H:%M:%S')} {way} {name}, at most {limit:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        seen = watch(
            [sys.executable, "-m", "tests.bench.pricing", way, name, str(limit)], {}, REPOSITORY, Path(scratch) / "log"
        )
    if seen.exit_code:
        raise RuntimeError(seen.output)
    return Run(way, name, json.loads(seen.output.strip().splitlines()[-1]), seen.whole().peak_bytes)


def ours(name: str, limit: float) -> dict[str, Any]:
    """Our solve of an instance in memory, the check included."""
    from optimization.pricing.solve import solve

    asked = instance_of(name)
    cpu = time.process_time()
    answer = solve(asked, time_limit=limit, gap=GAP)
    return {
        "pairs": len(asked.pairs),
        "seconds": answer.seconds,
        "cpu_seconds": time.process_time() - cpu,
        "objective": answer.objective,
        "bound": answer.best_bound,
        "gap": answer.relative_gap,
        "finished": answer.status == "optimal",
        "status": answer.status,
        "nodes": answer.nodes,
        "method": answer.method,
        "findings": len(answer.findings),
        "target": str(asked.objective.type),
    }


def textbook(name: str, limit: float, solver: str) -> dict[str, Any]:
    """The textbook's model through Pyomo."""
    from tests.bench.pricing_textbook import run_textbook

    asked = instance_of(name)
    cpu = os.times()
    told = run_textbook(asked, solver, limit, GAP)
    now = os.times()
    gap = None
    # CBC that the clock ended tells Pyomo a bound of about zero, which is none.
    if told["objective"] is not None and (told["bound"] or 0.0) > 1e-6 * abs(told["objective"]):
        gap = (told["objective"] - told["bound"]) / abs(told["objective"])
    spent = now.user + now.system + now.children_user + now.children_system
    return {**told, "gap": gap, "pairs": len(asked.pairs), "cpu_seconds": spent - (cpu.user + cpu.system)}


def again(name: str, limit: float) -> dict[str, Any]:
    """The first solve, and solves after one change, started from its answer: seconds of each, and whether within the gap."""
    from optimization.pricing.solve import solve

    asked = instance_of(name)
    spread = asked.of("regional_spread")
    first = solve(asked, time_limit=limit, gap=GAP)
    assert first.spend is not None
    target = float(first.spend)
    changes = {
        "a target that the list meets": asked.with_rules(
            rules("savings_target", ["target"], np.zeros((1, 0)), high=target * 1.01)
        ),
        "every spread cap 10 % wider": asked.with_rules(replace(spread, high=spread.high * 1.1)),
        "one spread cap a fifth narrower": asked.eased({str(spread.ids[0]): -0.2 * float(spread.high[0])}),
        "every spread cap 2 % narrower": asked.with_rules(replace(spread, high=spread.high * 0.98)),
    }
    if len(asked.pairs) > LARGE_PAIRS:  # a first solve takes minutes, and so does a change that moves every region
        changes = {what: changed for what, changed in changes.items() if "every" not in what}
    told = {}
    for what, changed in changes.items():
        answer = solve(changed, time_limit=limit, gap=GAP, warm_start=first)
        told[what] = {
            "seconds": answer.seconds,
            "status": answer.status,
            "gap": answer.relative_gap,
            "method": answer.method,
        }
    return {"pairs": len(asked.pairs), "seconds": first.seconds, "changes": told}


def built(name: str, limit: float) -> dict[str, Any]:
    """Seconds to build the model by Pyomo and as arrays."""
    from optimization.pricing.hull import build
    from optimization.pricing.model import model

    asked = instance_of(name)
    began, cpu = time.perf_counter(), time.process_time()
    arrays = build(asked)
    as_arrays, arrays_cpu = time.perf_counter() - began, time.process_time() - cpu
    began, cpu = time.perf_counter(), time.process_time()
    model(asked)
    return {
        "pairs": len(asked.pairs),
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "array_seconds": as_arrays,
        "array_cpu_seconds": arrays_cpu,
        "rows": arrays.matrix.shape[0],
        "columns": arrays.matrix.shape[1],
    }


def page(found: list[Run], left: list[str]) -> str:
    """docs/pricing-speed.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    solves = [run for run in found if run.way in ("ours", "textbook-highs", "textbook-cbc")]
    lines = [
        "# How fast price lists are found",
        "",
        f"Measured by `make bench-pricing` on {time.strftime('%Y-%m-%d')} at commit {commit.stdout.strip()}, on {os.cpu_count()} "
        f"cores, to a relative gap of {GAP:.2%}. Written by the bench itself. Seconds run from the instance in memory to the answer, building and, for "
        "ours, the check in decimals included; other work may share the machine, so compare within this page, and CPU-seconds "
        "rather than seconds. The textbook's model (tests/bench/pricing_textbook.py: big-M bands, a row for each two pairs of a "
        "family) goes through Pyomo. Shared instances are those of `../shared/data/pricing`; generated ones are feasible by "
        f"construction (seed {SEED}); `ipps` is all hospitals and DRGs of the public IPPS file of 2016 under an invented scenario.",
        "",
        "| way | instance | pairs | seconds | CPU-seconds | gap | within the gap asked for | nodes | peak memory |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(run) for run in solves),
        "",
        *([f"Ended before: {', '.join(left)}.", ""] if left else []),
        "Nodes of HiGHS through Pyomo are not told by that interface. A gap of “no list” means that the time ended before any.",
        "",
        "## Solved again after a change",
        "",
        "Started from the first answer (`warm_start`), seconds against those of the first solve:",
        "",
        "| instance | change | against the first solve | gap | by |",
        "|---|---|---|---|---|",
    ]
    for run in (run for run in found if run.way == "again"):
        for what, told in run.told["changes"].items():
            gap = "none" if told["gap"] is None else f"{told['gap']:.6%}"
            lines.append(
                f"| {run.instance} | {what} | {told['seconds'] / run.seconds:.2f} | {gap} | {told['method']} |"
            )
    lines += ["", "## Against the aims", "", *_aims(found)]
    return "\n".join(lines) + "\n"


def _row(run: Run) -> str:
    told = run.told
    without = "no list" if told["objective"] is None else "a list, no bound"
    gap = without if told["gap"] is None else f"{told['gap']:.6%}"
    nodes = "" if told["nodes"] < 0 else f"{told['nodes']:,}"
    return (
        f"| {run.way} | {run.instance} | {told['pairs']:,} | {told['seconds']:.1f} | {told['cpu_seconds']:.1f} | {gap} "
        f"| {'yes' if told['finished'] else 'no'} | {nodes} | {run.peak_bytes / 2**30:.2f} GiB |"
    )


def _aims(found: list[Run]) -> list[str]:
    by = {(run.way, run.instance): run for run in found}
    lines = []

    def aim(text: str, is_met: bool) -> None:
        lines.append(f"- {text}: {'met' if is_met else 'missed'}")

    mine, other = by.get(("ours", SHARED[1])), by.get(("textbook-highs", SHARED[1]))
    if mine and other:
        ratio = mine.seconds / other.seconds
        ended = "to the same gap" if other.told["finished"] else "which had not come to the gap by then"
        aim(
            f"100 × 50 to 0.01 % in a twentieth of textbook and HiGHS: {ratio:.4f} of its {other.seconds:.0f} s, {ended}",
            ratio <= 0.05,
        )
    cbc = by.get(("textbook-cbc", SHARED[1]))
    if mine and cbc:
        times = cbc.seconds / mine.seconds
        how = "had finished" if cbc.told["finished"] else "had not finished"
        aim(
            f"textbook and CBC {how} after {times:.0f} times ours (aim: not in fifty)",
            not cbc.told["finished"] and times >= 50,
        )
    for name, seconds, size in ((SHARED[2], 20, None), (SHARED[3], 180, 4)):
        run = by.get(("ours", name))
        if run:
            text = f"{name} to 0.01 %: {run.seconds:.0f} s (aim {seconds})"
            fits = size is None or run.peak_bytes <= size * 2**30
            text += "" if size is None else f", {run.peak_bytes / 2**30:.1f} GiB (aim {size})"
            aim(text, bool(run.told["finished"]) and run.seconds <= seconds and fits)
    for run in (run for run in found if run.way == "again"):
        parts = {what: told["seconds"] / run.seconds for what, told in run.told["changes"].items()}
        worst = max(parts, key=lambda what: parts[what])
        aim(
            f"{run.instance} again in a tenth, whatever changed: at worst {parts[worst]:.2f} ({worst})",
            parts[worst] <= 0.1,
        )
    for run in (run for run in found if run.way == "build"):
        pairs = run.told["pairs"]
        aim(
            f"{pairs:,} pairs built by way of Pyomo: {run.seconds:.1f} s, {run.told['cpu_seconds']:.1f} of CPU (aim 20)",
            run.seconds < 20,
        )
        aim(
            f"{pairs:,} pairs built as arrays: {run.told['array_seconds']:.2f} s (aim 2)", run.told["array_seconds"] < 2
        )
    return lines


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["ours", name, limit]:
            print(json.dumps(ours(name, float(limit))))
        case ["textbook-highs", name, limit]:
            print(json.dumps(textbook(name, float(limit), "highs")))
        case ["textbook-cbc", name, limit]:
            print(json.dumps(textbook(name, float(limit), "cbc")))
        case ["again", name, limit]:
            print(json.dumps(again(name, float(limit))))
        case ["build", name, limit]:
            print(json.dumps(built(name, float(limit))))
