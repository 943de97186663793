"""What a price list is asked for: providers, procedures, pairs, rules and an objective, as plain frozen columns.

Belongs here: the types, what each rule measures and in which unit, taking a rule out or easing it, the fingerprint.
Does not: reading files (forms.py, scenario.py), the model (model.py, hull.py), judging a price list (check.py).

Every rule, of whatever kind, says one sentence: `low ≤ measure(subject) ≤ high`, in the unit of its kind. So to ease a rule
by an amount is to move its bounds by it, and to drop it is to take its row away. Rules are rows of one table per kind; a
pair, a provider or a procedure is named inside by its position, outside by its id.

Numbers are floats, because a solver takes floats. A float read from a decimal of at most 15 digits prints as that decimal
again, so check.py has the exact input by `Decimal(repr(value))`: that is where the border between the two lies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

ObjectiveType = Literal["min_spend", "min_deviation", "min_spend_plus_deviation", "lexicographic", "quality_weighted"]


class NotAnInstance(ValueError):
    """The input contradicts itself; the message says where and what to do."""


@dataclass(frozen=True)
class Kind:
    """What a rule kind is about. Its name is that of its constraint in code, LP file, report and docs."""

    prefix: str  # of a rule's id; "" where a rule brings its own
    subject: tuple[str, ...]  # what its `subject` columns number: pair, provider, procedure, region, specialty, family
    measure: str
    unit: str
    sides: tuple[str, ...]  # which of low and high it may bound


KINDS: dict[str, Kind] = {
    "legal_band": Kind("legal", ("pair",), "price of the pair", "USD per procedure", ("low", "high")),
    "regional_spread": Kind(
        "spread",
        ("procedure", "region"),
        "largest minus smallest price of the procedure in the region",
        "USD of price spread",
        ("high",),
    ),
    "specialty_spread": Kind(
        "specialty",
        ("specialty",),
        "largest minus smallest price index among the specialty's providers; index = Σ volume·price ÷ Σ volume·medicare_rate",
        "index",
        ("high",),
    ),
    "minimum_price": Kind("minprice", ("pair",), "price of the pair", "USD per procedure", ("low",)),
    "revenue_floor": Kind("floor", ("provider",), "revenue of the provider", "USD of revenue", ("low",)),
    "largest_loss": Kind("loss", ("provider",), "revenue of the provider", "USD of revenue", ("low",)),
    "tier_rule": Kind(
        "", (), "number of its cells (pair, tier) that are chosen", "number of forbidden tier assignments", ("high",)
    ),
    "lowest_tier_cap": Kind(
        "lowcap",
        ("procedure", "region"),
        "number of the procedure's pairs in the region that are in the first tier",
        "pairs in the lowest tier",
        ("high",),
    ),
    "family_tiers": Kind(
        "family",
        ("provider", "family"),
        "highest minus lowest tier of the provider's pairs in the family",
        "tiers",
        ("high",),
    ),
    "savings_target": Kind("target", (), "spend over all pairs", "USD of spend", ("high",)),
    "budget": Kind("budget", (), "spend over the pairs in its cells", "USD of spend", ("high",)),
    "largest_change": Kind("change", ("pair",), "price of the pair", "USD per procedure", ("low", "high")),
}


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of one kind, one row per rule. All columns have the same length; `cells` are the members of rules that list them.

    `low` is -inf and `high` is inf where a rule has no such side. `share` is the fraction that a limit came from (a legal share
    of the benchmark, a savings target, a largest loss) and NaN where the limit was given in its unit: it is shown, not used.
    Members of rule r (tier_rule, budget): rows `start[r]:start[r + 1]` of `cell_pair` and, for tier_rule, `cell_tier`.
    """

    kind: str
    ids: np.ndarray  # of str
    subject: np.ndarray  # (rules, len(KINDS[kind].subject)) positions
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    reason: np.ndarray  # of str
    source: np.ndarray  # of str
    start: np.ndarray
    cell_pair: np.ndarray
    cell_tier: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def __post_init__(self) -> None:
        for column in ("subject", "low", "high", "share", "reason", "source"):
            if len(getattr(self, column)) != len(self.ids):
                raise NotAnInstance(
                    f"rules of kind {self.kind}: column {column} has {len(getattr(self, column))} rows, ids {len(self.ids)}."
                )
        if len(self.start) != len(self.ids) + 1 or self.start[-1] != len(self.cell_pair):
            raise NotAnInstance(f"rules of kind {self.kind}: start does not count the cells.")

    @property
    def unit(self) -> str:
        return KINDS[self.kind].unit

    def cells_of(self, row: int) -> slice:
        """Which rows of cell_pair and cell_tier belong to rule `row`."""
        return slice(int(self.start[row]), int(self.start[row + 1]))

    def rule_of_cell(self) -> np.ndarray:
        """For each cell the row of its rule."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def kept(self, keep: np.ndarray) -> Rules:
        """The rows where `keep` is true."""
        cells = keep[self.rule_of_cell()] if len(self.cell_pair) else np.zeros(0, bool)
        return replace(
            self,
            **{
                name: getattr(self, name)[keep]
                for name in ("ids", "subject", "low", "high", "share", "reason", "source")
            },
            start=np.concatenate([[0], np.cumsum(np.diff(self.start)[keep])]).astype(np.int64),
            cell_pair=self.cell_pair[cells],
            cell_tier=self.cell_tier[cells] if len(self.cell_tier) else self.cell_tier,
        )


def rules(
    kind: str,
    ids: Iterable[str],
    subject: np.ndarray | Iterable[tuple[int, ...]] = (),
    *,
    low: np.ndarray | float = -np.inf,
    high: np.ndarray | float = np.inf,
    share: np.ndarray | float = np.nan,
    reason: Iterable[str] | str = "",
    source: Iterable[str] | str = "",
    cells: Iterable[tuple[np.ndarray, np.ndarray | None]] | None = None,
) -> Rules:
    """A table of rules of one kind; single values are repeated. `cells` gives one (pairs, tiers or None) per rule."""
    if kind not in KINDS:
        raise NotAnInstance(f"there is no kind of rule {kind!r}; there are {', '.join(KINDS)}.")
    names = np.array(list(ids), dtype=object)
    count, width = len(names), len(KINDS[kind].subject)
    positions = np.asarray(subject if isinstance(subject, np.ndarray) else list(subject), dtype=np.int64)
    parts = list(cells) if cells is not None else [(np.zeros(0, np.int64), None)] * count
    sizes = [len(pairs) for pairs, _ in parts]
    tiers = [part for _, part in parts if part is not None]
    return Rules(
        kind=kind,
        ids=names,
        subject=positions.reshape(count, width) if width else np.zeros((count, 0), np.int64),
        low=_column(low, count),
        high=_column(high, count),
        share=_column(share, count),
        reason=_texts(reason, count),
        source=_texts(source, count),
        start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        cell_pair=np.concatenate([np.asarray(p, np.int64) for p, _ in parts]) if parts else np.zeros(0, np.int64),
        cell_tier=np.concatenate([np.asarray(t, np.int64) for t in tiers]) if tiers else np.zeros(0, np.int64),
    )


@dataclass(frozen=True, eq=False)
class Pairs:
    """One row per provider and procedure that occurs together.

    `band_low` and `band_high` are (pairs, tiers), NaN where the tier is not allowed; a single price is a band of width zero.
    Prices and rates are USD per procedure, `volume` procedures per year. `medicare_rate` is the benchmark of the pair: its
    indices and legal shares refer to it, and prices are scaled by it before they go to a solver.
    """

    provider: np.ndarray
    procedure: np.ndarray
    volume: np.ndarray
    baseline_price: np.ndarray
    medicare_rate: np.ndarray
    band_low: np.ndarray
    band_high: np.ndarray

    def __len__(self) -> int:
        return len(self.provider)

    @property
    def allowed(self) -> np.ndarray:
        """(pairs, tiers): true where the pair may be in the tier, tier rules aside."""
        return ~np.isnan(self.band_low)


@dataclass(frozen=True)
class Step:
    """One piece of the penalty: each dollar of |price − baseline| up to `up_to` (share of the baseline price) costs `rate`."""

    up_to: float
    rate: float


@dataclass(frozen=True)
class Objective:
    """What is made least.

    min_spend                 Σ volume·price
    min_deviation             Σ volume·penalty(|price − baseline|)
    min_spend_plus_deviation  the sum of both
    lexicographic             least spend; then the least deviation at a spend within `spend_tolerance` (a share) of it
    quality_weighted          Σ weight(stars)·volume·price: a dollar paid to a provider of many stars counts less

    The penalty is `deviation_weight` times the amount, or, where `steps` are given, `deviation_weight` times a convex
    piecewise linear function of it: rates must not fall and the last step must be open (`up_to` infinite).
    """

    type: ObjectiveType = "min_spend"
    deviation_weight: float = 1.0
    steps: tuple[Step, ...] = ()
    star_weight: Mapping[int, float] = field(default_factory=dict)  # stars → weight; 1 where absent
    spend_tolerance: float = 1e-6

    def __post_init__(self) -> None:
        rates = [step.rate for step in self.steps]
        if rates != sorted(rates) or [s.up_to for s in self.steps] != sorted({s.up_to for s in self.steps}):
            raise NotAnInstance(
                "objective: the penalty's steps must widen and their rates must not fall (it must be convex)."
            )
        if self.steps and np.isfinite(self.steps[-1].up_to):
            raise NotAnInstance("objective: the last step of the penalty must be open; leave out its `up_to`.")
        if self.deviation_weight < 0 or any(rate < 0 for rate in rates):
            raise NotAnInstance("objective: weights and rates of the penalty must not be negative.")


@dataclass(frozen=True, eq=False)
class Elasticity:
    """How volumes answer to price: volume·(1 + elasticity·(price − baseline) ÷ baseline), per pair; off unless given.

    Spend and revenue then count, for each pair, the straight line between their values at the ends of its tier's band: this
    piecewise linear spend is the definition that model, check and report share. Price indices keep the stated volumes.
    """

    per_pair: np.ndarray  # dimensionless, ≤ 0 as a rule
    source: str = ""


@dataclass(frozen=True, eq=False)
class Instance:
    """One pricing question. Positions everywhere; `procedure_family` and `provider_specialty` are -1 for "none"."""

    name: str
    currency: str
    regions: tuple[str, ...]
    tiers: tuple[str, ...]  # from lowest to highest
    families: tuple[str, ...]
    specialties: tuple[str, ...]
    procedures: tuple[str, ...]
    procedure_family: np.ndarray
    providers: tuple[str, ...]
    provider_region: np.ndarray
    provider_specialty: np.ndarray
    provider_stars: np.ndarray  # 1 to 5, 0 where unknown
    pairs: Pairs
    rules: Mapping[str, Rules]  # by kind; kinds without rules are absent
    objective: Objective = Objective()
    elasticity: Elasticity | None = None
    description: str = ""

    def __post_init__(self) -> None:
        _judge(self)

    # What is asked of it again and again.

    @property
    def pair_region(self) -> np.ndarray:
        return self.provider_region[self.pairs.provider]

    @property
    def pair_market(self) -> np.ndarray:
        """Procedure and region of each pair, as one number: procedure × regions + region."""
        return np.asarray(self.pairs.procedure.astype(np.int64) * len(self.regions) + self.pair_region)

    @property
    def pair_family(self) -> np.ndarray:
        return self.procedure_family[self.pairs.procedure]

    @property
    def baseline_spend(self) -> Decimal:
        """Σ volume × baseline price, exact."""
        return _baseline_spend(self.pairs)

    def of(self, kind: str) -> Rules:
        """The rules of a kind, an empty table where there are none."""
        found = self.rules.get(kind)
        return found if found is not None else rules(kind, [])

    def pair_frame(self) -> pd.DataFrame:
        """One row per pair: provider, procedure, region, volume, baseline_price, medicare_rate, by id."""
        return pd.DataFrame(
            {
                "provider": np.array(self.providers, object)[self.pairs.provider],
                "procedure": np.array(self.procedures, object)[self.pairs.procedure],
                "region": np.array(self.regions, object)[self.pair_region],
                "volume": self.pairs.volume,
                "baseline_price": self.pairs.baseline_price,
                "medicare_rate": self.pairs.medicare_rate,
            }
        )

    def rule_frame(self) -> pd.DataFrame:
        """One row per rule: id, kind, unit, low, high, share, reason, source."""
        tables = [
            pd.DataFrame(
                {
                    "id": table.ids,
                    "kind": kind,
                    "unit": table.unit,
                    "low": table.low,
                    "high": table.high,
                    "share": table.share,
                    "reason": table.reason,
                    "source": table.source,
                }
            )
            for kind, table in self.rules.items()
        ]
        columns = ["id", "kind", "unit", "low", "high", "share", "reason", "source"]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)

    def without(self, ids: Collection[str] = (), kinds: Collection[str] = ()) -> Instance:
        """The same question without the rules of these ids or kinds. An id that is not there is an error."""
        gone, found = set(ids), set()
        left: dict[str, Rules] = {}
        for kind, table in self.rules.items():
            if kind in kinds:
                found.update(gone.intersection(table.ids))
                continue
            hit = np.fromiter((name in gone for name in table.ids), bool, len(table))
            found.update(table.ids[hit])
            left[kind] = table.kept(~hit) if hit.any() else table
        _all_found(gone, found)
        return replace(self, rules={kind: table for kind, table in left.items() if len(table)})

    def only(self, ids: Collection[str]) -> Instance:
        """The same question with just these rules (bands always hold)."""
        wanted = set(ids)
        left = {
            kind: table.kept(np.fromiter((name in wanted for name in table.ids), bool, len(table)))
            for kind, table in self.rules.items()
        }
        _all_found(wanted, {name for table in left.values() for name in table.ids})
        return replace(self, rules={kind: table for kind, table in left.items() if len(table)})

    def eased(self, amounts: Mapping[str, float]) -> Instance:
        """The same question with these rules' bounds moved outwards by amounts in their own units (inwards if negative)."""
        found: set[str] = set()
        left: dict[str, Rules] = {}
        for kind, table in self.rules.items():
            by = np.fromiter((amounts.get(name, 0.0) for name in table.ids), float, len(table))
            found.update(name for name in table.ids[by != 0])
            moved = by != 0
            left[kind] = (
                replace(table, low=table.low - by, high=table.high + by, share=np.where(moved, np.nan, table.share))
                if moved.any()
                else table
            )
        _all_found({name for name, amount in amounts.items() if amount}, found)
        return replace(self, rules=left)

    def with_rules(self, *tables: Rules) -> Instance:
        """The same question with these tables in place of those of their kinds; an empty table takes the kind away."""
        merged = {**self.rules, **{table.kind: table for table in tables}}
        return replace(self, rules={kind: table for kind, table in merged.items() if len(table)})

    def fingerprint(self) -> str:
        """The same for the same question, whatever it was read from: 16 hex digits over all columns and rules."""
        digest = hashlib.sha256()
        for item in fields(self):
            if item.name not in ("description", "name"):
                _into(digest, getattr(self, item.name))
        return digest.hexdigest()[:16]


