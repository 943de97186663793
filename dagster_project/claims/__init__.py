"""Claims as a person asks for them: what was known of one, or of a month of them, on a day.

Belongs here: reading published events of claims. Does not: what state events mean (dbt's macro claim_states), printing.
"""

from dagster_project.claims.known import ClaimProblem, KnownClaim, KnownEvent, known_claims, tokens_of
from dagster_project.claims.months import KnownState, known_month

__all__ = ["ClaimProblem", "KnownClaim", "KnownEvent", "KnownState", "known_claims", "known_month", "tokens_of"]
