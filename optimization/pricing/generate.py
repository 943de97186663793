"""Invented instances of any size, each made from its seed, with every rule kind that the shared ones have, and feasible.

Belongs here: numbers drawn for the bench and for tests. Does not: real prices, the demonstration's scenario.

Feasible by construction: with every pair in the second tier at one share of its benchmark per provider, between the tier's ends
and at least the share that its floor asks for, no rule is broken. (The caps on spreads and indices are wider than that tier.)
"""

from __future__ import annotations

import numpy as np

from optimization.pricing.instance import Instance, Objective, Pairs, rules
from optimization.pricing.patterns import about, family_everywhere, joined

LOW, HIGH = np.array([0.92, 1.15, 1.42, 1.80]), np.array([1.10, 1.36, 1.70, 2.30])  # bands as shares of the benchmark


def generate(
    providers: int, procedures: int, *, seed: int, density: float = 0.25, objective: Objective | None = None
) -> Instance:
    """An instance of about providers × procedures × density pairs, regions of about 70 providers, four tiers."""
    rng = np.random.default_rng(seed)
    regions, specialties, families = (
        max(2, round(providers / 70)),
        min(12, max(3, providers // 12)),
        max(3, procedures // 8),
    )
    rate = np.round(np.exp(rng.normal(6.3, 1.1, procedures)), 2) + 20
    region, specialty = rng.integers(0, regions, providers), rng.integers(0, specialties, providers)
    stars = rng.choice([1, 2, 3, 4, 5], providers, p=[0.15, 0.2, 0.3, 0.2, 0.15])
    has = rng.random((providers, procedures)) < density
    has[np.arange(providers), rng.integers(0, procedures, providers)] = True
    provider, procedure = np.nonzero(has)
    size = np.exp(rng.normal(0, 0.8, providers))
    volume = np.maximum(1, np.round(np.exp(rng.normal(4.3, 1.0, len(provider))) * size[provider]))
    benchmark = rate[procedure]
    level = np.clip(rng.normal(1.43, 0.18, providers), 1.02, 2.1)
    baseline = np.round(benchmark * np.clip(level[provider] * rng.normal(1.0, 0.08, len(provider)), 0.95, 2.28), 2)
    shift = rng.uniform(-0.02, 0.03, (specialties, 4))[specialty[provider]]
    low, high = np.round(benchmark[:, None] * (LOW + shift), 2), np.round(benchmark[:, None] * (HIGH + shift), 2)
    closed = np.zeros((len(provider), 4), bool)
    closed[:, 0] = (stars[provider] == 5) | (volume > np.quantile(volume, 0.97))
    closed[:, 3] = stars[provider] == 1
    low[closed], high[closed] = np.nan, np.nan
    bare = Instance(
        name=f"generated_{providers}_{procedures}_seed_{seed}",
        currency="USD",
        regions=tuple(f"R{n:02}" for n in range(regions)),
        tiers=("T1", "T2", "T3", "T4"),
        families=tuple(f"F{n:02}" for n in range(families)),
        specialties=tuple(f"S{n:02}" for n in range(specialties)),
        procedures=tuple(f"C{n:04}" for n in range(procedures)),
        procedure_family=rng.integers(0, families, procedures),
        providers=tuple(f"P{n:04}" for n in range(providers)),
        provider_region=region,
        provider_specialty=specialty,
        provider_stars=stars,
        pairs=Pairs(provider, procedure, volume, baseline, benchmark, low, high),
        rules={},
        objective=objective or Objective(),
        description="Generated; feasible by construction.",
    )
    source = f"optimization.pricing.generate, seed {seed}"
    reference = np.bincount(provider, volume * benchmark, minlength=providers)
    revenue = np.bincount(provider, volume * baseline, minlength=providers)
    floor = np.round(np.minimum(revenue * (1 - rng.uniform(0.1, 0.3, providers)), 1.33 * reference), 2)
    market = procedure * regions + region[provider]
    found, count = np.unique(market, return_counts=True)
    both = np.stack([found // regions, found % regions], axis=1)
    cap = np.round(rate[both[:, 0]] * rng.uniform(0.40, 0.55, len(found)), 2)
    several = count > 1
    everyone = np.arange(len(provider))
    return bare.with_rules(
        about(
            bare,
            "legal_band",
            everyone,
            low=np.round(0.9 * benchmark, 2),
            high=np.round(2.4 * benchmark, 2),
            source=source,
        ),
        about(bare, "regional_spread", both[several], high=cap[several], source=source),
        about(
            bare,
            "specialty_spread",
            np.arange(specialties),
            high=np.round(rng.uniform(0.22, 0.255, specialties), 4),
            source=source,
        ),
        about(bare, "revenue_floor", np.flatnonzero(reference > 0), low=floor[reference > 0], source=source),
        about(bare, "lowest_tier_cap", both, high=np.ceil(0.55 * count), source=source),
        family_everywhere(bare, 1, source=source),
    )


def tiny(seed: int, *, every_kind: bool = True, objective: Objective | None = None) -> Instance:
    """A few pairs under as many rule kinds as possible, often with the gaps between tiers in the way; not always feasible."""
    rng = np.random.default_rng(seed)
    base = generate(int(rng.integers(2, 4)), int(rng.integers(2, 4)), seed=seed, density=0.7, objective=objective)
    if not every_kind:
        return base
    pairs, source = base.pairs, "tiny"
    every = np.arange(len(pairs))
    some = rng.permutation(every)[: max(1, len(every) // 2)]
    spent = float(np.sum(pairs.volume * pairs.baseline_price))
    low = np.nanmin(pairs.band_low, axis=1)
    tier_rules = joined(
        rules(
            "tier_rule", ["quality:one"], np.zeros((1, 0)), high=0.0, cells=[(some[:1], np.array([2]))], source=source
        ),
        rules(
            "tier_rule",
            ["count:two"],
            np.zeros((1, 0)),
            high=1.0,
            cells=[(np.repeat(every, 2), np.tile([0, 1], len(every)))]
            if len(every) < 4
            else [(every, np.zeros(len(every), int))],
            source=source,
        ),
    )
    region = int(base.pair_region[0])
    members = np.flatnonzero(base.pair_region == region)
    there = float(np.sum((pairs.volume * pairs.baseline_price)[members]))
    return base.with_rules(
        tier_rules,
        about(base, "minimum_price", some, low=np.round(low[some] * 1.05, 2), source=source),
        about(
            base,
            "largest_change",
            every,
            low=np.round(pairs.baseline_price * 0.7, 2),
            high=np.round(pairs.baseline_price * 1.3, 2),
            source=source,
        ),
        about(
            base,
            "largest_loss",
            base.of("revenue_floor").subject[:, 0],
            low=base.of("revenue_floor").low * 0.98,
            source=source,
        ),
        rules("savings_target", ["target"], np.zeros((1, 0)), high=round(spent * 0.99, 2), source=source),
        rules(
            "budget",
            ["budget:first"],
            np.zeros((1, 0)),
            high=round(there * 0.995, 2),
            cells=[(members, None)],
            source=source,
        ),
    )
