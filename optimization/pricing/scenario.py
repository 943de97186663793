"""A pricing question as a person writes it: YAML that names a source of pairs, tiers, rules with reasons, and what to make least.

Belongs here: the grammar, its errors (an unknown key is named and the nearest one offered). Does not: reading pairs, making
rules into rows (question.py); anything about the warehouse: a source `marts` or `ipps` is a request that whoever holds the marts
answers with a frame of pairs.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from optimization.pricing.instance import KINDS, ObjectiveType
from optimization.pricing.strict import Strict, nearest, read_yaml
from optimization.pricing.transparency import Transparency

Share = Annotated[float, Field(ge=0)]
Texts = list[str]


class ScenarioError(ValueError):
    """A scenario cannot be used; the message names the file, the place in it, and the nearest known name."""


class Where(Strict):
    """Which pairs a rule is about: those that match every list given. `columns` names further columns of the pairs."""

    providers: Texts | None = None
    procedures: Texts | None = None
    regions: Texts | None = None
    specialties: Texts | None = None
    families: Texts | None = None
    columns: dict[str, Texts] = {}


class Rule(Strict):
    """What every rule says of itself. `id` names the entry; each row that it makes has an id of its own (docs/pricing.md)."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    reason: str = Field(min_length=3)
    source: str = Field(min_length=3, description="a contract, a law, a decision; with its date where it has one")
    where: Where = Where()


class LegalBand(Rule):
    kind: Literal["legal_band"]
    low: Share | None = Field(default=None, description="share of the benchmark rate")
    high: Share | None = Field(default=None, description="share of the benchmark rate")
    low_percentile: float | None = Field(default=None, ge=0, le=100, description="of negotiated rates of the procedure")
    high_percentile: float | None = Field(
        default=None, ge=0, le=100, description="of negotiated rates of the procedure"
    )
    as_of: dt.date = Field(description="the day on which the benchmark stood so")

    @model_validator(mode="after")
    def _says_something(self) -> LegalBand:
        if all(getattr(self, name) is None for name in ("low", "high", "low_percentile", "high_percentile")):
            raise ValueError("a legal_band names low, high, low_percentile or high_percentile")
        return self


class RegionalSpread(Rule):
    kind: Literal["regional_spread"]
    cap: float | None = Field(default=None, ge=0, description="USD between the largest and smallest price")
    share: Share | None = Field(default=None, description="of the mean benchmark of the procedure in the region")

    @model_validator(mode="after")
    def _one_of_two(self) -> RegionalSpread:
        if (self.cap is None) == (self.share is None):
            raise ValueError("a regional_spread names cap (USD) or share (of the benchmark), one of the two")
        return self


class SpecialtySpread(Rule):
    kind: Literal["specialty_spread"]
    cap: float = Field(ge=0, description="points of the index: revenue ÷ revenue at the benchmark")


class MinimumPrice(Rule):
    kind: Literal["minimum_price"]
    share_of_baseline: Share | None = None
    share_of_benchmark: Share | None = None
    price: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_of_three(self) -> MinimumPrice:
        if sum(value is not None for value in (self.share_of_baseline, self.share_of_benchmark, self.price)) != 1:
            raise ValueError("a minimum_price names share_of_baseline, share_of_benchmark or price, one of the three")
        return self


class RevenueFloor(Rule):
    kind: Literal["revenue_floor"]
    share: Share | None = Field(default=None, description="of the provider's revenue at baseline")
    amounts: dict[str, float] = Field(default={}, description="provider → USD of revenue")

    @model_validator(mode="after")
    def _one_of_two(self) -> RevenueFloor:
        if (self.share is None) == (not self.amounts):
            raise ValueError("a revenue_floor names share (of the baseline) or amounts (per provider), one of the two")
        return self


class LargestLoss(Rule):
    kind: Literal["largest_loss"]
    share: float = Field(ge=0, le=1, description="of the provider's revenue at baseline")


class When(Strict):
    measure: Literal["stars", "volume", "market_share", "sole_provider"]
    at_least: float | None = None
    at_most: float | None = None