@lru_cache(maxsize=8)
def _baseline_spend(pairs: Pairs) -> Decimal:
    """Once for all questions about the same pairs, which are never written to."""
    return exact_sum(pairs.volume, pairs.baseline_price)


def exact(value: float) -> Decimal:
    """The decimal that this float was read from (at most 15 significant digits)."""
    return Decimal(repr(float(value)))


def exact_sum(left: np.ndarray, right: np.ndarray) -> Decimal:
    """Σ left × right in decimals, without rounding."""
    return sum(
        (Decimal(repr(a)) * Decimal(repr(b)) for a, b in zip(left.tolist(), right.tolist(), strict=True)), Decimal(0)
    )


def _column(value: np.ndarray | float, count: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, float), (count,)).copy()


def _texts(value: Iterable[str] | str, count: int) -> np.ndarray:
    if isinstance(value, str):
        return np.full(count, value, dtype=object)
    return np.array(list(value), dtype=object)


def _all_found(asked: set[str], found: set[str]) -> None:
    missing = sorted(asked - found)
    if missing:
        raise NotAnInstance(
            f"no rule has the id {missing[0]!r}" + (f" (nor {len(missing) - 1} others)." if missing[1:] else ".")
        )


def _into(digest: hashlib._Hash, value: object) -> None:
    """Adds a value to a digest so that neighbours cannot run together."""
    if isinstance(value, np.ndarray):
        digest.update(f"[{value.shape}{value.dtype.kind}".encode())
        digest.update(
            "\x1f".join(map(str, value.tolist())).encode()
            if value.dtype == object
            else np.ascontiguousarray(value).tobytes()
        )
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(f"{{{key}".encode())
            _into(digest, value[key])
    elif hasattr(value, "__dataclass_fields__"):
        for item in fields(value):  # type: ignore[arg-type]
            if item.name not in ("reason", "source"):
                _into(digest, getattr(value, item.name))
    elif isinstance(value, tuple):
        digest.update(f"({len(value)}".encode())
        for part in value:
            _into(digest, part)
    else:
        digest.update(f"|{value!r}".encode())


