"""From a scenario and its pairs to an instance: bands, baselines, and the rows that each rule of the scenario makes.

Belongs here: reading the files that a scenario names, joining rates, choosing the pairs of a rule. Does not: the grammar
(scenario.py), rules that are said once for all (patterns.py), fetching pairs of marts (whoever holds them hands a frame in).

A frame of pairs has one row per provider and procedure: provider, procedure, region, volume (per year), baseline_price,
medicare_rate (or another benchmark), and where known specialty, family, quality_stars; further columns may be named by `where`.
A later rule of a scenario takes the place of an earlier one of its kind about the same subject, and of the instance's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from optimization.pricing import forms, patterns
from optimization.pricing import scenario as said
from optimization.pricing.instance import (
    KINDS,
    Elasticity,
    Instance,
    NotAnInstance,
    Objective,
    Pairs,
    Rules,
    Step,
    exact,
    rules,
)
from optimization.pricing.scenario import Scenario, ScenarioError
from optimization.pricing.strict import nearest

NEEDED = ("provider", "procedure", "region", "volume", "baseline_price", "medicare_rate")
OF_PROVIDER = ("region", "specialty", "quality_stars")
NUMBERS = ("volume", "baseline_price", "medicare_rate")
FEWEST_RATES = 3  # a percentile of fewer says more of one payer than of a market


def ask(asked: Scenario, pairs: pd.DataFrame | None = None, rates: pd.DataFrame | None = None) -> Instance:
    """The instance that a scenario means. `pairs` (and `rates`) are handed in for a source of marts, and read otherwise. Raises
    ScenarioError for what the scenario or its files lack, NotAnInstance for pairs that contradict themselves."""
    source = asked.source
    if rates is None and source.rates:
        rates = _read_table(asked, source.rates, ("procedure", "rate"))
    if source.instance:
        made, columns = _from_instance(asked), pd.DataFrame(index=range(0))
    else:
        if pairs is None:
            if source.pairs is None:
                wanted = "marts" if source.marts else "ipps"
                raise ScenarioError(f"{asked.scenario}: its pairs come from {wanted}, and none were handed in")
            pairs = _read_table(asked, source.pairs, NEEDED)
        made, columns = from_frame(asked, pairs, rates)
    if asked.drop:
        made = _dropped(asked, made)
    for rule in asked.rules:
        try:
            table = _MAKERS[rule.kind](made, rule, _chosen(asked, made, rule, columns), rates)
        except NotAnInstance as error:
            raise ScenarioError(f"{asked.scenario}: rules → {rule.id}: {error}") from error
        if not len(table):
            if rule.where == said.Where():
                continue  # a rule for all, of which these pairs give no case: no two providers of a region, no family of two
            raise ScenarioError(f"{asked.scenario}: rules → {rule.id}: it is about no pair at all; look at its where")
        table = replace(table, reason=np.full(len(table), rule.reason, object), source=_sources(rule, len(table)))
        made = made.with_rules(_over(made.of(rule.kind), table))
    return replace(made, name=asked.scenario, description=asked.about)


def past_months(asked: Scenario) -> pd.DataFrame | None:
    """Past volumes that a scenario's source names, if it names any."""
    if not asked.source.months:
        return None
    return _read_table(asked, asked.source.months, ("provider", "procedure", "month", "volume"))


