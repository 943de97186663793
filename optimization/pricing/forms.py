"""The two JSON forms of an instance: `reimb-pricing/1`, read and written, and the small form of the demonstration, read.

Belongs here: which keys a form has, what each means as pairs and rules, refusing what the form does not know.
Does not: YAML scenarios (scenario.py), rules said for many subjects at once (patterns.py).
"""

from __future__ import annotations

import difflib
import gzip
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optimization.pricing.instance import Instance, NotAnInstance, Objective, Pairs, Rules, rules
from optimization.pricing.patterns import (
    about,
    family_everywhere,
    largest_loss,
    legal_shares,
    savings_target,
)

SCHEMA = "reimb-pricing/1"
NO_PART_OF_THE_PROBLEM = {"expected", "verification", "expected_binding_rule_kinds", "baseline_spend", "description"}
KEYS = {
    "": {
        "schema", "name", "currency", "regions", "tiers", "procedures", "providers", "pairs", "fairness", "specialty_fairness",
        "tier_rules", "lowest_tier_caps", "family_rule", "savings_target", "objective", *NO_PART_OF_THE_PROBLEM,
    },
    "procedures": {"id", "family"},
    "providers": {"id", "region", "specialty", "quality_stars", "min_revenue", "max_revenue_loss_fraction"},
    "pairs": {"provider", "procedure", "volume", "baseline_price", "medicare_rate", "bands", "legal"},
    "fairness": {"procedure", "region", "max_spread"},
    "specialty_fairness": {"specialty", "max_index_spread"},
    "tier_rules": {"id", "provider", "procedures", "forbid", "why"},
    "lowest_tier_caps": {"procedure", "region", "max_count"},
    "family_rule": {"max_tier_difference"},
    "savings_target": {"min_savings_fraction"},
    "objective": {"type", "deviation_weight"},
}  # fmt: skip
SMALL_KEYS = {
    "about", "providers", "benchmark", "legal_band", "tier_price", "volume", "provider_floor", "fairness_spread_cap",
    "savings_target", "expected",
}  # fmt: skip


def read(path: Path) -> Instance:
    """The instance in a JSON file of either form, gzipped or not. Raises NotAnInstance with the file's name."""
    content = path.read_bytes()
    try:
        given = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        return from_json(given, name=path.name.split(".")[0])
    except (ValueError, KeyError, TypeError) as problem:
        what = f"lacks the key {problem}" if isinstance(problem, KeyError) else str(problem)
        raise NotAnInstance(f"{path.name}: {what}") from problem


def from_json(given: Mapping[str, Any], name: str = "") -> Instance:
    """The instance that a parsed JSON object of either form describes."""
    if given.get("schema") == SCHEMA:
        return _full(given, name)
    if "schema" in given:
        raise NotAnInstance(f"schema is {given['schema']!r}; {SCHEMA} and the small form (without a schema) are read.")
    return _small(given, name)


def refuse_unknown(keys: Iterable[str], known: Collection[str], where: str) -> None:
    """Raises NotAnInstance for a key that the form does not have, with the nearest that it has."""
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.0)
            raise NotAnInstance(f"{where or 'top level'}: unknown key {key!r}. Nearest: {near[0]!r}.")


