"""A publication's numbers and the result of its check, as Dagster and the lake take them.

Belongs here: turning them into metadata and a result. Does not: publishing, comparing (publication/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from dagster_project.database import open_published
from dagster_project.publication.publish import Publication
from dagster_project.resources.tallies import dollars
from dagster_project.resources.verdicts import shown
from dagster_project.settings import Settings
from expectations.results import FAIL, PASS, CheckResult, write_quality

# Claim lines and fills hold each dollar of care once; other marts tell of the same dollars again.
SPENT = """
    select sum(charge_amount), sum(allowed_amount), sum(paid_amount) from (
        select charge_amount, allowed_amount, paid_amount from fct_claim_line
        union all
        select charge_amount, allowed_amount, paid_amount from fct_pharmacy_fill
    )
"""


def publication_metadata(settings: Settings, done: Publication) -> dict[str, Any]:
    """Rows, bytes and seconds of all marts, and the dollars of care that readers now see in them."""
    with open_published(settings) as con:
        charged, allowed, paid = con.execute(SPENT).fetchone() or (None, None, None)
    return {
        "dagster/row_count": sum(done.row_counts.values()),
        **dollars(charged=charged, allowed=allowed, paid=paid),
        "marts": len(done.row_counts),
        "unchanged_marts": len(done.linked),
        "bytes": done.byte_count,
        "seconds": round(done.seconds, 3),
        "publication": done.publication_id,
    }


def record_differences(settings: Settings, run_id: str, marts: Sequence[str], checked: int) -> dg.AssetCheckResult:
    """The marts that were not published as they were built: an error, though nothing is left that it could stop."""
    verdict = FAIL if marts else PASS
    note = f"not as built: {', '.join(marts)}" if marts else None
    result = CheckResult(
        "dagster", "published/marts", "published_as_built", verdict, True, len(marts), checked, note=note
    )
    write_quality(settings, [result], run_id, "published")
    return shown(verdict, True, {"marts": checked, "different_marts": ", ".join(marts) or "none"})