def from_frame(
    asked: Scenario, given: pd.DataFrame, rates: pd.DataFrame | None = None
) -> tuple[Instance, pd.DataFrame]:
    """An instance without rules from a frame of pairs, and the frame in the instance's order. Raises ScenarioError."""
    missing = [name for name in NEEDED if name not in given.columns]
    if missing:
        raise ScenarioError(
            f"{asked.scenario}: its pairs lack the column {missing[0]!r}{nearest(missing[0], given.columns)}; "
            f"needed are {', '.join(NEEDED)}"
        )
    frame = given.sort_values(["provider", "procedure"], kind="stable").reset_index(drop=True)
    for name in ("provider", "procedure", "region"):
        frame[name] = frame[name].astype(str)
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
        if frame[name].isna().any():
            raise ScenarioError(
                f"{asked.scenario}: column {name!r} is blank or no number in {int(frame[name].isna().sum())} pairs"
            )
    if asked.baseline.from_ == "rates":
        frame = _with_rates(asked, frame, rates)
    if frame.empty:
        raise ScenarioError(f"{asked.scenario}: its source has no pair; widen what it asks for")
    of_provider = frame.groupby("provider", sort=True)
    for name in (name for name in OF_PROVIDER if name in frame.columns):
        if (of_provider[name].nunique(dropna=True) > 1).any():
            raise ScenarioError(
                f"{asked.scenario}: a provider has two values of {name!r}; it must be the same in all its pairs"
            )
    providers, procedures = _distinct(frame["provider"]), _distinct(frame["procedure"])
    regions, specialties = _distinct(frame["region"]), _distinct(frame.get("specialty"))
    families = _distinct(frame.get("family"))
    first_of_provider, first_of_procedure = of_provider.first(), frame.groupby("procedure", sort=True).first()
    stars = pd.to_numeric(
        first_of_provider.get("quality_stars", pd.Series(0, first_of_provider.index)), errors="coerce"
    )
    rate = frame["medicare_rate"].to_numpy()
    bands = np.array(list(asked.tiers.values()))
    made = Instance(
        name=asked.scenario,
        currency=asked.currency,
        regions=regions,
        tiers=tuple(asked.tiers),
        families=families,
        specialties=specialties,
        procedures=procedures,
        procedure_family=_places(families, first_of_procedure.get("family"), len(procedures)),
        providers=providers,
        provider_region=_places(regions, first_of_provider["region"], len(providers)),
        provider_specialty=_places(specialties, first_of_provider.get("specialty"), len(providers)),
        provider_stars=stars.fillna(0).to_numpy().astype(np.int64),
        pairs=Pairs(
            provider=pd.Index(providers).get_indexer(frame["provider"]),
            procedure=pd.Index(procedures).get_indexer(frame["procedure"]),
            volume=frame["volume"].to_numpy(),
            baseline_price=frame["baseline_price"].to_numpy(),
            medicare_rate=rate,
            band_low=np.column_stack([patterns.product(rate, low) for low in bands[:, 0]]),
            band_high=np.column_stack([patterns.product(rate, high) for high in bands[:, 1]]),
        ),
        rules={},
        objective=_objective(asked.objective) if asked.objective else Objective(),
    )
    return replace(made, elasticity=_elasticity(asked, made)), frame


def _from_instance(asked: Scenario) -> Instance:
    path = asked.folder / str(asked.source.instance)
    if not path.is_file():
        raise ScenarioError(f"{asked.scenario}: source → instance: there is no file {path}")
    made = forms.read(path)
    if asked.objective:
        made = replace(made, objective=_objective(asked.objective))
    return replace(made, elasticity=_elasticity(asked, made)) if asked.elasticity else made


def _objective(goal: said.Goal) -> Objective:
    return Objective(
        type=goal.type,
        deviation_weight=goal.deviation_weight,
        steps=tuple(Step(np.inf if step.up_to is None else step.up_to, step.rate) for step in goal.steps),
        star_weight=goal.star_weight,
        spend_tolerance=goal.spend_tolerance,
    )


def _elasticity(asked: Scenario, made: Instance) -> Elasticity | None:
    given = asked.elasticity
    if given is None:
        return None
    per_pair = np.full(len(made.pairs), given.value)
    for family, value in given.by_family.items():
        if family not in made.families:
            raise ScenarioError(
                f"{asked.scenario}: elasticity: there is no family {family!r}{nearest(family, made.families)}"
            )
        per_pair[made.pair_family == made.families.index(family)] = value
    return Elasticity(per_pair, given.source)


def _read_table(asked: Scenario, name: str, needed: tuple[str, ...]) -> pd.DataFrame:
    """CSV (ids as text, so that leading zeros stay) or Parquet."""
    path = asked.folder / name
    if not path.is_file():
        raise ScenarioError(f"{asked.scenario}: source: there is no file {path}")
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        texts = dict.fromkeys(("provider", "procedure", "region", "specialty", "family", "payer", "month"), str)
        frame = pd.read_csv(path, dtype=texts)
    for column in needed:
        if column not in frame.columns:
            raise ScenarioError(
                f"{path.name}: there is no column {column!r}{nearest(column, frame.columns)}; needed are {', '.join(needed)}"
            )
    return frame