def _full(given: Mapping[str, Any], name: str) -> Instance:
    refuse_unknown(given, KEYS[""], "")
    for part, known in KEYS.items():
        rows = given.get(part, []) if part else []
        for keys in {tuple(row) for row in (rows if isinstance(rows, list) else [rows])}:
            refuse_unknown(keys, known, part)
    providers, procedures, rows = given["providers"], given["procedures"], given["pairs"]
    tiers = tuple(given["tiers"])
    regions, families = tuple(given["regions"]), _distinct(row["family"] for row in procedures)
    specialties = _distinct(row["specialty"] for row in providers)
    provider, procedure = (
        _Places("provider", [row["id"] for row in providers]),
        _Places("procedure", [row["id"] for row in procedures]),
    )
    region, specialty = _Places("region", regions), _Places("specialty", specialties)
    tier = _Places("tier", tiers)
    for keys in {tuple(row["bands"]) for row in rows}:
        tier.at(keys)
    band = np.array([[row["bands"].get(key, (np.nan, np.nan)) for key in tiers] for row in rows], float)
    band = band.reshape(len(rows), len(tiers), 2)
    bare = Instance(
        name=given.get("name", name),
        currency=given["currency"],
        regions=regions,
        tiers=tiers,
        families=families,
        specialties=specialties,
        procedures=tuple(procedure.names),
        procedure_family=_Places("family", families).at(row["family"] for row in procedures),
        providers=tuple(provider.names),
        provider_region=region.at(row["region"] for row in providers),
        provider_specialty=specialty.at(row["specialty"] for row in providers),
        provider_stars=np.array([row["quality_stars"] or 0 for row in providers], np.int64),
        pairs=Pairs(
            provider=provider.at(row["provider"] for row in rows),
            procedure=procedure.at(row["procedure"] for row in rows),
            volume=_numbers(row["volume"] for row in rows),
            baseline_price=_numbers(row["baseline_price"] for row in rows),
            medicare_rate=_numbers(row["medicare_rate"] for row in rows),
            band_low=np.ascontiguousarray(band[:, :, 0]),
            band_high=np.ascontiguousarray(band[:, :, 1]),
        ),
        rules={},
        objective=Objective(**given.get("objective", {})),
        description=given.get("description", ""),
    )
    source = f"{SCHEMA}: {bare.name}"
    legal = [at for at, row in enumerate(rows) if row.get("legal") is not None]
    fair, special = given.get("fairness", []), given.get("specialty_fairness", [])
    lowest = given.get("lowest_tier_caps", [])
    floors = [at for at, row in enumerate(providers) if row.get("min_revenue") is not None]
    losses = {
        at: row["max_revenue_loss_fraction"]
        for at, row in enumerate(providers)
        if row.get("min_revenue") is None and row.get("max_revenue_loss_fraction") is not None
    }
    tables = [
        about(
            bare,
            "legal_band",
            np.array(legal, np.int64),
            low=_numbers(rows[at]["legal"][0] for at in legal),
            high=_numbers(rows[at]["legal"][1] for at in legal),
            source=source,
        ),
        about(
            bare,
            "regional_spread",
            _two(procedure.at(row["procedure"] for row in fair), region.at(row["region"] for row in fair)),
            high=_numbers(row["max_spread"] for row in fair),
            source=source,
        ),
        about(
            bare,
            "specialty_spread",
            specialty.at(row["specialty"] for row in special),
            high=_numbers(row["max_index_spread"] for row in special),
            source=source,
        ),
        about(
            bare,
            "revenue_floor",
            np.array(floors, np.int64),
            low=_numbers(providers[at]["min_revenue"] for at in floors),
            share=_numbers(providers[at].get("max_revenue_loss_fraction", np.nan) for at in floors),
            source=source,
        ),
        about(
            bare,
            "lowest_tier_cap",
            _two(procedure.at(row["procedure"] for row in lowest), region.at(row["region"] for row in lowest)),
            high=_numbers(row["max_count"] for row in lowest),
            source=source,
        ),
        _tier_rules(bare, given.get("tier_rules", []), provider, procedure, tier, source),
    ]
    if losses:
        tables.append(largest_loss(bare, losses, source=source))
    if given.get("family_rule"):
        tables.append(family_everywhere(bare, given["family_rule"]["max_tier_difference"], source=source))
    if given.get("savings_target"):
        tables.append(savings_target(bare, given["savings_target"]["min_savings_fraction"], source=source))
    return bare.with_rules(*tables)


def _tier_rules(
    bare: Instance, given: list[dict[str, Any]], provider: _Places, procedure: _Places, tier: _Places, source: str
) -> Rules:
    """Each rule's cells: the pairs of its provider (all, or those of its procedures) times the tiers it forbids."""
    order = np.argsort(bare.pairs.provider, kind="stable")
    bounds = np.searchsorted(bare.pairs.provider[order], np.arange(len(bare.providers) + 1))
    cells = []
    for row in given:
        (at,) = provider.at([row["provider"]])
        members = order[bounds[at] : bounds[at + 1]]
        if row["procedures"] != "all":
            asked = procedure.at(row["procedures"])  # those without a pair here have nothing to forbid
            members = members[np.isin(bare.pairs.procedure[members], asked)]
        tiers = tier.at(row["forbid"])
        cells.append((np.repeat(members, len(tiers)), np.tile(tiers, len(members))))
    return rules(
        "tier_rule",
        [row["id"] for row in given],
        np.zeros((len(given), 0)),
        high=0.0,
        reason=[row.get("why", "") for row in given],
        source=source,
        cells=cells,
    )


