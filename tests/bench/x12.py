"""`make bench-x12`: claims a second and peak memory of reading 837 and 835, beside the fastest libraries; docs/x12-speed.md.

Belongs here: what is run, in which order, and the page. Does not: how a process is measured (measure), the files (x12_files).

CLAIMS=20000 makes it smaller, and its page stays beside the files; BENCH=FOLDER says where. Every reading runs in a process of its own, which says how long the
reading took (its imports left out); memory is the process's whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dagster_project.settings import REPOSITORY
from tests.bench.measure import watch
from tests.bench.page import page_of
from tests.bench.x12_files import repeat_file

# The middle file; how many times smaller the small one is, and how many times over the large one, which is for memory, holds it.
CLAIMS, SMALLER, TIMES = 200_000, 4, 3
# Claims of 837 that the slow library gets. x12sdk gets none: it ends at the first line of several days (DTP 472 RD8).
CUT = {"pyx12": 5_000}
AIMS = {837: 15_000, 835: 40_000}
AIM_BYTES = 1 << 30
NOISE = 0.05  # by how much the peaks of two runs over one file may differ
PAGE = "x12-speed.md"


@dataclass(frozen=True)
class Read:
    """One reading of one file."""

    reader: str
    kind: int
    claims: int
    seconds: float
    peak_bytes: int

    @property
    def rate(self) -> float:
        return self.claims / self.seconds


def main() -> None:
    claims = int(os.environ.get("CLAIMS", CLAIMS))
    folder = Path(os.environ.get("BENCH", "bench-data")).resolve() / "x12"
    sizes = [claims // SMALLER, claims]
    cuts = {name: min(cut, claims) for name, cut in CUT.items()}
    subprocess.run(
        [sys.executable, "-m", "tests.bench.x12", "files", str(folder), *map(str, [*cuts.values(), *sizes])], check=True
    )
    found = []
    for kind in (837, 835):
        repeat_file(folder / f"{kind}_{claims}.x12", folder / f"{kind}_{claims * TIMES}.x12", TIMES)
        found += [_measured("claimhouse", kind, size, folder) for size in [*sizes, claims * TIMES]]
    found += [_measured("oxedi", 835, size, folder) for size in sizes]
    found += [_measured(name, 837, cut, folder) for name, cut in cuts.items()]
    written = page_of(PAGE, claims == CLAIMS, folder)
    written.write_text(page(found), encoding="utf-8")
    print(written.read_text())
    print(f"written: {written}")


def _measured(reader: str, kind: int, claims: int, folder: Path) -> Read:
    path = folder / f"{kind}_{claims}.x12"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "tests.bench.x12", reader, str(path), scratch]
        seen = watch(command, {}, REPOSITORY, Path(scratch) / "log")
        if seen.exit_code:
            raise RuntimeError(seen.output)
    told = json.loads(seen.output.strip().splitlines()[-1])
    if told["claims"] != claims:
        raise RuntimeError(f"{reader} read {told['claims']} of {claims} claims")
    return Read(reader, kind, claims, told["seconds"], seen.whole().peak_bytes)


def read_with_claimhouse(path: Path, scratch: Path) -> None:
    """Everything that a run does with a landed file until its typed rows are in the lake, for each feed that it feeds."""
    from dagster_project.privacy.keys import TokenKey
    from dagster_project.settings import Settings
    from dagster_project.sources.contracts import load_contracts
    from dagster_project.sources.loads import load_feed, prepare_lake, read_inventory, take_inventory

    settings = Settings(home=scratch / "home", quiet_seconds=0, memory_limit="512MB")
    target = settings.landing / "x12" / "source=bench" / path.name
    target.parent.mkdir(parents=True)
    shutil.copyfile(path, target)
    contracts, key = load_contracts(), TokenKey("1", b"a key of the benchmark, 32 bytes or more")
    prepare_lake(settings, contracts)
    began = time.perf_counter()
    take_inventory(settings, contracts)
    (item,) = read_inventory(settings)
    audits = {feed: load_feed(feed, settings, contracts, key)[0] for feed in item.feeds}
    seconds = time.perf_counter() - began
    _say(
        seconds,
        _claims_of(audits["medical_claim" if "medical_claim" in audits else "remittance"].load_id, settings.lake),
    )
    if not all(audit.is_conserved and not audit.rows_set_aside for audit in audits.values()):
        raise RuntimeError("rows or dollars are missing")


def _claims_of(load_id: str, lake: Path) -> int:
    import duckdb

    feed = load_id.rpartition("-")[0]
    unit = "claim_token" if feed == "medical_claim" else "remittance_id, claim_token, adjudication_number"
    rows = duckdb.sql(
        f"select count(*) from (select distinct {unit} from read_parquet('{lake}/raw/{feed}/{load_id}.parquet'))"
    ).fetchone()
    return int(rows[0]) if rows else 0


def read_with_oxedi(path: Path, scratch: Path) -> None:
    """Parsed into tables of its own, which are typed and checked; nothing is written."""
    import oxedi

    began = time.perf_counter()
    count = oxedi.parse_file(str(path)).count_claims()
    _say(time.perf_counter() - began, count)


def read_with_pyx12(path: Path, scratch: Path) -> None:
    """Split into segments; not validated, typed or written."""
    from pyx12.x12file import X12Reader

    began = time.perf_counter()
    with path.open() as file:
        count = sum(1 for segment in X12Reader(file) if segment.get_seg_id() == "CLM")
    _say(time.perf_counter() - began, count)


def _say(seconds: float, claims: int) -> None:
    print(json.dumps({"seconds": seconds, "claims": claims}))


def page(found: list[Read]) -> str:
    """docs/x12-speed.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    lines = [
        "# How fast X12 is read",
        "",
        f"Measured by `make bench-x12` on {time.strftime('%Y-%m-%d')} at commit {commit.stdout.strip()}, on {os.cpu_count()} "
        "cores. Written by the bench itself. Ours is the whole way of a landed file: hashed, recognised, split, judged, typed, "
        "balanced, its ids tokenised, counted a second time from its bytes, and written as Parquet for each feed that it feeds "
        "(two for an 837, four for an 835), with DuckDB held to 512 MB. oxedi parses an 835 into typed tables, pyx12 splits an 837 into segments; neither writes "
        f"anything. The largest file is the one before it {TIMES} times over, each time of other claims.",
        "",
        "| reader | file | claims | seconds | claims a second | peak memory |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.reader} | {one.kind} | {one.claims:,} | {one.seconds:.1f} | {one.rate:,.0f} | {one.peak_bytes / 2**20:,.0f} MiB |"
            for one in found
        ),
        "",
        "## Against the aims",
        "",
    ]
    for kind, aim in AIMS.items():
        small, middle, large = (one for one in found if one.reader == "claimhouse" and one.kind == kind)
        growth = large.peak_bytes / middle.peak_bytes - 1
        lines += [
            f"- {kind}: {middle.rate:,.0f} claims a second (aim {aim:,}): "
            + ("met" if middle.rate >= aim else f"missed, by a factor of {aim / middle.rate:.1f}"),
            f"- {kind}: {large.peak_bytes / 2**20:,.0f} MiB at the peak (aim under {AIM_BYTES / 2**20:,.0f}): "
            + ("met" if large.peak_bytes < AIM_BYTES else "missed"),
            f"- {kind}: from {middle.claims:,} to {large.claims:,} claims memory "
            + (f"grows by {growth:.0%}" if growth > NOISE else "does not grow")
            + f" ({middle.peak_bytes / 2**20:,.0f} and {large.peak_bytes / 2**20:,.0f} MiB; {small.claims:,} took "
            + f"{small.peak_bytes / 2**20:,.0f})",
        ]
    return "\n".join(lines) + "\n"


READERS = {
    "claimhouse": read_with_claimhouse,
    "oxedi": read_with_oxedi,
    "pyx12": read_with_pyx12,
}

if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["files", folder, *sizes]:
            from tests.bench.x12_files import make_files

            make_files(Path(folder), sorted({int(size) for size in sizes}))
        case [reader, path, scratch]:
            READERS[reader](Path(path), Path(scratch))
