"""What a feed is: columns, types, grain, key, identities, layouts, read from contracts/<feed>.yml.

Belongs here: the grammar of a contract, its errors, and what follows from it alone (the lake's columns).
Does not: reading data, SQL, anything that knows two feeds at once.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from dagster_project.sources.layouts import (
    CANONICAL,
    X12,
    Exclusion,
    Footer,
    Layout,
    Mapping,
    Repeat,
    Strict,
    Texts,
    checked_pattern,
)
from dagster_project.sources.x12.records import RECORDS

CONTRACTS = Path(__file__).resolve().parent / "contracts"
DECIMAL_PATTERN = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
IDENTITY_PATTERN = re.compile(r"keep|drop|token:[a-z_]+|generalise:(birth_year|year|zip3)")
POOLED = "is_birth_year_pooled"
POOLED_ABOUT = (
    "whether the year of birth stands for itself and all earlier ones (whoever is 90 or older in the year of the load); "
    "blank where the date of birth is unknown"
)
GENERALISED = {"birth_year": "INTEGER", "year": "INTEGER", "zip3": "VARCHAR"}
TODAY = "today"

Bound = Decimal | dt.date | Literal["today"]


class ContractError(ValueError):
    """A contract cannot be used; the message names the file, the place in it, and the nearest known name."""


@dataclass(frozen=True)
class LakeColumn:
    """A column as it lies in the lake: identities are treated, types are DuckDB's."""

    name: str
    type: str
    about: str
    source: str  # the contract's column it is made from; empty for the columns every feed has
    required: bool = False
    allowed: tuple[str, ...] = ()


def _without_blanks(value: Any) -> Any:
    return value.replace(" ", "") if isinstance(value, str) else value


class Column(Strict):
    """A column of a feed as the contract names it."""

    type: Annotated[str, BeforeValidator(_without_blanks)]
    identity: str
    required: bool = False
    allowed: Texts | None = None
    pattern: str | None = None
    between: tuple[Bound, Bound] | None = None
    minimum: Decimal | None = None
    pad: int | None = Field(None, ge=1)
    unit: str | None = None
    about: str = Field(min_length=1)
    why_kept: str | None = Field(None, min_length=10)

    @model_validator(mode="before")
    @classmethod
    def _identity_is_stated(cls, data: Any) -> Any:
        if isinstance(data, dict) and "identity" not in data:
            raise ValueError("states no identity treatment; say drop, token:<kind>, generalise:<to> or keep")
        return data

    @model_validator(mode="after")
    def _grammar(self) -> Column:
        decimal = DECIMAL_PATTERN.fullmatch(self.type)
        if decimal is None and self.type not in TYPES:
            raise ValueError(f"type {self.type!r} is not known{nearest(self.type, [*TYPES, 'decimal(p,s)'])}")
        if decimal and not (0 < int(decimal[1]) <= 38 and int(decimal[2]) <= min(10, int(decimal[1]))):
            raise ValueError(f"type {self.type!r}: at most 38 digits, at most 10 of them decimals")
        if not IDENTITY_PATTERN.fullmatch(self.identity):
            known = ["keep", "drop", "token:member", "generalise:birth_year", "generalise:year", "generalise:zip3"]
            raise ValueError(f"identity {self.identity!r} is not known{nearest(self.identity, known)}")
        if self.identity.startswith("token:") and self.type not in ("text", "code"):
            raise ValueError("only text can become a token")
        if self.type == FREE_TEXT and self.identity != "drop" and not (self.identity == "keep" and self.why_kept):
            raise ValueError("free text may name anybody: identity is drop, or keep with why_kept saying why it cannot")
        if self.why_kept and (self.type, self.identity) != (FREE_TEXT, "keep"):
            raise ValueError("why_kept is said of free text that is kept, and of nothing else")
        if self.pattern is not None:
            checked_pattern(self.pattern)
        return self

    @property
    def decimals(self) -> tuple[int, int] | None:
        """Digits and decimals, for usd and decimal(p,s)."""
        if self.type == "usd":
            return 18, 2
        match = DECIMAL_PATTERN.fullmatch(self.type)
        return (int(match[1]), int(match[2])) if match else None

    @property
    def token_kind(self) -> str | None:
        return self.identity.removeprefix("token:") if self.identity.startswith("token:") else None

    @property
    def generalised_to(self) -> str | None:
        return self.identity.removeprefix("generalise:") if self.identity.startswith("generalise:") else None

    @property
    def is_lower_case(self) -> bool:
        """Codes are upper case, unless the contract writes the allowed ones in lower case."""
        return bool(self.allowed) and any(value != value.upper() for value in self.allowed or [])

    @property
    def duckdb_type(self) -> str:
        """The type as read, before the identity is treated."""
        if self.decimals:
            return "DECIMAL({},{})".format(*self.decimals)
        return TYPES[self.type]


