"""Claims one by one, as a person asks for them: what was known of one on a day.

Belongs here: reading published events of a claim. Does not: what state events mean (dbt's macro claim_states), printing.
"""

from dagster_project.claims.known import ClaimProblem, KnownClaim, KnownEvent, known_claims, tokens_of

__all__ = ["ClaimProblem", "KnownClaim", "KnownEvent", "known_claims", "tokens_of"]
