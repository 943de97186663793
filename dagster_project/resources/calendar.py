"""What the calendar of expected files says, as a Dagster check takes it.

Belongs here: severity and the table that the UI shows. Does not: the calendar itself (expectations/).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_project.resources.verdicts import shown
from expectations.results import FAIL, NO_DATA, PASS, CheckResult

COLUMNS = ("data_source", "asset", "check_name", "verdict", "failed_count", "checked_count", "note")


def as_check(results: Sequence[CheckResult]) -> dg.AssetCheckResult:
    """Nothing of a feed that was due stops the build: no data is not a pass. Single months missing warn here, and stop
    publication (gates.py), so that the warehouse still shows what their absence does to the ledger."""
    open_ones = [result for result in results if result.verdict in (FAIL, NO_DATA)]
    blocks = any(result.verdict == NO_DATA and result.is_blocking for result in open_ones)
    is_failed = blocks or any(result.verdict == FAIL for result in open_ones)
    records = [dg.TableRecord({name: str(getattr(result, name)) for name in COLUMNS}) for result in open_ones]
    schema = dg.TableSchema([dg.TableColumn(name) for name in COLUMNS])
    return shown(
        FAIL if is_failed else NO_DATA if open_ones or not results else PASS,
        blocks,
        {
            "checked": len(results),
            "open": len(open_ones),
            **({"what is open": dg.MetadataValue.table(records, schema)} if records else {}),
        },
    )
