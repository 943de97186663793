"""Which columns the models read, and from which relations of the warehouse.

Belongs here: names and kinds of columns. Does not: their SQL (dbt_project/models/intermediate/opportunity), values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PERIOD = ("data_source", "period_type", "fiscal_year")


@dataclass(frozen=True)
class FeatureSet:
    """Attributes of hospitals, one row each per period: numbers enter by their rank among the hospitals of a period, so
    that a file of nine DRGs and one of all are comparable; categories by a level of their own for each value."""

    relation: str
    numbers: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return ("provider_id", *self.numbers, *self.categories)


# No charge of a hospital is among them: what it asks for is its own decision, not what its peers are like.
HOSPITALS = FeatureSet(
    relation="intermediate.int_opportunity__hospital_features",
    numbers=(
        "discharge_count",
        "drg_count",
        "case_mix_index",
        "surgical_rate",
        "average_risk_score",
        "average_age",
        "dual_rate",
        "mean_stay_days",
        "star_rating",
        "wage_index",
        "resident_to_bed_ratio",
    ),
    categories=(
        "state",
        "referral_region",
        "ruca_code",
        "hospital_ownership",
        "hospital_type",
        "has_emergency_services",
        "comparison_group",
    ),
)

# The case mix of a hospital follows from the shares that are to be expected, and would give them away.
HOSPITALS_OF_FAMILIES = replace(HOSPITALS, numbers=tuple(one for one in HOSPITALS.numbers if one != "case_mix_index"))

# One row per hospital and DRG of a period: discharges and average Medicare payment.
PAYMENTS = "intermediate.int_opportunity__payment_cells"
# One row per hospital and DRG family of a period: stays of the family and those in its severe members.
SEVERITY = "intermediate.int_opportunity__severity_cells"