FREE_TEXT = "free_text"  # what people typed; names, numbers and labels are text
TYPES = {
    "text": "VARCHAR",
    FREE_TEXT: "VARCHAR",
    "code": "VARCHAR",
    "integer": "BIGINT",
    "usd": "DECIMAL(18,2)",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


class Rule(Strict):
    """A rule across columns, in SQL over the lake's columns; judged for the load as a whole."""

    holds: str
    broken_share_max: float = Field(0.0, ge=0, le=1)
    applies_to: list[str] | None = Field(None, description="layouts; none given: all")


class Suite(Strict):
    """What is expected of a load as a whole: limits that expectations/ holds it to."""

    rules: dict[str, Rule] = {}
    set_aside_share_max: float = Field(default=0.05, ge=0, le=1)
    rows_ratio: tuple[float, float] = Field(
        default=(0.6, 1.7), description="rows against the median of earlier admitted loads"
    )
    amount_ratio: tuple[float, float] = Field(
        default=(0.1, 10.0), description="dollars per row, likewise; for each usd column"
    )
    fill_ratio_min: float = Field(default=0.5, ge=0, le=1, description="filled share of a column, likewise")
    fill_varies: list[str] = Field(
        default=[], description="columns whose filled share moves of itself, and is not compared"
    )
    share_shift_max: float = Field(
        default=0.35, ge=0, le=1, description="how far a share may move: blanks, signs, codes, exclusions"
    )
    month_shift_max: float = Field(
        default=3.0, ge=0, description="months by which the rows' dates may drift from the file's month"
    )
    min_history: int = Field(
        default=3, ge=1, description="earlier admitted loads needed before any is compared with them"
    )
    least_rows: int = Field(default=100, ge=1, description="fewer rows than this say nothing about a share or a volume")


class Contract(Strict):
    """One feed: the one place where it is described. Everything else is derived."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    domain: str
    about: str
    grain: str
    key: list[str] = Field(min_length=1)
    amount: str | None = None
    month: str | None = None
    columns: dict[str, Column]
    layouts: dict[str, Layout]
    suite: Suite = Suite()

    @model_validator(mode="after")
    def _names_are_columns(self) -> Contract:
        for name in [*self.key, *filter(None, [self.amount, self.month])]:
            self._known(name, "key, amount and month")
        for name in self.key:
            if self.columns[name].identity != "keep" and not self.columns[name].token_kind:
                raise ValueError(f"the key column {name!r} is not kept, and is no token: rows could not be told apart")
        if self.amount:
            amount = self.columns[self.amount]
            if amount.decimals is None or amount.identity != "keep":
                raise ValueError(f"amount {self.amount!r} must be usd or decimal, and kept")
        if self.month and (
            self.columns[self.month].type not in ("date", "timestamp") or self.columns[self.month].identity != "keep"
        ):
            raise ValueError(f"month {self.month!r} must be a date or timestamp, and kept")
        for layout_name, layout in self.layouts.items():
            self._check_layout(layout_name, layout)
        for rule_name, rule in self.suite.rules.items():
            for layout_name in rule.applies_to or []:
                if layout_name not in self.layouts:
                    raise ValueError(
                        f"suite rule {rule_name}: no layout {layout_name!r}{nearest(layout_name, self.layouts)}"
                    )
        lake_names = [column.name for column in self.lake_columns()]
        for name in self.suite.fill_varies:
            if name not in lake_names:
                raise ValueError(f"suite fill_varies: no column {name!r} in the lake{nearest(name, lake_names)}")
        if twice := {name for name in lake_names if lake_names.count(name) > 1}:
            raise ValueError(f"two columns would both be {sorted(twice)} in the lake")
        return self

    def _known(self, name: str, where: str) -> None:
        if name not in self.columns:
            raise ValueError(f"{where}: no column {name!r}{nearest(name, self.columns)}")

    def _check_layout(self, name: str, layout: Layout) -> None:
        for column in layout.columns:
            self._known(column, f"layout {name}")
            if layout.issuer(column) and not self.columns[column].token_kind:
                raise ValueError(f"layout {name}: {column!r} becomes no token, so nobody is asked who issued it")
        if name == CANONICAL:
            return
        for column, definition in self.columns.items():
            if definition.required and column not in layout.columns:
                raise ValueError(f"layout {name} maps nothing to {column!r}, which is required")
        mapping = layout.columns.get(self.amount or "")
        if mapping is not None and not self._countable(mapping):
            raise ValueError(
                f"layout {name}: the amount {self.amount!r} is counted a second time from the bytes, so it is "
                "mapped by from, sum or first alone"
            )
        if layout.x12:
            self._check_x12(name, layout)
        elif layout.data_source is None:
            raise ValueError(f"layout {name} names no data_source")

    @staticmethod
    def _check_x12(name: str, layout: Layout) -> None:
        """Every sender writes X12 alike, so the layout names none; its columns are those of the record."""
        if name != X12:
            raise ValueError(f"layout {name}: a feed's layout of X12 is called {X12}")
        record = RECORDS.get(layout.x12 or "")
        if record is None:
            raise ValueError(f"layout {name}: no record {layout.x12!r} of X12{nearest(layout.x12 or '', RECORDS)}")
        for column in layout.source_columns():
            if column not in record.columns:
                raise ValueError(f"layout {name}: a {layout.x12} has no {column!r}{nearest(column, record.columns)}")

    @staticmethod
    def _countable(mapping: Mapping) -> bool:
        plain = not any(part.map or part.default is not None or part.extract or part.pad for part in mapping.parts())
        columns = mapping.from_ or mapping.sum or (mapping.first and all(part.from_ for part in mapping.first))
        return plain and bool(columns)

    def layout(self, name: str) -> Layout:
        """The layout, the canonical one spelt out: each column from the source column of its own name."""
        layout = self.layouts[name]
        if name != CANONICAL:
            return layout
        columns = {column: Mapping.model_validate({"from": column}) for column in self.columns}
        optional = [column for column, definition in self.columns.items() if not definition.required]
        return layout.model_copy(update={"columns": {**columns, **layout.columns}, "optional": optional})

    def lake_columns(self) -> list[LakeColumn]:
        """The lake's columns: identities dropped, tokenised or generalised, then the four that every row carries."""
        return [*self._kept_columns(), *EVERY_ROW]

    def _kept_columns(self) -> Iterator[LakeColumn]:
        for name, column in self.columns.items():
            about = column.about + (f" ({column.unit})" if column.unit else "")
            if column.identity == "drop":
                continue
            if column.token_kind:
                yield LakeColumn(
                    token_name(name), "VARCHAR", f"{about}; token of kind {column.token_kind}", name, column.required
                )
            elif column.generalised_to:
                to = column.generalised_to
                yield LakeColumn(generalised_name(name, to), GENERALISED[to], about, name)
                if to == "birth_year":
                    yield LakeColumn(POOLED, "BOOLEAN", POOLED_ABOUT, name)
            else:
                allowed = tuple(column.allowed or ())
                yield LakeColumn(name, column.duckdb_type, about, name, column.required, allowed)

    def lake_name(self, column: str) -> str | None:
        """What a contract's column is called in the lake; None where it is dropped."""
        return next((lake.name for lake in self._kept_columns() if lake.source == column), None)


EVERY_ROW = (
    LakeColumn("data_source", "VARCHAR", "who sent it; sources are never mixed in a rate", "", required=True),
    LakeColumn("load_id", "VARCHAR", "the load that brought the row (lake.loads)", "", required=True),
    LakeColumn("source_line_number", "BIGINT", "line in the unpacked file, counted from 1", "", required=True),
    LakeColumn("source_part_number", "INTEGER", "1, or which of several rows on that line", "", required=True),
)


def token_name(column: str) -> str:
    """`member_id` → `member_token`."""
    return re.sub(r"_(id|number)$", "", column) + "_token"


def generalised_name(column: str, to: str) -> str:
    """`birth_date` → `birth_year`, `death_date` → `death_year`, `zip_code` → `zip3`."""
    return re.sub(r"_date$", "", column) + "_year" if to == "year" else to


def nearest(name: str, known: Any) -> str:
    """`; did you mean 'paid_amount'?`, or nothing."""
    found = difflib.get_close_matches(name, [str(item) for item in known], n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


class _Loader(yaml.CSafeLoader):
    """YAML without its surprises: only true and false are booleans (codes are Y, NO, ON), and 010 is text."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":int"))]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))


def load_contracts(folder: Path = CONTRACTS) -> dict[str, Contract]:
    """All contracts, by feed. Raises ContractError, saying which file and where in it."""
    contracts = {contract.feed: contract for contract in map(load_contract, sorted(folder.glob("*.yml")))}
    if not contracts:
        raise ContractError(f"{folder}: no contracts")
    return contracts


def load_contract(path: Path) -> Contract:
    """One contract. Raises ContractError."""
    status = path.stat()
    return _read_contract(path, status.st_mtime_ns, status.st_size)


@functools.cache
def _read_contract(path: Path, modified_ns: int, byte_count: int) -> Contract:
    """Every step of a run asks for every contract, and nobody changes one that was read: one reading for each change."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
        contract = Contract.model_validate(data)
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not YAML: {error}") from error
    except ValidationError as error:
        raise ContractError("\n".join(_explained(path, item) for item in error.errors())) from error
    if contract.feed != path.stem:
        raise ContractError(f"{path.name}: says feed {contract.feed!r}; the file must be {contract.feed}.yml")
    return contract


def _explained(path: Path, error: Any) -> str:
    place = [str(part) for part in error["loc"] if part not in ("function-after", "function-before")]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"unknown key{nearest(place[-1], _keys_at(place[:-1]))}"
    return f"{path.name}: {' → '.join(place) or 'contract'}: {message}"


def _keys_at(place: list[str]) -> list[str]:
    """The keys that are known at a place of a contract."""
    model: type[BaseModel] = Contract
    if place[:1] == ["columns"]:
        model = Column
    elif place[:1] == ["suite"]:
        model = Rule if len(place) > 1 else Suite
    elif place[:1] == ["layouts"]:
        inner: dict[str, type[BaseModel]] = {
            "columns": Mapping,
            "exclude": Exclusion,
            "repeat": Repeat,
            "footer": Footer,
        }
        model = inner.get(place[2], Layout) if len(place) > 2 else Layout
    return [field.alias or name for name, field in model.model_fields.items()]