class TierRule(Rule):
    kind: Literal["tier_rule"]
    forbid: Texts = []
    require: Texts = []
    when: When | None = Field(default=None, description="a threshold; without it every pair of `where`, as one rule")

    @model_validator(mode="after")
    def _one_of_two(self) -> TierRule:
        if bool(self.forbid) == bool(self.require):
            raise ValueError("a tier_rule names tiers to forbid or tiers to require, one of the two")
        return self


class LowestTierCap(Rule):
    kind: Literal["lowest_tier_cap"]
    count: int = Field(ge=0)


class FamilyTiers(Rule):
    kind: Literal["family_tiers"]
    difference: int = Field(ge=0)


class SavingsTarget(Rule):
    kind: Literal["savings_target"]
    share: float = Field(ge=-1, lt=1)
    confidence: float | None = Field(
        default=None, gt=0.5, lt=1, description="the target is met in this share of drawn volumes (see robustness)"
    )


class Budget(Rule):
    kind: Literal["budget"]
    amount: float | None = Field(default=None, ge=0)
    share_of_baseline: Share | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Budget:
        if (self.amount is None) == (self.share_of_baseline is None):
            raise ValueError("a budget names amount (USD) or share_of_baseline, one of the two")
        return self


class LargestChange(Rule):
    kind: Literal["largest_change"]
    share: float = Field(ge=0, le=1, description="of the baseline price, up or down")


AnyRule = Annotated[
    LegalBand
    | RegionalSpread
    | SpecialtySpread
    | MinimumPrice
    | RevenueFloor
    | LargestLoss
    | TierRule
    | LowestTierCap
    | FamilyTiers
    | SavingsTarget
    | Budget
    | LargestChange,
    Field(discriminator="kind"),
]


class Marts(Strict):
    """A request for pairs of the warehouse's marts; lists narrow it, none given: all."""

    data_source: str | None = None
    payers: Texts | None = None
    states: Texts | None = None
    specialties: Texts | None = None
    procedures: Texts | None = None
    code_types: Texts | None = None
    region_by: Literal["state", "zip3", "referral_region"] = "state"
    least_volume: float = Field(default=0, ge=0, description="procedures a year; rarer pairs are left as they are")
    most_providers: int | None = Field(default=None, ge=1, description="the largest by spend")
    most_procedures: int | None = Field(default=None, ge=1, description="the largest by spend")


class Ipps(Strict):
    """A request for hospital × MS-DRG pairs of CMS's inpatient file."""

    data_source: str | None = None
    states: Texts | None = None
    period: str | None = Field(default=None, description="as published, fy2016 or dy2023; none given: the latest")
    drgs: Texts | None = None
    region_by: Literal["state", "referral_region"] = "state"
    least_volume: float = Field(default=11, ge=0)
    most_providers: int | None = Field(default=None, ge=1)
    most_procedures: int | None = Field(default=None, ge=1)


class Source(Strict):
    """Where pairs come from: exactly one of instance (JSON), pairs (CSV or Parquet), marts, ipps. Paths are from the scenario."""

    instance: str | None = None
    pairs: str | None = None
    months: str | None = Field(default=None, description="past volumes: provider, procedure, month, volume")
    rates: str | None = Field(
        default=None, description="negotiated rates: procedure, rate and, if known, provider, payer"
    )
    marts: Marts | None = None
    ipps: Ipps | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        given = [name for name in ("instance", "pairs", "marts", "ipps") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"names {' and '.join(given) or 'none'}; exactly one of instance, pairs, marts, ipps")
        return self


class Baseline(Strict):
    """Today's price of a pair: as the source has it, or from negotiated rates of the pair where there are any."""

    from_: Literal["pairs", "rates"] = Field(default="pairs", alias="from")
    statistic: Literal["median", "mean", "min", "max"] = "median"
    payer: str | None = None


class PenaltyStep(Strict):
    up_to: float | None = Field(default=None, gt=0, description="share of the baseline price; the last step is open")
    rate: float = Field(ge=0)


class Goal(Strict):
    type: ObjectiveType = "min_spend"
    deviation_weight: float = Field(default=1.0, ge=0)
    steps: list[PenaltyStep] = []
    star_weight: dict[int, float] = {}
    spend_tolerance: float = Field(default=1e-6, ge=0)