def _with_rates(asked: Scenario, frame: pd.DataFrame, rates: pd.DataFrame | None) -> pd.DataFrame:
    """Baselines from negotiated rates of the same provider and procedure; a pair without one keeps its own."""
    if rates is None or "provider" not in rates.columns:
        raise ScenarioError(
            f"{asked.scenario}: baseline: no rates by provider and procedure are at hand; name them in source → rates"
        )
    chosen = rates if asked.baseline.payer is None else rates[rates["payer"] == asked.baseline.payer]
    found = chosen.groupby(["provider", "procedure"])["rate"].agg(asked.baseline.statistic).rename("negotiated")
    joined = frame.join(found, on=["provider", "procedure"])
    if joined["negotiated"].isna().all():
        raise ScenarioError(
            f"{asked.scenario}: baseline: no rate is of any of its pairs; are provider and procedure the same ids?"
        )
    return joined.assign(baseline_price=joined["negotiated"].fillna(joined["baseline_price"])).drop(
        columns="negotiated"
    )


def _distinct(values: pd.Series | None) -> tuple[str, ...]:
    return () if values is None else tuple(sorted(values.dropna().astype(str).unique()))


def _places(known: tuple[str, ...], values: pd.Series | None, count: int) -> np.ndarray:
    if values is None:
        return np.full(count, -1)
    return pd.Index(known, dtype=object).get_indexer(values.astype(object)).astype(np.int64)


def _dropped(asked: Scenario, made: Instance) -> Instance:
    kinds = [name for name in asked.drop if name in KINDS]
    ids = [name for name in asked.drop if name not in KINDS]
    known = {str(name) for table in made.rules.values() for name in table.ids}
    for name in ids:
        if name not in known:
            raise ScenarioError(
                f"{asked.scenario}: drop: no rule and no kind is called {name!r}{nearest(name, [*KINDS, *known])}"
            )
    return made.without(ids, kinds)


def _chosen(asked: Scenario, made: Instance, rule: said.Rule, columns: pd.DataFrame) -> np.ndarray:
    """Which pairs a rule is about, as a mask."""
    where, pairs = rule.where, made.pairs
    chosen = np.ones(len(pairs), bool)
    of_pair = {
        "providers": (made.providers, pairs.provider),
        "procedures": (made.procedures, pairs.procedure),
        "regions": (made.regions, made.pair_region),
        "specialties": (made.specialties, made.provider_specialty[pairs.provider]),
        "families": (made.families, made.pair_family),
    }
    for name, (known, at) in of_pair.items():
        wanted = getattr(where, name)
        if wanted is None:
            continue
        for one in wanted:
            if one not in known:
                raise ScenarioError(
                    f"{asked.scenario}: rules → {rule.id} → where → {name}: {one!r} is not there{nearest(one, known)}"
                )
        chosen &= np.isin(at, [known.index(one) for one in wanted])
    for name, wanted in where.columns.items():
        if name not in columns.columns:
            raise ScenarioError(
                f"{asked.scenario}: rules → {rule.id} → where → columns: the pairs have no column {name!r}{nearest(name, columns.columns)}"
            )
        chosen &= columns[name].astype(str).isin(wanted).to_numpy()
    return chosen


def _over(earlier: Rules, later: Rules) -> Rules:
    """Both tables, without those earlier rules whose id occurs again."""
    if not len(earlier):
        return later
    again = set(later.ids)
    return patterns.joined(earlier.kept(np.array([name not in again for name in earlier.ids], bool)), later)


def _sources(rule: said.Rule, count: int) -> np.ndarray:
    dated = f"{rule.source}, as of {rule.as_of}" if isinstance(rule, said.LegalBand) else rule.source
    return np.full(count, dated, object)


# One function per kind: the instance, what the scenario says, which pairs it is about, negotiated rates.