def _small(given: Mapping[str, Any], name: str) -> Instance:
    refuse_unknown(given, SMALL_KEYS, "")
    providers, procedures = list(given["providers"]), list(given["benchmark"])
    tiers = _distinct(tier for prices in given["tier_price"].values() for tier in prices)
    rows = [(p, q) for p in providers for q in given["volume"].get(p, {})]
    provider, procedure = _Places("provider", providers), _Places("procedure", procedures)
    benchmark = _numbers(given["benchmark"][q] for _, q in rows)
    single = np.array([[given["tier_price"][q].get(tier, np.nan) for tier in tiers] for _, q in rows], float)
    regions = _distinct(given["providers"].values())
    bare = Instance(
        name=name,
        currency="USD",
        regions=regions,
        tiers=tiers,
        families=(),
        specialties=(),
        procedures=tuple(procedures),
        procedure_family=np.full(len(procedures), -1),
        providers=tuple(providers),
        provider_region=_Places("region", regions).at(given["providers"].values()),
        provider_specialty=np.full(len(providers), -1),
        provider_stars=np.zeros(len(providers), np.int64),
        pairs=Pairs(
            provider=provider.at(p for p, _ in rows),
            procedure=procedure.at(q for _, q in rows),
            volume=_numbers(given["volume"][p][q] for p, q in rows),
            baseline_price=benchmark,
            medicare_rate=benchmark,
            band_low=single,
            band_high=single.copy(),
        ),
        rules={},
        description=given.get("about", ""),
    )
    floors = [at for at, (p, q) in enumerate(rows) if q in given.get("provider_floor", {}).get(p, {})]
    caps = given.get("fairness_spread_cap", {})
    spreads = _two(np.repeat(procedure.at(caps), len(regions)), np.tile(np.arange(len(regions)), len(caps)))
    tables = [
        about(
            bare,
            "minimum_price",
            np.array(floors, np.int64),
            low=_numbers(given["provider_floor"][rows[at][0]][rows[at][1]] for at in floors),
            source=name,
        ),
        about(bare, "regional_spread", spreads, high=np.repeat(_numbers(caps.values()), len(regions)), source=name),
    ]
    if given.get("legal_band"):
        refuse_unknown(given["legal_band"], {"low", "high"}, "legal_band")
        shares = given["legal_band"]
        tables.append(
            legal_shares(bare, shares.get("low"), shares.get("high"), reason="share of the benchmark", source=name)
        )
    if given.get("savings_target") is not None:
        tables.append(savings_target(bare, given["savings_target"], source=name))
    return bare.with_rules(*tables)


