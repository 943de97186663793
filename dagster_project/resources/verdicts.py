"""How a verdict of ours shows in Dagster, and which steps are tried again.

Belongs here: pass, fail, error and no_data in Dagster's terms, the retry policy of steps. Does not: deciding anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from expectations.results import NO_DATA, PASS

VERDICT = "verdict"

# Every step is safe to repeat. What is wrong with the data is not tried again: a check is no step of this kind, and dbt's
# failed tests say allow_retries=False.
TRY_AGAIN = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)


def shown(
    verdict: str, blocks: bool, metadata: Mapping[str, Any], description: str | None = None
) -> dg.AssetCheckResult:
    """Green is for a pass alone. Dagster knows no fourth colour: no data shows in yellow, as a warning, and in red where
    it was due (`blocks`)."""
    return dg.AssetCheckResult(
        passed=verdict == PASS,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        description=description or ("no data: there was nothing to look at" if verdict == NO_DATA else None),
        metadata={VERDICT: verdict, **metadata},
    )


def is_idle(evaluation: dg.AssetCheckEvaluation) -> bool:
    """Whether a check had nothing to look at and nothing was due: no pass, but nothing to tell anybody either."""
    verdict = evaluation.metadata.get(VERDICT)
    return verdict is not None and verdict.value == NO_DATA and evaluation.severity == dg.AssetCheckSeverity.WARN