def _judge(asked: Instance) -> None:
    """Refuses what no price list could mean: lengths, positions, bands, doubles. A few array operations, no loop over rows."""
    pairs, count = asked.pairs, len(asked.pairs)
    for name in ("procedure", "volume", "baseline_price", "medicare_rate", "band_low", "band_high"):
        if len(getattr(pairs, name)) != count:
            raise NotAnInstance(f"pairs: column {name} has {len(getattr(pairs, name))} rows, provider {count}.")
    if pairs.band_low.shape != (count, len(asked.tiers)) or pairs.band_high.shape != pairs.band_low.shape:
        raise NotAnInstance(f"pairs: bands must have one column for each of the {len(asked.tiers)} tiers.")
    for label, known in (("provider", asked.providers), ("procedure", asked.procedures), ("region", asked.regions)):
        if len(set(known)) != len(known):
            raise NotAnInstance(f"{label}: an id occurs twice.")

    def refuse(bad: Any, what: str) -> None:
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            provider, procedure = asked.providers[pairs.provider[row]], asked.procedures[pairs.procedure[row]]
            more = f" and {int(bad.sum()) - 1} others" if bad.sum() > 1 else ""
            raise NotAnInstance(f"pair {provider}, {procedure}{more}: {what}")

    allowed = pairs.allowed
    key = pairs.provider.astype(np.int64) * len(asked.procedures) + pairs.procedure
    order = np.argsort(key, kind="stable")
    twice = np.zeros(count, bool)
    twice[order[1:]] = key[order[1:]] == key[order[:-1]]
    refuse(twice, "occurs twice; join its volumes to one row.")
    refuse(~allowed.any(axis=1), "has no tier that it may be in.")
    refuse(((pairs.band_low > pairs.band_high) & allowed).any(axis=1), "has a band whose low is above its high.")
    refuse((allowed != ~np.isnan(pairs.band_high)).any(axis=1), "has a band with one end only.")
    refuse(~(pairs.medicare_rate > 0), "needs a benchmark rate above zero: indices and scaling divide by it.")
    refuse(~(pairs.volume >= 0), "needs a volume of zero or more.")
    refuse(~(pairs.baseline_price >= 0) | ~np.isfinite(pairs.baseline_price), "needs a baseline price of zero or more.")
    sizes = {"pair": count, "provider": len(asked.providers), "procedure": len(asked.procedures)}
    sizes |= {"region": len(asked.regions), "specialty": len(asked.specialties), "family": len(asked.families)}
    seen: set[str] = set()
    for kind, table in asked.rules.items():
        if kind != table.kind:
            raise NotAnInstance(f"rules of kind {table.kind} stand under {kind}.")
        for place, name in enumerate(KINDS[kind].subject):
            column = table.subject[:, place]
            if len(column) and not (column.min() >= 0 and column.max() < sizes[name]):
                raise NotAnInstance(f"rules of kind {kind}: a {name} is not among the {sizes[name]}.")
        names = set(table.ids)
        if len(names) != len(table) or names & seen:
            doubled = next(iter(names & seen), None) or str(
                pd.Series(table.ids)[pd.Series(table.ids).duplicated()].iloc[0]
            )
            raise NotAnInstance(f"two rules have the id {doubled!r}; give each its own.")
        seen |= names
    if asked.elasticity is not None:
        refuse(
            (pairs.baseline_price == 0) & (asked.elasticity.per_pair != 0),
            "answers to price, so it needs a baseline above zero.",
        )