def to_json(asked: Instance) -> dict[str, Any]:
    """The instance as a `reimb-pricing/1` object. Raises NotAnInstance where the form has no words for a rule or an objective."""
    wordless = {"minimum_price", "budget", "largest_change", "largest_loss"} & set(asked.rules)
    families, plain = asked.of("family_tiers"), asked.objective
    every = family_everywhere(asked, 0) if len(families) else families
    if wordless or asked.elasticity is not None or plain.steps or plain.type in ("lexicographic", "quality_weighted"):
        what = ", ".join(sorted(wordless)) or f"objective {plain.type}, steps of a penalty or an elasticity"
        raise NotAnInstance(f"{SCHEMA} has no words for {what}; keep the scenario instead.")
    if len(set(families.high)) > 1 or set(families.ids) != set(every.ids):
        raise NotAnInstance(f"{SCHEMA} knows one tier difference for all families of all providers.")
    target, caps, special = asked.of("savings_target"), asked.of("lowest_tier_cap"), asked.of("specialty_spread")
    spread, floors, legal = asked.of("regional_spread"), asked.of("revenue_floor"), asked.of("legal_band")
    if len(target) and np.isnan(target.share[0]):
        raise NotAnInstance(
            f"{SCHEMA} says a savings target as a share of the baseline; this one was given in dollars."
        )
    floor = dict(
        zip(floors.subject[:, 0].tolist(), zip(floors.low.tolist(), floors.share.tolist(), strict=True), strict=True)
    )
    lawful = dict(
        zip(legal.subject[:, 0].tolist(), zip(legal.low.tolist(), legal.high.tolist(), strict=True), strict=True)
    )
    pairs = asked.pairs

    def provider(at: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": asked.providers[at],
            "region": asked.regions[asked.provider_region[at]],
            "specialty": asked.specialties[asked.provider_specialty[at]]
            if asked.provider_specialty[at] >= 0
            else "none",
            "quality_stars": int(asked.provider_stars[at]),
        }
        if at in floor:
            row["min_revenue"] = _plain(floor[at][0])
            row |= {} if np.isnan(floor[at][1]) else {"max_revenue_loss_fraction": _plain(floor[at][1])}
        return row

    def pair(at: int) -> dict[str, Any]:
        row = {
            "provider": asked.providers[pairs.provider[at]],
            "procedure": asked.procedures[pairs.procedure[at]],
            "volume": _plain(pairs.volume[at]),
            "baseline_price": _plain(pairs.baseline_price[at]),
            "medicare_rate": _plain(pairs.medicare_rate[at]),
            "bands": {
                tier: [_plain(pairs.band_low[at, t]), _plain(pairs.band_high[at, t])]
                for t, tier in enumerate(asked.tiers)
                if not np.isnan(pairs.band_low[at, t])
            },
        }
        return row | ({"legal": [_plain(end) for end in lawful[at]]} if at in lawful else {})

    def market(table: Rules, key: str) -> list[dict[str, Any]]:
        return [
            {"procedure": asked.procedures[q], "region": asked.regions[r], key: _plain(limit)}
            for (q, r), limit in zip(table.subject.tolist(), table.high.tolist(), strict=True)
        ]

    written: dict[str, Any] = {
        "schema": SCHEMA,
        "name": asked.name,
        "currency": asked.currency,
        "description": asked.description,
        "regions": list(asked.regions),
        "tiers": list(asked.tiers),
        "procedures": [
            {"id": name, "family": asked.families[f] if f >= 0 else "none"}
            for name, f in zip(asked.procedures, asked.procedure_family.tolist(), strict=True)
        ],
        "providers": [provider(at) for at in range(len(asked.providers))],
        "pairs": [pair(at) for at in range(len(pairs))],
        "fairness": market(spread, "max_spread"),
        "specialty_fairness": [
            {"specialty": asked.specialties[s], "max_index_spread": _plain(limit)}
            for (s,), limit in zip(special.subject.tolist(), special.high.tolist(), strict=True)
        ],
        "tier_rules": _written_tier_rules(asked),
        "lowest_tier_caps": market(caps, "max_count"),
        "objective": {"type": plain.type}
        | ({} if plain.deviation_weight == 1 else {"deviation_weight": _plain(plain.deviation_weight)}),
    }
    if len(families):
        written["family_rule"] = {"max_tier_difference": int(families.high[0])}
    if len(target):
        written["savings_target"] = {"min_savings_fraction": _plain(target.share[0])}
    return written


def _written_tier_rules(asked: Instance) -> list[dict[str, Any]]:
    table, written = asked.of("tier_rule"), []
    for row in range(len(table)):
        members, tiers = table.cell_pair[table.cells_of(row)], table.cell_tier[table.cells_of(row)]
        providers, forbidden = np.unique(asked.pairs.provider[members]), np.unique(tiers)
        if len(providers) != 1 or len(np.unique(members)) * len(forbidden) != len(members) or table.high[row] != 0:
            raise NotAnInstance(
                f"{SCHEMA} has no words for the tier rule {table.ids[row]}: one provider, the same tiers for all pairs."
            )
        written.append(
            {
                "id": table.ids[row],
                "provider": asked.providers[providers[0]],
                "procedures": [asked.procedures[q] for q in asked.pairs.procedure[np.unique(members)].tolist()],
                "forbid": [asked.tiers[t] for t in forbidden.tolist()],
                "why": table.reason[row],
            }
        )
    return written


class _Places:
    """Names and their positions; an unknown name is an error that offers the nearest."""

    def __init__(self, label: str, names: Collection[str]) -> None:
        self.label, self.names = label, list(names)
        self.place = {name: at for at, name in enumerate(self.names)}

    def at(self, names: Iterable[str]) -> np.ndarray:
        try:
            return np.array([self.place[name] for name in names], np.int64)
        except KeyError as problem:
            near = difflib.get_close_matches(str(problem.args[0]), self.names, 1, 0.0)
            hint = f" Nearest: {near[0]!r}." if near else ""
            raise NotAnInstance(f"there is no {self.label} {problem.args[0]!r}.{hint}") from None


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _numbers(values: Iterable[float]) -> np.ndarray:
    return np.array(list(values), float)


def _two(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right], axis=1) if len(left) else np.zeros((0, 2), np.int64)


def _plain(value: float) -> int | float:
    """A whole number without its point, as the instances are written."""
    return int(value) if float(value).is_integer() else float(value)