class ElasticVolumes(Strict):
    """Volumes answer to price: off unless given, and said in the report."""

    value: float = Field(le=0, description="percent of volume per percent of price")
    source: str = Field(min_length=3)
    by_family: dict[str, float] = {}


class Solver(Strict):
    name: Literal["highs", "cbc"] = "highs"
    gap: float = Field(default=1e-4, gt=0)
    time_limit: float = Field(default=300, gt=0, description="seconds")


class Robustness(Strict):
    draws: int = Field(default=1000, ge=50, le=100_000)
    seed: int = 1
    level: float = Field(default=0.9, gt=0, lt=1, description="of the interval of savings")
    months: Literal["together", "apart"] = "together"
    spread: float = Field(default=0.1, ge=0, lt=2, description="where no past months are known")


class Repairs(Strict):
    """What resolving a conflict costs: USD per unit of change, by rule id or kind; `never` are left alone."""

    weights: dict[str, float] = {}
    never: Texts = []


class Scenario(Strict):
    """One pricing question. `path` is the file it was read from."""

    scenario: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    about: str = Field(min_length=3)
    currency: str = "USD"
    source: Source
    tiers: dict[str, tuple[Share, Share]] = Field(
        default={},
        description="from lowest to highest: [low, high] as shares of the benchmark; an instance brings its own",
    )
    baseline: Baseline = Baseline()
    objective: Goal | None = Field(default=None, description="none given: the instance's own, or least spend")
    elasticity: ElasticVolumes | None = None
    rules: list[AnyRule] = []
    drop: Texts = Field(
        default=[], description="ids or kinds of rules that the instance brings and this scenario does without"
    )
    solver: Solver = Solver()
    round_to: Literal["cent", "dollar", "exact"] = "cent"
    robustness: Robustness = Robustness()
    repairs: Repairs = Repairs()
    transparency: Transparency | None = None
    path: Path | None = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        names = [rule.id for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rules: two have the id {twice[0]!r}; give each its own")
        if self.source.instance is None and not self.tiers:
            raise ValueError("tiers: name them, lowest first, each with its [low, high] as shares of the benchmark")
        if self.source.instance is not None and self.tiers:
            raise ValueError("tiers: the instance brings its own; leave them out here")
        for name, (low, high) in self.tiers.items():
            if low > high:
                raise ValueError(f"tiers → {name}: low {low} is above high {high}")
        for rule in self.rules:
            for tier in [*rule.forbid, *rule.require] if isinstance(rule, TierRule) else []:
                if self.tiers and tier not in self.tiers:
                    raise ValueError(f"rules → {rule.id}: there is no tier {tier!r}{nearest(tier, self.tiers)}")
        return self

    @property
    def folder(self) -> Path:
        """What paths inside the scenario are relative to."""
        return self.path.parent if self.path else Path()

    @property
    def confidence(self) -> float | None:
        """The share of drawn volumes in which the target must be met, if one is asked for."""
        return next((rule.confidence for rule in self.rules if isinstance(rule, SavingsTarget)), None)


def load_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path.name}: cannot be read: {error}") from error
    return read_scenario(text, path)


def read_scenario(text: str, path: Path) -> Scenario:
    """The scenario in a text; `path` says where it stands. Raises ScenarioError."""
    try:
        data = read_yaml(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path.name}: a scenario is a mapping; it begins with scenario: NAME")
    try:
        made = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError("\n".join(_explained(path, item) for item in error.errors())) from error
    return made.model_copy(update={"path": path})


def _explained(path: Path, error: Any) -> str:
    place = [str(part) for part in error["loc"]]
    if len(place) > 2 and place[0] == "rules" and place[2] in KINDS:
        del place[2]  # pydantic's name of the branch, not a key of the file
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "union_tag_invalid":
        message = _kind_unknown(error)
    if error["type"] == "union_tag_not_found":
        message = "says no kind"
    return f"{path.name}: {' → '.join(place) or 'scenario'}: {message}"


def _kind_unknown(error: Any) -> str:
    known = [name.strip(" '") for name in error["ctx"]["expected_tags"].split(",")]
    tag = error["ctx"]["tag"]
    return f"there is no kind of rule {tag!r}{nearest(tag, known)}"