def _legal_band(made: Instance, rule: said.LegalBand, chosen: np.ndarray, rates: pd.DataFrame | None) -> Rules:
    at = np.flatnonzero(chosen)
    rate = made.pairs.medicare_rate[at]
    low, high = np.full(len(at), -np.inf), np.full(len(at), np.inf)
    if rule.low is not None:
        low = patterns.product(rate, rule.low)
    if rule.high is not None:
        high = patterns.product(rate, rule.high)
    if rule.low_percentile is not None:
        low = np.fmax(low, _percentile(made, at, rates, rule.low_percentile, rule.id))
    if rule.high_percentile is not None:
        high = np.fmin(high, _percentile(made, at, rates, rule.high_percentile, rule.id))
    return patterns.about(made, "legal_band", at, low=low, high=high, share=np.nan if rule.low is None else rule.low)


def _percentile(made: Instance, at: np.ndarray, rates: pd.DataFrame | None, percent: float, rule: str) -> np.ndarray:
    """Percentile of the procedure's negotiated rates, to the cent; NaN where fewer than three are known."""
    if rates is None:
        raise NotAnInstance("a percentile needs negotiated rates: name them in source → rates.")
    of = rates.assign(procedure=rates["procedure"].astype(str)).groupby("procedure")["rate"]
    found = of.quantile(percent / 100).where(of.count() >= FEWEST_RATES).round(2)
    names = np.array(made.procedures, object)[made.pairs.procedure[at]]
    value = found.reindex(names).to_numpy(float)
    if np.isnan(value).all():
        raise NotAnInstance(f"no procedure has {FEWEST_RATES} negotiated rates or more.")
    return value


