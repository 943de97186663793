"""Three providers, two procedures, and for each constraint a rule that holds prices back from where they would go without it.

Belongs here: such instances, and the names of the shared ones. Does not: reading files (conftest.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimization.pricing.instance import Instance, Objective, Pairs, Rules, rules
from optimization.pricing.patterns import about, budget, family_everywhere

# The shared instances that are small enough for every test.
SHARED = [
    "three_hospitals",
    "v1_spend",
    "i1_infeasible_local",
    "providers_20_procedures_50",
    "providers_100_procedures_50",
]
TIERS = np.array([[0.8, 1.0], [1.1, 1.3], [1.4, 1.6]])


def plain() -> Instance:
    """A, B and C in one region, MRI at 100 and CT at 50 dollars, ten of each; tiers at 0.8 to 1, 1.1 to 1.3, 1.4 to 1.6 of that."""
    provider, procedure = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    rate = np.array([100.0, 50.0])[procedure]
    return Instance(
        name="three_by_two",
        currency="USD",
        regions=("North",),
        tiers=("T1", "T2", "T3"),
        families=("imaging",),
        specialties=("clinic",),
        procedures=("MRI", "CT"),
        procedure_family=np.zeros(2, int),
        providers=("A", "B", "C"),
        provider_region=np.zeros(3, int),
        provider_specialty=np.zeros(3, int),
        provider_stars=np.array([5, 3, 1]),
        pairs=Pairs(
            provider,
            procedure,
            np.full(6, 10.0),
            1.2 * rate,
            rate,
            np.round(rate[:, None] * TIERS[:, 0], 6),
            np.round(rate[:, None] * TIERS[:, 1], 6),
        ),
        rules={},
    )


def forbidding(name: str, cells: list[tuple[int, int]], high: float = 0.0) -> Rules:
    """A tier rule with these cells (pair, tier)."""
    pairs, tiers = np.array([p for p, _ in cells]), np.array([t for _, t in cells])
    return rules("tier_rule", [name], np.zeros((1, 0)), high=high, cells=[(pairs, tiers)])


def held_by(constraint: str) -> Instance:
    """An instance in which, without this constraint, the best prices would break it."""
    base = plain()
    high_mri = about(base, "minimum_price", np.array([0]), low=150.0)  # A's MRI in the third tier
    dear_a = about(base, "revenue_floor", np.array([0]), low=2000.0)
    slow = replace(base, objective=Objective("min_deviation"))
    worlds: dict[str, Instance] = {
        "tier_choice": base,
        "tier_band": base,
        "legal_band": base.with_rules(about(base, "legal_band", np.array([0]), low=85.0, high=155.0)),
        "minimum_price": base.with_rules(about(base, "minimum_price", np.array([1]), low=45.0)),
        "largest_change": base.with_rules(about(base, "largest_change", np.array([0]), low=96.0, high=144.0)),
        "regional_spread": base.with_rules(
            high_mri, about(base, "regional_spread", np.array([[0, 0], [1, 0]]), high=35.0)
        ),
        "price_index": base.with_rules(dear_a, about(base, "specialty_spread", np.array([0]), high=0.25)),
        "specialty_spread": base.with_rules(dear_a, about(base, "specialty_spread", np.array([0]), high=0.25)),
        "revenue_floor": base.with_rules(
            about(base, "revenue_floor", np.arange(3), low=np.array([1500.0, 1250.0, 1300.0]))
        ),
        "largest_loss": base.with_rules(about(base, "largest_loss", np.arange(3), low=1440.0, share=0.2)),
        "tier_rule": base.with_rules(forbidding("quality:A", [(0, 0), (1, 0)])),
        "lowest_tier_cap": base.with_rules(
            about(base, "lowest_tier_cap", np.array([[0, 0], [1, 0]]), high=np.array([1.0, 2.0]))
        ),
        "family_tiers": base.with_rules(high_mri, family_everywhere(base, 1)),
        "savings_target": slow.with_rules(
            rules("savings_target", ["target"], np.zeros((1, 0)), high=4860.0, share=0.1)
        ),
        "budget": slow.with_rules(budget(base, "A", np.array([0, 1]), 1500.0)),
    }
    return worlds[constraint]
