"""A raw feed's metadata and the results of its checks, as Dagster takes them.

Belongs here: counts of loads turned into metadata and check results.
Does not: judging (expectations/), counting (sources/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.resources.tallies import dollars, feed_tallies, waiting_loads
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from expectations.calendar import owes
from expectations.results import ERROR, FAIL, NO_DATA, PASS, CheckResult, write_quality

if TYPE_CHECKING:
    from dagster_project.sources.contracts import Contract
    from dagster_project.sources.inventory import Inventoried
    from dagster_project.sources.loads import LoadAudit


def landing_metadata(files: Sequence[Inventoried], seconds: float) -> dict[str, Any]:
    """Files, bytes, seconds, and how many files are in which state; dollars are counted when a file is read."""
    states = Counter(file.state for file in files)
    return {
        "dagster/row_count": len(files),
        "bytes": sum(file.byte_count for file in files),
        "seconds": round(seconds, 3),
        **{
            f"{state}_files": states[state] for state in ("recognised", "set_aside", "growing", "duplicate", "replaced")
        },
    }


def feed_metadata(
    settings: Settings, contract: Contract, audits: Sequence[LoadAudit], seconds: float
) -> dict[str, Any]:
    """Numbers only, since numbers are what the UI plots: the feed as it stands now, and what this run brought. A feed
    without money has no dollars, not none of them."""
    tally = next(iter(feed_tallies(settings, contract.feed)), None)
    new = {
        "new_loads": len(audits),
        "new_rows": sum(audit.rows_accepted or 0 for audit in audits),
        "new_bytes": sum(audit.byte_count or 0 for audit in audits),
        "seconds": round(seconds, 3),
    }
    if tally is None:
        return {"dagster/row_count": 0, **new}
    return {
        "dagster/row_count": tally.rows_accepted,
        "rows_read": tally.rows_read,
        "rows_set_aside": tally.rows_set_aside,
        "rows_excluded": tally.rows_excluded,
        **(dollars(accepted=tally.amount_accepted, set_aside=tally.amount_set_aside) if contract.amount else {}),
        "bytes": tally.byte_count,
        "files": tally.file_count,
        **new,
    }


def conservation(settings: Settings, feed: str, run_id: str) -> dg.AssetCheckResult:
    """Fails for each load whose rows or dollars do not add up; such a load counts nowhere until it is sent again."""
    tally = next(iter(feed_tallies(settings, feed)), None)
    broken = [load for load in waiting_loads(settings, feed) if not load.is_conserved]
    checked = tally.file_count - tally.set_aside_file_count if tally else 0
    verdict = FAIL if broken else PASS if checked else NO_DATA
    blocks = verdict != NO_DATA or owes(settings, [feed])
    name = "conservation_of_rows_and_dollars"
    write_quality(
        settings,
        [CheckResult("dagster", f"raw/{feed}", name, verdict, blocks, len(broken), checked)],
        run_id,
        f"{name}-{feed}",
    )
    return shown(
        verdict,
        blocks,
        {
            "loads": checked,
            "broken_loads": len(broken),
            "load_ids": ", ".join(load.load_id for load in broken) or "none",
        },
    )


def acceptance(settings: Settings, contracts: Mapping[str, Contract], feed: str, run_id: str) -> dg.AssetCheckResult:
    """Judges new loads; a held one is a warning (the others go on), a suite that broke stops what rests on the feed."""
    from expectations.judge import judge_loads

    verdicts = judge_loads(settings, contracts, feed, run_id)
    errors = sorted(
        {result.check_name for verdict in verdicts for result in verdict.results if result.verdict == "error"}
    )
    held = [load for load in waiting_loads(settings, feed) if load.verdict == "held"]
    tally = next(iter(feed_tallies(settings, feed)), None)
    read = tally.file_count - tally.set_aside_file_count if tally else 0
    verdict = ERROR if errors else FAIL if held else PASS if read else NO_DATA
    blocks = bool(errors) or (verdict == NO_DATA and owes(settings, [feed]))
    note = f"{len(held)} of {read} loads are held" if held else None
    # A held load keeps nobody else from going on, so that only a suite that broke blocks, and a load that was due.
    write_quality(
        settings,
        [CheckResult("great_expectations", f"raw/{feed}", "acceptable", verdict, blocks or verdict == PASS, len(held),
                     read, note=note)],
        run_id,
        f"acceptable-{feed}",
    )  # fmt: skip
    return shown(
        verdict,
        blocks,
        description="held loads wait for: claimhouse load --accept LOAD_ID --by NAME --reason WHY" if held else None,
        metadata={
            "judged_loads": len(verdicts),
            "held_loads": len(held),
            "held_load_ids": ", ".join(load.load_id for load in held) or "none",
            "failed_expectations": sum(len(verdict.failed) for verdict in verdicts),
            "broken_expectations": ", ".join(errors) or "none",
        },
    )