def _regional_spread(made: Instance, rule: said.RegionalSpread, chosen: np.ndarray, _: object) -> Rules:
    width = len(made.regions)
    key = made.pairs.procedure.astype(np.int64) * width + made.pair_region
    found, count = np.unique(key[chosen], return_counts=True)
    found = found[count > 1]
    high: np.ndarray | float = rule.cap if rule.cap is not None else 0.0
    if rule.share is not None:
        mean = pd.Series(made.pairs.medicare_rate).groupby(key).mean().reindex(found).to_numpy()
        high = np.round(mean * rule.share, 2)
    subject = np.stack([found // width, found % width], axis=1)
    return patterns.about(
        made, "regional_spread", subject, high=high, share=np.nan if rule.share is None else rule.share
    )


def _specialty_spread(made: Instance, rule: said.SpecialtySpread, chosen: np.ndarray, _: object) -> Rules:
    specialty = np.unique(made.provider_specialty[made.pairs.provider[chosen]])
    return patterns.about(made, "specialty_spread", specialty[specialty >= 0], high=rule.cap)


def _minimum_price(made: Instance, rule: said.MinimumPrice, chosen: np.ndarray, _: object) -> Rules:
    at = np.flatnonzero(chosen)
    if rule.price is not None:
        return patterns.about(made, "minimum_price", at, low=rule.price)
    share = rule.share_of_baseline if rule.share_of_baseline is not None else rule.share_of_benchmark
    of = made.pairs.baseline_price if rule.share_of_baseline is not None else made.pairs.medicare_rate
    return patterns.about(made, "minimum_price", at, low=patterns.product(of[at], float(share or 0)), share=share)


def _revenue_floor(made: Instance, rule: said.RevenueFloor, chosen: np.ndarray, _: object) -> Rules:
    if rule.amounts:
        for name in rule.amounts:
            if name not in made.providers:
                raise NotAnInstance(f"there is no provider {name!r}{nearest(name, made.providers)}")
        subject = np.array([made.providers.index(name) for name in rule.amounts])
        return patterns.about(made, "revenue_floor", subject, low=np.array(list(rule.amounts.values()), float))
    provider = np.unique(made.pairs.provider[chosen])
    low = np.round(_revenue_at_baseline(made)[provider] * float(rule.share or 0), 2)
    return patterns.about(made, "revenue_floor", provider, low=low, share=rule.share)


def _largest_loss(made: Instance, rule: said.LargestLoss, chosen: np.ndarray, _: object) -> Rules:
    provider = np.unique(made.pairs.provider[chosen])
    return patterns.largest_loss(made, dict.fromkeys(provider.tolist(), rule.share))


def _revenue_at_baseline(made: Instance) -> np.ndarray:
    pairs = made.pairs
    return np.bincount(pairs.provider, pairs.volume * pairs.baseline_price, minlength=len(made.providers))


def _tier_rule(made: Instance, rule: said.TierRule, chosen: np.ndarray, _: object) -> Rules:
    if rule.when is not None:
        table = patterns.threshold(
            made,
            rule.id,
            rule.when.measure,
            at_least=rule.when.at_least,
            at_most=rule.when.at_most,
            forbid=rule.forbid,
            require=rule.require,
        )
        return _cells_within(table, chosen)
    unknown = sorted({*rule.forbid, *rule.require} - set(made.tiers))
    if unknown:
        raise NotAnInstance(f"there is no tier {unknown[0]!r}{nearest(unknown[0], made.tiers)}")
    closed = [name in rule.forbid if rule.forbid else name not in rule.require for name in made.tiers]
    tiers, at = np.flatnonzero(closed), np.flatnonzero(chosen)
    cells = [(np.repeat(at, len(tiers)), np.tile(tiers, len(at)))]
    return rules("tier_rule", [rule.id], np.zeros((1, 0)), high=0.0, cells=cells)


def _cells_within(table: Rules, chosen: np.ndarray) -> Rules:
    """The rules with only those cells whose pair is chosen; rules left without a cell go."""
    keep, rule = chosen[table.cell_pair], table.rule_of_cell()
    sizes = np.bincount(rule[keep], minlength=len(table)) if len(table) else np.zeros(0, np.int64)
    narrowed = replace(
        table,
        start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        cell_pair=table.cell_pair[keep],
        cell_tier=table.cell_tier[keep],
    )
    return narrowed.kept(sizes > 0)


def _lowest_tier_cap(made: Instance, rule: said.LowestTierCap, chosen: np.ndarray, _: object) -> Rules:
    width = len(made.regions)
    key = np.unique(made.pairs.procedure[chosen].astype(np.int64) * width + made.pair_region[chosen])
    subject = np.stack([key // width, key % width], axis=1)
    return patterns.about(made, "lowest_tier_cap", subject, high=float(rule.count))


def _family_tiers(made: Instance, rule: said.FamilyTiers, chosen: np.ndarray, _: object) -> Rules:
    table = patterns.family_everywhere(made, rule.difference)
    width = len(made.families) + 1
    wanted = made.pairs.provider[chosen].astype(np.int64) * width + made.pair_family[chosen]
    return table.kept(np.isin(table.subject[:, 0] * width + table.subject[:, 1], wanted))


def _savings_target(made: Instance, rule: said.SavingsTarget, chosen: np.ndarray, _: object) -> Rules:
    if not chosen.all():
        raise NotAnInstance("a savings_target is about all pairs; for some of them say a budget.")
    return patterns.savings_target(made, rule.share)


def _budget(made: Instance, rule: said.Budget, chosen: np.ndarray, _: object) -> Rules:
    at = np.flatnonzero(chosen)
    if not len(at):
        return rules("budget", [])
    amount = rule.amount
    if amount is None:
        spent = made.pairs.volume[at] @ made.pairs.baseline_price[at]
        amount = round(float(exact(spent) * exact(float(rule.share_of_baseline or 0))), 2)
    return patterns.budget(made, rule.id, at, amount)


def _largest_change(made: Instance, rule: said.LargestChange, chosen: np.ndarray, _: object) -> Rules:
    return patterns.largest_change(made, rule.share, reason="", source="").kept(chosen)


_MAKERS: dict[str, Callable[[Instance, Any, np.ndarray, pd.DataFrame | None], Rules]] = {
    "legal_band": _legal_band,
    "regional_spread": _regional_spread,
    "specialty_spread": _specialty_spread,
    "minimum_price": _minimum_price,
    "revenue_floor": _revenue_floor,
    "largest_loss": _largest_loss,
    "tier_rule": _tier_rule,
    "lowest_tier_cap": _lowest_tier_cap,
    "family_tiers": _family_tiers,
    "savings_target": _savings_target,
    "budget": _budget,
    "largest_change": _largest_change,
}
